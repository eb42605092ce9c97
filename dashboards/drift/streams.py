"""What is watched: each stream, what puts a call into which bucket, and how its buckets read."""

from dataclasses import dataclass
from typing import Literal

Unit = Literal["", "tokens", "ms", "usd", "distance"]
Source = Literal["llm_calls", "guard_events", "traits"]


@dataclass(frozen=True, slots=True)
class Stream:
    """`bucket` is SQL on `source`, '' where a row is not counted; the rollup's view has the same text.

    `unit` is set where buckets are sizes. `filter` is the filter of calls that a bucket is a value of.
    """

    title: str
    bucket: str
    unit: Unit = ""
    source: Source = "llm_calls"
    filter: str = ""

    @property
    def sizes(self) -> bool:
        return bool(self.unit)


def _log2(value: str) -> str:
    return f"toString(toInt32(floor(2 * log2({value}))))"


_GUARD = (
    "multiIf(guard_verdict = 'fail_open', 'failed_open', guard_action = 'block' OR status = 'blocked', 'blocked', "
    "guard_action = 'modify', 'modified', guard_verdict IN ('warn', 'deny'), 'flagged', "
    "guard_verdict = 'allow', 'clean', '')"
)
_NEW_WORDS = (
    "multiIf(new_words IS NULL, '', new_words = 0, 'none', new_words <= 0.05, 'up to 5%', "
    "new_words <= 0.1, 'up to 10%', new_words <= 0.25, 'up to 25%', 'over 25%')"
)
_SHIFT = "if(centroid_distance IS NULL, '', toString(floor(assumeNotNull(centroid_distance) * 10) / 10))"

STREAMS: dict[str, Stream] = {
    "model": Stream("Model", "toString(model)", filter="model"),
    "snapshot": Stream(
        "Model that answered",
        "if(status = 'ok' AND request_model != '', "
        "if(model = request_model, model, concat(request_model, ' → ', model)), '')",
    ),
    "finish_reason": Stream("Finish reason", "if(status = 'ok', toString(finish_reason), '')", filter="finish_reason"),
    "error": Stream("Failures", "if(status = 'error', 'error', 'no error')"),
    "guard": Stream("What guards did", _GUARD, filter="guard"),
    "guard_rule": Stream(
        "Findings by rule",
        "if(verdict IN ('allow', 'none', ''), '', concat(toString(rule), ': ', toString(verdict)))",
        source="guard_events",
    ),
    "input_length": Stream("Input length", f"if(input_tokens > 0, {_log2('input_tokens')}, '')", "tokens"),
    "output_length": Stream("Output length", f"if(output_tokens > 0, {_log2('output_tokens')}, '')", "tokens"),
    "latency": Stream("Latency", f"if(status = 'ok' AND latency_ms > 0, {_log2('latency_ms')}, '')", "ms"),
    "cost": Stream("Cost per call", f"if(ifNull(cost_usd, 0) > 0, {_log2('assumeNotNull(cost_usd)')}, '')", "usd"),
    "refusal": Stream("Refusals", "multiIf(failure = 'refusal', 'refusal', status = 'ok', 'no refusal', '')"),
    "tool_calls": Stream("Tool calls", "if(status = 'ok', if(tool_calls > 0, 'tool call', 'none'), '')"),
    "json_valid": Stream("Valid JSON", "multiIf(json_valid = 'yes', 'valid', json_valid = 'no', 'invalid', '')"),
    "language": Stream("Language", "toString(language)", source="traits"),
    "topic": Stream("Topic", "toString(topic)", source="traits"),
    "input_form": Stream("Form of the input", "toString(input_form)", source="traits"),
    "new_words": Stream("New words", _NEW_WORDS, source="traits"),
    "centroid_shift": Stream("Distance of the texts' centre", _SHIFT, "distance", "traits"),
}
"""In the order of the page. Those whose columns or table a store does not have never show up in the rollup."""


def edge(stream: Stream, bucket: str) -> float:
    """The smallest size in a bucket, in the stream's unit."""
    return float(bucket) if stream.unit == "distance" else 2 ** (float(bucket) / 2)


def word(stream: Stream, bucket: str) -> str:
    """A bucket as people read it; of sizes, all that is as large or larger."""
    if not stream.unit:
        return bucket or "(none)"
    size = edge(stream, bucket)
    if stream.unit == "tokens":
        return f"{size:,.0f} tokens and more"
    if stream.unit == "usd":
        return f"${size:.2g} and more"
    if stream.unit == "ms":
        return f"{_seconds(size)} and more"
    return f"{size:.1f} and more"


def _seconds(ms: float) -> str:
    if ms >= 1000:
        return f"{ms / 1000:.2g} s"
    return f"{ms:.2g} ms" if ms < 100 else f"{ms:.0f} ms"

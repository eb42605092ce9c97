"""From the record of a call to span attributes: the only place that writes them. Pure: no span in sight."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import compress
from json.encoder import c_make_encoder, encode_basestring  # type: ignore[attr-defined]  # not in its stubs
from operator import attrgetter
from typing import Any, cast

from opentelemetry.util.types import AttributeValue

from ..guards.judgement import Decision, GuardEvent, Side
from ..guards.messages import Message, Part
from . import semconv
from .blocked import ModelCallBlocked
from .call import ModelCall, Usage
from .operation import Operation
from .usual import Known, Usual, learnt

Attributes = dict[str, AttributeValue]

SCALARS = (str, bool, int, float)

_ROLE = ',{{"role":{},"parts":'.format
_TEXT = '[{"type":"text","content":'
ROLES = {role: _ROLE(f'"{role}"') + _TEXT for role in ("system", "user", "assistant", "tool")}
"""How a message of one text begins."""
LONG = 700
PIECE = 16_384
"""Characters that are looked through at once."""
RARE = tuple(chr(code) for code in range(0x20) if chr(code) not in "\n\r\t")
"""Control characters that hardly any text has."""
ESCAPED = (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t"))

_is_word = re.compile(r"arn:[\w./:+-]{0,200}|(?!.*\d{9})\w[\w./:+-]{0,63}").fullmatch

_pieces = c_make_encoder(None, str, encode_basestring, None, ":", ",", False, False, True)  # noqa: FBT003  its face
"""What `json.JSONEncoder` makes anew for each text, made once: texts as they are, of what is no JSON its `str`."""

OPENING = {
    semconv.OPERATION: "operation",
    semconv.PROVIDER: "provider",
    semconv.REQUEST_MODEL: "request_model",
    semconv.SERVER_ADDRESS: "server_address",
    semconv.SERVER_PORT: "server_port",
}
USUAL = {
    semconv.REQUEST_STREAM: "stream",
    semconv.RESPONSE_MODEL: "response_model",
    semconv.FINISH_REASONS: "finish_reasons",
    semconv.ERROR_TYPE: "error_type",
    semconv.STREAM_END: "stream_end",
    semconv.CONTENT_WITHHELD: "content_withheld",
    semconv.USAGE_SOURCE: "usage.source",
}
"""What is the same in nearly all calls to one model, where there is something to say, by the field of the record."""
AROUND = {
    semconv.CONVERSATION: "session_id",
    semconv.PROMPT_NAME: "prompt_name",
    semconv.PROMPT_VERSION: "prompt_version",
    semconv.USER_ID: "user_id",
    semconv.USER_GROUP: "user_group",
    semconv.TAGS: "tags",
}
"""What the application says around a call, likewise."""
_around_fields = attrgetter(*AROUND.values())
_opening_fields, _usual_fields = attrgetter(*OPENING.values()), attrgetter(*USUAL.values())
_openings: Known = {}
_usuals: Known = {}

OUTPUT_ONLY = "output_unjudged"
"""The reason for withholding what came back while what was sent is shown."""

GUARD_ORDER = ("none", "allow", "warn", "modify", "fail_open", "deny")
"""Verdicts from the least to the most telling: a call that was judged twice shows the more telling one."""
ACTION_ORDER = ("none", "allow", "modify", "block")


def name(call: ModelCall) -> str:
    return f"{call.operation} {call.request_model}".rstrip()


def opening(call: ModelCall) -> Usual:
    """What is known before the provider is asked; a sampler may look at it."""
    # named one by one: looked up by their names, fields cost more than all the rest
    key = call.operation, call.provider, call.request_model, call.server_address, call.server_port
    try:
        return _openings[key]
    except (KeyError, TypeError):  # seen for the first time, or no key
        return learnt(_openings, key, _opening, call)


def _opening(call: ModelCall) -> Attributes:
    return _told(OPENING, _opening_fields(call))


def usual(call: ModelCall) -> Usual:
    """What the span says when the call is over, as nearly all calls to this model do."""
    before, after = call.guarded_input, call.guarded_output
    key = (
        call.stream, call.response_model, call.finish_reasons, call.error_type, call.stream_end,
        call.content_withheld, call.usage.source, before and _verdict(before), after and _verdict(after),
    )  # fmt: skip
    try:
        return _usuals[key]
    except (KeyError, TypeError):  # as above
        return learnt(_usuals, key, _usual, call)


def _verdict(decision: Decision) -> tuple[Any, ...]:
    return decision.verdict, decision.action, decision.degraded, decision.policy_name, decision.policy_hash


def _usual(call: ModelCall) -> Attributes:
    said = _told(USUAL, _usual_fields(call)) | guards(call)
    if call.usage.source == "none":
        del said[semconv.USAGE_SOURCE]
    said.pop(semconv.GUARD_LATENCY_MS, None)
    return said


def closing(call: ModelCall) -> Attributes:
    """Everything else the span of this call says, when it is over."""
    said: Attributes = {}
    if call.response_id:
        said[semconv.RESPONSE_ID] = call.response_id
    if call.session_id or call.user_id or call.prompt_name or call.tags or call.user_group or call.prompt_version:
        said |= _told(AROUND, _around_fields(call))
    if call.chunks:
        said[semconv.STREAM_CHUNKS] = call.chunks
    if call.first_chunk_ns:
        said[semconv.TIME_TO_FIRST_CHUNK] = (call.first_chunk_ns - call.started_ns) / 1e9
    if call.longest_gap_ns:
        said[semconv.STREAM_LONGEST_GAP_MS] = call.longest_gap_ns / 1e6
    if call.params:
        said |= _params(call.params)
    if call.usage.source != "none":
        _usage(said, call.usage)
    before, after = call.guarded_input, call.guarded_output
    if before is not None or after is not None:
        said[semconv.GUARD_LATENCY_MS] = (before.latency_ms if before else 0) + (after.latency_ms if after else 0)
    if not call.content_withheld or call.content_withheld == OUTPUT_ONLY:
        _content(said, call)
    return said


def guardrails(call: ModelCall | Operation) -> list[tuple[Side, Attributes]]:
    """The `run_guardrail` spans of what rules made of this call or operation, in order."""
    before, after = call.guarded_input, call.guarded_output
    said: list[tuple[Side, Attributes]] = []
    if before is not None and before.events:
        said += [("input", _guardrail("input", before, event)) for event in before.events]
    if after is not None and after.events:
        said += [("output", _guardrail("output", after, event)) for event in after.events]
    return said


def failure(call: ModelCall | Operation) -> str | None:
    """The status description of what failed, None if it did not. Quotes nothing that people or models said."""
    if call.error_type == "":
        return None
    if isinstance(call.error, ModelCallBlocked):
        return f"{call.error_type} rule {call.error.rule}"
    status, code = _refused(call.error)
    says = [f"HTTP {status}"] if isinstance(status, int) else []
    if isinstance(code, str) and code.replace("_", "").replace("-", "").isalnum() and len(code) <= 60:
        says.append(code)
    return " ".join([call.error_type, *says])


def _refused(error: BaseException | None) -> tuple[Any, Any]:
    """HTTP status and error code, which some libraries keep in the exception's response: a dictionary in botocore."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        told, said = response.get("ResponseMetadata"), response.get("Error")
        return (told or {}).get("HTTPStatusCode"), (said or {}).get("Code")
    status = getattr(error, "status_code", getattr(response, "status_code", None))
    if isinstance(plain := getattr(error, "status", None), int):  # aiohttp, which warns of its `code`
        return plain if status is None else status, None
    return status, getattr(error, "code", None)


def report(kind: str, reason: str, number: int) -> Attributes:
    return {semconv.REPORT_KIND: kind, semconv.REPORT_REASON: reason, semconv.REPORT_COUNT: number}


def messages_json(messages: Iterable[Message]) -> str:
    """Messages as the conventions' JSON schemas for input and output messages have them."""
    pieces: list[str] = []
    for message in messages:
        parts, role, reason = message.parts, message.role, message.finish_reason
        end = f',"finish_reason":{quoted(reason)}}}' if reason else "}"
        if len(parts) == 1 and parts[0].kind == "text" and role in ROLES:  # as nearly all are
            pieces += (ROLES[role], quoted(parts[0].text), "}]", end)
        else:
            pieces += (_ROLE(quoted(role)), parts_json(parts), end)
    if not pieces:
        return "[]"
    pieces[0] = "[" + pieces[0][1:]
    pieces += ("]",)
    return "".join(pieces)


def parts_json(parts: Sequence[Part]) -> str:
    """The parts of one message as the same schemas have them."""
    if len(parts) == 1 and parts[0].kind == "text":
        return f"{_TEXT}{quoted(parts[0].text)}}}]"
    return to_json([_part(part) for part in parts])


def _params(params: Mapping[str, Any]) -> Attributes:
    """Settings: numbers, flags and words. A text in the place of one is nobody's setting."""
    return {
        semconv.REQUEST_PREFIX + key: [str(item) for item in value] if isinstance(value, (list, tuple)) else value
        for key, value in params.items()
        if isinstance(value, (bool, int, float))
        or (isinstance(value, str) and _is_word(value))
        or (isinstance(value, (list, tuple)) and all(map(_is_word, map(str, value))))
    }


def _usage(said: Attributes, usage: Usage) -> None:
    said[semconv.INPUT_TOKENS] = usage.input_total
    said[semconv.OUTPUT_TOKENS] = usage.output_total
    if usage.cache_read:
        said[semconv.CACHE_READ_TOKENS] = usage.cache_read
    if usage.cache_write:
        said[semconv.CACHE_WRITE_TOKENS] = usage.cache_write
    if usage.reasoning:
        said[semconv.REASONING_TOKENS] = usage.reasoning
    if usage.raw:
        said[semconv.USAGE_RAW] = to_json(usage.raw)


def guards(call: ModelCall | Operation) -> Attributes:
    """What the guards said, in sum."""
    before, after = call.guarded_input, call.guarded_output
    if before is None and after is None:
        return {semconv.GUARD_VERDICT: "none", semconv.GUARD_ACTION: "none"}
    if before is None or after is None:
        latest = cast("Decision", before or after)
        verdict, action, degraded, latency = latest.verdict, latest.action, latest.degraded, latest.latency_ms
    else:
        latest, latency = after, before.latency_ms + after.latency_ms
        verdict = max(before.verdict, after.verdict, key=GUARD_ORDER.index)
        action = max(before.action, after.action, key=ACTION_ORDER.index)
        degraded = tuple(dict.fromkeys((*before.degraded, *after.degraded)))
    said: Attributes = {
        semconv.GUARD_VERDICT: verdict,
        semconv.GUARD_ACTION: action,
        semconv.GUARD_LATENCY_MS: latency,
    }
    if latest.policy_name:
        said[semconv.GUARD_POLICY_NAME] = latest.policy_name
    if latest.policy_hash:
        said[semconv.GUARD_POLICY_HASH] = latest.policy_hash
    if degraded:
        said[semconv.GUARD_DEGRADED] = degraded
    return said


def _content(said: Attributes, call: ModelCall) -> None:
    system: list[Part] = []
    told: list[Message] = []
    for message in call.messages:
        if message.role == "system":
            system += message.parts
        else:
            told += (message,)
    if told:
        said[semconv.INPUT_MESSAGES] = messages_json(told)
    if system:
        said[semconv.SYSTEM_INSTRUCTIONS] = parts_json(system)
    if call.output and not call.content_withheld:
        said[semconv.OUTPUT_MESSAGES] = messages_json(call.output)
    if call.tools and (tools := [part for message in call.tools for part in message.parts]):
        said[semconv.TOOL_DEFINITIONS] = to_json([meant(part) for part in tools])
    if call.cut:
        said[semconv.CONTENT_CUT] = call.cut


def _guardrail(side: Side, decision: Decision, event: GuardEvent) -> Attributes:
    said: Attributes = {
        semconv.OPERATION: semconv.RUN_GUARDRAIL,
        semconv.GUARDRAIL_TARGET: side,
        semconv.GUARDRAIL_VERDICT: event.verdict,
        semconv.GUARDRAIL_ACTION: event.action,
        semconv.GUARDRAIL_MODE: event.mode,
        semconv.GUARDRAIL_STAGE: event.stage,
        semconv.GUARDRAIL_SCORE: event.score,
        semconv.GUARDRAIL_FINDINGS: event.findings,
        semconv.GUARDRAIL_DEGRADED: event.degraded,
        semconv.GUARD_LATENCY_MS: event.latency_ms,
    }
    return said | given(
        {
            semconv.GUARDRAIL_RULE: event.rule,
            semconv.GUARDRAIL_COMPONENT: event.detector,
            semconv.GUARDRAIL_CATEGORY: event.label,
            semconv.GUARDRAIL_REASON: event.reason,
            semconv.GUARDRAIL_ENGINE: event.engine,
            semconv.GUARDRAIL_POLICY: decision.policy_name,
            semconv.GUARD_POLICY_HASH: decision.policy_hash,
        }
    )


def quoted(text: str) -> str:
    """A text as JSON has it. What has little to escape and is long takes a third of what the library takes."""
    if not isinstance(text, str):
        return to_json(text)  # an adapter's slip costs no record
    if len(text) < LONG or _has_rare(text):
        return encode_basestring(text)
    if ('"' in text or "\\" in text) and text.count('"') + text.count("\\") > len(text) // 64:  # looking is quick
        return encode_basestring(text)
    for char, escaped in ESCAPED:
        if char in text:
            text = text.replace(char, escaped)
    return f'"{text}"'


def _has_rare(text: str) -> bool:
    """By pieces that stay in the processor's nearest cache, from one character to the next."""
    if len(text) <= PIECE:  # as of nearly all, which need no generator
        return any(map(text.__contains__, RARE))
    return any(any(map(text[at : at + PIECE].__contains__, RARE)) for at in range(0, len(text), PIECE))


def _part(part: Part) -> dict[str, Any]:
    match part.kind:
        case "tool_call":
            return {"type": "tool_call", "id": part.id or None, "name": part.name, "arguments": meant(part)}
        case "tool_result":
            return {"type": "tool_call_response", "id": part.id or None, "response": meant(part)}
        case "document":
            return {"type": "document", "id": part.id or None, "name": part.name or None, "content": meant(part)}
        case "media":
            return {
                "type": "uri",
                "modality": part.mime.partition("/")[0],
                "mime_type": part.mime or None,
                "uri": part.uri,
            }
        case _:
            return {"type": part.kind, "content": part.text}


def meant(part: Part) -> Any:
    """JSON text as what it means, so that it is not JSON within JSON; other text as it is."""
    if not part.json:
        return part.text
    try:
        return json.loads(part.text)
    except (ValueError, RecursionError):
        return part.text


def to_json(value: Any) -> str:
    """As people write text: nothing escaped but what has to be."""
    return "".join(_pieces(value, 0))


def _told(names: Iterable[str], values: Sequence[Any]) -> Attributes:
    """As `given`, of names and their values."""
    return dict(compress(zip(names, values, strict=True), values))


def given(values: Mapping[str, Any]) -> Attributes:
    """Without what is empty or zero."""
    return {key: value for key, value in values.items() if value}

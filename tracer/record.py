"""From the record of a call to span attributes: the only place that writes them. Pure: no span in sight."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from json.encoder import encode_basestring
from typing import Any, cast

from opentelemetry.util.types import AttributeValue

from ..guards.judgement import Decision, GuardEvent, Side
from ..guards.messages import Message, Part
from . import semconv
from .blocked import ModelCallBlocked
from .call import ModelCall, Usage
from .operation import Operation

Attributes = dict[str, AttributeValue]

SCALARS = (str, bool, int, float)

ROLES = {role: f',{{"role":"{role}","parts":' for role in ("system", "user", "assistant", "tool")}
"""How a message of each begins."""
LONG = 256
RARE = bytes(code for code in range(0x20) if code not in b"\n\r\t")
"""Control characters that hardly any text has."""
ESCAPED = (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t"))

_is_word = re.compile(r"arn:[\w./:+-]{0,200}|(?!.*\d{9})\w[\w./:+-]{0,63}").fullmatch

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str).encode
"""Made once: `json.dumps` with settings makes an encoder each time."""

OUTPUT_ONLY = "output_unjudged"
"""The reason for withholding what came back while what was sent is shown."""

GUARD_ORDER = ("none", "allow", "warn", "modify", "fail_open", "deny")
"""Verdicts from the least to the most telling: a call that was judged twice shows the more telling one."""
ACTION_ORDER = ("none", "allow", "modify", "block")


def name(call: ModelCall) -> str:
    return f"{call.operation} {call.request_model}".rstrip()


def opening(call: ModelCall) -> Attributes:
    """What is known before the provider is asked; a sampler may look at it."""
    return given(
        {
            semconv.OPERATION: call.operation,
            semconv.PROVIDER: call.provider,
            semconv.REQUEST_MODEL: call.request_model,
            semconv.SERVER_ADDRESS: call.server_address,
            semconv.SERVER_PORT: call.server_port,
        }
    )


def closing(call: ModelCall) -> Attributes:
    """Everything else the span of this call says, when it is over."""
    said = _params(call.params) if call.params else {}
    said |= _sparse(call)
    if call.usage.source != "none":
        said |= _usage(call.usage)
    return {**said, **guards(call), **_content(call)}


def guardrails(call: ModelCall | Operation) -> Iterator[tuple[Side, Attributes]]:
    """The `run_guardrail` spans of what rules made of this call or operation, in order."""
    sides: tuple[tuple[Side, Decision | None], ...] = (("input", call.guarded_input), ("output", call.guarded_output))
    for side, decision in sides:
        for event in decision.events if decision else ():
            yield side, _guardrail(side, cast("Decision", decision), event)


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
        role = ROLES.get(message.role) or f',{{"role":{quoted(message.role)},"parts":'
        parts = message.parts
        if len(parts) == 1 and parts[0].kind == "text":  # as nearly all are
            pieces += (role, '[{"type":"text","content":', quoted(parts[0].text), "}]")
        else:
            pieces += (role, to_json([_part(part) for part in parts]))
        pieces += (f',"finish_reason":{quoted(message.finish_reason)}}}' if message.finish_reason else "}",)
    if not pieces:
        return "[]"
    pieces[0] = "[" + pieces[0][1:]
    pieces += ("]",)
    return "".join(pieces)


def _params(params: Mapping[str, Any]) -> Attributes:
    """Settings: numbers, flags and words. A text in the place of one is nobody's setting."""
    return {
        semconv.REQUEST_PREFIX + key: [str(item) for item in value] if isinstance(value, (list, tuple)) else value
        for key, value in params.items()
        if isinstance(value, (bool, int, float))
        or (isinstance(value, str) and _is_word(value))
        or (isinstance(value, (list, tuple)) and all(map(_is_word, map(str, value))))
    }


def _sparse(call: ModelCall) -> Attributes:
    """What is said only where there is something to say."""
    return given(
        {
            semconv.REQUEST_STREAM: call.stream,
            semconv.CONVERSATION: call.session_id,
            semconv.PROMPT_NAME: call.prompt_name,
            semconv.PROMPT_VERSION: call.prompt_version,
            semconv.USER_ID: call.user_id,
            semconv.USER_GROUP: call.user_group,
            semconv.TAGS: call.tags,
            semconv.RESPONSE_MODEL: call.response_model,
            semconv.RESPONSE_ID: call.response_id,
            semconv.FINISH_REASONS: call.finish_reasons,
            semconv.ERROR_TYPE: call.error_type,
            semconv.TIME_TO_FIRST_CHUNK: (call.first_chunk_ns - call.started_ns) / 1e9 if call.first_chunk_ns else 0,
            semconv.STREAM_CHUNKS: call.chunks,
            semconv.STREAM_LONGEST_GAP_MS: call.longest_gap_ns / 1e6,
            semconv.STREAM_END: call.stream_end,
        }
    )


def _usage(usage: Usage) -> Attributes:
    said: Attributes = {
        semconv.INPUT_TOKENS: usage.input_total,
        semconv.OUTPUT_TOKENS: usage.output_total,
        semconv.USAGE_SOURCE: usage.source,
    }
    return said | given(
        {
            semconv.CACHE_READ_TOKENS: usage.cache_read,
            semconv.CACHE_WRITE_TOKENS: usage.cache_write,
            semconv.REASONING_TOKENS: usage.reasoning,
            semconv.USAGE_RAW: to_json(usage.raw) if usage.raw else "",
        }
    )


def guards(call: ModelCall | Operation) -> Attributes:
    """What the guards said, in sum."""
    before, after = call.guarded_input, call.guarded_output
    if before is None and after is None:
        return {semconv.GUARD_VERDICT: "none", semconv.GUARD_ACTION: "none"}
    if before is None or after is None:
        decisions = [cast("Decision", before or after)]
        latest = decisions[0]
        verdict, action, degraded = latest.verdict, latest.action, latest.degraded
    else:
        decisions, latest = [before, after], after
        verdict = max(before.verdict, after.verdict, key=GUARD_ORDER.index)
        action = max(before.action, after.action, key=ACTION_ORDER.index)
        degraded = tuple(dict.fromkeys((*before.degraded, *after.degraded)))
    return {
        semconv.GUARD_VERDICT: verdict,
        semconv.GUARD_ACTION: action,
        semconv.GUARD_LATENCY_MS: sum([decision.latency_ms for decision in decisions]),
    } | given(
        {
            semconv.GUARD_POLICY_NAME: latest.policy_name,
            semconv.GUARD_POLICY_HASH: latest.policy_hash,
            semconv.GUARD_DEGRADED: degraded,
        }
    )


def _content(call: ModelCall) -> Attributes:
    if call.content_withheld and call.content_withheld != OUTPUT_ONLY:
        return {semconv.CONTENT_WITHHELD: call.content_withheld}
    system: list[Part] = []
    told: list[Message] = []
    for message in call.messages:
        if message.role == "system":
            system += message.parts
        else:
            told.append(message)
    tools = [part for message in call.tools for part in message.parts] if call.tools else []
    return given(
        {
            semconv.INPUT_MESSAGES: messages_json(told) if told else "",
            semconv.SYSTEM_INSTRUCTIONS: to_json([_part(part) for part in system]) if system else "",
            semconv.OUTPUT_MESSAGES: messages_json(call.output) if call.output and not call.content_withheld else "",
            semconv.CONTENT_WITHHELD: call.content_withheld,
            semconv.CONTENT_CUT: call.cut,
            semconv.TOOL_DEFINITIONS: to_json([meant(part) for part in tools]) if tools else "",
        }
    )


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
    if len(text) < LONG:
        return encode_basestring(text)
    try:
        data = text.encode()
    except UnicodeEncodeError:
        return encode_basestring(text)
    if len(data) != len(data.translate(None, RARE)):
        return encode_basestring(text)
    if ('"' in text or "\\" in text) and text.count('"') + text.count("\\") > len(text) // 64:  # looking is quick
        return encode_basestring(text)
    for char, escaped in ESCAPED:
        if char in text:
            text = text.replace(char, escaped)
    return f'"{text}"'


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
    return _encode(value)


def given(values: Mapping[str, Any]) -> Attributes:
    """Without what is empty or zero."""
    return {key: value for key, value in values.items() if value}

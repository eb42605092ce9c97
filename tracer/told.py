"""What was told of an operation, or of a model call that went past our wrapper: judged before it is recorded.

Nothing that was told can be changed or stopped any more: of what a rule blocks the masked text is recorded, and the
verdict. What came out is judged as a tool result, whatever the kind of its parts: it is the application's own data,
with the originals of pseudonyms in it.
"""

from dataclasses import replace

from opentelemetry.trace import SpanKind

from ..guards.judgement import Check, Context, Decision, Side
from ..guards.messages import Message, Part
from . import health, operation_record, record
from .call import ModelCall
from .context import Scope
from .guarding import Judge
from .operation import Operation

Told = Operation | ModelCall
Messages = tuple[Message, ...]


def name(told: Told) -> str:
    return record.name(told) if isinstance(told, ModelCall) else operation_record.name(told)


def kind(told: Told) -> SpanKind:
    return SpanKind.CLIENT if isinstance(told, ModelCall) else operation_record.kind(told)


def opening(told: Told, scope: Scope) -> record.Attributes:
    """What is known when it begins. A model call takes over what the application said around it."""
    if not isinstance(told, ModelCall):
        return operation_record.opening(told, scope)
    scope.onto(told)
    return record.opening(told)


def asking(told: Told, scope: Scope, around: Context) -> Context:
    """What rules can match on."""
    call = told if isinstance(told, ModelCall) else None
    return replace(
        around,
        operation=call.operation if call else told.kind,  # type: ignore[union-attr]  # one of the two
        provider=call.provider if call else "",
        model=call.request_model if call else "",
        prompt_name=scope.prompt_name,
        prompt_version=scope.prompt_version,
        user_id=scope.user_id,
        user_group=scope.user_group,
        session_id=scope.session_id,
        tags=scope.tags,
    )


def given(told: Told) -> Messages:
    return (*told.messages, *told.tools) if isinstance(told, ModelCall) else told.given


def found(told: Told) -> Messages:
    return told.output if isinstance(told, ModelCall) else told.found


def judged(judge: Judge, told: Told, context: Context) -> str:
    """Put what may be recorded in the place of what was told. Why nothing of it may be, '' if it may. Blocks."""
    try:
        went, told.guarded_input = _looked(judge, context, "input", given(told))
        came, told.guarded_output = _looked(judge, context, "output", found(told))
    except Exception as error:  # noqa: BLE001  what nobody judged is not recorded
        health.mishap("told", error)
        return "unreadable"
    if isinstance(told, ModelCall):
        said = len(told.messages)
        told.messages, told.tools, told.output = went[:said], went[said:], came
    else:
        told.given, told.found = went, came
    decisions = [decision for decision in (told.guarded_input, told.guarded_output) if decision is not None]
    return next((decision.withhold for decision in decisions if decision.withhold), "")


def _looked(judge: Judge, context: Context, side: Side, messages: Messages) -> tuple[Messages, Decision | None]:
    if not messages:
        return messages, None
    asked = messages if side == "input" else tuple(map(_as_results, messages))
    decision = judge(Check(side, asked, context))
    return tuple(_like(old, new) for old, new in zip(messages, decision.messages, strict=True)), decision


def _as_results(message: Message) -> Message:
    return replace(message, parts=tuple(_as_result(part) for part in message.parts))


def _as_result(part: Part) -> Part:
    return replace(part, kind="tool_result") if part.kind in {"text", "reasoning"} else part


def _like(old: Message, new: Message) -> Message:
    """The message as it was told, with the texts that may be recorded."""
    pairs = zip(old.parts, new.parts, strict=True)
    return replace(old, parts=tuple(replace(before, text=after.text) for before, after in pairs))

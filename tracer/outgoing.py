"""From what the guards said to what is written: edits by path, originals back in place, one decision out of many."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ..guards.judgement import Decision, GuardEvent, StreamPlan
from ..guards.messages import Message, Part, Path, parts_of
from .record import ACTION_ORDER, GUARD_ORDER


def changed(before: tuple[Message, ...], after: tuple[Message, ...]) -> dict[Path, str]:
    """Texts that differ, by their path. Raises ValueError if the messages do not have the same shape."""
    if before is after:
        return {}
    if [len(message.parts) for message in before] != [len(message.parts) for message in after]:
        raise ValueError("the guards answered with messages of another shape")
    pairs = zip(parts_of(before), parts_of(after), strict=True)
    return {old.where: new.text for (_, _, old), (_, _, new) in pairs if new.text != old.text}


def restored(messages: tuple[Message, ...], pseudonyms: Mapping[str, str]) -> tuple[Message, ...]:
    """The messages as the application gets them: placeholders turned back into what they stand for."""
    if not pseudonyms:
        return messages
    return tuple(
        replace(message, parts=tuple(_restored(part, pseudonyms) for part in message.parts)) for message in messages
    )


def merged(decisions: Iterable[Decision]) -> Decision | None:
    """One decision on a streamed output that was judged window by window; events of one rule become one event."""
    whole: Decision | None = None
    events: dict[tuple[str, ...], GuardEvent] = {}
    for decision in decisions:
        for event in decision.events:
            key = (event.rule, event.stage, event.detector, event.label, event.verdict, event.action, event.mode)
            events[key] = _added(events[key], event) if key in events else event
        whole = decision if whole is None else _worse(whole, decision)
    return whole and replace(whole, events=tuple(events.values()))


def _restored(part: Part, pseudonyms: Mapping[str, str]) -> Part:
    from ..guards.holdback import HoldBack

    if not any(placeholder in part.text for placeholder in pseudonyms):
        return part
    whole = HoldBack(pseudonyms, StreamPlan(), _never, json=part.json)
    return replace(part, text=whole.feed(part.text).delivered + whole.close().delivered)


def _never(text: str) -> Decision:  # noqa: ARG001  the face of a judge
    raise AssertionError("restoring asks nobody")


def _added(one: GuardEvent, two: GuardEvent) -> GuardEvent:
    return replace(
        one,
        score=max(one.score, two.score),
        findings=one.findings + two.findings,
        latency_ms=one.latency_ms + two.latency_ms,
        degraded=one.degraded or two.degraded,
    )


def _worse(one: Decision, two: Decision) -> Decision:
    verdict = max(one.verdict, two.verdict, key=GUARD_ORDER.index)
    return replace(
        one,
        verdict=verdict,
        action=max(one.action, two.action, key=ACTION_ORDER.index),
        blocked_by=one.blocked_by or two.blocked_by,
        reply=one.reply if one.blocked_by else two.reply,
        policy_name=two.policy_name or one.policy_name,
        policy_hash=two.policy_hash or one.policy_hash,
        degraded=tuple(dict.fromkeys((*one.degraded, *two.degraded))),
        latency_ms=one.latency_ms + two.latency_ms,
        withhold=one.withhold or two.withhold,
    )

"""From what the guards said to what is written: edits by path, originals back in place, one decision out of many."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from ..guards.judgement import Decision, Edit, GuardEvent, StreamPlan
from ..guards.messages import Message, Part, Path, parts_of
from .record import ACTION_ORDER, GUARD_ORDER


def judges_output(decision: Decision) -> bool:
    """Whether what comes back has to be judged before or while it is delivered."""
    return decision.stream.mode != "none" or decision.stream.tool_call != "none"


def changed(before: tuple[Message, ...], after: tuple[Message, ...]) -> dict[Path, str]:
    """Texts that differ, by their path. Raises ValueError if the messages do not have the same shape."""
    if before is after:
        return {}
    if [len(message.parts) for message in before] != [len(message.parts) for message in after]:
        raise ValueError("the guards answered with messages of another shape")
    pairs = zip(parts_of(before), parts_of(after), strict=True)
    return {old.where: new.text for (_, _, old), (_, _, new) in pairs if new.text != old.text}


def settled(
    messages: tuple[Message, ...], judged: Decision | None, pseudonyms: Mapping[str, str]
) -> tuple[tuple[Message, ...], tuple[Message, ...]]:
    """An answer as the application gets it (originals put back) and as it may be recorded (placeholders)."""
    both = {
        (m, p): _settled(part, judged and replace(judged, edits=_edits_of(judged, m, p)), pseudonyms)
        for m, p, part in parts_of(messages)
    }
    return _with_texts(messages, lambda m, p: both[m, p][0]), _with_texts(messages, lambda m, p: both[m, p][1])


def _edits_of(judged: Decision, message: int, part: int) -> tuple[Edit, ...]:
    return tuple(edit for edit in judged.edits if (edit.message, edit.part) == (message, part))


def _settled(part: Part, judged: Decision | None, pseudonyms: Mapping[str, str]) -> tuple[str, str]:
    from ..guards.holdback import HoldBack, restore

    if judged is None:
        return restore(part.text, pseudonyms, json=part.json), part.text
    whole = HoldBack(pseudonyms, StreamPlan("buffer", tool_call="buffer"), lambda _: judged, json=part.json)
    released = whole.feed(part.text) + whole.close()
    return released.delivered, released.recorded


def _with_texts(messages: tuple[Message, ...], text: Callable[[int, int], str]) -> tuple[Message, ...]:
    return tuple(
        replace(message, parts=tuple(replace(part, text=text(m, p)) for p, part in enumerate(message.parts)))
        for m, message in enumerate(messages)
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

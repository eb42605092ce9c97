"""A round over all rules: measure, step, keep, tell.

What happened is kept with the new state in one document before anything is done about it, so that a sidecar that is
killed at any point says everything once it is up again: a row has an id and is read once, a notification is sent at
least once and has the same id each time.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from typing import Any

from ..api.means import Insert
from ..ask import Ask, QueryFailed
from ..documents import Documents, TooMany
from . import happened, kept, pending
from .counting import MOST_GROUPS
from .measuring import Asked, Measured, Others, measure
from .metrics import METRICS
from .notification import Notification, compose
from .pending import NONE_LOST, Lost, bounded
from .reading import Group, Reading
from .rule import Rule
from .step import Event, State, state_of, step, stop

log = logging.getLogger(__name__)

GAP_ROUNDS = 10


@dataclass(frozen=True, slots=True)
class RuleState:
    """What is kept of a rule between rounds.

    `pending` are events that are not yet rows and notifications, `lost` those that found no room there.
    """

    groups: Mapping[Group, State]
    pending: Sequence[Mapping[str, Any]] = ()
    rule: Mapping[str, Any] | None = None
    problem: str = ""
    left_out: int = 0
    lost: Lost = NONE_LOST

    def as_json(self) -> dict[str, Any]:
        return {
            "groups": [[list(group), state.as_json()] for group, state in self.groups.items()],
            "pending": list(self.pending),
            "rule": self.rule,
            "problem": self.problem,
            "left_out": self.left_out,
            "lost": self.lost.as_json(),
        }


def rule_state(documents: Documents, id_: str) -> RuleState:
    found = documents.get(kept.STATE, id_)
    if found is None:
        return RuleState({})
    body = found.body
    groups = {tuple(group): state_of(state) for group, state in body["groups"]}
    lost = Lost(**body.get("lost", {}))
    return RuleState(groups, body["pending"], body["rule"], body["problem"], body["left_out"], lost)


@dataclass(frozen=True, slots=True)
class Firing:
    """What /metrics shows of one group."""

    rule: str
    name: str
    severity: str
    group: str
    firing: bool


@dataclass(frozen=True, slots=True)
class Round:
    """`problem`: the first thing that went wrong, for people."""

    at: int
    rules: int
    problem: str
    shown: tuple[Firing, ...]


@dataclass(frozen=True, slots=True)
class Engine:
    """`address` gives where the page is, for links. One thread at a time."""

    ask: Ask
    insert: Insert
    documents: Documents
    others: Others
    address: Callable[[], str]

    def round(self, now: int) -> Round:
        """Raises nothing of the store's: what cannot be done now is done in a later round."""
        documents = self.documents
        found = [(document.id, kept.rule_of(document)) for document in documents.all(kept.RULE)]
        rules = {id_: rule for id_, rule in found if rule is not None}
        asked = [kept.asked_of(documents, id_, rule) for id_, rule in rules.items() if rule.enabled]
        measured = measure(self.ask, asked, now, self.others)
        problems = [self._guarded(one, measured[one.id], now) for one in asked]
        problems += [self._end(id_, "the rule is switched off", now) for id_, rule in rules.items() if not rule.enabled]
        known = {id_ for id_, _ in found}
        for document in documents.all(kept.STATE):
            if document.id not in known:
                problems.append(self._end(document.id, "the rule was removed", now))
                if not rule_state(documents, document.id).pending:
                    documents.remove(kept.STATE, document.id)
        problem = next(filter(None, problems), "")
        shown = tuple(one for id_, rule in rules.items() for one in self._shown(id_, rule))
        left = [rule_state(documents, document.id) for document in documents.all(kept.STATE)]
        waiting, lost = sum(len(one.pending) for one in left), sum(one.lost.count for one in left)
        ended = kept.LastRound(now, len(asked), problem, waiting, lost)
        documents.put(kept.ENGINE, kept.OF_ENGINE, asdict(ended))
        return Round(now, len(asked), problem, shown)

    def _guarded(self, asked: Asked, measured: Measured, now: int) -> str:
        """One rule that cannot be judged, such as for names too long to be kept, is told and costs no other."""
        try:
            return self._judge(asked, measured, now)
        except TooMany as full:
            return f"{asked.rule.name}: {full}"

    def _judge(self, asked: Asked, measured: Measured, now: int) -> str:
        """Gives what went wrong, or nothing."""
        old = rule_state(self.documents, asked.id)
        if measured.problem:
            self._keep(asked.id, replace(old, problem=measured.problem))
            return self._say(asked.id, now) or f"{asked.rule.name}: {measured.problem}"
        muted = kept.snooze_of(self.documents, asked.id, now) is not None
        gap = GAP_ROUNDS * kept.every_s(self.documents) * 1000
        groups: dict[Group, State] = {}
        events = list(old.pending)
        readings, left_out = _readings(asked.rule, old.groups, measured.readings)
        for reading in readings:
            before = old.groups.get(reading.group, State(since=now))
            after, came = step(before, reading, asked.rule, now, gap_ms=gap, muted=muted)
            events += [_event(asked.id, asked.rule, reading.group, one, now) for one in came]
            if after.phase != "ok" or reading.value is not None or reading.group == ():
                groups[reading.group] = after
        waiting, lost = bounded(events, old.lost)
        self._keep(asked.id, RuleState(groups, waiting, asked.rule.model_dump(), "", left_out, lost))
        return self._say(asked.id, now)

    def _end(self, id_: str, why: str, now: int) -> str:
        old = rule_state(self.documents, id_)
        if old.rule is None or not (old.groups or old.pending):
            return ""
        rule = Rule.model_validate(old.rule)
        events = list(old.pending)
        for group, state in old.groups.items():
            _, came = stop(state, now, why)
            events += [_event(id_, rule, group, one, now) for one in came]
        waiting, lost = bounded(events, old.lost)
        self._keep(id_, RuleState({}, waiting, old.rule, lost=lost))
        return self._say(id_, now)

    def _keep(self, id_: str, state: RuleState) -> None:
        self.documents.put(kept.STATE, id_, state.as_json())

    def _say(self, id_: str, now: int) -> str:
        """Turn what is pending into rows and notifications; what is not done stays pending."""
        state = rule_state(self.documents, id_)
        if not state.pending or state.rule is None:
            return ""
        rule = Rule.model_validate(state.rule)
        rows = list(state.pending)
        for event in state.pending:
            if event["tell"]:
                rows += self._post(rule, event)
        if state.lost.count:
            rows.append(pending.happened(id_, rule.name, state.lost, now))
        try:
            self.insert(happened.TABLE, [happened.row(one) for one in rows])
            if state.lost.count:
                self.insert(pending.REPORTS, [pending.report(rule.name, state.lost, now)])
        except QueryFailed as failed:
            return f"{rule.name}: its history cannot be written: {failed}"
        self._keep(id_, replace(state, pending=(), lost=NONE_LOST))
        return ""

    def _post(self, rule: Rule, event: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
        """Into the outbox, once for each channel; gives what had to be dropped."""
        notification = compose(rule, event, self.address())
        for channel in rule.channels:
            try:
                post(self.documents, channel, notification, int(event["at"]))
            except TooMany as full:
                why = f"not sent: {full}"
                yield {**event, "id": f"{event['id']}-{channel}", "event": "dropped", "channel": channel, "detail": why}

    def _shown(self, id_: str, rule: Rule) -> Iterable[Firing]:
        state = rule_state(self.documents, id_)
        for group, one in state.groups.items() or {(): State()}.items():
            yield Firing(id_, rule.name, rule.severity, happened.shown(group), one.phase == "firing")


def post(documents: Documents, channel: str, notification: Notification, now: int) -> None:
    """Put a notification into the outbox, once. Raises `TooMany`."""
    key = f"{notification['id']}-{channel}"
    if documents.get(kept.OUTBOX, key) is None:
        body = {"channel": channel, "notification": notification, "attempts": 0, "next": now, "why": "", "since": now}
        documents.put(kept.OUTBOX, key, body)


def _readings(rule: Rule, known: Mapping[Group, State], readings: Sequence[Reading]) -> tuple[list[Reading], int]:
    """With those groups that are watched and said nothing now; at most `MOST_GROUPS`, and how many were left out."""
    now = {reading.group: reading for reading in readings}
    gone = [
        Reading(group, METRICS[rule.metric].empty)
        for group, state in known.items()
        if group not in now and (state.phase != "ok" or METRICS[rule.metric].empty is not None)
    ]
    first = [now[group] for group in known if group in now] + gone
    new = [reading for reading in readings if reading.group not in known]
    room = max(0, MOST_GROUPS - len(first))
    return [*first, *new[:room]], len(new[room:])


def _event(id_: str, rule: Rule, group: Group, event: Event, now: int) -> dict[str, Any]:
    name = happened.shown(group)
    unique = sha256(f"{id_}\0{name}\0{event.kind}\0{now}".encode()).hexdigest()[:32]
    return {
        "id": unique,
        "at": now,
        "rule": id_,
        "name": rule.name,
        "group": name,
        "names": list(group),
        "event": event.kind,
        "value": event.value,
        "threshold": rule.level,
        "detail": event.text,
        "tell": event.tell,
    }

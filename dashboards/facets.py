"""What there is to filter by: the values of a column with their counts under every other filter.

Where no rollup can answer for very many calls, a part of them is counted; each value that is reckoned from it says so.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from . import calls_of_events, conditions, guard_facets, guard_kind, sets
from .ask import Ask
from .beside import side_by_side
from .calls_of_events import CallsOfEvents
from .conditions import Condition
from .sample import WHOLE, Sample, of_events
from .view import COLUMNS, View

FACETS = (
    "status", "failure", "guard", "rule", "error_type", "service", "env", "provider", "model", "operation",
    "finish_reason", "prompt", "user_group", "tag",
)  # fmt: skip
MOST = 15
MOST_TO_ADD = 1000
"""Of values whose counts are added to others before the most frequent are taken."""
_FEW = frozenset({"user", "session", "trace"})
"""Filters that an index answers, and that leave few calls: of these all are counted."""
_CALLS = COLUMNS | {"guard": guard_kind.OF_CALL}
_HOURS = COLUMNS | {"guard": "guard"}


@dataclass(frozen=True, slots=True)
class _Part:
    """A SELECT of `facet`, `value`, `calls`, and of which part of the calls it is."""

    asked: Condition
    sample: Sample


def facets(ask: Ask, view: View) -> dict[str, list[dict[str, Any]]]:
    """Facet -> its most frequent values, each counted as if that facet had no filter of its own."""
    found: dict[str, dict[str, float]] = {name: {} for name in FACETS}
    about = set()
    with side_by_side() as beside:
        answers = [(part, beside(ask, part.asked.sql, part.asked.parameters)) for part in _Parts(ask, view).all()]
        for part, answer in answers:
            for facet, value, calls in answer().rows:
                found[facet][value] = found[facet].get(value, 0) + part.sample.all_of(calls)
                if part.sample.share > 1:
                    about.add(facet)
    return {name: _largest(values, about=name in about) for name, values in found.items() if any(values)}


def _largest(values: dict[str, float], *, about: bool) -> list[dict[str, Any]]:
    told = sorted(((value, round(calls)) for value, calls in values.items()), key=lambda one: (-one[1], one[0]))
    mark = {"about": True} if about else {}
    return [{"value": value, "calls": calls} | mark for value, calls in told[:MOST] if calls > 0]


class _Parts:
    """The questions whose counts add up to the facets of a view."""

    def __init__(self, ask: Ask, view: View) -> None:
        self._ask = ask
        self._few = _few(ask, view)
        # which calls these are is known now: their index need not be looked through again
        self._view = (
            replace(view, chosen={k: to for k, to in view.chosen.items() if k not in _FEW}) if self._few else view
        )

    def all(self) -> Iterator[_Part]:
        """For all facets without a filter of their own together, then for each that has one."""
        free = [name for name in FACETS if name not in self._view.named]
        groups = [(free, self._view)] if free else []
        groups += [([name], self._view.without(name)) for name in FACETS if name in self._view.named]
        if calls_of_events.answers(self._view):
            of_events = calls_of_events.of(self._ask, self._view)
            for names, view in groups:
                yield from self._by_events(names, replace(of_events, view=view))
        else:
            yield from self._by_calls(groups)

    def _by_events(self, names: Sequence[str], of: CallsOfEvents) -> Iterator[_Part]:
        """What calls are by themselves, and what events change of it."""
        if not calls_of_events.only_with_events(of.view):
            yield from self._of_calls(names, of.view, kinds=of.view.chosen.get("guard", ()))
        yield from self._of_events(names, of)

    def _of_events(self, names: Sequence[str], of: CallsOfEvents) -> Iterator[_Part]:
        of_guards = {"guard", "rule"} & {*names}
        if "guard" in self._view.named and "rule" not in self._view.named:
            # kinds are counted as if none were asked for, so they can be with the rules: one reading less
            of_guards = {"guard", "rule"} if "rule" in names else set()
        of_calls = [name for name in names if name not in {"guard", "rule", "failure"}]
        all_change = calls_of_events.all_change(of.view)
        if of_guards or (of_calls and all_change):
            sampled = replace(of, sample=self._few or of_events(self._ask, of.view))
            if of_guards:
                yield _Part(guard_facets.guarded(sorted(of_guards), sampled), sampled.sample)
            if of_calls and all_change:
                yield _Part(guard_facets.changed(of_calls, sampled), sampled.sample)
        if "failure" in names and all_change:
            yield _Part(guard_facets.failures(replace(of, sample=self._sample)), self._sample)

    def _by_calls(self, groups: Iterable[tuple[list[str], View]]) -> Iterator[_Part]:
        """Every call is looked at, and compared with its events."""
        for names, view in groups:
            yield from self._of_calls(names, view)
            if of_guards := [name for name in names if name in {"guard", "rule"}]:
                yield _Part(guard_facets.compared(of_guards, conditions.calls(view), self._compared), self._compared)

    def _of_calls(self, names: Sequence[str], view: View, kinds: Sequence[str] = ()) -> Iterator[_Part]:
        """`kinds`: calls that are one of these by themselves."""
        if columns := [name for name in names if name in _CALLS]:
            yield self._columns(columns, view, kinds)
        if "tag" in names:
            yield self._tags(view, kinds)

    def _columns(self, names: Sequence[str], view: View, kinds: Sequence[str]) -> _Part:
        columns = [f"of_{name}" for name in names]
        of_calls, of_hours = (", ".join(f"{told[name]} AS of_{name}" for name in names) for told in (_CALLS, _HOURS))
        plain, of_kinds = (calls_of_events.unkind(view), {"is_guard": list(kinds)}) if kinds else (view, {})
        if rolled := not self._few and plain.named <= conditions.HOURLY:
            more = (", guard AS own", f", {guard_kind.OF_CALL} AS own") if kinds else ("", "")
            source = conditions.counted(plain, of_hours + more[0], of_calls=of_calls + more[1], by_hour=False)
            where = " WHERE own IN {is_guard:Array(String)}" if kinds else ""
            rows, calls = f"SELECT * FROM ({source.sql}){where}", "sum(c.calls)"
        else:
            source = self._sample.narrowed(calls_of_events.by_themselves(view) if kinds else conditions.calls(view))
            rows, calls = f"SELECT {of_calls} FROM llm_calls WHERE {source.sql}", "count()"
        sql = f"""SELECT substring({sets.which(columns)}, 4) AS facet, {sets.value(columns)} AS value, {calls} AS calls
FROM ({rows}) AS c {sets.grouped(columns)} ORDER BY calls DESC, value LIMIT {MOST_TO_ADD if kinds else MOST} BY facet"""
        return _Part(Condition(sql, source.parameters | of_kinds), WHOLE if rolled else self._sample)

    def _tags(self, view: View, kinds: Sequence[str]) -> _Part:
        if rolled := not self._few and view.named <= conditions.TAGGED:
            source = conditions.tagged(view)
            rows, calls = source.sql, "sum(calls)"
        else:
            source = self._sample.narrowed(calls_of_events.by_themselves(view) if kinds else conditions.calls(view))
            rows, calls = f"SELECT arrayJoin(arrayDistinct(tags)) AS tag FROM llm_calls WHERE {source.sql}", "count()"
        sql = f"""SELECT 'tag' AS facet, toString(tag) AS value, {calls} AS calls FROM ({rows})
GROUP BY value ORDER BY calls DESC, value LIMIT {MOST_TO_ADD if kinds else MOST}"""
        return _Part(Condition(sql, source.parameters), WHOLE if rolled else self._sample)

    @cached_property
    def _sample(self) -> Sample:
        """Where no rollup can answer."""
        if self._view.chosen.keys() & _FEW:  # not so few
            return WHOLE
        return self._few or Sample.of_calls(self._ask, self._view)

    @cached_property
    def _compared(self) -> Sample:
        rolled = not self._few and self._view.named <= conditions.HOURLY
        return (WHOLE if rolled else self._sample).of_events(self._ask, self._view)


def _few(ask: Ask, view: View) -> Sample | None:
    if few := {name: values for name, values in view.chosen.items() if name in _FEW}:
        return Sample.of_few(ask, replace(view, chosen=few, refused={}, bounds={}, text="", found=None))
    return None

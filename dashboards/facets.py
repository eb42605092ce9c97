"""What there is to filter by: the values of a column with their counts under every other filter.

Where no rollup can answer for very many calls, a part of them is counted; each value that is reckoned from it says so.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from . import conditions, guard_facets, guard_kind, sets
from .ask import Ask
from .conditions import Condition
from .sample import WHOLE, Sample
from .view import COLUMNS, View

FACETS = (
    "status", "failure", "guard", "rule", "error_type", "service", "env", "provider", "model", "operation",
    "finish_reason", "prompt", "user_group", "tag",
)  # fmt: skip
MOST = 15
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
    rolled = view.named <= conditions.HOURLY
    sample = WHOLE if rolled or view.named & _FEW else Sample.of_calls(ask, view)
    found: dict[str, dict[str, float]] = {name: {} for name in FACETS}
    about = set()
    for part in _parts(view, sample, sample.of_events(ask, view)):
        for facet, value, calls in ask(part.asked.sql, part.asked.parameters).rows:
            found[facet][value] = found[facet].get(value, 0) + part.sample.all_of(calls)
            if part.sample is not WHOLE:
                about.add(facet)
    return {name: _largest(values, about=name in about) for name, values in found.items() if any(values)}


def _largest(values: dict[str, float], *, about: bool) -> list[dict[str, Any]]:
    told = sorted(((value, round(calls)) for value, calls in values.items()), key=lambda one: (-one[1], one[0]))
    mark = {"about": True} if about else {}
    return [{"value": value, "calls": calls} | mark for value, calls in told[:MOST] if calls > 0]


def _parts(view: View, sample: Sample, of_events: Sample) -> Iterator[_Part]:
    """One for all columns that have no filter, one for each that has; then what stands in guard events, and tags."""
    columns = [name for name in FACETS if name in _CALLS]
    free = [name for name in columns if name not in view.named]
    for names in ([free] if free else []) + [[name] for name in columns if name in view.named]:
        yield _columns(names, view, sample)
    for names in [["guard"], ["rule"]] if view.named & {"guard", "rule"} else [["guard", "rule"]]:
        where = conditions.calls(view, without=names[0])
        yield _Part(guard_facets.counted(names, where, of_events), of_events)
    yield _tags(view, sample)


def _columns(names: Sequence[str], view: View, sample: Sample) -> _Part:
    """Read once for all of `names`: they have no filter, or are one that stands without its own."""
    without = names[0] if len(names) == 1 else ""
    columns = [f"of_{name}" for name in names]
    of_calls, of_hours = (", ".join(f"{told[name]} AS of_{name}" for name in names) for told in (_CALLS, _HOURS))
    rolled = view.named - {without} <= conditions.HOURLY
    if rolled:
        source = conditions.counted(view, of_hours, without=without, of_calls=of_calls)
        rows, calls = source.sql, "sum(c.calls)"
    else:
        source = sample.narrowed(conditions.calls(view, without=without))
        rows, calls = f"SELECT {of_calls} FROM llm_calls WHERE {source.sql}", "count()"
    sql = f"""SELECT substring({sets.which(columns)}, 4) AS facet, {sets.value(columns)} AS value, {calls} AS calls
FROM ({rows}) AS c {sets.grouped(columns)} ORDER BY calls DESC, value LIMIT {MOST} BY facet"""
    return _Part(Condition(sql, source.parameters), WHOLE if rolled else sample)


def _tags(view: View, sample: Sample) -> _Part:
    rolled = view.named - {"tag"} <= conditions.ROLLED
    if rolled:
        source = conditions.tagged(view)
        rows, calls = source.sql, "sum(calls)"
    else:
        source = sample.narrowed(conditions.calls(view, without="tag"))
        rows, calls = f"SELECT arrayJoin(arrayDistinct(tags)) AS tag FROM llm_calls WHERE {source.sql}", "count()"
    sql = f"""SELECT 'tag' AS facet, toString(tag) AS value, {calls} AS calls FROM ({rows})
GROUP BY value ORDER BY calls DESC, value LIMIT {MOST}"""
    return _Part(Condition(sql, source.parameters), WHOLE if rolled else sample)

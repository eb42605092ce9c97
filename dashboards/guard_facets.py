"""What guard events add to the counts of a facet: kinds that a call has by its events alone, and rules."""

from collections.abc import Sequence
from dataclasses import replace

from . import sets
from .calls_of_events import CallsOfEvents, unkind
from .conditions import IN_RANGE, Condition
from .guard_kind import CALL_KINDS, FOUND, KEY, NEAR, OF_CALL, OF_EVENT, bit, bits_of
from .sample import Sample


def compared(names: Sequence[str], where: Condition, sample: Sample) -> Condition:
    """SELECT of `facet` (of `names`: guard, rule), `value`, `calls` over the calls under `where`.

    Of guard it is what comes to, or goes from, the calls as they are by themselves (`OF_CALL`).
    """
    calls = sample.narrowed(where)
    near = f"{NEAR}{sample.near}"
    kinds = list(CALL_KINDS)
    bits = f"groupBitOr(if({FOUND}, {bit(OF_EVENT)}, 0))"
    rules = "groupUniqArray(rule)" if "rule" in names else "CAST([], 'Array(String)')"
    events = f"SELECT {KEY} AS call, {bits} AS bits, {rules} AS rules FROM guard_events WHERE {near} GROUP BY call"
    # of all calls those with events are sought out; of a part of them that would be more work than the join itself
    with_events = "" if sample.near else f" AND {KEY} IN (SELECT {KEY} FROM guard_events WHERE {near})"
    own = f"SELECT {KEY} AS call, {OF_CALL} AS own FROM llm_calls WHERE {calls.sql}{with_events}"
    added = f"arrayMap(k -> ('guard', k, 1), arrayFilter(k -> bitAnd(bits, {bit('k')}) > 0 AND k != own, {kinds}))"
    taken = "if(own = 'clean' AND bits > 0, [('guard', 'clean', -1)], [])"
    of_rules = "arrayMap(r -> ('rule', toString(r), 1), rules)"
    changes = {"guard": [added, taken], "rule": [of_rules]}
    all_ = ", ".join(f"CAST({one}, 'Array(Tuple(String, String, Int8))')" for name in names for one in changes[name])
    sql = f"""SELECT one.1 AS facet, one.2 AS value, sum(one.3) AS calls FROM (
  SELECT arrayJoin(arrayConcat({all_})) AS one FROM ({own}) AS o JOIN ({events}) AS e USING (call)
) GROUP BY facet, value"""
    return Condition(sql, calls.parameters)


def changed(names: Sequence[str], of: CallsOfEvents) -> Condition:
    """SELECT of `facet`, `value`, `calls`: what events change of the counts of facets that are known of calls."""
    columns = [f"of_{name}" for name in names]
    plain = [column for column in columns if column != "of_tag"]
    rows = of.changing(names)
    value = sets.value(plain) if plain else "''"
    values = f"arrayJoin(if(facet = 'tag', arrayMap(one -> toString(one), arrayDistinct(of_tag)), [{value}]))"
    sql = f"""SELECT facet, value, sum(calls) AS calls FROM (
  SELECT substring({sets.which(columns)}, 4) AS facet, {values if "tag" in names else value} AS value,
    {of.change()} AS calls
  FROM ({rows.sql}) {sets.grouped(columns)}
) GROUP BY facet, value HAVING calls != 0"""
    return Condition(sql, rows.parameters)


def guarded(names: Sequence[str], of: CallsOfEvents) -> Condition:
    """The same of `names` (guard, rule), which are known of events."""
    rows = of.by_call()
    values = {"guard": _kinds(of), "rule": "arrayMap(one -> (toString(one), meant), rules)"}
    by = [{"guard": "own, bits", "rule": "rules"}[name] for name in names]
    told = ", ".join(f"facet = '{name}', {values[name]}" for name in names)
    facet = f"if({sets.which([columns.split(',')[0] for columns in by])} = 'own', 'guard', 'rule')"
    sql = f"""SELECT facet, one.1 AS value, sum(one.2) AS calls FROM (
  SELECT facet, arrayJoin(multiIf({told}, [])) AS one FROM (
    SELECT {facet} AS facet, toInt64(count()) AS calls, sum(toInt64({of.meant()})) AS meant, {", ".join(by)}
    FROM ({rows.sql}) {sets.grouped((), *by)}
  )
) GROUP BY facet, value HAVING calls != 0"""
    return Condition(sql, rows.parameters)


def _kinds(of: CallsOfEvents) -> str:
    """SQL: what so many `calls` with these `own` and `bits` add to each kind, if no kind is asked for."""
    pairs, of = [], replace(of, view=unkind(of.view))
    for kind in CALL_KINDS:
        is_kind = f"bitAnd(bitOr(own, bits), {bits_of([kind])}) > 0" + " AND bits = 0" * (kind == "clean")
        added = f"toInt64({of.meant()} AND {is_kind}) - toInt64({of.counted()} AND own = {bits_of([kind])})"
        pairs.append(f"('{kind}', calls * ({added}))")
    return f"[{', '.join(pairs)}]"


def failures(of: CallsOfEvents) -> Condition:
    """The same of kinds of failure, which no event knows."""
    rows = of.changing()
    failed = f"""SELECT {KEY} AS call, toString(llm_calls.failure) AS value FROM llm_calls
WHERE {IN_RANGE}{of.sample.within()} AND llm_calls.failure != ''"""
    sql = f"""SELECT 'failure' AS facet, value, {of.change()} AS calls
FROM ({rows.sql}) AS e LEFT JOIN ({failed}) AS f USING (call) GROUP BY value"""
    return Condition(sql, rows.parameters)

"""What guard events add to the counts of a facet: kinds that a call has by its events alone, and rules."""

from collections.abc import Sequence

from .conditions import Condition
from .guard_kind import CALL_KINDS, FOUND, KEY, NEAR, OF_CALL, OF_EVENT, bit
from .sample import Sample


def counted(names: Sequence[str], where: Condition, sample: Sample) -> Condition:
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

"""The SQL of rules: many of them in one question, over the rollups where these can say it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .. import conditions, events, guard_kind
from ..ask import Ask
from ..conditions import GUARD_ROLLED, ROLLED, Condition
from ..view import View
from .budgets import Budget
from .failure_kinds import FAILURE_KINDS
from .metrics import METRICS
from .reading import LONGEST_NAME, Group, Lane
from .rule import Rule
from .sums import Sums

AT_ONCE = 20
"""Rules in one question."""
MOST_GROUPS = 50
"""Of one rule; those with the most calls."""
MOST_PAST_GROUPS = 8
"""Of one rule, where its past is looked at."""

Counted = dict[tuple[int, int, Group], Sums]
"""By rule, bin and group."""

_NONE = "CAST(map(), 'Map(Int16, UInt64)')"
_ZERO = "toUInt64(0)"
_BIN = "map(toInt16(if({0} > 0, floor(8 * log2({0})), -100)), toUInt64(1))"
_EVENTS_ONLY = f"{_ZERO} AS n_calls, {_ZERO} AS n_bad, {_ZERO} AS n_blocked, {_ZERO} AS n_unpriced, toFloat64(0) AS usd"
_ROLLED = (
    "sum(calls) AS n_calls, sum(errors) AS n_bad, sum(blocked) AS n_blocked, sum(unpriced) AS n_unpriced, "
    "sum(cost_usd) AS usd"
)
_BY_HOUR = conditions.BY_MINUTE.replace(
    "toDateTime(intDiv({start:Int64}, 1000))", "toStartOfHour(toDateTime(intDiv({start:Int64}, 1000)))"
)
_NO_HISTOGRAMS = f"toInt64(0) AS last, {_NONE} AS latency, {_NONE} AS ttft"


@dataclass(frozen=True, slots=True)
class Part:
    """Where a rule's calls are counted. `rule` is the place of the rule among those asked about."""

    rule: int
    asked: Condition


def parts(
    number: int, rule: Rule, lane: Lane, budget: Budget | None, *, bin_: int | None, step_s: int = 0
) -> list[Part]:
    """With `bin_` all of the lane in that one bin, else in bins of `step_s` seconds."""
    view = _view(budget.scope if budget else rule.scope, lane)
    where = f"toInt64({bin_})" if bin_ is not None else f"intDiv(toInt64(toUnixTimestamp({{time}})), {int(step_s)})"
    found = [_calls(number, rule, view, where)]
    if METRICS[rule.metric].source == "guards":
        found.append(_guards(number, rule, view, where))
    return found


def count(ask: Ask, asked: Sequence[Part]) -> Counted:
    """Raises `QueryFailed`."""
    parameters: dict[str, Any] = {}
    texts = []
    for number, part in enumerate(asked):
        named = part.asked.named(f"p{number}")
        texts.append(named.sql)
        parameters |= named.parameters
    counted: Counted = {}
    for row in ask(" UNION ALL ".join(texts), parameters).records():
        key = (row["rule"], row["bin"], tuple(row["names"]))
        sums = _sums(row)
        if key in counted:
            counted[key].add(sums)
        else:
            counted[key] = sums
    return counted


def _sums(row: Mapping[str, Any]) -> Sums:
    return Sums(
        row["n_calls"], row["n_bad"], row["n_blocked"], row["n_unpriced"], row["usd"], row["n_events"], row["last"],
        row["latency"], row["ttft"],
    )  # fmt: skip


def _view(scope: Mapping[str, Iterable[str]], lane: Lane) -> View:
    chosen = {key: tuple(values) for key, values in scope.items() if not key.endswith("!")}
    refused = {key[:-1]: tuple(values) for key, values in scope.items() if key.endswith("!")}
    return View(lane.start, lane.end, chosen=chosen, refused=refused)


def _calls(number: int, rule: Rule, view: View, bin_: str) -> Part:
    rolled = not rule.kind or METRICS[rule.metric].kinds != "failure"
    histogram = METRICS[rule.metric].histogram
    if rolled and view.named <= ROLLED:
        where = conditions.rollup(view)
        table, time = "llm_1m", "t"
        columns = _ROLLED
        maps = {"latency": "sumMap(lat_hist)", "ttft": "sumMap(ttft_hist)"}
        last = "toInt64(toUnixTimestamp(max(t))) * 1000"
    else:
        where = conditions.calls(view)
        table, time = "llm_calls", "ts"
        bad = FAILURE_KINDS.get(rule.kind, "status = 'error'")
        unpriced = "llm_calls.cost_usd IS NULL AND input_tokens + output_tokens > 0"
        columns = (
            f"count() AS n_calls, countIf({bad}) AS n_bad, countIf(status = 'blocked') AS n_blocked, "
            f"countIf({unpriced}) AS n_unpriced, sum(ifNull(llm_calls.cost_usd, 0)) AS usd"
        )
        maps = {name: f"sumMap({_BIN.format(name + '_ms')})" for name in ("latency", "ttft")}
        last = "toInt64(toUnixTimestamp(toStartOfMinute(max(ts)))) * 1000"
    shown = ", ".join(f"{maps[name] if name == histogram else _NONE} AS {name}" for name in maps)
    select = f"{columns}, {_ZERO} AS n_events, {last} AS last, {shown}"
    return _part(number, rule, bin_.format(time=time), select, table, where)


def _guards(number: int, rule: Rule, view: View, bin_: str) -> Part:
    kind = "failed_open" if rule.metric == "fail_open" else rule.kind
    found = f"{guard_kind.FOUND}{f' AND {guard_kind.OF_EVENT} = {{kind:String}}' if kind else ''}"
    if view.named <= GUARD_ROLLED:
        where, table, time, n_events = conditions.rollup(view), "guard_1m", "t", "sum(events)"
    else:
        where, table, time, n_events = events.of_calls(view), "guard_events", "ts", "count()"
    narrowed = Condition(f"{where.sql} AND {found}", where.parameters | ({"kind": kind} if kind else {}))
    select = f"{_EVENTS_ONLY}, {n_events} AS n_events, {_NO_HISTOGRAMS}"
    return _part(number, rule, bin_.format(time=time), select, table, narrowed)


def _part(number: int, rule: Rule, bin_: str, select: str, table: str, where: Condition) -> Part:
    by = ", ".join(rule.by)
    cut = ", ".join(f"leftUTF8(toString({name}), {LONGEST_NAME})" for name in rule.by)
    names = f"[{cut}]" if by else "CAST([], 'Array(String)')"
    most, within = MOST_GROUPS, ""
    if "intDiv" in bin_:
        most = 0
        if by:
            within = f" AND ({by}) IN ({_largest(by, table, where.sql)})"
    limit = f" ORDER BY n_calls DESC, n_events DESC, names LIMIT {most}" if most else ""
    sql = (
        f"SELECT * FROM (SELECT toInt64({number}) AS rule, {bin_} AS bin, {names} AS names, {select} "
        f"FROM {table} WHERE {where.sql}{within} GROUP BY {', '.join(['bin', *rule.by])}{limit})"
    )
    return Part(number, Condition(sql, where.parameters))


def _largest(by: str, table: str, where: str) -> str:
    """The groups with the most calls; of a rollup by the minute those of whole hours, which are far fewer rows."""
    calls = "sum(calls)" if table == "llm_1m" else "count()"
    if table == "llm_1m":
        table, where = "llm_1h", where.replace(conditions.BY_MINUTE, _BY_HOUR)
    return f"SELECT {by} FROM {table} WHERE {where} GROUP BY {by} ORDER BY {calls} DESC, {by} LIMIT {MOST_PAST_GROUPS}"

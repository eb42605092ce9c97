"""Rollups get rows of the difference between what the calls say and what they say: done twice, nothing is added."""

from dataclasses import dataclass

from .store import Store

_DAY = 86_400_000
_MEASURES = {
    "unpriced": "toInt64(countIf(c.cost_usd IS NULL AND c.input_tokens + c.output_tokens > 0))",
    "priced": "toInt64(countIf(c.cost_usd IS NOT NULL))",
    "priced_tokens": "toInt64(sumIf(c.input_tokens + c.output_tokens, c.cost_usd IS NOT NULL))",
    "cost_usd": "sum(ifNull(c.cost_usd, 0))",
}


@dataclass(frozen=True, slots=True)
class _Rollup:
    """`bucket` is SQL over `c.ts`; `key` are its other columns. `kept`: extremes that a correction must not move.

    `calls` is what is counted, as `c`.
    """

    table: str
    bucket: str
    key: tuple[str, ...]
    measures: tuple[str, ...]
    kept: tuple[tuple[str, str], ...] = ()
    only: str = ""
    calls: str = "llm_calls${local} AS c"


_TAGGED = "(SELECT *, arrayJoin(if(empty(tags), [''], arrayDistinct(tags))) AS tag FROM llm_calls${local}) AS c"
_DIMENSIONS = ("service", "env", "provider", "model")
ROLLUPS = (
    _Rollup("llm_1m", "toStartOfMinute(c.ts)", ("tenant", *_DIMENSIONS), ("unpriced", "cost_usd")),
    _Rollup(
        "cost_1h", "toStartOfHour(c.ts)",
        ("tenant", *_DIMENSIONS, "user_group", "prompt_name", "prompt_version"), tuple(_MEASURES),
    ),
    _Rollup(
        "tag_1h", "toStartOfHour(c.ts)", ("tenant", *_DIMENSIONS, "tag"), tuple(_MEASURES), calls=_TAGGED,
    ),
    _Rollup(
        "user_1d", "toDateTime(toStartOfDay(c.ts), 'UTC')", ("tenant", "user_id", "env"), tuple(_MEASURES),
        (("last", "max"),),
    ),
    _Rollup(
        "user_app_1d", "toDateTime(toStartOfDay(c.ts), 'UTC')", ("tenant", "service", "user_id", "env"),
        tuple(_MEASURES),
    ),
    _Rollup(
        "sessions", "toDateTime(toStartOfMonth(c.ts), 'UTC')", ("tenant", "session_id", "env"),
        ("unpriced", "cost_usd"), (("first", "min"), ("last", "max")), " AND c.session_id != ''",
    ),
)  # fmt: skip


def correct(store: Store, start: int, end: int) -> None:
    """Every rollup over the days (UTC) that lie between `start` and `end`, in milliseconds; a day at a time.

    Where the calls and the rollup do not count the same number of calls (some are past their time to live), it is left
    as it is. Raises `QueryFailed`.
    """
    for rollup in ROLLUPS:
        step = 32 * _DAY if rollup.table == "sessions" else _DAY
        for begin in range(start // _DAY * _DAY, max(end, start + 1), step):
            # nothing is put in meanwhile: a segment that is in the calls and not yet here would look like a difference
            store.correct(store.render(_statement(rollup)), {"begin": begin, "end": min(begin + step, end + _DAY)})


def _statement(rollup: _Rollup) -> str:
    columns = ("t", *rollup.key)
    key = ", ".join(columns)
    span = _span(rollup)
    kept = [name for name, _ in rollup.kept]
    true = [f"{_MEASURES[name]} AS {name}" for name in rollup.measures]
    extremes = [f"{how}(c.ts) AS {name}" for name, how in rollup.kept]
    of_calls = ", ".join([f"{rollup.bucket} AS t", *(f"c.{name} AS {name}" for name in rollup.key)])
    held = [f"toInt64(sum(r.{name}))" if name != "cost_usd" else f"sum(r.{name})" for name in rollup.measures]
    held_columns = [f"-{sum_} AS {name}" for sum_, name in zip(held, rollup.measures, strict=True)]
    held_extremes = [f"{how}(r.{name}) AS {name}" for name, how in rollup.kept]
    differences = [f"sum(d.{name}) AS d_{name}" for name in rollup.measures]
    d_extremes = [f"{how}(d.{name}) AS d_{name}" for name, how in rollup.kept]
    put = [
        f"toUInt64(d_{name})" if name != "cost_usd" else "d_cost_usd" for name in rollup.measures
    ]  # a negative number wraps, and the sum wraps back
    changed = [f"d_{name} != 0" for name in rollup.measures if name != "cost_usd"]
    changed.append("abs(d_cost_usd) > 1e-12 + 1e-9 * size")
    return f"""INSERT INTO {rollup.table}${{local}} ({", ".join((*columns, *rollup.measures, *kept))})
SELECT {", ".join((*columns, *put, *(f"d_{name}" for name in kept)))} FROM (
  SELECT {key}, sum(d.calls) AS d_calls, max(abs(d.cost_usd)) AS size, {", ".join((*differences, *d_extremes))} FROM (
    SELECT {of_calls}, toInt64(count()) AS calls, {", ".join((*true, *extremes))}
    FROM {rollup.calls} WHERE {span["calls"]}{rollup.only} GROUP BY {key}
    UNION ALL
    SELECT {", ".join(f"r.{name} AS {name}" for name in columns)}, -toInt64(sum(r.calls)) AS calls,
      {", ".join((*held_columns, *held_extremes))}
    FROM {rollup.table}${{local}} AS r WHERE {span["rollup"]} GROUP BY {key}
  ) AS d GROUP BY {key}
) WHERE d_calls = 0 AND ({" OR ".join(changed)})"""


def _span(rollup: _Rollup) -> dict[str, str]:
    """Whole buckets: for sessions the months that the span touches, else the day."""
    begin, end = "fromUnixTimestamp64Milli({begin:Int64}, 'UTC')", "fromUnixTimestamp64Milli({end:Int64}, 'UTC')"
    if rollup.table == "sessions":
        begin, end = f"toStartOfMonth({begin})", f"toStartOfMonth({end} - INTERVAL 1 SECOND) + INTERVAL 1 MONTH"
    else:
        end = f"least({end}, {begin} + INTERVAL 1 DAY)"
    times = {"calls": "c.ts", "rollup": "r.t"}
    return {name: f"{time} >= {begin} AND {time} < {end}" for name, time in times.items()}

"""What is measured of a side: counts and sums of its calls (of a sample where they are very many), times of some."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import conditions, guard_kind
from ..ask import Ask
from ..failures.source import KINDS
from ..view import View

MOST_COUNTED = 300_000
MOST_TIMES = 10_000
GUARDS = ("blocked", "modified", "flagged", "failed_open")
AMOUNTS = {
    "cost": "llm_calls.cost_usd",
    "input": "if(usage_source IN ('', 'none'), NULL, toFloat64(llm_calls.input_tokens))",
    "output": "if(usage_source IN ('', 'none'), NULL, toFloat64(llm_calls.output_tokens))",
}
_TEXT = "operation IN ('chat', 'text_completion', 'generate_content')"
COUNTED = {
    "failed": "failure_kind != ''",
    **{f"failure:{kind}": f"failure_kind = '{kind}'" for kind in KINDS},
    **{f"guard:{kind}": f"guard_word = '{kind}'" for kind in GUARDS},
    "json_asked": "json_valid != ''",
    "json_valid": "json_valid = 'yes'",
    "text": _TEXT,
    "tool": f"{_TEXT} AND tool_calls > 0",
    "guarded": "guard_word != 'unguarded'",
}
"""Name -> SQL on the calls of a side."""
_DIMENSIONS = ("service", "env", "operation", "model", "prompt_name", "prompt_version", "user_group")
_MOST_REASONS = 30


@dataclass(frozen=True, slots=True)
class Side:
    """`calls` under the filters; of every `every`-th of them `counts`, amounts and finish reasons; times sorted, in ms.

    `amounts`: name -> (number of calls that have it, mean, variance). `spread`: dimension -> value -> calls.
    """

    calls: int
    every: int
    counts: dict[str, int]
    amounts: dict[str, tuple[int, float | None, float | None]]
    reasons: dict[str, int]
    latency: NDArray[np.float64]
    ttft: NDArray[np.float64]
    times_every: int
    spread: dict[str, dict[str, int]]

    @property
    def counted(self) -> int:
        return self.counts["all"]


def measure(ask: Ask, view: View) -> Side:
    where = conditions.calls(view)
    calls = int(ask(f"SELECT count() FROM llm_calls WHERE {where.sql}", where.parameters).rows[0][0])
    every, times_every = -(-calls // MOST_COUNTED) or 1, -(-calls // MOST_TIMES) or 1
    source = f"llm_calls WHERE {where.sql}{_sampled(every)}"
    counts, amounts = _sums(ask, source, where.parameters)
    latency, ttft = _times(ask, f"llm_calls WHERE {where.sql}{_sampled(times_every)}", where.parameters)
    return Side(
        calls, every, counts, amounts, _reasons(ask, source, where.parameters), latency, ttft, times_every,
        _spread(ask, source, where.parameters),
    )  # fmt: skip


def _sampled(every: int) -> str:
    """By the hash of the time, which is cheap to read: the same calls at each look."""
    return f" AND intHash64(toUnixTimestamp64Micro(ts)) % {every} = 0" if every > 1 else ""


def _sums(
    ask: Ask, source: str, parameters: dict[str, Any]
) -> tuple[dict[str, int], dict[str, tuple[int, float | None, float | None]]]:
    counted = ", ".join(f"countIf({sql}) AS `n:{name}`" for name, sql in COUNTED.items())
    amounts = ", ".join(
        f"count({name}_of) AS {name}_n, avg({name}_of) AS {name}_mean, varSamp({name}_of) AS {name}_variance"
        for name in AMOUNTS
    )
    columns = ", ".join(f"{sql} AS {name}_of" for name, sql in AMOUNTS.items())
    sql = f"""SELECT count() AS `n:all`, {counted}, {amounts} FROM (
  SELECT llm_calls.failure AS failure_kind, {guard_kind.OF_CALL} AS guard_word, json_valid, tool_calls, operation,
         {columns}
  FROM {source}
)"""
    row = ask(sql, parameters).records()[0]
    counts = {name: int(row[f"n:{name}"]) for name in ("all", *COUNTED)}
    return counts, {
        name: (int(row[f"{name}_n"]), _number(row[f"{name}_mean"]), _number(row[f"{name}_variance"]))
        for name in AMOUNTS
    }


def _number(value: Any) -> float | None:
    return float(value) if value is not None and np.isfinite(value) else None


def _times(ask: Ask, source: str, parameters: dict[str, Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of calls that were answered: a refused connection is quick and says nothing of speed."""
    rows = ask(f"SELECT latency_ms, ttft_ms FROM {source} AND status = 'ok' LIMIT {2 * MOST_TIMES}", parameters).rows
    table = np.array(rows, dtype=np.float64).reshape(-1, 2)
    return np.sort(table[:, 0]), np.sort(table[table[:, 1] > 0, 1])


def _reasons(ask: Ask, source: str, parameters: dict[str, Any]) -> dict[str, int]:
    sql = f"""SELECT toString(finish_reason) AS reason, count() AS calls FROM {source} AND finish_reason != ''
GROUP BY reason ORDER BY calls DESC, reason LIMIT {_MOST_REASONS}"""
    return {reason: int(calls) for reason, calls in ask(sql, parameters).rows}


def _spread(ask: Ask, source: str, parameters: dict[str, Any]) -> dict[str, dict[str, int]]:
    names = ", ".join(_DIMENSIONS)
    pairs = ", ".join(f"('{name}', toString({name}))" for name in _DIMENSIONS)
    sql = f"""SELECT pair.1 AS dimension, pair.2 AS value, sum(calls) AS n
FROM (SELECT {names}, toString(toDate(ts)) AS day, count() AS calls FROM {source} GROUP BY {names}, day)
ARRAY JOIN [{pairs}, ('day', day)] AS pair
GROUP BY dimension, value ORDER BY n DESC, value LIMIT 100 BY dimension"""
    found: dict[str, dict[str, int]] = {}
    for dimension, value, calls in ask(sql, parameters).rows:
        found.setdefault(dimension, {})[value] = int(calls)
    return found

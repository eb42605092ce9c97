"""What rules in shadow would have done, had they been in force."""

from collections.abc import Mapping, Sequence
from typing import Any

from typing_extensions import TypedDict

from ..ask import Ask
from ..conditions import Condition
from .findings import NEWEST, WOULD

_SHADOWED = f"mode = 'shadow' AND verdict IN {tuple(WOULD)}"
EXAMPLES = 3
MOST = 100


class Example(TypedDict):
    """`us` in microseconds since 1970."""

    trace_id: str
    span_id: str
    us: int
    service: str
    label: str
    score: float


class Shadowed(TypedDict):
    """`would` is a word of `WOULD`, `verdict` what the events say."""

    rule: str
    policy: str
    verdict: str
    would: str
    calls: int
    labels: list[str]
    examples: list[Example]


class Shadow(TypedDict):
    """Calls of all rules together: one that two rules would have blocked is one."""

    blocked: int
    modified: int
    rules: list[Shadowed]


def shadow(ask: Ask, where: Condition, shadowed: Sequence[Mapping[str, Any]]) -> Shadow:
    """`shadowed` as `Found` has it."""
    gravest = list(WOULD)
    counted = sorted(shadowed, key=lambda row: (gravest.index(row["verdict"]), -row["calls"], row["rule"] or ""))
    all_ = {row["verdict"]: row["calls"] for row in counted if row["rule"] is None}
    rules = [row for row in counted if row["rule"] is not None][:MOST]
    examples = _examples(ask, where, sorted({-us for row in rules for us in row["newest"]})) if rules else {}
    return {
        "blocked": all_.get("deny", 0),
        "modified": all_.get("modify", 0),
        "rules": [
            {
                "rule": row["rule"], "policy": row["policy"], "verdict": row["verdict"], "would": WOULD[row["verdict"]],
                "calls": row["calls"], "labels": row["labels"],
                "examples": examples.get((row["rule"], row["verdict"]), []),
            }
            for row in rules
        ],
    }  # fmt: skip


def _examples(ask: Ask, where: Condition, newest: list[int]) -> dict[tuple[str, str], list[Example]]:
    """Calls of the events at these times (µs), the newest first."""
    sql = f"""SELECT toString(rule) AS rule, toString(verdict) AS verdict, trace_id, span_id,
       toUnixTimestamp64Micro(ts) AS us, toString(service) AS service, toString(label) AS label,
       toFloat64(score) AS score
FROM guard_events WHERE {where.sql} AND {_SHADOWED} AND toUnixTimestamp64Micro(ts) IN {{newest:Array(Int64)}}
  AND ts >= fromUnixTimestamp64Micro({{oldest:Int64}})
ORDER BY ts DESC, trace_id, span_id, label LIMIT 1 BY rule, verdict, trace_id, span_id
LIMIT {NEWEST * MOST}"""
    told: dict[tuple[str, str], list[Example]] = {}
    for row in ask(sql, where.parameters | {"newest": newest, "oldest": newest[0]}).records():
        of = told.setdefault((row.pop("rule"), row.pop("verdict")), [])
        if len(of) < EXAMPLES:
            of.append({**row, "score": round(row["score"], 3)})  # type: ignore[typeddict-item]  # as the SELECT says
    return told

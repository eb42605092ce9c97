"""Who changed the policy when, from the audit log's rows."""

from collections.abc import Collection, Sequence
from typing import Any

from ...dashboards.ask import Ask

PAGE = 50
_ROWS = """
SELECT toUnixTimestamp64Micro(ts) AS us, seq, actor, action, subject, detail
FROM audit
WHERE startsWith(action, 'policy.') AND subject IN {subjects:Array(String)}
  AND (ts, seq) < (fromUnixTimestamp64Micro({before:Int64}), {seq:UInt64})
ORDER BY ts DESC, seq DESC LIMIT {limit:UInt32}
"""
_SINCE = """
SELECT toUnixTimestamp64Micro(ts) AS us, actor, action
FROM audit
WHERE startsWith(action, 'policy.') AND detail['to'] = {hash:String} AND NOT endsWith(action, '_failed')
ORDER BY ts DESC, seq DESC LIMIT 4
"""
FAR = 1 << 52
"""Microseconds: later than any entry."""
BY_ITSELF = {"policy.reload": "a change of the file", "policy.restart": "a change while the sidecar was down"}


def history(ask: Ask, subjects: Sequence[str], before: tuple[int, int], kept: Collection[str]) -> dict[str, Any]:
    """A page, the newest first. `before` is time and number of the last entry of the page before."""
    told = {"subjects": list(subjects), "before": before[0], "seq": before[1], "limit": PAGE + 1}
    rows = ask(_ROWS, told).records()
    shown = [_entry(row, kept) for row in rows[:PAGE]]
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    return {"entries": shown, "next": f"{last['us']}-{last['seq']}" if last else ""}


def _entry(row: dict[str, Any], kept: Collection[str]) -> dict[str, Any]:
    detail = row["detail"]
    return {
        "us": row["us"], "actor": row["actor"], "action": row["action"], "subject": row["subject"],
        "from": detail.get("from", ""), "to": detail.get("to", ""), "rules": detail.get("rules", ""),
        "from_kept": detail.get("from", "") in kept, "to_kept": detail.get("to", "") in kept,
    }  # fmt: skip


def since(ask: Ask, hash_: str) -> dict[str, Any]:
    """When what is in force came, and who brought it: the one who saved it, if that is known, not who noticed."""
    rows = ask(_SINCE, {"hash": hash_}).records()
    if not rows:
        return {"us": None, "by": ""}
    noticed = rows[0]
    brought = next((row for row in rows if row["action"] not in BY_ITSELF), noticed)
    by = BY_ITSELF.get(brought["action"]) or brought["actor"]
    return {"us": noticed["us"], "by": by or "somebody on this machine"}

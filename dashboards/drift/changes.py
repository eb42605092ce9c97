"""What else changed when a stream did, and what did not."""

from typing import Any

from typing_extensions import TypedDict

from ..ask import Ask

AROUND_MS = 6 * 3_600_000
"""How long after the change is looked at, at least; before it four times that."""
_SHARE = 0.05
"""A value is new if it has this share of the calls after and had a fifth of it before, and gone the other way round."""

WATCHED: dict[str, tuple[str, str]] = {
    "policy": ("Guard policy", "leftUTF8(policy_hash, 12)"),
    "price_version": ("Prices", "price_version"),
    "model": ("Model that answered", "model"),
    "request_model": ("Model asked for", "request_model"),
    "prompt_version": ("Prompt version", "if(prompt_name = '', '', concat(prompt_name, ' ', prompt_version))"),
    "provider": ("Provider", "provider"),
    "env": ("Environment", "env"),
}
_VERSION = (
    "resource['service.version']",
    "resource['deployment.id']",
    "resource['vcs.ref.head.revision']",
)


class Change(TypedDict):
    """`new` and `gone` are values; where both are empty it did not change. `first`: when a new one was first seen."""

    key: str
    name: str
    changed: bool
    new: list[str]
    gone: list[str]
    kept: list[str]
    first: int | None


class Deed(TypedDict):
    """An entry of the audit log from around that time."""

    at: int
    actor: str
    action: str
    subject: str


def changes(ask: Ask, service: str, since: int, found: int) -> list[Change]:
    """Between the first deviating window's begin and when the change was found; changed ones first."""
    pairs = ", ".join(f"('{key}', leftUTF8(toString({sql}), 200))" for key, (_, sql) in WATCHED.items())
    rows = list(ask(_sql("llm_calls", f"[{pairs}]"), _parameters(service, since, found)).rows)
    rows += ask(_sql("spans", f"[('version', {_coalesced()})]"), _parameters(service, since, found)).rows
    named = {key: name for key, (name, _) in WATCHED.items()} | {"version": "Version of the app"}
    told = [_change(key, name, [row for row in rows if row[0] == key]) for key, name in named.items()]
    return sorted(told, key=lambda change: not change["changed"])


def deeds(ask: Ask, since: int) -> list[Deed]:
    """What people did to policies and settings within six hours of it."""
    sql = """SELECT toUnixTimestamp64Milli(ts) AS at, actor, action, subject FROM audit
WHERE ts >= fromUnixTimestamp64Milli({before:Int64}) AND ts < fromUnixTimestamp64Milli({after:Int64})
  AND NOT match(action, 'reveal|see|read') ORDER BY ts DESC LIMIT 10"""
    rows = ask(sql, {"before": since - AROUND_MS, "after": since + AROUND_MS}).rows
    return [{"at": at, "actor": actor, "action": action, "subject": subject} for at, actor, action, subject in rows]


def _coalesced() -> str:
    return "coalesce(" + ", ".join(f"nullIf({one}, '')" for one in _VERSION) + ", '')"


def _sql(table: str, pairs: str) -> str:
    return f"""SELECT pair.1 AS key, pair.2 AS value, countIf(fresh) AS now, countIf(NOT fresh) AS before,
       toUnixTimestamp64Milli(toDateTime64(min(ts), 3, 'UTC')) AS first
FROM (
  SELECT ts, ts >= fromUnixTimestamp64Milli({{since:Int64}}) AS fresh, {pairs} AS pairs FROM {table}
  WHERE service = {{service:String}} AND ts >= fromUnixTimestamp64Milli({{from:Int64}})
    AND ts < fromUnixTimestamp64Milli({{to:Int64}})
) ARRAY JOIN pairs AS pair
GROUP BY key, value ORDER BY now + before DESC, value LIMIT 30 BY key"""


def _parameters(service: str, since: int, found: int) -> dict[str, Any]:
    return {"service": service, "since": since, "from": since - 4 * AROUND_MS, "to": max(found, since + AROUND_MS)}


def _change(key: str, name: str, rows: list[Any]) -> Change:
    now, before = sum(row[2] for row in rows), sum(row[3] for row in rows)
    new, gone, kept, first = [], [], [], None
    for _, value, n, b, at in rows:
        after, earlier = n / max(now, 1), b / max(before, 1)
        if now and before and after >= _SHARE and earlier < after / 5:
            new.append(value)
            first = at if first is None or at < first else first
        elif now and before and earlier >= _SHARE and after < earlier / 5:
            gone.append(value)
        elif value:
            kept.append(value)
    changed = bool(new or gone)
    told: Change = {
        "key": key, "name": name, "changed": changed,
        "new": new[:5], "gone": gone[:5], "kept": kept[:5], "first": first,
    }  # fmt: skip
    return told

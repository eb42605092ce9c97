"""What was called for the first time about when a group was first seen."""

from collections.abc import Mapping

from ..ask import Ask
from .answers import Change
from .concentration import Part
from .counts import SEPARATOR
from .page import split

HOUR_MS = 3_600_000
BEFORE_MS = 24 * HOUR_MS
AFTER_MS = 600_000
MOST = 8

_VALUES = {
    "service": "toString(service)",
    "model": f"concat(provider, '{SEPARATOR}', model)",
    "prompt": f"concat(prompt_name, '{SEPARATOR}', prompt_version)",
}
_NAMED = {"service": "service", "model": "model", "prompt": "prompt_name"}
_FIRST_HOURS = " UNION ALL ".join(
    f"""SELECT * FROM (
  SELECT '{what}' AS what, {value} AS value, toUnixTimestamp(min(t)) * 1000 AS first FROM failures_1h
  WHERE {_NAMED[what]} != '' GROUP BY value
  HAVING first >= {{from:Int64}} AND first <= {{to:Int64}} AND first > {{oldest:Int64}} ORDER BY first DESC LIMIT {MOST}
)"""
    for what, value in _VALUES.items()
)
"""One pass each over few columns: together they would be as many groups as there are rows."""

_POLICIES = """SELECT toString(policy_hash) AS value, toUnixTimestamp64Micro(min(ts)) AS us FROM llm_calls
WHERE ts >= fromUnixTimestamp64Milli({earliest:Int64}) AND ts < fromUnixTimestamp64Milli({to:Int64})
  AND policy_hash != ''
GROUP BY value HAVING us >= {from:Int64} * 1000 ORDER BY us DESC LIMIT 3"""

_EXACT = {
    "service": "service = {value:String}",
    "model": "model = {value:String} AND provider = {version:String}",
    "prompt": "prompt_name = {value:String} AND prompt_version = {version:String}",
}


def changes(ask: Ask, first: int, oldest: int, parts: Mapping[str, Mapping[str, Part]]) -> list[Change]:
    """`first`: when the group was first seen, `oldest`: the first hour of the store, in milliseconds.

    Those of which most of the group's calls are come first, then the nearest in time.
    """
    window = {"from": (first - BEFORE_MS) // HOUR_MS * HOUR_MS, "to": first + AFTER_MS, "oldest": oldest}
    found: list[Change] = []
    for what, pair, hour in ask(_FIRST_HOURS, window).rows:
        value, version = split(what, pair)
        us = _exact(ask, what, value, version, hour)
        if us is not None and (first - BEFORE_MS) * 1000 <= us <= window["to"] * 1000:
            share = _share(parts.get(what, {}), pair)
            found.append({"what": what, "value": value, "version": version, "us": us, "share": share})
    if oldest < first - 2 * BEFORE_MS:
        earliest = {"earliest": first - 2 * BEFORE_MS, "from": first - BEFORE_MS, "to": first + AFTER_MS}
        for value, us in ask(_POLICIES, earliest).rows:
            found.append({"what": "policy", "value": value, "version": "", "us": us, "share": None})
    found.sort(key=lambda change: (-(change["share"] or 0), abs(change["us"] - first * 1000)))
    return found[:MOST]


def _exact(ask: Ask, what: str, value: str, version: str, hour: int) -> int | None:
    sql = f"""SELECT count(), toUnixTimestamp64Micro(min(ts)) FROM llm_calls
WHERE ts >= fromUnixTimestamp64Milli({{from:Int64}}) AND ts < fromUnixTimestamp64Milli({{to:Int64}})
  AND {_EXACT[what]}"""
    ((calls, us),) = ask(sql, {"from": hour, "to": hour + HOUR_MS, "value": value, "version": version}).rows
    return int(us) if calls else None


def _share(values: Mapping[str, Part], value: str) -> float | None:
    failed = sum(part.failed for part in values.values())
    part = values.get(value)
    return part.failed / failed if part and failed else None

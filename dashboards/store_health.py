"""What the Health page shows beside notices: the store's size, who sends, and the last week by the hour."""

from importlib.metadata import PackageNotFoundError, version

from typing_extensions import TypedDict  # pydantic asks for it below Python 3.12

from .ask import Ask

DAY_MS = 86_400_000
HISTORY_HOURS = 168


class StoredTable(TypedDict):
    """`growth` in bytes a day, None under a day; `kept` in days, None for good. `oldest_us` None without rows."""

    name: str
    rows: int
    bytes: int
    oldest_us: int | None
    growth: int | None
    kept: int | None


class Source(TypedDict):
    service: str
    provider: str
    calls: int
    unguarded: int
    last: int
    """The hour of its newest call, milliseconds."""


class History(TypedDict):
    """By the hour, `t` in milliseconds. `lost`: spans that applications dropped; `noted`: what else they reported."""

    t: list[int]
    calls: list[int]
    failed_open: list[int]
    unguarded: list[int]
    lost: list[int]
    noted: list[int]


class StoreHealth(TypedDict):
    """`streams` counts those of the last 24 hours by how they ended; disk sizes in bytes, None where nobody says."""

    tables: list[StoredTable]
    disk_free: int | None
    disk_total: int | None
    changes_waiting: int
    sources: list[Source]
    streams: dict[str, int]
    history: History
    versions: dict[str, str]


_TABLES = """SELECT p.name AS name, p.rows AS rows, p.bytes AS bytes,
       if(p.rows = 0 OR p.oldest = 0, NULL, p.oldest * 1000000) AS oldest_us,
       if(p.newest - p.oldest < 86400 OR p.oldest = 0, NULL,
          toInt64(p.bytes / ((p.newest - p.oldest) / 86400))) AS growth,
       toInt64OrNull(extract(t.create_table_query, 'toIntervalDay\\\\((\\\\d+)\\\\)')) AS kept
FROM (
    SELECT table, replaceRegexpOne(table, '_local$', '') AS name, sum(rows) AS rows, sum(bytes_on_disk) AS bytes,
           toInt64(toUnixTimestamp(min(min_time))) AS oldest, toInt64(toUnixTimestamp(max(max_time))) AS newest
    FROM system.parts WHERE active AND database = currentDatabase() GROUP BY table
) AS p
JOIN (SELECT name, create_table_query FROM system.tables WHERE database = currentDatabase()) AS t ON t.name = p.table
ORDER BY bytes DESC, name LIMIT 50"""

_DISKS = """SELECT min(free_space) AS disk_free, argMin(total_space, free_space) AS disk_total
FROM system.disks WHERE total_space > 0"""
_CHANGES = "SELECT count() FROM system.mutations WHERE database = currentDatabase() AND NOT is_done"

_SOURCES = """SELECT service, provider, sum(f.calls) AS calls, sumIf(f.calls, f.guard = 'unguarded') AS unguarded,
       toInt64(toUnixTimestamp(max(f.t))) * 1000 AS last
FROM facets_1h AS f WHERE f.t >= toDateTime({day:Int64})
GROUP BY service, provider ORDER BY calls DESC, service, provider LIMIT 100"""

_STREAMS = """SELECT toString(stream_end) AS how, count() AS calls FROM llm_calls
WHERE ts >= toDateTime({day:Int64}) AND stream_end != '' GROUP BY how"""

_HISTORY = """SELECT bucket, sum(calls), sum(failed_open), sum(unguarded), sum(lost), sum(noted) FROM (
    SELECT toInt64(toUnixTimestamp(f.t)) AS bucket, f.calls AS calls,
           if(f.guard = 'failed_open', f.calls, 0) AS failed_open,
           if(f.guard = 'unguarded', f.calls, 0) AS unguarded, toUInt64(0) AS lost, toUInt64(0) AS noted
    FROM facets_1h AS f WHERE f.t >= toDateTime({first:Int64}) AND f.t < toDateTime({last:Int64})
    UNION ALL
    SELECT toInt64(toUnixTimestamp(toStartOfHour(ts))), 0, 0, 0, if(kind = 'dropped', count, 0),
           if(kind = 'dropped', 0, count)
    FROM reports WHERE ts >= toDateTime({first:Int64}) AND ts < toDateTime({last:Int64})
) GROUP BY bucket ORDER BY bucket WITH FILL FROM {first:Int64} TO {last:Int64} STEP 3600"""


def store_health(ask: Ask, now: int) -> StoreHealth:
    """`now` in milliseconds."""
    last = (now // 3_600_000 + 1) * 3600
    moments = {"day": (now - DAY_MS) // 1000, "first": last - HISTORY_HOURS * 3600, "last": last}
    disk = ask(_DISKS).records()[0]
    columns = list(zip(*ask(_HISTORY, moments).rows, strict=True))
    return {
        "tables": ask(_TABLES).records(),  # type: ignore[typeddict-item]  # as the statement has them
        "disk_free": disk["disk_free"] or None,
        "disk_total": disk["disk_total"] or None,
        "changes_waiting": ask(_CHANGES).rows[0][0],
        "sources": ask(_SOURCES, moments).records(),  # type: ignore[typeddict-item]  # as the statement has them
        "streams": dict(ask(_STREAMS, moments).rows),
        "history": {
            "t": [1000 * second for second in columns[0]],
            "calls": list(columns[1]),
            "failed_open": list(columns[2]),
            "unguarded": list(columns[3]),
            "lost": list(columns[4]),
            "noted": list(columns[5]),
        },
        "versions": {"ClickHouse": str(ask("SELECT version()").rows[0][0]), "Spanward": _own_version()},
    }


def _own_version() -> str:
    try:
        return version("spanward")
    except PackageNotFoundError:
        return "not installed"

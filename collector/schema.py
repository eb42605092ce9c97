"""The schema: numbered SQL files, rendered for an embedded store, one server or a cluster from the same text."""

import re
from dataclasses import dataclass
from pathlib import Path
from string import Template

from ..tracer import semconv

SQL = Path(__file__).parent / "sql"
KEPT = {
    "spans": ("toDateTime(ts)", "spans"),
    "llm_calls": ("toDateTime(ts)", "llm_calls"),
    "content": ("toDateTime(ts)", "content"),
    "guard_events": ("toDateTime(ts)", "guard_events"),
    "reports": ("toDateTime(ts)", "reports"),
    "llm_1m": ("t", "rollups"),
    "guard_1m": ("t", "rollups"),
    "audit": ("toDateTime(ts)", "audit"),
    "failures_1h": ("t", "rollups"),
    "failure_groups": ("last", "rollups"),
    "cost_1h": ("t", "rollups"),
    "cost_1d": ("t", "rollups"),
    "tag_1h": ("t", "rollups"),
    "failed_1h": ("t", "llm_calls"),  # as `facets_1h`
    "user_1d": ("t", "rollups"),
    "user_app_1d": ("t", "rollups"),
    "sessions": ("t", "rollups"),
    "llm_1h": ("t", "rollups"),
    "facets_1h": ("t", "llm_calls"),  # it stands for the calls of a list, and goes with them
    "facets_1d": ("t", "llm_calls"),
    "reviews": ("toDateTime(ts)", "reviews"),
    "guard_1h": ("t", "rollups"),
    "guarded_1h": ("t", "rollups"),
    "traits": ("toDateTime(ts)", "traits"),
    "drift_1h": ("t", "rollups"),
    "alert_events": ("toDateTime(ts)", "alert_events"),
}
"""Table -> the time of its rows as ClickHouse shows it, and the field of `Retention` that says how long they stay."""
TABLES = ("otel_traces", *KEPT)
"""What people may read."""
OF_NO_CALL = frozenset({"audit", "alert_events"})
"""Tables whose rows are of no call."""

_ENGINES = ("MergeTree", "AggregatingMergeTree")
_REPLICA = "('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')"


@dataclass(frozen=True, slots=True)
class Retention:
    """Days after which rows go, by the time of the span (not of its arrival)."""

    spans: int = 30
    content: int = 30
    llm_calls: int = 180
    guard_events: int = 180
    reports: int = 180
    rollups: int = 400
    audit: int = 3660
    reviews: int = 3660
    traits: int = 180
    alert_events: int = 400

    def by_table(self) -> dict[str, str]:
        """Table -> TTL expression, spelt as ClickHouse shows it."""
        days = {table: (time, getattr(self, field)) for table, (time, field) in KEPT.items()}
        return {table: f"{time} + toIntervalDay({count})" for table, (time, count) in days.items()}


@dataclass(frozen=True, slots=True)
class Form:
    """Where the schema goes: `cluster` is the name of a ClickHouse cluster, '' for one node."""

    database: str
    cluster: str = ""

    def render(self, sql: str) -> str:
        """Fill the placeholders of a SQL file."""
        engines = {name: f"Replicated{name}{_REPLICA}" if self.cluster else name for name in _ENGINES}
        window = "replicated" if self.cluster else "non_replicated"
        return Template(sql).substitute(
            engines,
            database=quoted(self.database),
            cluster=f"'{self.cluster}'",
            on_cluster=f"ON CLUSTER '{self.cluster}'" if self.cluster else "",
            local="_local" if self.cluster else "",
            deduplication=f"{window}_deduplication_window = 1000",
            content_keys=_texts(semconv.CONTENT),
            model_operations=_texts(semconv.MODEL_OPERATIONS),
        )

    def statements(self, file: Path) -> list[str]:
        text = re.sub(r"--[^\n]*", "", self.render(file.read_text()))
        return [statement.strip() for statement in text.split(";") if statement.strip()]

    def files(self) -> list[Path]:
        """The migrations in their order; of a cluster, then the tables that spread over it."""
        return sorted(SQL.glob("[0-9]*.sql")) + (sorted(SQL.glob("cluster*.sql")) if self.cluster else [])

    def keep(self, table: str, ttl: str) -> str:
        """The statement that sets how long `table` keeps its rows."""
        return self.render(f"ALTER TABLE {table}${{local}} ${{on_cluster}} MODIFY TTL {ttl}")


def quoted(identifier: str) -> str:
    return "`" + identifier.replace("\\", "\\\\").replace("`", "\\`") + "`"


def _texts(values: tuple[str, ...]) -> str:
    return ", ".join(f"'{value}'" for value in values)

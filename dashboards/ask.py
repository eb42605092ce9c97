"""How the dashboards put a question to the store: they are handed an `Ask`, and never see who answers it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Table:
    """An answer. Values are Python's: int, float, str, None, datetime (UTC, with time zone), list, dict (Map)."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def records(self) -> list[dict[str, Any]]:
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


class Ask(Protocol):
    """One SELECT over the tables of the store, by unqualified name. Thread-safe; blocks until the answer is there."""

    def __call__(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Table:
        """`parameters` fill `{name:Type}` in the SQL. Raises `QueryFailed`."""
        ...


class Raw(Protocol):
    """As `Ask`, for a file: the bytes of the answer in one of ClickHouse's formats (`CSVWithNames`, `Parquet`)."""

    def __call__(self, sql: str, parameters: Mapping[str, Any], form: str) -> Iterator[bytes]:
        """Holds a connection until its end is read or it is closed. Raises `QueryFailed`, also on the way."""
        ...


class QueryFailed(Exception):  # noqa: N818  says what happened
    """The store refused the question, or could not answer it within its limits; the text may be shown to people."""


class TookTooLong(QueryFailed):
    """The question was stopped at its limit of time; a shorter range may be answered."""

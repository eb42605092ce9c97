"""How long tables keep their rows: what was set on the page, what a change would take, and the change itself."""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from ..dashboards.documents import Documents
from .schema import KEPT, Retention
from .store import Store

KIND, ID = "settings", "retention"
LONGEST_DAYS = 36_600
_SIZES = """SELECT _part AS part, count() AS n, toUnixTimestamp(min({time})) AS oldest,
       countIf({time} < fromUnixTimestamp({{cutoff:Int64}})) AS past
FROM {table} GROUP BY part"""
_BYTES = """SELECT table, name, sum(bytes_on_disk) AS bytes FROM system.parts
WHERE database = {database:String} AND active GROUP BY table, name"""


@dataclass(frozen=True, slots=True)
class Kept:
    """Of what is set together. `oldest` is in seconds since 1970, 0 where there is nothing.

    `rows_past` are older than `days`; of them `rows_now` with `bytes_now` go at once, since all of their part is. The
    others go with the rest of their part.
    """

    name: str
    tables: tuple[str, ...]
    days: int
    rows: int
    bytes: int
    oldest: int
    rows_past: int
    rows_now: int
    bytes_now: int


def tables_of(name: str) -> tuple[str, ...]:
    """What is set together under a name of `Retention`."""
    return tuple(table for table, (_, field) in KEPT.items() if field == name)


def retention_of(documents: Documents) -> Retention:
    """What was set, else the defaults; a name that this version does not know is left out."""
    found = documents.get(KIND, ID)
    body: Mapping[str, Any] = found.body if found else {}
    known = {field.name for field in fields(Retention)}
    return Retention(**{name: int(days) for name, days in body.items() if name in known})


def kept(store: Store, retention: Retention, clock: Callable[[], float] = time.time) -> list[Kept]:
    """What there is, and what would go under `retention`; bytes are those of this node. Raises `QueryFailed`."""
    rows = store.ask(_BYTES, {"database": store.database}).rows
    sizes = {(table, part): int(size) for table, part, size in rows}
    return [_kept(store, sizes, name, days, int(clock()) - days * 86_400) for name, days in asdict(retention).items()]


def _kept(store: Store, sizes: Mapping[tuple[str, str], int], name: str, days: int, cutoff: int) -> Kept:
    rows = bytes_ = past = rows_now = bytes_now = 0
    oldest: list[int] = []
    for table in tables_of(name):
        aside = name in KEPT and table != name  # a rollup that goes with them: of it only the bytes count
        for part in store.ask(_SIZES.format(time=KEPT[table][0], table=table), {"cutoff": cutoff}).records():
            own = sizes.get((store.local(table), part["part"]), 0)
            n, gone = (0, 0) if aside else (part["n"], part["past"])
            rows, bytes_, past = rows + n, bytes_ + own, past + gone
            oldest.append(part["oldest"])
            if part["past"] == part["n"]:
                rows_now, bytes_now = rows_now + n, bytes_now + own
    return Kept(name, tables_of(name), days, rows, bytes_, min(oldest, default=0), past, rows_now, bytes_now)

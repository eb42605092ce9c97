"""The operations behind the page Settings that need the collector: the store's retention, and what was configured."""

import os
import platform
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from ..dashboards.api.operation import Operation, Question
from .guardroom import Guardroom
from .pricing import Pricing
from .retention import ID, KIND, LONGEST_DAYS, kept, retention_of
from .roles import Key
from .schema import Retention
from .store import Store

MOST_FILES = 200_000
MOST_PRICES = 500


@dataclass(frozen=True, slots=True)
class Configured:
    """What the command line and the files of `spanward serve` said. `file` is empty where there is none."""

    file: str
    data: Path
    store: str
    listens: str
    policy: str
    prices: str
    keys: Mapping[str, Key]


class Days(BaseModel):
    """Days after which rows go, by the time of the call."""

    model_config = ConfigDict(extra="forbid")

    spans: int = Field(ge=1, le=LONGEST_DAYS)
    content: int = Field(ge=1, le=LONGEST_DAYS)
    llm_calls: int = Field(ge=1, le=LONGEST_DAYS)
    guard_events: int = Field(ge=1, le=LONGEST_DAYS)
    reports: int = Field(ge=1, le=LONGEST_DAYS)
    rollups: int = Field(ge=1, le=LONGEST_DAYS)
    audit: int = Field(ge=1, le=LONGEST_DAYS)
    reviews: int = Field(ge=1, le=LONGEST_DAYS)
    traits: int = Field(ge=1, le=LONGEST_DAYS)
    alert_events: int = Field(ge=1, le=LONGEST_DAYS)


class RetentionDraft(BaseModel):
    """`version`: the one that was edited; 0 where nothing was set yet."""

    model_config = ConfigDict(extra="forbid")

    days: Days
    version: int = Field(default=0, ge=0, le=2**53)


class KeptTold(TypedDict):
    """Of what is set together. `oldest` in milliseconds, 0 for nothing. `rows_past` are older than `days`.

    Of them `rows_now` with `bytes_now` go at once; the others with the rest of the part they are stored in.
    """

    name: str
    tables: list[str]
    days: int
    default: int
    rows: int
    bytes: int
    oldest: int
    rows_past: int
    rows_now: int
    bytes_now: int


class RetentionTold(TypedDict):
    kept: list[KeptTold]
    version: int


class PriceTold(TypedDict):
    """US dollars a million tokens; None: as input."""

    provider: str
    model: str
    input: float
    output: float
    cache_read: float | None
    cache_write: float | None


class Prices(TypedDict):
    """`version` of genai-prices, `+` and a digest of the file where there is one."""

    version: str
    file: str
    private: list[PriceTold]
    more: int


class PolicyTold(TypedDict):
    name: str
    hash: str
    source: str
    problem: str


class KeyTold(TypedDict):
    name: str
    role: str


class DataTold(TypedDict):
    """`files_bytes` by what lies directly in the directory; `complete`: all files were counted."""

    path: str
    bytes: int
    parts: dict[str, int]
    complete: bool


class ConfiguredTold(TypedDict):
    file: str
    listens: str
    store: str
    prices: Prices
    policy: PolicyTold
    keys: list[KeyTold]
    versions: dict[str, str]
    data: DataTold


@dataclass(frozen=True, slots=True)
class SettingsOperations:
    store: Store
    room: Guardroom
    configured: Configured
    pricing: Pricing

    def operations(self) -> tuple[Operation, ...]:
        return (
            Operation("GET", "/api/settings", "What is in force, and where it is set", self.told, ConfiguredTold),
            Operation("GET", "/api/retention", "How long tables keep their rows", self.retention, RetentionTold),
            Operation(
                "POST", "/api/retention-effect", "What would go under other days; nothing is changed", self.effect,
                RetentionTold, body=RetentionDraft,
            ),
            Operation(
                "PUT", "/api/retention", "Keep rows for other days; what is older goes at once", self.retain,
                RetentionTold, body=RetentionDraft, needs="retain",
            ),
        )  # fmt: skip

    def told(self, _question: Question) -> ConfiguredTold:
        told, status = self.configured, self.room.status
        return {
            "file": told.file,
            "listens": told.listens,
            "store": told.store,
            "prices": self._prices(),
            "policy": {"name": status.name, "hash": status.hash, "source": told.policy, "problem": status.problem},
            "keys": [{"name": name, "role": key.role} for name, key in sorted(told.keys.items())],
            "versions": _versions(str(self.store.ask("SELECT version()").rows[0][0])),
            "data": _size(told.data),
        }

    def retention(self, question: Question) -> RetentionTold:
        return self._told(question, retention_of(question.means.documents))

    def effect(self, question: Question) -> RetentionTold:
        return self._told(question, Retention(**question.body.days.model_dump()))

    def retain(self, question: Question) -> RetentionTold:
        """Audit, document, store, in this order: with the store away it holds from the next start on."""
        retention = Retention(**question.body.days.model_dump())
        going = {one.name: one for one in kept(self.store, retention, question.means.clock)}
        before = asdict(retention_of(question.means.documents))
        detail = {
            name: f"{before[name]} to {days} days, {going[name].rows_past} rows are older"
            for name, days in asdict(retention).items()
            if days != before[name]
        }
        question.means.record(question.actor, "settings.retention", ID, detail)
        question.means.documents.put(KIND, ID, asdict(retention), actor=question.actor, version=question.body.version)
        self.store.retain(retention)
        return self._told(question, retention)

    def _told(self, question: Question, retention: Retention) -> RetentionTold:
        document = question.means.documents.get(KIND, ID)
        defaults = {field.name: int(str(field.default)) for field in fields(Retention)}
        told: list[KeptTold] = [
            {
                "name": one.name, "tables": list(one.tables), "days": one.days, "default": defaults[one.name],
                "rows": one.rows, "bytes": one.bytes, "oldest": one.oldest * 1000, "rows_past": one.rows_past,
                "rows_now": one.rows_now, "bytes_now": one.bytes_now,
            }
            for one in kept(self.store, retention, question.means.clock)
        ]  # fmt: skip
        return {"kept": told, "version": document.version if document else 0}

    def _prices(self) -> Prices:
        private: list[Any] = [price.model_dump() for price in self.pricing.private[:MOST_PRICES]]
        more = len(self.pricing.private) - len(private)
        return {"version": self.pricing.version, "file": self.configured.prices, "private": private, "more": more}


def _versions(clickhouse: str) -> dict[str, str]:
    packages = ("spanward", "clickhouse-connect", "chdb", "genai-prices", "presidio-analyzer")
    found = {"python": platform.python_version(), "clickhouse": clickhouse}
    for name in packages:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def _size(directory: Path) -> DataTold:
    """Files come and go meanwhile."""
    parts: dict[str, int] = {}
    ends = time.monotonic() + 2
    complete = True
    for seen, (path, size) in enumerate(_files(directory), 1):
        parts[path.relative_to(directory).parts[0]] = parts.get(path.relative_to(directory).parts[0], 0) + size
        if seen >= MOST_FILES or time.monotonic() > ends:
            complete = False
            break
    return {"path": str(directory), "bytes": sum(parts.values()), "parts": parts, "complete": complete}


def _files(directory: Path) -> Iterator[tuple[Path, int]]:
    for folder, _, names in os.walk(directory):
        for name in names:
            path = Path(folder, name)
            try:
                yield path, path.lstat().st_size
            except OSError:
                continue

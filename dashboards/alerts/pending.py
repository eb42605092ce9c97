"""Events of one rule that wait for the store: bounded, and what did not fit is counted until it can be told.

The oldest go first: whom they concern was told when they were new, so only their rows are lost.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

MOST = 500
LARGEST = 128 << 10
"""Characters as JSON: half of what a document may have."""
REPORTS = "reports"
REPORT = "alert_events"
"""Kind of the row among the reports."""
Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Lost:
    """Events that will never be rows; the times of the first and the last, in milliseconds."""

    count: int = 0
    since: int = 0
    until: int = 0

    def as_json(self) -> dict[str, int]:
        return asdict(self)

    def and_of(self, events: Sequence[Event]) -> "Lost":
        if not events:
            return self
        first, last = int(events[0]["at"]), int(events[-1]["at"])
        return Lost(self.count + len(events), self.since if self.count else first, last)


NONE_LOST = Lost()


def bounded(events: Sequence[Event], lost: Lost) -> tuple[list[Event], Lost]:
    """The newest that fit, and `lost` with the others."""
    size, fits = 0, 0
    for event in reversed(events[-MOST:]):
        size += len(json.dumps(event, ensure_ascii=False))
        if size > LARGEST:
            break
        fits += 1
    first = len(events) - fits
    return list(events[first:]), lost.and_of(events[:first])


def happened(rule: str, name: str, lost: Lost, now: int) -> dict[str, Any]:
    """What the rule's history says of it."""
    unique = sha256(f"{rule}\0lost\0{lost.since}".encode()).hexdigest()[:32]
    detail = f"{lost.count} events from {_time(lost.since)} to {_time(lost.until)}: the store was away for too long"
    return {"id": unique, "at": now, "rule": rule, "name": name, "event": "lost", "detail": detail}


def report(name: str, lost: Lost, now: int) -> dict[str, Any]:
    """A row of the table `reports`, from which the page's light tells what is not whole."""
    return {
        "tenant": "default",
        "ts": datetime.fromtimestamp(now / 1000, UTC),
        "service": "spanward",
        "env": "",
        "kind": REPORT,
        "reason": name,
        "count": lost.count,
    }


def _time(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")

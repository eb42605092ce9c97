"""Where a page of the list of calls ended, as text that only the list itself reads."""

import base64
import json
from dataclasses import dataclass, field
from typing import Any

from .sorting import SORTS, Order
from .view import BadView

NOT_OURS = "this cursor was not made by this list; start again without `cursor`"


@dataclass(frozen=True, slots=True)
class Cursor:
    """`position` is the parameters of `Order.beyond`, empty where nothing is left out.

    A search goes from stretch to stretch: this one is from `begin` to `end` (milliseconds; None: yet to be found out),
    and `found` came of those before it.
    """

    position: dict[str, Any] = field(default_factory=dict)
    begin: int | None = None
    end: int | None = None
    found: int = 0

    def encode(self, by: Order) -> str:
        told = [by.sort, [*self.position.values()], self.begin, self.end, self.found]
        return pack(told)


def pack(told: list[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(told).encode()).decode().rstrip("=")


def unpack(text: str) -> Any:
    """What `pack` was given. Raises ValueError for a text that it did not make."""
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def at(row: dict[str, Any]) -> dict[str, Any]:
    """The position of a row that has its `at_value`."""
    return {
        "at_value": row["at_value"], "at_us": row["us"], "at_trace": row["trace_id"], "at_span": row["span_id"],
    }  # fmt: skip


def decode(text: str, by: Order) -> Cursor:
    """Raises `BadView`."""
    try:
        sort, position, *edges, found = unpack(text)
        begin, end = (edge if edge is None else int(edge) for edge in edges)
        cursor = Cursor(_position(*position) if position else {}, begin, end, int(found))
    except (ValueError, TypeError, OverflowError):
        raise BadView(NOT_OURS) from None
    if sort != by.sort:
        raise BadView(f"this cursor belongs to a list sorted by {sort}; start again without `cursor`")
    if cursor.position and SORTS[by.sort].kind == "Int64":
        cursor.position["at_value"] = int(cursor.position["at_value"])
    return cursor


def _position(value: Any, us: Any, trace: Any, span: Any) -> dict[str, Any]:
    return {"at_value": float(value), "at_us": int(us), "at_trace": str(trace), "at_span": str(span)}

"""What is said when a question took too long, and the shorter range that is offered instead."""

from typing_extensions import TypedDict  # pydantic asks for it below Python 3.12

from ..view import BadView, View
from .operation import Forbidden, Question

RANGES = (
    ("now-90d", 90 * 86400), ("now-30d", 30 * 86400), ("now-14d", 14 * 86400), ("now-7d", 7 * 86400),
    ("now-24h", 86400), ("now-6h", 6 * 3600), ("now-1h", 3600), ("now-15m", 900),
)  # fmt: skip
"""As the page offers them; seconds."""
SHARE = 4
"""The offer is a quarter of the range, or less: a half would seldom do."""


Offer = TypedDict("Offer", {"from": str, "to": str})
"""A range as an address has it."""


class Stopped(TypedDict):
    """`narrower` is None where the question has no range, or the shortest was asked for."""

    message: str
    narrower: Offer | None


def too_long(question: Question) -> Stopped:
    limit = f"{question.operation.limit_seconds:g} s"
    try:  # the range alone: to look inside content once more would take its time again
        offer = narrower(question.allowed_view()) if question.operation.view else None
    except (BadView, Forbidden):
        offer = None
    if offer is None:
        return {"message": f"This took longer than {limit}, so it was stopped. Ask for less.", "narrower": None}
    said = offer["from"] if offer["to"] == "now" else f"{offer['from']} to {offer['to']}"
    return {
        "message": f"This took longer than {limit}, so it was stopped. A shorter time ({said}) may do.",
        "narrower": offer,
    }


def narrower(view: View) -> Offer | None:
    """The end of the range; with a live view a preset, else milliseconds since 1970."""
    length = (view.end - view.start) / 1000
    if view.live:
        name = next((name for name, seconds in RANGES if seconds <= length / SHARE), None)
        return {"from": name, "to": "now"} if name else None
    short = round(length / SHARE)
    return {"from": str(view.end - short * 1000), "to": str(view.end)} if short >= 60 else None

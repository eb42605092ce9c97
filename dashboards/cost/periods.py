"""Days, weeks (from Monday) and months, all in UTC. Pure."""

from datetime import UTC, datetime, timedelta
from typing import Literal

Period = Literal["day", "week", "month"]


def period(kind: Period, now: int) -> tuple[int, int]:
    """Begin and end (exclusive) of the period that `now` lies in; all in milliseconds since 1970."""
    today = datetime.fromtimestamp(now / 1000, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if kind == "day":
        begin, end = today, today + timedelta(days=1)
    elif kind == "week":
        begin = today - timedelta(days=today.weekday())
        end = begin + timedelta(days=7)
    else:
        begin = today.replace(day=1)
        end = (begin + timedelta(days=32)).replace(day=1)
    return round(begin.timestamp() * 1000), round(end.timestamp() * 1000)

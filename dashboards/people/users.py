"""Who calls: the list of users, by what they cost, call, or fail."""

from dataclasses import replace
from typing import Any

from typing_extensions import TypedDict

from ..ask import Ask
from ..beside import side_by_side
from ..cost.cost import Sums
from ..cost.measures import measured, priced_rows, summed
from ..view import BadView, View
from .cursor import decode, encode

MOST = 100
SORTS = {
    "cost": "cost_usd", "calls": "calls", "failures": "errors", "blocks": "blocked", "found": "found",
    "tokens": "input_tokens + output_tokens",
}  # fmt: skip
"""What the list can be sorted by, the largest first."""


class User(Sums):
    """`user` as the application gave it: it may be a pseudonym. `found`: calls in which guards found something."""

    user: str
    last_us: int


class Users(TypedDict):
    """`anonymous` calls name no user, `total` counts the users. `next` is the cursor of the page after, or None."""

    users: list[User]
    total: int
    anonymous: int
    next: str | None


def users(ask: Ask, view: View, sort: str = "cost", *, size: int = 50, cursor: str = "") -> Users:
    if sort not in SORTS:
        raise BadView(f"sort={sort!r} is unknown: take one of {', '.join(SORTS)}")
    source = measured(view, ["user"], ("calls", *_columns(sort)))
    parameters = dict(source.parameters)
    beyond = ""
    if cursor:
        value, name = decode(cursor, f"users {sort}", float, str)
        beyond = "AND (at_value, user) < ({at_value:Float64}, {at_user:String})"
        parameters |= {"at_value": value, "at_user": name}
    # of very many users only what they are sorted by is added up for all
    sql = f"""SELECT user, at_value, total, anonymous FROM (
  SELECT *, countIf(user != '') OVER () AS total, sumIf(calls, user = '') OVER () AS anonymous
  FROM (
    SELECT m.dim_user AS user, sum(m.calls) AS calls, toFloat64({_sum(sort)}) AS at_value
    FROM ({source.sql}) AS m GROUP BY user
  )
) WHERE user != '' {beyond} ORDER BY at_value DESC, user DESC LIMIT {size + 1}"""
    rows = ask(sql, parameters).records()
    page = rows[:size]
    last = page[-1] if len(rows) > size else None
    total, anonymous = (page[0]["total"], page[0]["anonymous"]) if page else (0, _anonymous(ask, view))
    return {
        "users": _told(ask, view, [row["user"] for row in page]),
        "total": total,
        "anonymous": anonymous,
        "next": encode(f"users {sort}", last["at_value"], last["user"]) if last else None,
    }


def _columns(sort: str) -> list[str]:
    return SORTS[sort].split(" + ")


def _sum(sort: str) -> str:
    return " + ".join(f"sum(m.{name})" for name in _columns(sort))


def _anonymous(ask: Ask, view: View) -> int:
    source = measured(view, ["user"], ["calls"])
    sql = f"SELECT sum(m.calls) FROM ({source.sql}) AS m WHERE m.dim_user = ''"
    return int(ask(sql, source.parameters).rows[0][0])


def _told(ask: Ask, view: View, names: list[str]) -> list[User]:
    """In the order of `names`, each with the time of the last call, up to the day in which the view ends."""
    if not names:
        return []
    source = measured(replace(view, chosen=view.chosen | {"user": tuple(names)}), ["user"])
    sql = f"SELECT m.dim_user AS user, {summed()} FROM ({source.sql}) AS m GROUP BY user"
    with side_by_side() as beside:
        last = beside(_last, ask, view, names)
        found = {row["user"]: row for row in priced_rows(ask(sql, source.parameters).records())}
        shown: Any = [found[name] | {"last_us": last().get(name, 0)} for name in names]
    return list(shown)


def _last(ask: Ask, view: View, names: list[str]) -> dict[str, int]:
    """Each has a call in the view, so that the last is no earlier than the day it begins in."""
    sql = """SELECT user_id, toUnixTimestamp64Micro(max(last)) FROM user_1d
WHERE user_id IN {users:Array(String)} AND t >= toStartOfDay(fromUnixTimestamp64Milli({start:Int64}, 'UTC'))
  AND t < fromUnixTimestamp64Milli({end:Int64}) GROUP BY user_id"""
    return dict(ask(sql, {"users": names, "start": view.start, "end": view.end}).rows)

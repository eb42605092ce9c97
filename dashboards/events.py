"""Guard events by what their calls are: asked of the columns of its call that an event has.

Only events that do not know their call (`of_call` 0: stored before they could, or alone in their request) are looked up
among the calls, and only around the time in which there are such; usually there are none.
"""

from . import conditions, guard_kind
from .ask import Ask
from .conditions import GUARD_ROLLED, IN_RANGE, Condition
from .guard_columns import GUARD_COLUMNS
from .view import View

OF_CALLS = GUARD_ROLLED | {
    "provider", "model", "operation", "status", "error_type", "finish_reason", "prompt", "prompt_version", "user_group",
    "user", "session", "trace", "tag", "guard", "guard_verdict", "guard_action",
}  # fmt: skip
"""Filters whose columns are the same on events as on their calls."""

_STRAYS = f"guard_events WHERE of_call = 0 AND {IN_RANGE}"
_AROUND = f"""ts >= (SELECT min(ts) - INTERVAL 1 DAY FROM {_STRAYS})
AND ts <= (SELECT max(ts) + INTERVAL 1 HOUR FROM {_STRAYS})
AND {guard_kind.KEY} IN (SELECT {guard_kind.KEY} FROM {_STRAYS})"""
"""On `llm_calls`: of no event it is a time in 1970, of which the primary key knows that nothing is there."""


def of_calls(view: View, *, strays: bool = True) -> Condition:
    """On `guard_events`: those in the view's time whose calls are as the view asks. Without `strays` it is known that
    every event knows its call.
    """
    if view.named <= GUARD_ROLLED:
        return conditions.calls(view)
    asked = conditions.of_any_time(view)
    if view.named <= OF_CALLS | {*GUARD_COLUMNS}:
        known = f"of_call = 1 AND {asked.sql}"
        sql = f"({known} OR of_call = 0 AND {_among(f'{asked.sql} AND {_AROUND}')})" if strays else known
        return Condition(f"{IN_RANGE} AND {sql}", asked.parameters)
    # of the calls only those with events are put into the set: it is most of the work
    with_events = f"{guard_kind.KEY} IN (SELECT {guard_kind.KEY} FROM guard_events WHERE {IN_RANGE})"
    by_call = _among(f"{IN_RANGE} AND {asked.sql} AND {with_events}")
    return Condition(f"{IN_RANGE} AND {by_call}", asked.parameters)


def asked(ask: Ask, view: View) -> Condition:
    """As `of_calls`, for several questions: once it is asked whether there are events that do not know their calls."""
    if view.named <= GUARD_ROLLED or not view.named <= OF_CALLS | {*GUARD_COLUMNS}:
        return of_calls(view)
    strays = ask(f"SELECT count() FROM {_STRAYS}", {"start": view.start, "end": view.end}).rows[0][0]
    return of_calls(view, strays=strays > 0)


def _among(calls: str) -> str:
    return f"{guard_kind.KEY} IN (SELECT {guard_kind.KEY} FROM llm_calls WHERE {calls})"

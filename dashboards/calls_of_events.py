"""Calls that have guard events, by what their events tell of them: without a look at `llm_calls`, as far as they know.

What calls are by themselves (`guard_kind.OF_CALL`) rollups know; here is what their events change of that.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from . import conditions
from .ask import Ask
from .conditions import CALL_IN_RANGE, IN_RANGE, Condition
from .events import OF_CALLS
from .guard_columns import GUARD_COLUMNS
from .guard_kind import BIT_OF_CALL, EVENT_KINDS, KEY, NEAR, OF_CALL, bits_of
from .sample import WHOLE, Sample
from .view import COLUMNS, View

_CLEAN = bits_of(["clean"])
_COLUMNS = COLUMNS | {"tag": "tags"}
_STRAYS = f"guard_events WHERE of_call = 0 AND {NEAR}"
"""Events that do not know their call."""
_AROUND = f"""{IN_RANGE} AND ts >= (SELECT min(ts) - INTERVAL 1 DAY FROM {_STRAYS})
AND ts <= (SELECT max(ts) + INTERVAL 1 HOUR FROM {_STRAYS}) AND {KEY} IN (SELECT {KEY} FROM {_STRAYS})"""
"""On `llm_calls`."""


def answers(view: View) -> bool:
    """Whether events know all that the view asks of calls."""
    return view.named <= OF_CALLS | {*GUARD_COLUMNS} and not {"guard", *GUARD_COLUMNS} & {*view.refused}


def only_with_events(view: View) -> bool:
    """An event is asked for: calls without any do not matter."""
    return bool({*GUARD_COLUMNS} & {*view.chosen})


def all_change(view: View) -> bool:
    """Guards are asked for: by its events a call comes into the view, or leaves it."""
    return "guard" in view.chosen or only_with_events(view)


def unkind(view: View) -> View:
    """Without what is asked of the guards' kinds."""
    return view.without("guard")


def by_themselves(view: View) -> Condition:
    """On `llm_calls`: the calls of the view, if no event changed what they are."""
    where = conditions.calls(unkind(view))
    if kinds := view.chosen.get("guard"):
        own = f"has({{is_guard:Array(String)}}, {OF_CALL})"
        return Condition(f"{where.sql} AND {own}", where.parameters | {"is_guard": list(kinds)})
    return where


@dataclass(frozen=True, slots=True)
class CallsOfEvents:
    """Those of the view, where it `answers`. `strays`: some events do not know their call, which is looked for then.

    Kinds are bits here (`guard_kind.bits_of`): `own` is what a call is by itself, `bit` and `bits` what events found.
    """

    view: View
    strays: bool
    sample: Sample = WHOLE

    def changing(self, columns: Sequence[str] = ()) -> Condition:
        """SELECT of `call`, `own`, `bit` and `columns` (filters) of events that make a call come into the view or leave
        it: `change` counts the calls.
        """
        kinds = bits_of(self.view.chosen.get("guard", ()))
        if not only_with_events(self.view):
            clean = f" OR own = {_CLEAN}" if kinds & _CLEAN else ""
            return self._events(columns, f"bit > 0 AND (bitAnd(own, {kinds}) = 0 AND bitAnd(bit, {kinds}) > 0{clean})")
        if not kinds:
            return self._events(columns, "", themselves=True)
        of_call = self.by_call()
        rows = self._events(columns, f"call IN (SELECT call FROM ({of_call.sql}) WHERE {self.meant()})")
        return Condition(rows.sql, of_call.parameters | rows.parameters)

    def change(self) -> str:
        """SQL over `changing`: so many calls come, less those that leave."""
        kinds = bits_of(self.view.chosen.get("guard", ()))
        if only_with_events(self.view) or not kinds & _CLEAN:
            return "toInt64(uniqExact(call))"
        come, go = f"own != {_CLEAN} OR bitAnd(bit, {kinds}) > 0", f"own = {_CLEAN}"
        return f"toInt64(uniqExactIf(call, {come})) - toInt64(uniqExactIf(call, {go}))"

    def by_call(self) -> Condition:
        """SELECT of `call`, `own`, `bits`, `rules` of all calls with events, whatever kind is asked for."""
        rows = self._events((), "")
        sql = f"""SELECT call, any(e.own) AS own, groupBitOr(e.bit) AS bits, groupUniqArray(rule) AS rules
FROM ({rows.sql}) AS e GROUP BY call"""
        return Condition(sql, rows.parameters)

    def meant(self) -> str:
        """SQL by `own` and `bits`: such a call is one of the view's."""
        if "guard" not in self.view.chosen:
            return "1"
        of_events = bits_of({*self.view.chosen["guard"]} & {*EVENT_KINDS})
        return f"(bitAnd(bits, {of_events}) > 0 OR {self._is_own()} AND (own != {_CLEAN} OR bits = 0))"

    def counted(self) -> str:
        """It is, by what it is by itself; so it was counted already."""
        return "0" if only_with_events(self.view) else self._is_own()

    def _is_own(self) -> str:
        kinds = self.view.chosen.get("guard")
        return f"bitAnd(own, {bits_of(kinds)}) > 0" if kinds else "1"

    def _events(self, columns: Sequence[str], only: str, *, themselves: bool = False) -> Condition:
        """SELECT of a row an event. Of calls sought by their events it has all events, or only `themselves`."""
        asked = conditions.of_any_time(unkind(self.view), of_part=self.sample.near)
        only = only and f" AND {only}"
        if themselves:
            asked = conditions.of_any_time(self.view.without("guard", *GUARD_COLUMNS))
            sought = {name: list(values) for name, values in self.view.chosen.items() if name in GUARD_COLUMNS}
            only += "".join(f" AND {GUARD_COLUMNS[name]} IN {{is_{name}:Array(String)}}" for name in sought)
            asked = replace(asked, parameters=asked.parameters | {f"is_{name}": to for name, to in sought.items()})
        where = f" AND {asked.sql}" if asked.sql else ""
        of = "".join(f", {_COLUMNS[name]} AS of_{name}" for name in columns)
        sql = f"""SELECT {KEY} AS call, call_bits AS own, event_bits AS bit, rule{of} FROM guard_events
WHERE of_call = 1 AND {conditions.near(self.view)} AND {CALL_IN_RANGE}{where}{self.sample.within("call_ts")}{only}"""
        if self.strays:
            kept = sorted({"status", "guard_verdict", "guard_action", *(_COLUMNS[name] for name in columns)})
            sql = f"""{sql} UNION ALL SELECT {KEY} AS call, {BIT_OF_CALL} AS own, event_bits AS bit, rule{of} FROM
(SELECT {KEY}, {", ".join(kept)} FROM llm_calls WHERE {_AROUND}{where}{self.sample.within()}) AS c
JOIN (SELECT {KEY}, event_bits, {", ".join(GUARD_COLUMNS.values())} FROM {_STRAYS}) AS e USING ({KEY}) WHERE 1{only}"""
        return Condition(sql, asked.parameters | self.sample.parameters)


def of(ask: Ask, view: View) -> CallsOfEvents:
    strays = ask(f"SELECT count() FROM {_STRAYS}", {"start": view.start, "end": view.end}).rows[0][0]
    return CallsOfEvents(view, strays > 0)

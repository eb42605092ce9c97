"""One group of a rule, one moment on: pure, so that the same judges what is, what was and what might have been."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from .reading import Reading
from .rule import Rule

Phase = Literal["ok", "pending", "firing"]
Happening = Literal["firing", "repeated", "resolved"]
LEAST_UNKNOWN_MS = 600_000
"""How long a firing group must say nothing before it counts as over, unless the window is longer."""


@dataclass(frozen=True, slots=True)
class State:
    """Times in milliseconds since 1970. `since`: begin of the phase; `seen`: last look; `known`: one with a value.

    `told`: when people were last told that it fires, 0 if they were not.
    """

    phase: Phase = "ok"
    since: int = 0
    seen: int = 0
    known: int = 0
    told: int = 0
    value: float | None = None
    text: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Event:
    """`tell`: people are to be told."""

    kind: Happening
    value: float | None
    tell: bool
    text: str = ""


def state_of(told: Mapping[str, Any]) -> State:
    """Of what `State.as_json` gave; what does not fit is left out."""
    return State(**{name: told[name] for name in State.__dataclass_fields__ if name in told})


def step(
    state: State, reading: Reading, rule: Rule, now: int, *, gap_ms: int, muted: bool = False
) -> tuple[State, list[Event]]:
    """`gap_ms`: a longer time without a look, and waiting for `for_s` begins again. `muted`: nobody is told now."""
    if state.seen - now > gap_ms:  # the clock was far ahead: nothing that is kept may lie in the time to come
        state = replace(state, **{name: min(getattr(state, name), now) for name in ("since", "seen", "known", "told")})
    now = max(now, state.seen)  # one that was set back a little must not make time run backwards
    phase, since = state.phase, state.since
    if phase == "pending" and now - state.seen > gap_ms:
        phase, since = "ok", now
    known = now if reading.value is not None else state.known
    seen = State(phase, since, now, known, state.told, reading.value, reading.text)
    if phase == "firing":
        return _firing(seen, reading, rule, now, muted=muted)
    if not breaks(rule, reading.value):
        return (seen if phase == "ok" else replace(seen, phase="ok", since=now)), []
    since = since if phase == "pending" else now
    if now - since < rule.for_s * 1000:
        return replace(seen, phase="pending", since=since), []
    fired = replace(seen, phase="firing", since=now, told=0 if muted else now)
    return fired, [Event("firing", reading.value, not muted, reading.text)]


def stop(state: State, now: int, why: str) -> tuple[State, list[Event]]:
    """The rule was removed or switched off, or nothing is measured any more."""
    ended = replace(state, phase="ok", since=now, seen=now, told=0)
    return ended, [Event("resolved", state.value, state.told > 0, why)] if state.phase == "firing" else []


def breaks(rule: Rule, value: float | None) -> bool:
    if value is None:
        return False
    if rule.metric == "burn_rate":
        return value >= rule.level
    return value > rule.level if rule.condition == "above" else value < rule.level


def clears(rule: Rule, value: float) -> bool:
    if rule.metric == "burn_rate":
        return value < rule.level
    return value <= rule.clear_level if rule.condition == "above" else value >= rule.clear_level


def _firing(state: State, reading: Reading, rule: Rule, now: int, *, muted: bool) -> tuple[State, list[Event]]:
    if reading.value is None and now - state.known >= max(rule.window_s * 1000, LEAST_UNKNOWN_MS):
        return stop(state, now, "nothing is measured any more")
    if reading.value is not None and clears(rule, reading.value):
        return stop(state, now, reading.text)
    late = state.told == 0 or (rule.repeat_s > 0 and now - state.told >= rule.repeat_s * 1000)
    if muted or not late:
        return state, []
    return replace(state, told=now), [Event("repeated", reading.value, tell=True, text=reading.text)]

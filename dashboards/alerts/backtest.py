"""What a rule would have done, had it been there: its past figures, and when it would have fired."""

from typing_extensions import TypedDict

from ..ask import Ask
from .happened import shown
from .measuring import COUNTED, Asked, past
from .metrics import METRICS
from .reading import Group, end_of
from .step import State, step

DAY_MS = 86_400_000


class Line(TypedDict):
    """`group` is empty where the rule is not split."""

    group: str
    values: list[float | None]


class Spell(TypedDict):
    """Times in milliseconds; `end` is None where it would still fire. `peak` is its worst figure."""

    group: str
    start: int
    end: int | None
    peak: float


class BackTest(TypedDict):
    """`known`: whether there is a past to look at. `spells`: the times it would have fired, newest first.

    `t` are ends of windows, `step` apart, in milliseconds.
    """

    known: bool
    t: list[int]
    step: int
    lines: list[Line]
    threshold: float
    clear: float
    spells: list[Spell]
    notifications: int


def back_test(ask: Ask, asked: Asked, now: int, days: float = 7) -> BackTest:
    """Looks every `Rule.step_s`, so `for_s` counts in those steps. Raises `QueryFailed`."""
    rule = asked.rule
    told: BackTest = {
        "known": METRICS[rule.metric].source in COUNTED,
        "t": [], "step": rule.step_s * 1000, "lines": [], "threshold": rule.level, "clear": rule.clear_level,
        "spells": [], "notifications": 0,
    }  # fmt: skip
    if not told["known"]:
        return told
    end = end_of(now)
    values: dict[Group, list[float | None]] = {}
    states: dict[Group, State] = {}
    open_: dict[Group, Spell] = {}
    for at, readings in past(ask, asked, end - round(days * DAY_MS), end):
        told["t"].append(at)
        for reading in readings:
            group = reading.group
            values.setdefault(group, []).append(reading.value)
            before = states.get(group, State(since=at))
            states[group], events = step(before, reading, rule, at, gap_ms=2 * told["step"])
            told["notifications"] += len(events)
            for event in events:
                if event.kind == "firing":
                    open_[group] = {"group": shown(group), "start": at, "end": None, "peak": event.value or 0.0}
                    told["spells"].append(open_[group])
                elif event.kind == "resolved":
                    open_.pop(group)["end"] = at
            if group in open_ and reading.value is not None:
                worse = max if rule.condition == "above" else min
                open_[group]["peak"] = worse(open_[group]["peak"], reading.value)
    told["lines"] = [{"group": shown(group), "values": one} for group, one in values.items()]
    told["spells"].reverse()
    return told

"""Rules on drift: every alarm that stands is a group of its own, named by stream and service."""

from collections.abc import Callable, Iterable
from typing import Protocol

from ..ask import Ask
from .measuring import Asked, Measured
from .reading import LONGEST_NAME, Reading


class Alarm(Protocol):
    """`effect` is how large the change is, in the unit of its stream; `text` says it in words."""

    @property
    def stream(self) -> str: ...
    @property
    def service(self) -> str: ...
    @property
    def effect(self) -> float: ...
    @property
    def text(self) -> str: ...


def of_drift(ask: Ask, drifting: Callable[[Ask, int], Iterable[Alarm]]) -> Callable[[Asked, int], Measured]:
    """`drifting` gives the alarms that stand at a time in milliseconds. A rule narrows them by `service` only."""

    def measured(asked: Asked, now: int) -> Measured:
        only = asked.rule.scope.get("service", ())
        alarms = [alarm for alarm in drifting(ask, now) if not only or alarm.service in only]
        return Measured(
            tuple(Reading((a.stream, a.service[:LONGEST_NAME]), abs(a.effect) or 1.0, 0, a.text) for a in alarms)
        )

    return measured

"""A notification that was not taken, and how long one waits for that."""

from dataclasses import dataclass

TIMEOUT_S = 10.0
"""For each step, such as a part of an answer; a receiver that sends a byte now and then takes many."""
LONGEST_S = 20.0
"""For all of them together."""


@dataclass(frozen=True, slots=True)
class Refused(Exception):  # noqa: N818  an answer
    """It was not taken. `again`: another attempt may help."""

    why: str
    again: bool

    def __str__(self) -> str:
        return self.why

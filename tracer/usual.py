"""Attributes that many spans share: what calls of one kind all say is made once, and encoded once."""

from collections.abc import Callable, Hashable, Mapping
from typing import TypeVar

from opentelemetry.util.types import AttributeValue

MOST = 500
"""So many are remembered. Then all are forgotten: what is said now is soon known again."""


class Usual(dict[str, AttributeValue]):
    """Nobody changes it. `encoded` is for the encoder, which fills it."""

    __slots__ = ("encoded",)

    def __init__(self, given: Mapping[str, AttributeValue]) -> None:
        super().__init__(given)
        self.encoded = b""


T = TypeVar("T")
Known = dict[Hashable, Usual]


def learnt(known: Known, key: Hashable, make: Callable[[T], Mapping[str, AttributeValue]], of: T) -> Usual:
    """What `make` gives, remembered by the key where it can be one: a provider may give anything for a word."""
    made = Usual(make(of))
    try:
        if len(known) >= MOST:
            known.clear()
        known[key] = made
    except TypeError:
        pass
    return made

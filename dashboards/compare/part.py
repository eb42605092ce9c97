"""Which calls of a side are looked at, where they are very many."""

from dataclasses import dataclass

from .. import conditions
from ..conditions import Condition
from ..sample import FIVE_MINUTES_S, blocks
from ..view import View
from .alike import LOTS

STRETCHES = 150
"""Of time, that are drawn: of more and shorter ones much would be read that stands beside them."""
FEWEST = 60
"""Stretches below which their spread says too little."""


@dataclass(frozen=True, slots=True)
class Part:
    """One call in `every` of a side. `lot` is SQL: stretches of time that were drawn together."""

    where: Condition
    every: float
    lot: str


def drawn(view: View, every: int) -> Part:
    """One in about `every`: whole stretches of time, which alone are read then; of a short range single calls, by a
    hash of their time. The same calls at each look.
    """
    where = conditions.calls(view)
    all_ = view.end // 1000 // FIVE_MINUTES_S - view.start // 1000 // FIVE_MINUTES_S + 1
    length = max(1, all_ // (every * STRETCHES))
    found = blocks(view, every, length)
    if len(found.blocks) >= FEWEST * length:
        stretch = f"toUInt32(intHash64(intDiv(toUnixTimestamp(ts), {length * FIVE_MINUTES_S})) % {LOTS})"
        return Part(found.narrowed(where), found.share, stretch)
    by_hash = f" AND intHash64(toUnixTimestamp64Micro(ts)) % {every} = 0" if every > 1 else ""
    return Part(Condition(where.sql + by_hash, where.parameters), every, "toUInt32(0)")

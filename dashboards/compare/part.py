"""Which calls of a side are looked at, where they are very many."""

from dataclasses import dataclass

from .. import conditions
from ..conditions import Condition
from ..view import View
from .alike import LOTS

STRETCHES = 150
"""Of time, that are drawn: of more and shorter ones much would be read that stands beside them."""
FEWEST = 60
"""Stretches below which their spread says too little."""
_BLOCK_S = 300
"""Five minutes: the primary key begins with them."""
_DRAWN = " AND toStartOfFiveMinutes(ts) IN (SELECT toDateTime(arrayJoin({drawn_s:Array(Int64)}), 'UTC'))"


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
    blocks = range(view.start // 1000 // _BLOCK_S, view.end // 1000 // _BLOCK_S + 1)
    length = max(1, len(blocks) // (every * STRETCHES))
    chosen = [block * _BLOCK_S for block in blocks if _scattered(block // length) % every == 0] if every > 1 else []
    if len(chosen) >= FEWEST * length:
        stretch = f"toUInt32(intHash64(intDiv(toUnixTimestamp(ts), {length * _BLOCK_S})) % {LOTS})"
        found = Condition(where.sql + _DRAWN, where.parameters | {"drawn_s": chosen})
        return Part(found, len(blocks) / len(chosen), stretch)
    by_hash = f" AND intHash64(toUnixTimestamp64Micro(ts)) % {every} = 0" if every > 1 else ""
    return Part(Condition(where.sql + by_hash, where.parameters), every, "toUInt32(0)")


def _scattered(number: int) -> int:
    """So that stretches are of all hours and days alike."""
    return (number * 2654435761 % 2**32) >> 8

"""Which calls of a side are looked at, where they are very many."""

from dataclasses import dataclass

from .. import conditions, sample
from ..conditions import Condition
from ..view import View
from .alike import LOTS

STRETCHES = 150
"""Of time, that are drawn: of more and shorter ones much would be read that stands beside them."""
FEWEST = 60
"""Stretches below which their spread says too little."""
_BLOCK_MS = 300_000
"""Five minutes: the primary key begins with them."""


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
    length = max(1, (view.end - view.start) // _BLOCK_MS // (every * STRETCHES))
    stretches = sample.blocks(view, every, length)
    if len(stretches.parameters.get("sampled_s", ())) >= FEWEST * length:
        of = f"intDiv(toUnixTimestamp(ts), {length * _BLOCK_MS // 1000})"
        return Part(stretches.narrowed(where), stretches.share, f"toUInt32(intHash64({of}) % {LOTS})")
    by_hash = f" AND intHash64(toUnixTimestamp64Micro(ts)) % {every} = 0" if every > 1 else ""
    return Part(Condition(where.sql + by_hash, where.parameters), every, "toUInt32(0)")

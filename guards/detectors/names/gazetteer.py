"""What lists say of a word: given name, family name, part of a place's name, word of a street or a company.

A hint among others: training hid a part of the lists, so that a name that is in none is still one by its looks.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .features import key, normal

GIVEN, FAMILY, PLACE, PLACE_PART, COUNTRY, STREET, COMPANY, COMMON, KNOWN = (1 << bit for bit in range(9))
"""KNOWN is no list: training saw the word often enough for it to have a row of its own."""


class Gazetteer(NamedTuple):
    """`flags[i]` is said of every word with the key `keys[i]`; keys ascend."""

    keys: npt.NDArray[np.uint32]
    flags: npt.NDArray[np.uint16]

    def look_up(self, words: Sequence[str]) -> list[int]:
        """For each word its flags, 0 for one that is in no list."""
        if not len(self.keys):
            return [0] * len(words)
        wanted = np.array([key(normal(word)) for word in words], np.uint32)
        places = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        found: list[int] = np.where(self.keys[places] == wanted, self.flags[places], 0).tolist()
        return found


def build(lists: Mapping[int, Iterable[str]]) -> Gazetteer:
    """A gazetteer of flag -> its words."""
    flags: dict[int, int] = {}
    for flag, words in lists.items():
        for word in words:
            place = key(normal(word))
            flags[place] = flags.get(place, 0) | flag
    keys = np.array(sorted(flags), np.uint32)
    return Gazetteer(keys, np.array([flags[int(place)] for place in keys], np.uint16))

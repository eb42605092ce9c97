"""Placeholders that stand for values: `<EMAIL_ADDRESS_1>`. The same value has the same one; numbers never come back."""

import re
import secrets
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from threading import Lock
from typing import NamedTuple

PLACEHOLDER = re.compile(r"<([A-Z][A-Z0-9_]*)_(\d+)>")
LIMIT = 10_000
FAR, FAR_SPAN = 10_000_000, 90_000_000
"""Where numbers begin that could not be written down: at random, so that no later process gives one a second time."""


class Given(NamedTuple):
    """One value and what stands for it: `<label_number>`."""

    label: str
    number: int
    value: str

    @property
    def placeholder(self) -> str:
        return f"<{self.label}_{self.number}>"


Keep = Callable[[Sequence[Given]], bool]
"""Writes down what was given out; whether all of it is safe now. May block, never raises."""


class Pseudonyms:
    """The values of one check or one session; safe to use from several threads.

    It holds at most `limit` values and forgets the longest unused one first: that value gets a new number later.
    `known` is what was given out before, oldest first. `far` says that more may have been given out than is known.
    """

    def __init__(
        self, limit: int = LIMIT, known: Iterable[Given] = (), keep: Keep | None = None, *, far: bool = False
    ) -> None:
        self._limit = limit
        self._placeholders: OrderedDict[str, str] = OrderedDict()
        self._numbers: dict[str, int] = {}
        self._keep, self._far = keep, far
        self._fresh: list[Given] = []
        self._taken_back: set[str] = set()
        self._lock, self._saving = Lock(), Lock()
        for given in known:
            self._hold(given.value, given.placeholder)
            self._numbers[given.label] = max(given.number, self._numbers.get(given.label, 0))

    def __repr__(self) -> str:
        """The number of values, never one of them."""
        return f"Pseudonyms({len(self._placeholders)} values)"

    def placeholder(
        self, label: str, value: str, taken: AbstractSet[str] = frozenset(), *, keep_known: bool = False
    ) -> str:
        """The placeholder of `value`, new or known, but none of `taken` (those that stand in the text by themselves).

        With `keep_known` a known one is right even if it stands in the text: a model that answers may write it.
        """
        with self._lock:
            known = self._placeholders.pop(value, None)
            if known is None or (known in taken and not keep_known):
                known = self._next(label, value, taken)
            self._hold(value, known)
            return known

    def save(self, given: Iterable[str]) -> bool:
        """Whether the placeholders `given` out may leave: they are written down, or no later process can repeat them.

        If not, none of them is known any more: ask `placeholder` again for each value, then `save` again.
        """
        if self._keep is None:
            return True
        with self._saving:  # what another thread gave out and is writing down may be among ours
            with self._lock:
                fresh, self._fresh = self._fresh, []
            if fresh and not self._keep(fresh):
                self._not_kept(fresh)
            return not self._taken_back or self._taken_back.isdisjoint(given)

    def _not_kept(self, fresh: Sequence[Given]) -> None:
        with self._lock:
            if self._far:  # unique as they are; the next save tries them again
                self._fresh = [*fresh, *self._fresh][-self._limit :]
                return
            self._far = True
            near = [*fresh, *self._fresh]
            self._fresh = []
            self._taken_back |= {given.placeholder for given in near}
            for given in near:
                if self._placeholders.get(given.value) in self._taken_back:
                    del self._placeholders[given.value]

    def _next(self, label: str, value: str, taken: AbstractSet[str]) -> str:
        while True:
            number = self._numbers.get(label, 0) + 1
            if self._far and number < FAR:
                number = FAR + secrets.randbelow(FAR_SPAN)
            self._numbers[label] = number
            given = Given(label, number, value)
            if given.placeholder not in taken:
                if self._keep is not None:
                    self._fresh.append(given)
                return given.placeholder

    def _hold(self, value: str, placeholder: str) -> None:
        self._placeholders.pop(value, None)
        self._placeholders[value] = placeholder
        if len(self._placeholders) > self._limit:
            self._placeholders.popitem(last=False)


def placeholders_in(text: str) -> set[str]:
    """Everything in `text` that looks like a placeholder."""
    return {found.group() for found in PLACEHOLDER.finditer(text)}

"""Placeholders that stand for values: `<EMAIL_ADDRESS_1>`. The same value has the same one; numbers never come back."""

import re
from collections import OrderedDict
from collections.abc import Set as AbstractSet
from threading import Lock

PLACEHOLDER = re.compile(r"<([A-Z][A-Z0-9_]*)_(\d+)>")


class Pseudonyms:
    """The values of one check or one session, in memory only; safe to use from several threads.

    It holds at most `limit` values and forgets the longest unused one first: that value gets a new number later.
    """

    def __init__(self, limit: int = 10_000) -> None:
        self._limit = limit
        self._placeholders: OrderedDict[str, str] = OrderedDict()
        self._numbers: dict[str, int] = {}
        self._lock = Lock()

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
                known = self._next(label, taken)
            self._placeholders[value] = known
            if len(self._placeholders) > self._limit:
                self._placeholders.popitem(last=False)
            return known

    def _next(self, label: str, taken: AbstractSet[str]) -> str:
        while True:
            number = self._numbers.get(label, 0) + 1
            self._numbers[label] = number
            if (placeholder := f"<{label}_{number}>") not in taken:
                return placeholder


def placeholders_in(text: str) -> set[str]:
    """Everything in `text` that looks like a placeholder."""
    return {found.group() for found in PLACEHOLDER.finditer(text)}

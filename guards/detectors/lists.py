"""Values that may not be there, and values that alone may be there: `kind: deny_list` and `kind: allow_list`."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from .detector import Hit
from .extracts import Listed, ListOptions
from .options import thresholds


class DenyList:
    """A finding is what stands on the list. Reads like the other detectors: look-alike letters do not hide a value."""

    name: ClassVar[str] = "deny_list"
    noun: ClassVar[str] = "labels"
    labels: ClassVar[Mapping[str, float]] = thresholds(["denied"])
    Options: ClassVar[type[ListOptions]] = ListOptions

    def __init__(self, options: ListOptions) -> None:
        self._listed = Listed(options)
        self._why = f"{options.of} on the list"
        self.engine = f"deny_list ({options.of}, {len(options.values)} values)"
        self.degraded = ""

    def detect(self, texts: Sequence[str], labels: frozenset[str]) -> list[list[Hit]]:
        """In order of place. Raises `TimeoutError` for a slow pattern."""
        return [_hits(self._listed, text, "denied", self._why, wanted=True) if labels else [] for text in texts]


class AllowList:
    """A finding is what does not stand on the list. Reads the text as it is: a look-alike of a value is another one."""

    name: ClassVar[str] = "allow_list"
    noun: ClassVar[str] = "labels"
    labels: ClassVar[Mapping[str, float]] = thresholds(["not_allowed"])
    reads: ClassVar[str] = "decoded"
    Options: ClassVar[type[ListOptions]] = ListOptions

    def __init__(self, options: ListOptions) -> None:
        self._listed = Listed(options)
        self._why = f"{options.of} not on the list"
        self.engine = f"allow_list ({options.of}, {len(options.values)} values)"
        self.degraded = ""

    def detect(self, texts: Sequence[str], labels: frozenset[str]) -> list[list[Hit]]:
        """In order of place. Raises `TimeoutError` for a slow pattern."""
        return [_hits(self._listed, text, "not_allowed", self._why, wanted=False) if labels else [] for text in texts]


def _hits(listed: Listed, text: str, label: str, why: str, *, wanted: bool) -> list[Hit]:
    found = sorted((start, end) for start, end, on_it in listed.extracts(text) if on_it is wanted and end > start)
    return [Hit(label, start, end, 1.0, why) for start, end in found]

"""What every detector promises. A detector looks at texts and says what it saw where; it never edits them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol


@dataclass(frozen=True, slots=True)
class Hit:
    """`text[start:end]` looks like `label`, counted in code points; `score` is 0..1; a rule acts from its threshold on.

    A judgement on a whole text has `start=0, end=len(text)`. `explanation` is ours and never quotes the text.
    """

    label: str
    start: int
    end: int
    score: float
    explanation: str = ""


class Detector(Protocol):
    """Made once, without arguments, and then asked from several threads at a time.

    The module of a detector is imported to check a policy, so it imports heavy libraries in the constructor only.
    The constructor and `detect` may raise anything: the rule's `on_error` says what becomes of the call.
    """

    name: ClassVar[str]
    """The key under `detect:` in a policy."""
    labels: ClassVar[Mapping[str, float]]
    """All it may find, with the threshold of a rule that names none. Those in an `opt_in: frozenset` must be named."""
    noun: ClassVar[str]
    """What a policy calls the labels: `entities` or `labels`."""

    @property
    def engine(self) -> str:
        """Which implementation answers, with its version where it has one (`ngram-baseline`, `detoxify-original`)."""
        ...

    @property
    def degraded(self) -> str:
        """Why this engine is less than full, in one clause, or nothing."""
        ...

    def detect(self, texts: Sequence[str], labels: frozenset[str]) -> Sequence[Sequence[Hit]]:
        """For each text its hits with one of `labels`, whatever their score; the pipeline applies the thresholds."""
        ...

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
    """Made once, and then asked from several threads at a time.

    A class with options names their pydantic model, `Options: ClassVar[type[BaseModel]]` (unknown keys refused), and is
    made as `cls(options)`; any other as `cls()`. Where labels follow from options, the class method
    `labels_for(options) -> Mapping[str, float]` says which. `close()`, where there is one, is called when the policy is
    no longer in force. What it reads is the text with look-alike characters folded and invisible ones left out, unless
    its class says otherwise (`reads`: `decoded`, `source`; see `guards/view.py`). One that judges a text from beginning
    to end says so (`whole_text = True`): the lint then asks for streams that are buffered. Labels that are guessed from
    prose (`of_prose: frozenset`) are not looked for in definitions of tools and schemas of answers: changed on a guess,
    they break the call.

    Where options leave out labels that others bring, a classmethod `needs(label) -> str` may say what they must say.

    The module of a detector is imported to check a policy, so it imports heavy libraries in the constructor only.
    The constructor may raise anything: the policy is then not taken up. So may `detect`: the rule's `on_error` says
    what becomes of the call.
    """

    name: ClassVar[str]
    """Its name in the registry: the key under `detect:` in a policy, or the `kind` of one made with options."""
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

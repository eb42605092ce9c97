"""Texts in a language that a policy does not allow: `kind: language`."""

import re
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Annotated, ClassVar

from pydantic import Field, field_validator

from .detector import Hit
from .options import Options, Score, Words, thresholds

_CODES = (
    "af am an ar as az ba be bg bn br bs ca cs cy da de dz el en eo es et eu fa fi fo fr fy ga gd gl gu ha he hi"
    " hr ht hu hy id ig is it ja jv ka kk km kn ko ku ky la lb lg ln lo lt lv mg mk ml mn mr ms mt my ne nl nn no"
    " oc om or pa pl ps pt qu ro ru rw sa se si sk sl sn so sq sr st sv sw ta te tg th tk tl tr tt ug uk ur uz vi"
    " vo wa xh yo zh zu"
)
KNOWN = frozenset(_CODES.split())
"""ISO 639-1 codes of py3langid's model, all of them in the package: nothing is downloaded."""
_NO_PROSE = re.compile(
    r"```[\s\S]{0,20000}?(?:```|\Z)|`[^`\n]{1,500}`|https?://\S{1,2000}|\S{1,100}@\S{1,200}|<[A-Z_]+_\d+>|\[[A-Z_]{2,}\]"
)
_LETTERS = re.compile(r"[^\W\d_]+")
_NONE = "zxx"
"""What the model calls a text in no language."""
READ = 1500
"""Characters that are looked at. More of them change no answer, and the time is the same for every longer text."""


class LanguageOptions(Options):
    """`allowed` are ISO 639-1 codes. A text with fewer letters than `min_letters` is too short to tell and passes."""

    allowed: Annotated[Words, Field(min_length=1)]
    min_letters: Annotated[int, Field(ge=10, le=10_000)] = 40
    certainty: Score = 0.5

    @field_validator("allowed")
    @classmethod
    def _are_known(cls, codes: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [code for code in codes if code not in KNOWN]
        if unknown:
            raise ValueError(f"no code of a language: {', '.join(unknown)}; known: {', '.join(sorted(KNOWN))}")
        return codes


class Language:
    """A judgement on a whole text, by the language most of it is in. Code, URLs and placeholders are not counted."""

    name: ClassVar[str] = "language"
    noun: ClassVar[str] = "labels"
    labels: ClassVar[Mapping[str, float]] = thresholds(["not_allowed"])
    Options: ClassVar[type[LanguageOptions]] = LanguageOptions

    def __init__(self, options: LanguageOptions) -> None:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier

        self._options = options
        self._allowed = frozenset(options.allowed)
        self._identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
        self._identifier.set_languages({*KNOWN, _NONE})
        self.engine = f"py3langid {version('py3langid')}"
        self.degraded = ""

    def detect(self, texts: Sequence[str], labels: frozenset[str]) -> list[list[Hit]]:
        """The score is the share of certainty that lies on languages that are not allowed."""
        return [self._hits(text) if labels else [] for text in texts]

    def _hits(self, text: str) -> list[Hit]:
        prose = _NO_PROSE.sub(" ", text[: 2 * READ])[:READ]
        letters = sum(len(word) for word in _LETTERS.findall(prose))
        if letters < self._options.min_letters:
            return []
        ranked = self._identifier.rank(prose)
        language, certainty = ranked[0]
        if language in self._allowed or language == _NONE or certainty < self._options.certainty:
            return []
        elsewhere = 1 - sum(share for code, share in ranked if code in self._allowed)
        return [Hit("not_allowed", 0, len(text), round(min(1.0, max(0.0, elsewhere)), 3), f"reads like {language}")]

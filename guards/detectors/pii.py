"""Personal data by presidio's recognizers. There is no NER model here: names of people and places are not found."""

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from threading import local
from typing import Any, ClassVar

from .detector import Hit
from .pii_gate import possible
from .presidio import build_analyzer
from .stretches import Stretch, stretches

NAMED_BY_A_MODEL = ("LOCATION", "NRP", "ORGANIZATION", "PERSON")
THRESHOLDS = {
    "CREDIT_CARD": 0.4,
    "CRYPTO": 0.4,
    "DATE_TIME": 0.4,
    "EMAIL_ADDRESS": 0.4,
    "IBAN_CODE": 0.4,
    "IP_ADDRESS": 0.6,
    "MAC_ADDRESS": 0.6,
    "MEDICAL_LICENSE": 0.4,
    "PHONE_NUMBER": 0.4,  # a number without the word "phone" beside it scores exactly 0.4
    "UK_NHS": 0.4,
    "URL": 0.6,  # 0.5 is a bare domain: `model.fit`, `example.py`
    "US_BANK_NUMBER": 0.4,
    "US_DRIVER_LICENSE": 0.6,
    "US_ITIN": 0.4,
    "US_PASSPORT": 0.4,
    "US_SSN": 0.4,  # nine bare digits score 0.05 alone and 0.4 beside "social security"
    "UUID": 0.5,
    **dict.fromkeys(NAMED_BY_A_MODEL, 0.6),
}
CODE_NOT_ADDRESS = re.compile(r"[0-9A-Fa-f]{0,4}::[0-9A-Fa-f]{0,4}")
"""`x[::2]` and `a::b` are slices and scopes far more often than anybody's IPv6 address."""


class Pii:
    """Presidio behind a gate, in stretches of bounded length: the time taken grows with the text and no faster."""

    name: ClassVar[str] = "pii"
    noun: ClassVar[str] = "entities"
    labels: ClassVar[Mapping[str, float]] = THRESHOLDS
    opt_in: ClassVar[frozenset[str]] = frozenset(
        {"DATE_TIME", "UK_NHS", "URL", "US_BANK_NUMBER", "UUID", *NAMED_BY_A_MODEL}
    )

    def __init__(self) -> None:
        self._analyzer = build_analyzer()
        self.engine = f"presidio-patterns {version('presidio-analyzer')}"
        self.degraded = "no NER model: PERSON, LOCATION, ORGANIZATION are not detected"
        self._timeouts = _RegexTimeouts()
        self.detect(["warm up: a@b.example 2001:db8::1 +1 202-555-0123 4111111111111111"], frozenset(THRESHOLDS))

    def detect(self, texts: Sequence[str], labels: frozenset[str]) -> list[list[Hit]]:
        """Raises `TimeoutError` where a pattern gave up: presidio itself would go on as if it had found nothing."""
        return [_longest(self._hits(text, labels)) for text in texts]

    def _hits(self, text: str, labels: frozenset[str]) -> Iterator[Hit]:
        for stretch in stretches(text):
            yield from self._hits_in(text, stretch, labels)

    def _hits_in(self, text: str, stretch: Stretch, labels: frozenset[str]) -> Iterator[Hit]:
        piece = text[stretch.start : stretch.end]
        entities = possible(piece, labels - {*NAMED_BY_A_MODEL})
        if not entities:
            return
        for result in self._analyze(piece, entities):
            start, end = stretch.start + result.start, stretch.start + result.end
            if not stretch.owns(start) or _is_code(result.entity_type, text[start:end]):
                continue
            end = _whole_word(text, end) if end == stretch.end else end
            yield Hit(result.entity_type, start, end, result.score, _explain(result))

    def _analyze(self, text: str, entities: list[str]) -> Any:
        self._timeouts.clear()
        results = self._analyzer.analyze(text, "en", entities=entities, return_decision_process=True)
        self._timeouts.check()
        return results


def _is_code(label: str, found: str) -> bool:
    return label == "IP_ADDRESS" and CODE_NOT_ADDRESS.fullmatch(found) is not None


def _whole_word(text: str, end: int) -> int:
    """A hit that reaches the border of its stretch goes on to the end of its word."""
    gap = re.compile(r"\s").search(text, end)
    return gap.start() if gap else len(text)


def _longest(hits: Iterator[Hit]) -> list[Hit]:
    """In order, without the URL that is only the domain of an e-mail address; other overlaps stay for the pipeline."""
    kept: list[Hit] = []
    reach = Hit("", 0, 0, 0.0)
    for hit in sorted(hits, key=lambda hit: (hit.start, -hit.end)):
        if not (hit.label == "URL" and hit.end <= reach.end):
            kept.append(hit)
        if hit.end > reach.end:
            reach = hit
    return kept


def _explain(result: Any) -> str:
    """Which recognizer and pattern, never what they matched."""
    process = result.analysis_explanation
    return " ".join(filter(None, (process.recognizer, process.pattern_name))) if process else ""


class _RegexTimeouts(logging.Handler):
    """Presidio logs a pattern that ran out of time and goes on without it; here that is an error of the check."""

    def __init__(self) -> None:
        super().__init__(level=logging.WARNING)
        self._seen = local()
        logging.getLogger("presidio-analyzer").addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        if "timed out" in str(record.msg):
            self._seen.pattern = str(record.args[0]) if isinstance(record.args, tuple) and record.args else "unknown"

    def clear(self) -> None:
        self._seen.pattern = ""

    def check(self) -> None:
        if self._seen.pattern:
            raise TimeoutError(f"the pattern {self._seen.pattern} ran out of time")

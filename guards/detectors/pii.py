"""Personal data: presidio's recognizers and a few of ours behind a gate, and an engine for names."""

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from threading import local
from typing import Any, ClassVar

from .addresses import joined
from .detector import Hit
from .ner import recognizer
from .pii_options import Allowed, PiiOptions
from .pii_packs import NAMES, OPT_IN, country_of, thresholds
from .presidio import build_recognizers
from .stretches import Stretch, stretches

NOBODYS_ADDRESS = re.compile(r"[0-9A-Fa-f]{0,4}::[0-9A-Fa-f]{0,4}|127(?:\.\d+){3}|0\.0\.0\.0|255\.255\.255\.255")
"""`x[::2]` and `a::b` are slices and scopes far more often than anybody's IPv6 address; each machine is 127.0.0.1."""
VERSION = re.compile(
    r"(?:\bv|\b(?:ver|version|release|rev|build|firmware)|\.(?:dll|exe|so|jar))[ .:=]{0,3}$", re.IGNORECASE
)
"""What stands before the four numbers of a version."""
REST_OF_URL = re.compile(r"(?<=\w)[\w-][^\s<>\"'`|\\^{}()\[\],;]*(?<![.!?:])")
"""What goes on where a URL was cut inside a word, to its end."""
NO_NAME = re.compile(r"[A-Za-z0-9_]|\"\s*:")
"""What stands behind a piece of an identifier (`json_schema`) or a key of JSON: replaced, it breaks what it names."""


class Pii:
    """Patterns in stretches of bounded length, names on the whole text: the time grows with the text and no faster."""

    name: ClassVar[str] = "pii"
    noun: ClassVar[str] = "entities"
    Options: ClassVar[type[PiiOptions]] = PiiOptions
    labels: ClassVar[Mapping[str, float]] = thresholds(PiiOptions().countries, names=True)
    opt_in: ClassVar[frozenset[str]] = OPT_IN
    of_prose: ClassVar[frozenset[str]] = frozenset(NAMES)

    @classmethod
    def labels_for(cls, options: PiiOptions) -> Mapping[str, float]:
        """The entities of the chosen countries, and those of an engine for names unless there is none."""
        return thresholds(options.countries, names=options.ner != "off")

    @classmethod
    def needs(cls, label: str) -> str:
        """What the options must say for an entity that is known to them and that they leave out; empty for others."""
        country = country_of(label)
        return f"`{country}` among its `countries`" if country else "an engine `ner`" if label in NAMES else ""

    def __init__(self, options: PiiOptions | None = None) -> None:
        """Raises `ImportError` for a presidio that is missing or too old, `ner.EngineError` for an engine that is."""
        chosen = options or PiiOptions()
        self._thresholds = dict(self.labels_for(chosen))
        self._patterns = build_recognizers(chosen.countries)
        self._ner = recognizer(chosen.ner)
        self._allowed = Allowed(chosen.allow)
        self.engine = f"presidio-patterns {version('presidio-analyzer')} + ner: {self._ner.engine}"
        self.degraded = "" if self._ner.entities else "no NER model: PERSON, LOCATION, ORGANIZATION are not detected"
        self._timeouts = _RegexTimeouts()
        self.detect(["warm up: a@b.example 2001:db8::1 +1 202-555-0123 4111111111111111"], frozenset(self._thresholds))

    def detect(self, texts: Sequence[str], labels: frozenset[str]) -> list[list[Hit]]:
        """Raises `TimeoutError` where a pattern gave up: presidio itself would go on as if it had found nothing."""
        return [self._merged(text, labels) for text in texts]

    def close(self) -> None:
        """Presidio's logger forgets us."""
        self._timeouts.close()

    def _merged(self, text: str, labels: frozenset[str]) -> list[Hit]:
        wanted = labels & self._patterns.entities
        patterns = (
            [hit for stretch in stretches(text) for hit in self._hits_in(text, stretch, wanted)] if wanted else []
        )
        names = [hit for hit in self._ner.find(text) if is_word(hit, text)] if labels & self._ner.entities else []
        sure = [hit for hit in patterns if hit.score >= self._thresholds.get(hit.label, 1.0) and hit.label not in NAMES]
        hits = [*patterns, *outside(names, sure, text)]
        if "ADDRESS" in labels:  # a place beside a street is part of the address, whether or not places are asked for
            hits = joined(hits, text, self._thresholds)
        return self._not_allowed(text, without_echoes([hit for hit in hits if hit.label in labels]))

    def _hits_in(self, text: str, stretch: Stretch, entities: frozenset[str]) -> Iterator[Hit]:
        for result in self._find(text[stretch.start : stretch.end], entities):
            start, end = stretch.start + result.start, stretch.start + result.end
            if not stretch.owns(start) or _is_nobodys(result.entity_type, text, start, end):
                continue
            end = _whole_word(text, end) if end == stretch.end else end
            end = _whole_url(text, end) if result.entity_type == "URL" else end
            yield Hit(result.entity_type, start, end, result.score, _explain(result))

    def _find(self, text: str, entities: frozenset[str]) -> list[Any]:
        self._timeouts.clear()
        results = self._patterns.find(text, entities)
        self._timeouts.check()
        return results

    def _not_allowed(self, text: str, hits: list[Hit]) -> list[Hit]:
        free = [(hit.start, hit.end) for hit in hits if self._allowed(text[hit.start : hit.end])]
        return [hit for hit in hits if not any(start <= hit.start and hit.end <= end for start, end in free)]


def is_word(name: Hit, text: str) -> bool:
    """Whether it stands by itself, and is no key of JSON."""
    return not NO_NAME.match(text, name.end) and not (name.start and re.match("[A-Za-z0-9_]", text[name.start - 1]))


def outside(names: Sequence[Hit], patterns: Sequence[Hit], text: str) -> Iterator[Hit]:
    """Names as far as no pattern claims the place: of `Ann ann@x.org` taken for one name, the address is one."""
    spans = sorted((hit.start, hit.end) for hit in patterns)
    for name in names:
        start, end = name.start, name.end
        for left, right in spans:
            if left < end and start < right:
                start, end = (start, left) if left - start >= end - right else (right, end)
        trimmed = text[start:end]
        start, end = start + len(trimmed) - len(trimmed.lstrip()), end - len(trimmed) + len(trimmed.rstrip())
        if (start, end) == (name.start, name.end) or end - start > 1:
            yield replace(name, start=start, end=end)


def without_echoes(hits: Sequence[Hit]) -> list[Hit]:
    """In order, without the URL that is only the domain of an e-mail address; other overlaps stay for the pipeline."""
    kept: list[Hit] = []
    reach = Hit("", 0, 0, 0.0)
    for hit in sorted(hits, key=lambda hit: (hit.start, -hit.end)):
        if not (hit.label == "URL" and hit.end <= reach.end):
            kept.append(hit)
        if hit.end > reach.end:
            reach = hit
    return kept


def _is_nobodys(label: str, text: str, start: int, end: int) -> bool:
    if label != "IP_ADDRESS":
        return False
    return bool(NOBODYS_ADDRESS.fullmatch(text, start, end) or VERSION.search(text, max(0, start - 12), start))


def _whole_word(text: str, end: int) -> int:
    """A hit that reaches the border of its stretch goes on to the end of its word."""
    gap = re.compile(r"\s").search(text, end)
    return gap.start() if gap else len(text)


def _whole_url(text: str, end: int) -> int:
    """Presidio ends `portal.stmarys.example/p/1` after `.st`, which is a domain too; the rest would stay."""
    rest = REST_OF_URL.match(text, end)
    return rest.end() if rest else end


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

    def close(self) -> None:
        logging.getLogger("presidio-analyzer").removeHandler(self)
        super().close()

    def clear(self) -> None:
        self._seen.pattern = ""

    def check(self) -> None:
        if self._seen.pattern:
            raise TimeoutError(f"the pattern {self._seen.pattern} ran out of time")

"""Presidio's own recognizers, brought up without a model, without the network and without torch.

The stock engine downloads a spaCy model when none is there, asks two hosts for the public suffix list, and pulls torch
and transformers into the process when they are installed (seconds, and hundreds of megabytes). None of that is needed
for recognizers made of patterns, checksums and context words.
"""

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from types import SimpleNamespace
from typing import Any

from . import cards, closers, phones
from .pii_context import TOKEN, Context, context_of, enhanced
from .pii_gate import Look, Need, need
from .pii_packs import PACKS

REGEX_TIMEOUT_S = 10
"""Of CPU of the whole process, as `regex` counts: where other threads work it passes many times as fast. A pattern
takes milliseconds for a stretch; what runs wild ends by this, and whoever waits for it has gone on long before.
"""
FLAGS = int(re.IGNORECASE | re.MULTILINE | re.DOTALL)
"""Presidio's registry sets them for all recognizers, whatever their own constructor says."""
INSIDE = ("corp", "example", "home", "internal", "intranet", "invalid", "lan", "local", "private", "test")
"""Top-level names that no public list has and companies use inside: an address there is an address all the same."""
_HEAVY = ("torch", "transformers")
_importing = Lock()


@contextmanager
def without(*modules: str) -> Iterator[None]:
    """`import` of these fails inside, as if they were not installed; what is already imported stays as it is."""
    absent = [name for name in modules if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]  # None is how Python marks "do not import"
    try:
        yield
    finally:
        for name in absent:
            sys.modules.pop(name, None)


GENERIC = (
    "CreditCardRecognizer",
    "CryptoRecognizer",
    "DateRecognizer",
    "EmailRecognizer",
    "IbanRecognizer",
    "IpRecognizer",
    "MacAddressRecognizer",
    "UrlRecognizer",
    "UuidRecognizer",
)
OWN: Mapping[str, tuple[str, tuple[Any, ...], tuple[str, ...]]] = {
    "OwnAddresses": ("ADDRESS", closers.FORMS["ADDRESS"], ()),
    "OwnAges": ("AGE", closers.FORMS["AGE"], ()),
    "OwnCards": ("CREDIT_CARD", cards.SHAPES, cards.CONTEXT),
    "OwnCorners": ("ADDRESS", closers.CORNER, ()),
    "OwnDates": ("DATE_TIME", closers.FORMS["DATE_TIME"], ()),
    "OwnNationalities": ("NRP", closers.FORMS["NRP"], ()),
    "OwnTitles": ("TITLE", closers.FORMS["TITLE"], ()),
}
"""Name of a recognizer of ours: what it finds, by which patterns, and which words raise the score."""
Raw = tuple[str, int, int, float, str]
"""Entity, start, end, score, why."""


@dataclass(frozen=True, slots=True)
class Guarded:
    """A recognizer with what a text must hold before it is asked."""

    recognizer: Any
    entity: str
    need: Need
    context: Context

    def raw(self, text: str, start: int = 0) -> Iterator[Any]:
        """Presidio's results in `text`, placed as if it began at `start`."""
        for result in self.recognizer.analyze(text, [self.entity], None) or ():
            result.start += start
            result.end += start
            yield result


class Recognizers:
    """Presidio's recognizers and ours, asked one by one: what `AnalyzerEngine.analyze` does, without its overhead."""

    def __init__(self, recognizers: list[Any]) -> None:
        from presidio_analyzer import EntityRecognizer

        self._without_duplicates = EntityRecognizer.remove_duplicates
        self.all = [_guarded(recognizer) for recognizer in recognizers]

    @property
    def entities(self) -> frozenset[str]:
        """All that these recognizers find."""
        return frozenset(guarded.entity for guarded in self.all)

    def find(self, text: str, entities: frozenset[str]) -> list[Any]:
        """Presidio's `RecognizerResult`s of these entities, context words counted in, each behind its gate."""
        look = Look(text)
        found: list[Any] = []
        for guarded in self.all:
            if guarded.entity in entities:
                for window in guarded.need(look):
                    found += _in_context(guarded, guarded.raw(window.piece, window.start), text)
        return list(self._without_duplicates(found)) if found else []


def _in_context(guarded: Guarded, results: Iterator[Any], text: str) -> Iterator[Any]:
    for result in results:
        result.score = enhanced(result.score, text, result.start, guarded.context)
        yield result


def _guarded(recognizer: Any) -> Guarded:
    context = context_of(recognizer.context or ())
    return Guarded(recognizer, recognizer.supported_entities[0], need(recognizer.name), context)


def build_recognizers(countries: tuple[str, ...]) -> Recognizers:
    """The generic recognizers and the packs of these countries. Raises `ImportError`, also for a presidio too old."""
    return Recognizers(_own() + _presidios(countries))


def build_analyzer(countries: tuple[str, ...]) -> Any:
    """Presidio's own `AnalyzerEngine` over the same recognizers, no gate: what `Recognizers` is compared with."""
    with _importing, without(*_HEAVY):
        from presidio_analyzer import AnalyzerEngine, LemmaContextAwareEnhancer, RecognizerRegistry
    return AnalyzerEngine(
        registry=RecognizerRegistry(recognizers=_own() + _presidios(countries), supported_languages=["en"]),
        nlp_engine=regex_nlp_engine(),
        supported_languages=["en"],
        context_aware_enhancer=LemmaContextAwareEnhancer(context_matching_mode="whole_word"),
    )


def _presidios(countries: tuple[str, ...]) -> list[Any]:
    with _importing, without(*_HEAVY):
        import tldextract
        from presidio_analyzer import pattern_recognizer, predefined_recognizers
        from presidio_analyzer.predefined_recognizers import EmailRecognizer

    # The e-mail recognizer asks for the registered domain; the snapshot that the package carries will do.
    # Set for presidio alone: in local mode this is the application's process, which may use tldextract itself.
    offline = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None, extra_suffixes=INSIDE)
    # Shown the domain alone: it would take all of `?cc=ann@x.org` for a query, and nothing would be found.
    registered = SimpleNamespace(extract=lambda address: offline(address.rpartition("@")[2]))
    vars(sys.modules[EmailRecognizer.__module__])["tldextract"] = registered
    pattern_recognizer.REGEX_TIMEOUT_SECONDS = REGEX_TIMEOUT_S
    names = [*GENERIC, *(name for country in countries for name in PACKS[country])]
    lacking = [name for name in names if not hasattr(predefined_recognizers, name)]
    if lacking:
        raise ImportError(f"this presidio-analyzer has no {', '.join(lacking)}: upgrade it, or leave out the country")
    # "en" whatever the country: texts are not sorted by language here, and an identity number has none.
    made = [getattr(predefined_recognizers, name)(supported_language="en") for name in names]
    for recognizer in made:
        recognizer.global_regex_flags = FLAGS
    return made


def _own() -> list[Any]:
    with _importing, without(*_HEAVY):
        from presidio_analyzer import PatternRecognizer

    class WithLuhn(PatternRecognizer):
        """Graded scores, and nothing without its check digit."""

        def invalidate_result(self, pattern_text: str) -> bool:
            return not cards.luhn(pattern_text)

    made: list[Any] = [_phone_recognizer()]
    for name, (entity, shapes, context) in OWN.items():
        kind = WithLuhn if entity == "CREDIT_CARD" else PatternRecognizer
        made.append(_patterns(kind, name, entity, shapes, context))
    made.append(
        _patterns(PatternRecognizer, "OwnLicences", "US_DRIVER_LICENSE", closers.LICENSE, closers.LICENSE_CONTEXT)
    )
    return made


def _patterns(kind: Callable[..., Any], name: str, entity: str, shapes: Any, context: tuple[str, ...]) -> Any:
    from presidio_analyzer import Pattern

    patterns = [Pattern(shape.name, shape.pattern, shape.score) for shape in shapes]
    return kind(entity, name=name, patterns=patterns, context=list(context))


def _phone_recognizer() -> Any:
    """A class made late: its base is presidio's, and importing that is what this module takes care of."""
    from presidio_analyzer import AnalysisExplanation, LocalRecognizer, RecognizerResult

    name = "OwnPhones"

    class PhoneNumbers(LocalRecognizer):
        """`phones.find` as presidio asks for it; the words beside a number are counted already."""

        def load(self) -> None:
            """Nothing to load."""

        def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[Any]:  # noqa: ARG002
            return [
                RecognizerResult(
                    "PHONE_NUMBER",
                    found.start,
                    found.end,
                    found.score,
                    AnalysisExplanation(name, found.score, pattern_name=found.why),
                    {
                        RecognizerResult.RECOGNIZER_NAME_KEY: name,
                        RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.id,
                    },
                )
                for found in phones.find(text)
            ]

    return PhoneNumbers(["PHONE_NUMBER"], name=name)


def regex_nlp_engine() -> Any:
    """Tokens without spaCy, for `build_analyzer`."""
    from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine

    class RegexNlpEngine(NlpEngine):
        """Tokens and their lower-cased forms: what the context words need, and no more."""

        engine_name = "regex"
        is_available = True

        def load(self) -> None:
            """Nothing to load."""

        def is_loaded(self) -> bool:
            return True

        def process_text(self, text: str, language: str) -> Any:
            found = list(TOKEN.finditer(text))
            tokens = [token.group() for token in found]
            starts, lemmas = [token.start() for token in found], [token.lower() for token in tokens]
            return NlpArtifacts([], tokens, starts, lemmas, self, language)  # type: ignore[arg-type]  # wants a spaCy Doc

        def process_batch(self, texts: Any, language: str, *_: Any, **__: Any) -> Iterator[tuple[str, Any]]:
            for text in texts:
                yield text, self.process_text(text, language)

        def is_stopword(self, word: str, language: str) -> bool:  # noqa: ARG002  presidio's signature
            return False

        def is_punct(self, word: str, language: str) -> bool:  # noqa: ARG002  presidio's signature
            return len(word) == 1 and not word.isalnum()

        def get_supported_entities(self) -> list[str]:
            return []

        def get_supported_languages(self) -> list[str]:
            return ["en"]

    return RegexNlpEngine()

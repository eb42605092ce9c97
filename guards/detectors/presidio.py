"""Presidio's own recognizers, brought up without a model, without the network and without torch.

The stock engine downloads a spaCy model when none is there, asks two hosts for the public suffix list, and pulls torch
and transformers into the process when they are installed (seconds, and hundreds of megabytes). None of that is needed
for recognizers made of patterns, checksums and context words.
"""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from types import SimpleNamespace
from typing import Any

from .pii_gate import PHONE

REGEX_TIMEOUT_S = 2
INSIDE = ("corp", "example", "home", "internal", "intranet", "invalid", "lan", "local", "private", "test")
"""Top-level names that no public list has and companies use inside: an address there is an address all the same."""
_HEAVY = ("torch", "transformers")
_TOKEN = re.compile(r"\w+|[^\w\s]")
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


def build_analyzer() -> Any:
    """An `AnalyzerEngine` for English texts whose tokens come from a regular expression. Raises `ImportError`."""
    with _importing, without(*_HEAVY):
        import tldextract
        from presidio_analyzer import AnalyzerEngine, LemmaContextAwareEnhancer, RecognizerRegistry, pattern_recognizer
        from presidio_analyzer.predefined_recognizers import EmailRecognizer

    # The e-mail recognizer asks for the registered domain; the snapshot that the package carries will do.
    # Set for presidio alone: in local mode this is the application's process, which may use tldextract itself.
    offline = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None, extra_suffixes=INSIDE)
    vars(sys.modules[EmailRecognizer.__module__])["tldextract"] = SimpleNamespace(extract=offline)
    pattern_recognizer.REGEX_TIMEOUT_SECONDS = REGEX_TIMEOUT_S
    registry = RecognizerRegistry()
    registry.load_predefined_recognizers(languages=["en"])
    for name in ("SpacyRecognizer", "PhoneRecognizer"):
        registry.remove_recognizer(name)
    registry.add_recognizer(_windowed_phone_recognizer())
    return AnalyzerEngine(
        registry=registry,
        nlp_engine=_regex_nlp_engine(),
        supported_languages=["en"],
        context_aware_enhancer=LemmaContextAwareEnhancer(context_matching_mode="whole_word"),
    )


def _regex_nlp_engine() -> Any:
    """A class made late: its base is presidio's, and importing that is what `build_analyzer` takes care of."""
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
            found = list(_TOKEN.finditer(text))
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


def _windowed_phone_recognizer() -> Any:
    from presidio_analyzer.predefined_recognizers import PhoneRecognizer

    class WindowedPhoneRecognizer(PhoneRecognizer):
        """Searches only around runs of digits: libphonenumber walks the text once for each of eight regions."""

        def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[Any]:
            results = []
            for start, end in phone_windows(text):
                for result in super().analyze(text[start:end], entities, nlp_artifacts):
                    result.start += start
                    result.end += start
                    results.append(result)
            return results

    return WindowedPhoneRecognizer(name="PhoneRecognizer")


_BEFORE, _AFTER = 12, 24
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?: \d\d)?")
"""No region of the recognizer takes an ISO date for a number; tables are full of them."""


def phone_windows(text: str) -> Iterator[tuple[int, int]]:
    """Where a phone number may be: runs of seven digits or more, with room for a country code and an extension."""
    start = end = -1
    for run in PHONE.finditer(text):
        if _DATE.fullmatch(run.group()):
            continue
        left, right = _widen(text, run.start(), run.end())
        if left > end:
            if end > 0:
                yield start, end
            start = left
        end = right
    if end > 0:
        yield start, end


def _line_end(text: str, at: int) -> int:
    found = text.find("\n", at)
    return len(text) if found < 0 else found


def _widen(text: str, run_start: int, run_end: int) -> tuple[int, int]:
    """Both borders moved to the end of the word they cut, 64 characters at most; no number goes over a line's end."""
    start = max(0, run_start - _BEFORE, text.rfind("\n", 0, run_start) + 1)
    end = min(run_end + _AFTER, _line_end(text, run_end))
    left, right = max(0, start - 64), min(len(text), end + 64)
    while start > left and text[start - 1].isalnum():
        start -= 1
    while end < right and text[end].isalnum():
        end += 1
    return start, end

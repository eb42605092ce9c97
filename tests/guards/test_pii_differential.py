"""The gate is for speed alone: with and without it, the same recognizers say the same.

Ungated is presidio's own `AnalyzerEngine` with its own context enhancer over the same recognizers and the whole text.
Compared are type, place and score of every finding, whatever its score. Differences there may be are in `REASONS`.
"""

import csv
import json
import sysconfig
from collections.abc import Callable, Iterator
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from spanward.guards.detectors.pii_context import words_before
from spanward.guards.detectors.pii_packs import GENERIC, PACKS, thresholds
from spanward.guards.detectors.presidio import build_analyzer, build_recognizers

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"
SHORT = 120
"""Texts of each source in the short form."""
Finding = tuple[str, int, int, float]


@cache
def engines(countries: tuple[str, ...]) -> tuple[Any, Any]:
    return build_recognizers(countries), build_analyzer(countries)


PHRASES = {each.entity: each.context.phrases for each in build_recognizers(tuple(PACKS)).all if each.context.phrases}


def gated(text: str, countries: tuple[str, ...] = ("uk", "us")) -> set[Finding]:
    recognizers, _ = engines(countries)
    return {key(result) for result in recognizers.find(text, recognizers.entities)}


def ungated(text: str, countries: tuple[str, ...] = ("uk", "us")) -> set[Finding]:
    return {key(result) for result in engines(countries)[1].analyze(text, "en")}


def key(result: Any) -> Finding:
    return result.entity_type, result.start, result.end, round(result.score, 6)


def beside_a_phrase(found: Finding, text: str) -> bool:
    """A recognizer names a phrase as its context, and it stands before the finding: presidio compares single words."""
    label, start, _, _ = found
    said = f" {' '.join(words_before(text, start))} "
    return any(phrase in said for phrase in PHRASES.get(label, ()))


REASONS: dict[str, Callable[[Finding, str], bool]] = {"beside a phrase": beside_a_phrase}
"""Why a finding may be on one side alone, or with another score: a check of (finding, text) that it is that one."""


def unexplained(text: str, countries: tuple[str, ...] = ("uk", "us")) -> list[Finding]:
    different = gated(text, countries) ^ ungated(text, countries)
    return sorted(found for found in different if not any(holds(found, text) for holds in REASONS.values()))


def presidio_research() -> Iterator[str]:
    yield from (row["full_text"] for row in json.loads((DATA / "presidio_research/synth_dataset_v2.json").read_text()))


def conll(folder: str) -> Iterator[str]:
    for path in sorted((DATA / folder).glob("*.conll")):
        for block in path.read_text(encoding="utf-8").split("\n\n"):
            if words := [line.split("\t")[0].split(" ")[0] for line in block.splitlines()]:
                yield " ".join(words)


def rows(path: str, column: str) -> Iterator[str]:
    with (DATA / path).open(newline="", encoding="utf-8") as lines:
        yield from (row[column] for row in csv.DictReader(lines) if row.get(column))


def library() -> Iterator[str]:
    for path in sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py")):
        text = path.read_text(encoding="utf-8")
        yield from (text[at : at + 1500] for at in range(0, len(text), 15_000))


SOURCES: dict[str, Callable[[], Iterator[str]]] = {
    "presidio_research": presidio_research,
    "wnut17": lambda: conll("wnut17"),
    "broad_twitter": lambda: conll("broad_twitter"),
    "context_toxicity": lambda: rows("context_toxicity/gc.csv", "text"),
    "surge": lambda: rows("surge/toxicity_en.csv", "text"),
    "library": library,
}
FULL = {
    "presidio_research": 1500,
    "wnut17": 1500,
    "broad_twitter": 1500,
    "context_toxicity": 700,
    "surge": 500,
    "library": 400,
}


def check(source: str, number: int) -> int:
    if source != "library" and not DATA.exists():
        pytest.skip("shared data is not here")
    texts = list(islice(SOURCES[source](), number))
    assert {text[:80]: found for text in texts if (found := unexplained(text))} == {}
    return len(texts)


@pytest.mark.parametrize("source", SOURCES)
def test_same_findings(source: str) -> None:
    assert check(source, SHORT) == SHORT


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("source", SOURCES)
def test_same_findings_in_all_texts(source: str) -> None:
    assert check(source, FULL[source]) > FULL[source] * 0.8


PIECES = st.sampled_from(
    ["a@b.co", "ann.o'neil@mail.example.co.uk", "http://x.io/y", "www.example.com", "1.2.3.4", "::ffff:1.2.3.4",
     "fe80::1:2:3", "00:1a:2b:3c:4d:5e", "00-1A-2B-3C-4D-5E", "0012.3456.789a", "4111111111111111", "630427373398",
     "2623 3221 6460 8847", "4131034282458809939", "078-05-1123", "078051123", "DE89370400440532013000",
     "gb42 nawi 0445 4264 7886 19", "+1 (202) 555-0123", "202.555.0123", "(202)5550123", "+46 (0)8 928 571 38",
     "07700 063 966", "555-123-4567 x123", "12/24/1999", "2000-04-16 11:34:35", "24-Dec-1999", "March 3, 1970",
     "last Monday", "in 1977", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "f47ac10b-58cc-4372-a567-0e02b2c3d479",
     "912803456", "BB1388568", "F162823540116", "SW1A 1AA", "AB123456C", "943 476 5919", "912-70-1234", "31 y/o",
     "postal code", "national health service", "Mr. Smith", "German", "Apt. 595", "12 Main Street", "the corner of",
     " and ", "Elm Street", "Suite", "IL 62704", "PSC 0413, Box 8144\nAPO AA 42323",
     "flat 3", "ZIP: 3520", "ssn", "phone", "call", "passport", "license",
     "bank", "iban", "be", "x", "_", " ", ", ", "\n", "\n\n", "\t", "-", ":", ".", "(", ")", "+", "'", '"', "0", "12",
     "345", "٣", "é", "\u017f", "\u212a", "İ", "\u00a0", "\u2013", "a" * 70, "word " * 20]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=14).map("".join) | st.lists(PIECES, max_size=14).map(" ".join)


@settings(deadline=None, max_examples=150)
@given(TEXTS)
@example("social security number is " + "x " * 3 + "078051123")
def test_same_findings_in_whatever(text: str) -> None:
    assert unexplained(text) == []


@pytest.mark.slow
@pytest.mark.timeout(600)
@settings(deadline=None, max_examples=2500)
@given(TEXTS)
def test_same_findings_in_whatever_for_long(text: str) -> None:
    assert unexplained(text) == []


@pytest.mark.parametrize("country", PACKS)
@settings(deadline=None, max_examples=20)
@given(text=TEXTS)
def test_same_findings_with_the_pack_of(country: str, text: str) -> None:
    assert unexplained(text, (country,)) == []


@pytest.mark.parametrize("between", [" ", "\t", ", ", " | ", "-", "."])
def test_same_findings_in_tables_of_digits(between: str) -> None:
    numbers = [str(1_000_003 + 7_919_777 * at % 9_000_000_000) for at in range(90)]
    rows = [between.join(numbers[at : at + 6]) for at in range(0, len(numbers), 6)]
    assert unexplained("\n".join(rows)) == []


def test_both_sides_find_everything_there_is() -> None:
    """The comparison would hold between two engines that find nothing."""
    text = (
        "a@b.co ; http://x.io/y ; 1.2.3.4 ; 00:1a:2b:3c:4d:5e ; 4111111111111111 ; ssn 078-05-1123 ; 202-555-0123 ;"
        " DE89370400440532013000 ; 12/24/1999 ; 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa ;"
        " f47ac10b-58cc-4372-a567-0e02b2c3d479"
    )
    assert {found[0] for found in gated(text)} >= GENERIC.keys() | {"US_SSN"}
    recognizers, analyzer = engines(("uk", "us"))
    assert (
        recognizers.entities == set(analyzer.get_supported_entities("en")) == set(thresholds(("uk", "us"), names=False))
    )


def test_a_phrase_is_the_only_reason_there_is() -> None:
    text = "national health service number 943 476 5919, postal code K1A 0B1, nhs 9434765919"
    countries = ("ca", "uk")
    different = gated(text, countries) ^ ungated(text, countries)
    assert {text[start:end] for _, start, end, _ in different} == {"K1A 0B1"}  # NHS numbers score 1.0 by their checksum
    assert unexplained(text, countries) == []
    assert not beside_a_phrase(("CA_POSTAL_CODE", text.index("K1A") - 60, 0, 0.3), text)


def test_no_recognizer_has_a_context_of_its_own() -> None:
    """`Recognizers` leaves out the step in which a recognizer changes its own scores: none does."""
    from presidio_analyzer import EntityRecognizer

    for guarded in engines(tuple(PACKS))[0].all:
        assert type(guarded.recognizer).enhance_using_context is EntityRecognizer.enhance_using_context
        assert guarded.recognizer.supported_entities == [guarded.entity]
        assert not getattr(guarded.recognizer, "score_thresholds", {})

"""What the tagger finds and misses: `python -m spanward.guards.training.names_measure --data ../shared/data`.

`--card docs/models/names-small.md` writes the numbers into the data card. Nothing that is measured on was trained on:
presidio-research's `synth_dataset_v2`, the tenth of the marked sentences that training leaves out, templates and names
that it never saw, modules of the standard library that it did not read, talk pages of Wikipedia.
"""

import argparse
import csv
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from ..detectors.detector import Hit
from ..detectors.model_card import WEIGHTS
from ..detectors.names.network import ENTITIES
from ..detectors.names.recognizer import Names, load
from ..detectors.pii_packs import NAMES
from .names_corpora import code, docstrings, is_measured, sentences
from .names_documents import Templates, common_words, familiar, filled
from .names_sources import WORD, Sources
from .names_text import Span, Text
from .names_words import LOCALES

MASK = {label: NAMES[label] for label in ENTITIES}
STRICT = {"PERSON": 0.9, "LOCATION": 0.9, "ADDRESS": 0.8, "ORGANIZATION": 0.95}
EVEN = dict.fromkeys(ENTITIES, 0.5)
GOLD = {"GPE": "LOCATION", "STREET_ADDRESS": "ADDRESS", "ZIP_CODE": "ADDRESS"}
NAMES_A_LOCALE = 300

WHAT_IS_FOUND = """**What is found.** Precision and recall: exact type, at least half of the characters in common.
`hidden`: every character covered, by whichever type.
"""
IN_VAIN = """
**What is hidden in vain.** Characters of synth_dataset_v2 outside every gold span, and spans for each 10,000 characters
of texts in which hardly anybody is named (talk pages do name people and places now and then).
"""
SPEED = """
**Speed**: {first:.1f} ms of CPU for 1,000 characters of talk pages, {again:.1f} ms once their words were seen.
"""
BY_ORIGIN = """**By origin of the name.** People whose names are in no list and in no training text, in templates that
training left out: the share that is hidden whole at the `mask` thresholds, as written and all in small letters.
"""

Find = Callable[[str], Sequence[Hit]]


class Found(NamedTuple):
    """Counts of one entity: `right` hits overlap a gold span of their type by half, `covered` gold spans are hidden."""

    gold: int
    raised: int
    right: int
    covered: int

    @property
    def cells(self) -> list[str]:
        share = [self.right / max(1, self.raised), self.right / max(1, self.gold), self.covered / max(1, self.gold)]
        return [str(self.gold), *(f"{part:.2f}" for part in share)]


def compare(texts: Iterable[Text], find: Find, thresholds: dict[str, float]) -> dict[str, Found]:
    """Exact type, at least half of the characters of both in common, each used once."""
    gold, raised, right, covered = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for text in texts:
        hits = [hit for hit in find(text.text) if hit.score >= thresholds[hit.label]]
        raised.update(hit.label for hit in hits)
        hidden = {at for hit in hits for at in range(hit.start, hit.end)}
        for span in text.spans:
            gold[span.label] += 1
            covered[span.label] += hidden >= set(range(span.start, span.end))
            match = next((hit for hit in hits if hit.label == span.label and _common(hit, span) >= 0.5), None)
            if match:
                hits.remove(match)
                right[span.label] += 1
    return {label: Found(gold[label], raised[label], right[label], covered[label]) for label in ENTITIES}


def over_masked(texts: Iterable[Text], find: Find, thresholds: dict[str, float]) -> float:
    """The share of the characters outside every gold span, of any type, that are hidden."""
    hidden = other = 0
    for text in texts:
        gold = {at for span in text.spans for at in range(span.start, span.end)}
        masked = {
            at for hit in find(text.text) if hit.score >= thresholds[hit.label] for at in range(hit.start, hit.end)
        }
        hidden += len(masked - gold)
        other += len(text.text) - len(gold)
    return hidden / other


def alarms(texts: Iterable[str], find: Find, thresholds: dict[str, float]) -> dict[str, float]:
    """Spans for each 10,000 characters of texts in which hardly anybody is named."""
    hits, size = Counter[str](), 0
    for text in texts:
        hits.update(hit.label for hit in find(text) if hit.score >= thresholds[hit.label])
        size += len(text)
    return {label: hits[label] * 10_000 / size for label in ENTITIES}


def by_locale(names: Names, data: Path) -> dict[str, tuple[int, int, float, float]]:
    """Locale -> (different names, names asked for, share hidden, share hidden when all in small letters)."""
    marked = [text.text for text in sentences(data) if not is_measured(text.text)]
    sources, common = Sources(99, familiar(marked), only_held_out=True), common_words(marked, 12)
    templates = [line for line in Templates(data).measured if re.search(r"\{(per|first|last)\}", line)]
    return {locale: _of_locale(names, locale, templates, sources, common) for locale in LOCALES}


def _of_locale(
    names: Names, locale: str, templates: Sequence[str], sources: Sources, common: Sequence[str]
) -> tuple[int, int, float, float]:
    asked, hidden, in_small, different = 0, 0, 0, set[str]()
    while asked < NAMES_A_LOCALE:
        text = filled(templates[asked % len(templates)], sources, common, locale)
        people = [span for span in text.spans if span.label == "PERSON"]
        if not people or len(text.text.lower()) != len(text.text):
            continue
        asked += len(people)
        different |= {word for span in people for word in WORD.findall(text.text[span.start : span.end])}
        hidden += _hidden(people, names.find(text.text))
        in_small += _hidden(people, names.find(text.text.lower()))
    return len(different), asked, hidden / asked, in_small / asked


def _hidden(people: Sequence[Span], hits: Sequence[Hit]) -> int:
    masked = {at for hit in hits if hit.score >= MASK[hit.label] for at in range(hit.start, hit.end)}
    return sum(masked >= set(range(span.start, span.end)) for span in people)


def synthetic(path: Path, *, every: bool = False) -> list[Text]:
    """presidio-research's texts with the spans that are ours to find, or with every span."""
    found = []
    for row in json.loads(path.read_text("utf-8")):
        spans = [Span(s["start_position"], s["end_position"], _ours(s["entity_type"])) for s in row["spans"]]
        kept = sorted(span for span in spans if every or span.label in ENTITIES)
        found.append(Text(row["full_text"], tuple(kept)))
    return found


def _ours(label: str) -> str:
    return GOLD.get(label, label)


def comments(path: Path, count: int) -> list[str]:
    with path.open(encoding="utf-8", newline="") as lines:
        return [row["text"] for row, _ in zip(csv.DictReader(lines), range(count), strict=False)]


def speed(texts: Sequence[str], find: Find) -> tuple[float, float]:
    """CPU ms for 1,000 characters: the first time, and when their words were seen before."""
    joined = "\n".join(texts)
    pieces = [joined[at : at + 1000] for at in range(0, 300_000, 1000)]
    times = []
    for _ in range(2):
        started = time.process_time()
        for piece in pieces:
            find(piece)
        times.append((time.process_time() - started) * 1000 / len(pieces))
    return times[0], times[1]


def report(weights: Path, data: Path) -> Iterator[str]:
    names = load(weights)
    synth = data / "presidio_research" / "synth_dataset_v2.json"
    held_out = [text for text in sentences(data) if is_measured(text.text)]
    talk = comments(data / "context_toxicity" / "gn.csv", 3000)
    docs, sources = docstrings(measured=True), code(measured=True)
    harmless = {"talk pages": talk, "docstrings": list(docs), "source code": list(sources)}
    yield f"Engine `{names.engine}`.\n"
    yield WHAT_IS_FOUND
    yield from _row("texts", "thresholds", "entity", "gold", "precision", "recall", "hidden", head=True)
    for title, texts in (("synth_dataset_v2", synthetic(synth)), ("held-out sentences", held_out)):
        for profile, thresholds in (("mask", MASK), ("strict", STRICT), ("0.5", EVEN)):
            for label, found in compare(texts, names.find, thresholds).items():
                if found.gold:
                    yield from _row(title, profile, label, *found.cells)
    yield IN_VAIN
    yield from _row("thresholds", "over-masked", *harmless, head=True)
    whole = synthetic(synth, every=True)
    for profile, thresholds in (("mask", MASK), ("strict", STRICT)):
        cells = [alarms(texts, names.find, thresholds) for texts in harmless.values()]
        told = (", ".join(f"{label[:3]} {count:.1f}" for label, count in cell.items()) for cell in cells)
        yield from _row(profile, f"{over_masked(whole, names.find, thresholds):.1%}", *told)
    first, again = speed(talk, load(weights).find)
    yield SPEED.format(first=first, again=again)
    yield BY_ORIGIN
    yield from _row("locale", "different words", "names", "hidden", "in small letters", head=True)
    for locale, (words, asked, hidden, in_small) in by_locale(names, data).items():
        yield from _row(locale, str(words), str(asked), f"{hidden:.1%}", f"{in_small:.1%}")


def _row(*cells: str, head: bool = False) -> Iterator[str]:
    yield f"| {' | '.join(cells)} |"
    if head:
        yield f"|{'---|' * len(cells)}"


def _common(hit: Hit, span: Span) -> float:
    common = min(hit.end, span.end) - max(hit.start, span.start)
    return max(0, common) / (max(hit.end, span.end) - min(hit.start, span.start))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with the data sets")
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="folder with names-small.npz and .json")
    parser.add_argument("--card", type=Path, help="data card to write the numbers into")
    chosen = parser.parse_args()
    told = "\n".join(report(chosen.weights, chosen.data))
    if chosen.card:
        before, _, rest = chosen.card.read_text("utf-8").partition("<!-- measured -->\n")
        after = rest.partition("<!-- /measured -->")[2]
        chosen.card.write_text(f"{before}<!-- measured -->\n{told}\n<!-- /measured -->{after}", "utf-8")
    sys.stdout.write(told + "\n")


if __name__ == "__main__":
    main()

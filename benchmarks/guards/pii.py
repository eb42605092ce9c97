"""What the PII guard finds, misses and raises in vain, and what it costs: `python benchmarks/guards pii`.

Gold: presidio-research's `synth_dataset_v2.json` (1,500 texts, never trained on), or any `--file` of that format. A
finding is right if a gold span of the same type overlaps it by half (intersection over union), each used once.
`hidden` counts gold spans that findings of any type cover whole: what redaction is about. Thresholds are the default
ones.
Stock is presidio's `AnalyzerEngine` with its default recognizers over tokens of a regular expression, as it comes
(`stock`: findings of any score) and from a score of 0.4 on (`stock 0.4`).
False alarms are findings in texts about other things (Wikipedia talk pages, Python's own library): some of them are
real addresses and dates. Costs are CPU milliseconds for 1,000 characters, of the same entities in one run; set
OMP_NUM_THREADS=1, or the waiting of numpy's threads is counted with them.
"""

import argparse
import csv
import json
import sys
import sysconfig
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from spanward.guards.detectors.pii import Pii
from spanward.guards.detectors.pii_packs import CLOSERS, NAMES

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
OUR_NAMES = {"DOMAIN_NAME": "URL", "GPE": "LOCATION", "STREET_ADDRESS": "ADDRESS", "ZIP_CODE": "ADDRESS"}
PATTERNS = (
    "CREDIT_CARD", "EMAIL_ADDRESS", "IBAN_CODE", "IP_ADDRESS", "PHONE_NUMBER", "URL", "US_SSN", "DATE_TIME",
    "US_DRIVER_LICENSE",
)  # fmt: skip
DEFAULT = (
    "CREDIT_CARD", "CRYPTO", "EMAIL_ADDRESS", "IBAN_CODE", "IP_ADDRESS", "MAC_ADDRESS", "MEDICAL_LICENSE",
    "PHONE_NUMBER", "US_DRIVER_LICENSE", "US_ITIN", "US_PASSPORT", "US_SSN",
)  # fmt: skip
"""What the policy `default` looks for by patterns."""


class Span(NamedTuple):
    """`text[start:end]` is, or is taken for, a `label`."""

    label: str
    start: int
    end: int
    score: float = 1.0


Find = Callable[[str], list[Span]]


def main(argv: Sequence[str] | None = None) -> int:
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--file", type=Path, default=SHARED / "presidio_research" / "synth_dataset_v2.json")
    options.add_argument("--data", type=Path, default=SHARED, help="folder with context_toxicity")
    options.add_argument("--json", type=Path, help="write the numbers here as well")
    options.add_argument("--no-speed", action="store_true", help="accuracy alone")
    chosen = options.parse_args(argv)
    rows = json.loads(chosen.file.read_text())
    result: dict[str, Any] = {"engine": _ours().engine, "degraded": _ours().degraded, "file": chosen.file.name}
    finders = {
        "ours": ours(frozenset(Pii.labels)),
        "ours, ner: off": ours(frozenset(Pii.labels), _without_names()),
        "stock": stock(0.0),
        "stock 0.4": stock(0.4),
    }
    result["accuracy"] = {name: accuracy(rows, find) for name, find in finders.items()}
    result["misses"] = misses(rows)
    result["made_up_phones"] = made_up_phones()
    result["false_alarms"] = alarms(chosen.data)
    if not chosen.no_speed:
        result["cost"] = cost(chosen.data, [row["full_text"] for row in rows])
    show(result)
    if chosen.json:
        chosen.json.write_text(json.dumps(result, indent=1) + "\n")
    return 0


@cache
def _ours() -> Pii:
    return Pii()


@cache
def _without_names() -> Pii:
    return Pii(Pii.Options(ner="off"))


def ours(labels: frozenset[str], engine: Pii | None = None) -> Find:
    """Ours, from the default threshold of each entity on."""
    pii = engine or _ours()

    def find(text: str) -> list[Span]:
        hits = pii.detect([text], labels)[0]
        return [Span(h.label, h.start, h.end, h.score) for h in hits if h.score >= Pii.labels[h.label]]

    return find


@cache
def _stock() -> Any:
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry

    from spanward.guards.detectors.presidio import build_recognizers, regex_nlp_engine

    build_recognizers(())  # keeps tldextract off the network
    registry = RecognizerRegistry()
    registry.load_predefined_recognizers(languages=["en"])
    registry.remove_recognizer("SpacyRecognizer")
    return AnalyzerEngine(registry=registry, nlp_engine=regex_nlp_engine(), supported_languages=["en"])


def stock(least: float, entities: Sequence[str] = ()) -> Find:
    """Presidio as it comes, findings from a score of `least` on."""

    def find(text: str) -> list[Span]:
        results = _stock().analyze(text, "en", entities=list(entities) or None, score_threshold=least)
        return [Span(r.entity_type, r.start, r.end, r.score) for r in results]

    return find


def gold(row: dict[str, Any]) -> list[Span]:
    return [
        Span(OUR_NAMES.get(span["entity_type"], span["entity_type"]), span["start_position"], span["end_position"])
        for span in row["spans"]
    ]


def accuracy(rows: Iterable[dict[str, Any]], find: Find) -> dict[str, Any]:
    """For each entity how many there are, how many were raised, right and hidden; and what was masked besides."""
    count, right, raised, hidden, chars = Counter[str](), Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for row in rows:
        hits, spans = find(row["full_text"]), gold(row)
        raised.update(hit.label for hit in hits)
        covered, true = _characters(hits), _characters(spans)
        chars += Counter(other=len(row["full_text"]) - len(true), masked=len(covered - true))
        free = list(hits)
        for span in spans:
            count[span.label] += 1
            hidden[span.label] += covered >= set(range(span.start, span.end))
            best = max(free, key=lambda hit: (hit.label == span.label, overlap(hit, span)), default=None)
            if best and best.label == span.label and overlap(best, span) >= 0.5:
                free.remove(best)
                right[span.label] += 1
    return {
        "entities": {
            label: _scores(count[label], raised[label], right[label], hidden[label]) for label in sorted(count)
        },
        "hidden": sum(hidden.values()) / max(1, sum(count.values())),
        "other_characters_masked": chars["masked"] / max(1, chars["other"]),
    }


def _scores(count: int, raised: int, right: int, hidden: int) -> dict[str, float]:
    precision, recall = right / raised if raised else 0.0, right / count
    f1 = 2 * precision * recall / (precision + recall) if right else 0.0
    return {"gold": count, "precision": precision, "recall": recall, "f1": f1, "hidden": hidden / count}


def _characters(spans: Iterable[Span]) -> set[int]:
    return {at for span in spans for at in range(span.start, span.end)}


def overlap(one: Span, other: Span) -> float:
    common = min(one.end, other.end) - max(one.start, other.start)
    return max(0, common) / (max(one.end, other.end) - min(one.start, other.start))


def misses(rows: Iterable[dict[str, Any]]) -> dict[str, dict[str, int]]:
    """Why gold spans were not found as what they are, counted."""
    reasons: dict[str, Counter[str]] = {}
    for row in rows:
        hits = [
            Span(h.label, h.start, h.end, h.score) for h in _ours().detect([row["full_text"]], frozenset(Pii.labels))[0]
        ]
        for span in gold(row):
            if reason := _reason(span, hits):
                reasons.setdefault(span.label, Counter())[reason] += 1
    return {label: dict(found.most_common()) for label, found in sorted(reasons.items())}


def _reason(span: Span, hits: list[Span]) -> str:
    if span.label not in Pii.labels:
        return "not looked for"
    near = [hit for hit in hits if overlap(hit, span)]
    same = [hit for hit in near if hit.label == span.label]
    sure = [hit for hit in same if hit.score >= Pii.labels[hit.label]]
    if any(overlap(hit, span) >= 0.5 for hit in sure):
        return ""
    others = [hit for hit in near if hit.label != span.label and hit.score >= Pii.labels[hit.label]]
    if sure:
        return "found in part, or as part of a longer one"
    if any(hit.start <= span.start and span.end <= hit.end for hit in others):
        return "hidden as something else"
    return "seen, but the score is too low" if same else "taken for something else in part" if others else "not seen"


BESIDE_A_WORD = (
    "My mobile is {}, thanks",
    "You can reach me at {} after six.",
    "Tel: {}",
    "Please ring {} and ask for me",
)
ALONE = ("{} is the number she gave us", "Here is where I can be found: {}", "jo@x.example / {}")
LOCALES = (
    "cs_CZ", "da_DK", "de_AT", "de_CH", "de_DE", "en_AU", "en_GB", "en_IN", "en_US", "es_ES", "fi_FI", "fr_FR", "hu_HU",
    "it_IT", "ja_JP", "nl_NL", "pl_PL", "pt_BR", "sv_SE", "tr_TR",
)  # fmt: skip


def made_up_phones() -> dict[str, dict[str, float]]:
    """Share of made-up phone numbers of twenty countries that are found whole, beside a word for phones and alone."""
    from faker import Faker

    Faker.seed(7)
    fakers = [Faker(locale) for locale in LOCALES]
    labels = ("PHONE_NUMBER",)
    finders = {"ours": ours(frozenset(labels), _without_names()), "stock 0.4": stock(0.4, labels)}
    found: dict[str, dict[str, float]] = {}
    for kind, templates in {"beside a word": BESIDE_A_WORD, "alone": ALONE}.items():
        texts = [(t, fake.phone_number()) for fake in fakers for t in templates for _ in range(12)]
        for who, find in finders.items():
            whole = [
                any(s.start <= t.index("{") and s.end >= t.index("{") + len(n) for s in find(t.format(n)))
                for t, n in texts
            ]
            found.setdefault(kind, {})[who] = sum(whole) / len(whole)
    return found


def talk(data: Path) -> list[str]:
    with (data / "context_toxicity" / "gn.csv").open(newline="", encoding="utf-8") as lines:
        return [row.get("text") or next(iter(row.values())) for row in csv.DictReader(lines)][:5000]


def library() -> list[str]:
    """Python's own library, every sixth module."""
    folder = Path(sysconfig.get_paths()["stdlib"])
    return [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.py"))[::6]]


def alarms(data: Path) -> dict[str, Any]:
    """Findings for each 10,000 characters, by what is looked for and by whom."""
    off, undated = _without_names(), frozenset(_stock().get_supported_entities("en")) - {"DATE_TIME"}
    finders = {
        ("patterns of the default policy", "ours"): ours(frozenset(DEFAULT), off),
        ("patterns of the default policy", "stock"): stock(0.0, DEFAULT),
        ("patterns of the default policy", "stock 0.4"): stock(0.4, DEFAULT),
        ("all of presidio's entities but dates", "ours"): ours(undated, off),
        ("all of presidio's entities but dates", "stock"): stock(0.0, sorted(undated)),
        ("all of presidio's entities but dates", "stock 0.4"): stock(0.4, sorted(undated)),
        ("dates", "ours"): ours(frozenset({"DATE_TIME"}), off),
        ("dates", "stock"): stock(0.0, ["DATE_TIME"]),
        ("dates", "stock 0.4"): stock(0.4, ["DATE_TIME"]),
        ("ages, titles, nationalities, addresses", "ours"): ours(frozenset(CLOSERS) - {"DATE_TIME"}, off),
        ("names and addresses of the default policy", "ours"): ours(frozenset({"PERSON", "ADDRESS"})),
        ("all that the engine for names finds", "ours"): ours(frozenset(NAMES) - {"NRP"}),
    }
    result: dict[str, Any] = {}
    for kind, texts in {"prose": talk(data), "code": pieces("\n".join(library()), 4000)}.items():
        size = sum(map(len, texts)) / 10_000
        for (what, who), find in finders.items():
            counted = Counter(hit.label for text in texts for hit in find(text))
            rates = {label: round(number / size, 3) for label, number in counted.most_common()}
            result.setdefault(kind, {}).setdefault(what, {})[who] = {"all": counted.total() / size, **rates}
    return result


def pieces(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def cost(data: Path, dense: list[str]) -> dict[str, dict[str, float]]:
    """CPU milliseconds for 1,000 characters of the default policy's patterns, by kind of text and engine."""
    from spanward.guards.detectors.presidio import build_analyzer

    ungated, off, patterns = build_analyzer(("uk", "us")), _without_names(), frozenset(DEFAULT)
    engines: dict[str, Callable[[str], Any]] = {
        "gated": lambda text: off.detect([text], patterns),
        "ungated, same recognizers": lambda text: ungated.analyze(text, "en", entities=list(DEFAULT)),
        "stock presidio": lambda text: _stock().analyze(text, "en", entities=list(DEFAULT)),
        "gated, and addresses": lambda text: off.detect([text], patterns | {"ADDRESS"}),
        "gated, all entities": lambda text: off.detect([text], frozenset(off.labels)),
        "with names": lambda text: _ours().detect([text], patterns | {"ADDRESS", "PERSON"}),
    }
    # what is measured is the same for all engines, and each reads its first text once before
    kinds = {
        "prose": pieces("\n".join(talk(data)[:1500]), 1000)[:200],
        "code": pieces("\n".join(library()), 1000)[:200],
        "PII-dense": pieces("\n".join(dense), 1000)[:100],
        "tables of digits": pieces(digits(100_000), 1000),
    }
    return {
        kind: {name: milliseconds(engine, texts) for name, engine in engines.items()} for kind, texts in kinds.items()
    }


def digits(size: int) -> str:
    """A table of numbers with ten digits, the same every time."""
    numbers = (str(1_000_000_000 + 7_919_777 * at % 9_000_000_000) for at in range(size))
    lines = (" ".join(next(numbers) for _ in range(8)) for _ in range(size // 88 + 1))
    return "\n".join(lines)[:size]


def milliseconds(engine: Callable[[str], Any], texts: list[str]) -> float:
    engine(texts[0])
    started = time.process_time()
    for text in texts:
        engine(text)
    return (time.process_time() - started) * 1e6 / sum(map(len, texts))


def show(result: dict[str, Any]) -> None:
    print(f"{result['engine']}; {result['degraded'] or 'not degraded'}; {result['file']}\n")
    ours_, stock_ = result["accuracy"]["ours"]["entities"], result["accuracy"]["stock 0.4"]["entities"]
    print(f"| entity | gold | P | R | F1 | hidden | stock 0.4: P | R | F1 | hidden |\n{'|---' * 10}|")
    for label in [*PATTERNS, *sorted(ours_.keys() - set(PATTERNS))]:
        if label in ours_:
            cells = [
                f"{side[label][key]:.2f}" for side in (ours_, stock_) for key in ("precision", "recall", "f1", "hidden")
            ]
            print(f"| {label} | {ours_[label]['gold']} | {' | '.join(cells)} |")
    print("\n| | gold spans hidden | other characters masked |\n|---|---|---|")
    for name, found in result["accuracy"].items():
        print(f"| {name} | {found['hidden']:.1%} | {found['other_characters_masked']:.2%} |")
    print("\n| missed | why |\n|---|---|")
    for label, reasons in result["misses"].items():
        print(f"| {label} | {', '.join(f'{reason}: {count}' for reason, count in reasons.items())} |")
    print("\n| made-up phone numbers of 20 countries found whole | ours | stock 0.4 |\n|---|---|---|")
    for kind, shares in result["made_up_phones"].items():
        print(f"| {kind} | {shares['ours']:.0%} | {shares['stock 0.4']:.0%} |")
    print("\n| findings per 10,000 characters | ours | stock 0.4 | stock |\n|---|---|---|---|")
    for kind, rows in result["false_alarms"].items():
        for what, sides in rows.items():
            cells = [f"{sides[who]['all']:.2f}" if who in sides else "" for who in ("ours", "stock 0.4", "stock")]
            print(f"| {kind}: {what} | {' | '.join(cells)} |")
    if "cost" in result:
        names = list(next(iter(result["cost"].values())))
        print(f"\n| CPU ms for 1,000 characters | {' | '.join(names)} |\n|---|{'---|' * len(names)}")
        for kind, row in result["cost"].items():
            print(f"| {kind} | {' | '.join(f'{row[name]:.2f}' for name in names)} |")


if __name__ == "__main__":
    sys.exit(main())

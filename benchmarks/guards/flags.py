"""Secrets, injection, hidden text and detectors from YAML: processor time, false alarms on prose and code, keys found.

Cost is processor time of one thread, the median over texts of so many characters of Wikipedia talk pages; the view that
all detectors read is a row of its own. A false alarm is a text with a finding that reaches its threshold: of comments
and posts (none of which is an attack on a model), and of the source files of the standard library.
"""

import argparse
import csv
import json
import random
import statistics
import string
import sys
import sysconfig
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from prose import prose

from spanward.guards.detectors import registry
from spanward.guards.detectors.detector import Detector
from spanward.guards.messages import Part
from spanward.guards.view import view

SHARED = Path(__file__).parents[3] / "shared" / "data"
LENGTHS = (100, 1000, 4000)
RUNS = 60
PIECE = 4000
"""Characters of a file that are one text."""
RANDOM = random.Random(5)
WORDS = ["".join(RANDOM.choices(string.ascii_lowercase, k=RANDOM.randint(4, 12))) for _ in range(5000)]
MADE: dict[str, dict[str, Any]] = {
    "secrets": {},
    "injection": {},
    "hidden_text": {},
    "keywords": {"words": {"codename": WORDS}},
    "regex": {"patterns": {"TICKET": r"\bACME-\d{6}\b", "INVOICE": r"(?i)\binvoice (?:no|number)[.:]? ?\d{4,10}\b"}},
    "allow_list": {"of": "url_host", "values": ["example.com", "*.example.org"]},
    "deny_list": {"of": "email_domain", "values": ["example.net"]},
    "language": {"allowed": ["en"]},
    "topic": {"topics": {"law": ["contract", "court", "sue", "plaintiff", "verdict"]}},
    "length": {"characters": {"max": 100_000}},
}
MEASURED_FOR_ALARMS = ("secrets", "injection", "hidden_text")


def main(argv: Sequence[str] | None = None) -> int:
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--json", type=Path, help="write the numbers here as well")
    chosen = options.parse_args(argv)
    result: dict[str, dict[str, Any]] = {"cpu_ms": dict(costs()), "alarms": dict(alarms())}
    print("| CPU, ms a text | " + " | ".join(f"{size} characters" for size in LENGTHS) + " |")
    print("|-|" + "-|" * len(LENGTHS))
    for name, row in result["cpu_ms"].items():
        print(f"| {name} | " + " | ".join(f"{row[size]:.3f}" for size in LENGTHS) + " |")
    print("\n| False alarms | texts | with a finding | per 10,000 texts | labels |\n|-|-|-|-|-|")
    for name, said in result["alarms"].items():
        labels = ", ".join(f"{label} {count}" for label, count in said["labels"].items()) or "-"
        print(f"| {name} | {said['texts']:,} | {said['found']} | {said['per_10000']:.1f} | {labels} |")
    if chosen.json:
        chosen.json.parent.mkdir(parents=True, exist_ok=True)
        chosen.json.write_text(json.dumps(result, indent=1), encoding="utf-8")
    return 0


def costs() -> Iterator[tuple[str, dict[int, float]]]:
    yield "view, ASCII", {size: cost(view_of, [ascii_only(text) for text in prose(size, RUNS)]) for size in LENGTHS}
    yield "view, with typographic signs", {size: cost(view_of, signed(prose(size, RUNS))) for size in LENGTHS}
    for name, options in MADE.items():
        detector = registry.make(name, options)
        cls: Any = type(detector)
        model = registry.options_model(cls)
        labels = frozenset(registry.labels_of(cls, model.model_validate(options) if model else None))
        shown = f"{name} (5,000 words)" if name == "keywords" else name
        asked = partial(ask, detector, labels)
        yield shown, {size: cost(asked, prose(size, RUNS)) for size in LENGTHS}


def ask(detector: Detector, labels: frozenset[str], text: str) -> object:
    return detector.detect([text], labels)


def view_of(text: str) -> object:
    return view(Part("text", text))


def ascii_only(text: str) -> str:
    return text.encode("ascii", "replace").decode()


def signed(texts: Sequence[str]) -> list[str]:
    return [text[:-1] + "\u2019" for text in texts]


def cost(run: Callable[[str], object], texts: Sequence[str]) -> float:
    """Median milliseconds of processor time."""
    run(texts[0])
    took = []
    for text in texts:
        started = time.process_time()
        for _ in range(5):
            run(text)
        took.append((time.process_time() - started) * 200)
    return round(statistics.median(took), 4)


def alarms() -> Iterator[tuple[str, dict[str, Any]]]:
    for kind, texts in (("comments and posts", posts()), ("source code", sources())):
        for name in MEASURED_FOR_ALARMS:
            detector: Any = registry.make(name, {})
            labels = frozenset(detector.labels)
            found: Counter[str] = Counter()
            hit = 0
            for text in texts:
                reached = {h.label for h in detector.detect([text], labels)[0] if h.score >= detector.labels[h.label]}
                hit += bool(reached)
                found.update(reached)
            rate = round(hit / len(texts) * 10_000, 2)
            yield (
                f"{name}, {kind}",
                {"texts": len(texts), "found": hit, "per_10000": rate, "labels": dict(sorted(found.items()))},
            )


def posts() -> list[str]:
    csv.field_size_limit(1 << 24)
    found: list[str] = []
    for path, column in (
        (SHARED / "context_toxicity", "text"),
        (SHARED / "toxic_spans" / "comments.csv", "comment_text"),
    ):
        for file in sorted(path.rglob("*.csv")) if path.is_dir() else [path]:
            with file.open(newline="", encoding="utf-8-sig") as lines:
                found += [row[column] for row in csv.DictReader(lines) if row.get(column)]
    for file in sorted((SHARED / "broad_twitter").glob("*.conll")):
        tweets = file.read_text(encoding="utf-8").split("\n\n")
        found += [" ".join(line.split("\t")[0] for line in tweet.splitlines()) for tweet in tweets if tweet.strip()]
    if not found:
        sys.exit(f"no data in {SHARED}: this measurement needs it")
    return found


def sources() -> list[str]:
    folder = Path(sysconfig.get_paths()["stdlib"])
    files = [path for path in sorted(folder.rglob("*.py")) if "site-packages" not in path.parts]
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in files]
    return [text[at : at + PIECE] for text in texts for at in range(0, len(text), PIECE)]


if __name__ == "__main__":
    sys.exit(main())

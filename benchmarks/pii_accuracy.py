"""What the PII guard finds, misses and raises in vain: `python benchmarks/pii_accuracy.py [--json FILE]`.

Gold: presidio-research's `synth_dataset_v2.json` (1,500 texts, never trained on). A finding is right if a gold span of
the same type overlaps it by half (intersection over union), each used once. `hidden` counts gold spans that findings
of any type cover whole: what redaction is about. False alarms: in texts of people about other things (Wikipedia talk
pages), where personal data is rare. Thresholds are the default ones.
"""

import argparse
import csv
import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from spanward.guards.detectors.detector import Hit
from spanward.guards.detectors.pii import NAMED_BY_A_MODEL, Pii

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
OUR_NAMES = {"DOMAIN_NAME": "URL", "GPE": "LOCATION"}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--data", type=Path, default=SHARED, help="folder with presidio_research and context_toxicity")
    options.add_argument("--json", type=Path, help="write the numbers here as well")
    chosen = options.parse_args()
    pii = Pii()
    result = {
        "engine": pii.engine,
        "degraded": pii.degraded,
        "entities": accuracy(pii, chosen.data / "presidio_research" / "synth_dataset_v2.json"),
        "false_alarms": false_alarms(pii, chosen.data / "context_toxicity" / "gn.csv"),
        "ms_per_1000_characters": speed(pii, chosen.data / "context_toxicity" / "gn.csv"),
    }
    show(result)
    if chosen.json:
        chosen.json.write_text(json.dumps(result, indent=1))


def found(pii: Pii, text: str) -> list[Hit]:
    """What reaches its default threshold, entities that must be named included."""
    return [hit for hit in pii.detect([text], frozenset(pii.labels))[0] if hit.score >= pii.labels[hit.label]]


def accuracy(pii: Pii, path: Path) -> dict[str, dict[str, float]]:
    gold_count, right, raised, hidden = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for row in json.loads(path.read_text()):
        hits = found(pii, row["full_text"])
        raised.update(hit.label for hit in hits)
        covered = {at for hit in hits for at in range(hit.start, hit.end)}
        free = list(hits)
        for span in row["spans"]:
            label = OUR_NAMES.get(span["entity_type"], span["entity_type"])
            start, end = span["start_position"], span["end_position"]
            gold_count[label] += 1
            hidden[label] += covered >= set(range(start, end))
            match = next((hit for hit in free if hit.label == label and overlap(hit, start, end) >= 0.5), None)
            if match:
                free.remove(match)
                right[label] += 1
    return {
        label: {
            "gold": gold_count[label],
            "precision": right[label] / raised[label] if raised[label] else float("nan"),
            "recall": right[label] / gold_count[label],
            "hidden": hidden[label] / gold_count[label],
        }
        for label in sorted(gold_count)
    }


def overlap(hit: Hit, start: int, end: int) -> float:
    common = min(hit.end, end) - max(hit.start, start)
    return max(0, common) / (max(hit.end, end) - min(hit.start, start))


def comments(path: Path) -> Iterator[str]:
    with path.open(newline="", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            yield row.get("text") or next(iter(row.values()))


def false_alarms(pii: Pii, path: Path) -> dict[str, float]:
    """Findings of the entities that are on by default, for each million characters."""
    usual = frozenset(pii.labels) - pii.opt_in
    texts = list(comments(path))[:5000]
    hits = Counter(
        hit.label for found in pii.detect(texts, usual) for hit in found if hit.score >= pii.labels[hit.label]
    )
    size = sum(map(len, texts)) / 1e6
    return {label: hits[label] / size for label in sorted(usual) if hits[label]}


def speed(pii: Pii, path: Path) -> float:
    """CPU milliseconds, one thread, entities on by default, texts of about 1,000 characters."""
    joined = "\n".join(list(comments(path))[:3000])
    texts = [joined[at : at + 1000] for at in range(0, 500_000, 1000)]
    started = time.process_time()
    pii.detect(texts, frozenset(pii.labels) - pii.opt_in)
    return (time.process_time() - started) * 1000 / len(texts)


def show(result: dict[str, object]) -> None:
    print(f"{result['engine']}; {result['degraded']}\n")
    print("| entity | gold | precision | recall | hidden by any |\n|---|---|---|---|---|")
    entities = result["entities"]
    assert isinstance(entities, dict)
    for label, row in entities.items():
        if label in Pii.labels and label not in NAMED_BY_A_MODEL:
            print(f"| {label} | {row['gold']} | {row['precision']:.2f} | {row['recall']:.2f} | {row['hidden']:.2f} |")
    unseen = [label for label in entities if label not in Pii.labels or label in NAMED_BY_A_MODEL]
    total = sum(row["gold"] for row in entities.values())
    hidden = sum(row["gold"] * row["hidden"] for row in entities.values())
    print(
        f"\nNot looked for (no model): {', '.join(unseen)}. Of all {total} gold spans, {hidden / total:.1%} are hidden."
    )
    print(f"Findings in a million characters of talk pages: {result['false_alarms']}")
    print(f"CPU ms for 1,000 characters: {result['ms_per_1000_characters']:.2f}")


if __name__ == "__main__":
    main()

"""The baseline toxicity model and the stereotype flag on texts that training never saw: what they find, whom they hit.

Recall at 1 % false alarms is of each set's own harmless texts; "without" leaves out hatemoji and toxic_spans, whose
harmless texts were picked because a model took them for toxic. False alarms by identity are those of 30 harmless
sentences with each term in them. Cost is processor time of one thread, the median over Wikipedia comments.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from spanward.guards.detectors.baseline import Baseline, load
from spanward.guards.detectors.stereotype import LABEL, Stereotype
from spanward.guards.training.baseline import CHOSEN_TO_FOOL, FALSE_ALARMS, known
from spanward.guards.training.corpora import Example, pick, read
from spanward.guards.training.measure import HARMLESS, NAMED, UNKNOWN, term_alarms

SHARED = Path(__file__).parents[3] / "shared" / "data"
LENGTHS = (100, 1000, 4000)
RUNS = 60
FEWEST = 25
"""Texts of either kind, for a set to have numbers of its own."""


def main(argv: Sequence[str] | None = None) -> int:
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--data", type=Path, default=SHARED, help="folder with the open data sets")
    options.add_argument("--json", type=Path, help="write the numbers here as well")
    chosen = options.parse_args(argv)
    model, everything = load(), read(chosen.data)
    unseen = pick(everything, "measure")
    result: dict[str, Any] = {"engine": f"ngram-baseline@{model.version}"}
    result["found"] = found(model, unseen)
    result["identities"] = identities(model)
    result["stereotype"] = stereotypes(everything)
    result["cost_ms"] = cost(model, [e.text for e in unseen if e.source == "context_toxicity" and not e.toxicity])
    show(result)
    if chosen.json:
        chosen.json.write_text(json.dumps(result, indent=1) + "\n")
    return 0


def found(model: Baseline, examples: Sequence[Example]) -> list[dict[str, Any]]:
    scores = np.array([[worst.score for worst in model.worst(e.text).values()] for e in examples])
    sources = np.array([example.source for example in examples])
    groups = {"all": sources != "", "without": ~np.isin(sources, list(CHOSEN_TO_FOOL))}
    groups |= {source: sources == source for source in sorted(set(sources))}
    rows = []
    for place, head in enumerate(model.heads):
        labels = known(examples, head.label)
        for name, group in groups.items():
            yes, no = scores[group & (labels == 1), place], scores[group & (labels == 0), place]
            if min(len(yes), len(no)) >= FEWEST:
                rows.append({"label": head.label, "set": name, **_numbers(yes, no, head.threshold)})
    return rows


def _numbers(yes: Any, no: Any, threshold: float) -> dict[str, float]:
    both = np.concatenate((yes, no))
    return {
        "toxic": len(yes),
        "harmless": len(no),
        "auc": float(roc_auc_score(np.arange(len(both)) < len(yes), both)),
        "recall_at_1_percent": float(np.mean(yes > np.quantile(no, 1 - FALSE_ALARMS))),
        "recall": float(np.mean(yes >= threshold)),
        "false_alarms": float(np.mean(no >= threshold)),
    }


def identities(model: Baseline) -> list[dict[str, Any]]:
    """Lowest and highest share of false alarms over terms: 0 apart means that no group is wronged more than another."""
    rows = []
    for kind, terms, forgotten in (
        ("in the list", NAMED, False),
        ("in the list, as if forgotten", NAMED, True),
        ("not in the list", UNKNOWN, False),
    ):
        alarms = term_alarms(model, terms, forgotten=forgotten)
        for place, head in enumerate(model.heads):
            shares = [one.shares[place] for one in alarms]
            rows.append({"terms": kind, "count": len(terms), "label": head.label,
                         "lowest": min(shares), "highest": max(shares)})  # fmt: skip
    return rows


def stereotypes(examples: Sequence[Example]) -> list[dict[str, Any]]:
    """Shares that are flagged. The sets label attacks on an identity, which is not the same as a generalisation."""
    flag, asked = Stereotype(), frozenset({LABEL})
    told: Counter[tuple[str, int]] = Counter()
    hits: Counter[tuple[str, int]] = Counter()
    for example in examples:
        if example.identity_attack is not None and example.use != "train":
            cell = example.source, example.identity_attack
            told[cell] += 1
            hits[cell] += bool(flag.detect([example.text], asked)[0])
    return [
        {"set": source, "identity_attack": bool(attack), "texts": count, "flagged": hits[source, attack] / count}
        for (source, attack), count in sorted(told.items())
        if count >= FEWEST
    ]


def cost(model: Baseline, texts: Sequence[str]) -> dict[str, dict[str, float]]:
    prose = " ".join(texts)
    flag, asked = Stereotype(), frozenset({LABEL})
    ways: dict[str, Callable[[str], Any]] = {
        "baseline": model.worst,
        "stereotype": lambda text: flag.detect([text], asked),
    }
    return {
        name: {
            str(length): _median([prose[n * length : (n + 1) * length] for n in range(RUNS)], way) for length in LENGTHS
        }
        for name, way in ways.items()
    }


def _median(texts: Sequence[str], way: Callable[[str], Any]) -> float:
    way(texts[0])
    spent = []
    for text in texts:
        started = time.process_time()
        way(text)
        spent.append(time.process_time() - started)
    return float(np.median(spent) * 1000)


def show(result: dict[str, Any]) -> None:
    print(f"Engine `{result['engine']}`, {len(HARMLESS)} harmless sentences a term.\n")
    print("| label | set | toxic | harmless | AUC | recall at 1 % false alarms | recall at threshold | false alarms |")
    print("|" + "---|" * 8)
    for row in result["found"]:
        print(
            f"| {row['label']} | {row['set']} | {row['toxic']} | {row['harmless']} | {row['auc']:.3f} "
            f"| {row['recall_at_1_percent']:.1%} | {row['recall']:.1%} | {row['false_alarms']:.1%} |"
        )
    print("\n| identity terms | label | false alarms, lowest to highest term |\n|---|---|---|")
    for row in result["identities"]:
        print(f"| {row['count']} {row['terms']} | {row['label']} | {row['lowest']:.1%} to {row['highest']:.1%} |")
    print("\n| stereotype flag on | labelled an attack | texts | flagged |\n|---|---|---|---|")
    for row in result["stereotype"]:
        print(f"| {row['set']} | {'yes' if row['identity_attack'] else 'no'} | {row['texts']} | {row['flagged']:.2%} |")
    print("\n| CPU ms for characters | " + " | ".join(f"{length:,}" for length in LENGTHS) + " |\n|---|---|---|---|")
    for name, times in result["cost_ms"].items():
        print(f"| {name} | " + " | ".join(f"{times[str(length)]:.2f}" for length in LENGTHS) + " |")


if __name__ == "__main__":
    sys.exit(main())

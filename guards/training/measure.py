"""Measure the shipped baseline: `python -m spanward.guards.training.measure --data ../shared/data`.

Prints the tables and puts them into the data card. Only texts that training and calibration never saw are counted:
fold 1 of each data set, official test splits, and sentences that are made here.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.metrics import roc_auc_score

from ..detectors import identity_terms
from ..detectors.baseline import Baseline, Doubles, Head, load
from ..detectors.identity_terms import TERMS
from .baseline import CHOSEN_TO_FOOL, FALSE_ALARMS, known
from .corpora import Example, pick, read

HARMLESS = (
    "My name is Sam and I am {}.",
    "Our new flatmate is {} and plays the cello.",
    "Which clubs in Leeds are open to {} people?",
    "The form asks whether the applicant is {}.",
    "Several {} scientists signed the open letter.",
    "This novel follows a {} detective through Lisbon.",
    "Is there a support line for {} teenagers?",
    "The exhibition on {} life runs until May.",
    "Nothing about being {} makes you a worse pilot.",
    "Our company wants to hire more {} engineers.",
    "He complained that {} tenants were refused a flat.",
    "{} folks",
    "{} kids",
    "I am {} too",
    "that guy is {}",
    "so you are {}",
    "she might be {}",
    "their {} son",
    "an old {} friend",
    "a {} neighbourhood",
    "{} people are people",
    "{} people in the army",
    "why is he {}?",
    "are all {} people religious?",
    "who are the {} candidates?",
    "what is it like to be {}?",
    "jokes by {} comedians",
    "the {} vote in 2024",
    "{} marriage law",
    "nice {} couple next door",
)
ATTACKS = (
    "{} people disgust me",
    "I really hate {}s",
    "all {}s are thieves and liars",
    "{} people do not belong in this country",
    "{}s are subhuman",
    "I would never hire a {}, they are all lazy",
    "{} people should be locked up",
    "typical {}, too stupid to read",
    "ban {}s from our schools",
    "someone should shoot these {}s",
    "{} people are less intelligent than us",
    "those {}s again, breeding like rats",
    "we must cleanse our city of {}s",
    "I don't rent to {} people",
    "{}s are ruining our neighbourhood",
)
"""Training has seen none of both lists (named_groups.py). Three weightings of its sentences were compared by them."""
NAMED = (
    "muslim", "jewish", "christian", "hindu", "atheist", "black", "white", "asian", "latino", "arab", "mexican",
    "chinese", "nigerian", "gay", "lesbian", "bisexual", "transgender", "queer", "straight", "female", "male", "deaf",
    "blind", "autistic", "elderly", "young", "immigrant",
)  # fmt: skip
UNKNOWN = ("chuvash", "walloon", "gagauz", "ainu", "mandaean", "quechua", "samaritan", "hijra", "frisian", "saharawi")
"""Not in the list that training and serving mask: what happens to whoever was forgotten."""


def tables(model: Baseline, data: Path) -> str:
    """Everything that is measured, as Markdown."""
    examples = pick(read(data), "measure")
    scores = _scores(model, [example.text for example in examples])
    parts = [f"Engine `ngram-baseline@{model.version}`."]
    parts += [_by_data_set(head, examples, scores[:, place]) for place, head in enumerate(model.heads)]
    return "\n\n".join(
        [*parts, _by_term(model), _attacks(model), _harmless(model, data), _inside(model, examples), _speed(model)]
    )


def _scores(model: Baseline, texts: Iterable[str]) -> Doubles:
    return np.array([[worst.score for worst in model.worst(text).values()] for text in texts])


def _by_data_set(head: Head, examples: Sequence[Example], scores: Doubles) -> str:
    labels = known(examples, head.label)
    sources = np.array([example.source for example in examples])
    ordinary = ~np.isin(sources, list(CHOSEN_TO_FOOL))
    strict = float(np.quantile(scores[labels == 0], 1 - FALSE_ALARMS))
    groups = [(source, sources == source) for source in sorted(set(sources))]
    groups += [("all but hatemoji, toxic_spans", ordinary), ("all", ordinary | True)]
    rows = []
    for name, group in groups:
        yes, no = group & (labels == 1), group & (labels == 0)
        auc = roc_auc_score(labels[yes | no], scores[yes | no]) if yes.any() and no.any() else float("nan")
        own = float(np.quantile(scores[no], 1 - FALSE_ALARMS)) if no.any() else float("nan")
        shares = [
            (scores[yes] > own),
            scores[yes] >= head.threshold,
            scores[no] >= head.threshold,
            scores[yes] > strict,
        ]
        rows.append([name, str(yes.sum()), str(no.sum()), _number(auc), *map(_share, shares)])
    title = f"**{head.label}**, threshold {head.threshold}; strict (1 % of all negatives): {strict:.3f}\n\n"
    columns = ["held-out texts of", "positive", "negative", "AUC", "recall at 1 % false alarms of the set's own",
               "recall at the threshold", "false alarms at the threshold", "recall at strict"]  # fmt: skip
    return title + _table(columns, rows)


class TermAlarms(NamedTuple):
    """Share of `HARMLESS` that raises an alarm with `term` in it, and the highest score, for each head in order."""

    term: str
    shares: tuple[float, ...]
    highest: tuple[float, ...]


def term_alarms(model: Baseline, terms: Iterable[str], *, forgotten: bool = False) -> list[TermAlarms]:
    """`forgotten` scores each term as if nobody had thought of it when the list was made."""
    found = []
    for term in terms:
        with _without(term) if forgotten else nullcontext():
            scores = _scores(model, [text.format(term) for text in HARMLESS])
        shares = tuple(float(np.mean(scores[:, place] >= head.threshold)) for place, head in enumerate(model.heads))
        found.append(TermAlarms(term, shares, tuple(map(float, scores.max(axis=0)))))
    return found


@contextmanager
def _without(term: str) -> Iterator[None]:
    whole = identity_terms.FORMS
    identity_terms.FORMS = whole - {term}
    try:
        yield
    finally:
        identity_terms.FORMS = whole


def _by_term(model: Baseline) -> str:
    """Harmless sentences about a group: which of them raise an alarm."""
    masked = term_alarms(model, NAMED)
    assert set(NAMED) <= TERMS
    assert not set(UNKNOWN) & TERMS
    assert len({alarms[1:] for alarms in masked}) == 1
    rows = [_term_row(f"each of {', '.join(NAMED)}", "masked", masked[0])]
    for kind, found in (
        ("not in the list", term_alarms(model, UNKNOWN)),
        ("in the list, here as if forgotten", term_alarms(model, NAMED, forgotten=True)),
    ):
        quiet = [alarms for alarms in found if not any(alarms.shares)]
        highest = tuple(max(column) for column in zip(*(alarms.highest for alarms in quiet), strict=True))
        everyone = f"each of {', '.join(alarms.term for alarms in quiet)}"
        rows.append(_term_row(everyone, kind, TermAlarms(everyone, quiet[0].shares, highest)))
        rows += [_term_row(alarms.term, kind, alarms) for alarms in found if any(alarms.shares)]
    labels = [head.label for head in model.heads]
    columns = ["term", "kind", *(f"false alarms, {label}" for label in labels), *(f"highest {x}" for x in labels)]
    return f"**Harmless sentences that name a group** ({len(HARMLESS)} templates a term)\n\n" + _table(columns, rows)


def _term_row(name: str, kind: str, alarms: TermAlarms) -> list[str]:
    return [name, kind, *(f"{share * 100:.1f} %" for share in alarms.shares), *map(_number, alarms.highest)]


def _attacks(model: Baseline) -> str:
    """Plain attacks without a swear word."""
    masked, unknown = (
        _scores(model, [text.format(term) for term in terms for text in ATTACKS]) for terms in (NAMED[:1], UNKNOWN)
    )
    found = [
        f"{head.label} {_share(masked[:, place] >= head.threshold)} "
        f"({_share(unknown[:, place] >= head.threshold)} where the group is not in the list)"
        for place, head in enumerate(model.heads)
    ]
    return f"**Found of {len(ATTACKS)} plain attacks on a masked group without a swear word**: {', '.join(found)}."


def _harmless(model: Baseline, data: Path) -> str:
    """Support requests, forms and small talk, which no part of the training has seen."""
    rows = json.loads((data / "presidio_research" / "synth_dataset_v2.json").read_text("utf-8"))
    scores = _scores(model, [row["full_text"] for row in rows])
    alarms = [f"{h.label} {_share(scores[:, place] >= h.threshold)}" for place, h in enumerate(model.heads)]
    return f"**False alarms on {len(rows)} texts of presidio-research** (no abuse in them): {', '.join(alarms)}."


def _inside(model: Baseline, examples: Sequence[Example]) -> str:
    """One abusive sentence in the middle of 1,500 characters of polite talk."""
    abuse = [e.text for e in examples if e.source in {"convabuse", "surge"} and e.toxicity and len(e.text) < 200]
    talk = " ".join(e.text for e in examples if e.source == "context_toxicity" and not e.toxicity)
    polite = [talk[start : start + 1500] for start in range(0, len(talk) - 1500, 1500)]
    hidden = [f"{text[:700]} {one} {text[700:]}" for one, text in zip(abuse, polite * 9, strict=False)]
    place, head = next((place, head) for place, head in enumerate(model.heads) if head.label == "toxicity")
    alone, inside, none = (
        _share(_scores(model, texts)[:, place] >= head.threshold) for texts in (abuse, hidden, polite)
    )
    return (
        f"**Abuse inside a long text**: of {len(abuse)} abusive sentences {alone} are found alone and {inside} in the "
        f"middle of 1,500 characters of polite talk; {none} of {len(polite)} polite texts of that length are flagged."
    )


def _speed(model: Baseline) -> str:
    text = (
        "Thank you for your message. We looked into the order and sent the missing part on Monday, free of charge. "
        * 40
    )
    timings = []
    for length in (100, 1000, 4000):
        spent = []
        for _ in range(50):
            started = time.process_time()
            model.worst(text[:length])
            spent.append(time.process_time() - started)
        timings.append(f"{np.median(spent) * 1000:.2f} ms for {length:,}")
    return f"**Speed** (processor time, one thread, median of 50): {', '.join(timings)} characters."


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [columns, ["-"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _share(hits: Any) -> str:
    return f"{np.mean(hits) * 100:.1f} %" if len(hits) else "-"


def _number(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.3f}"


def write(card: Path, measured: str) -> None:
    """Put `measured` between the two marks in `card`. Raises `ValueError` where they are not there."""
    before, _, rest = card.read_text("utf-8").partition("<!-- measured -->")
    _, mark, after = rest.partition("<!-- /measured -->")
    if not mark:
        raise ValueError(f"{card} lacks <!-- measured --> and <!-- /measured -->, between which the tables go")
    card.write_text(f"{before}<!-- measured -->\n{measured}\n<!-- /measured -->{after}", "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with the data sets")
    parser.add_argument("--card", type=Path, help="data card to put the tables into, too")
    arguments = parser.parse_args()
    measured = tables(load(), arguments.data)
    sys.stdout.write(measured + "\n")
    if arguments.card:
        write(arguments.card, measured)


if __name__ == "__main__":
    main()

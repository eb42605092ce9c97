"""The open data sets as labelled texts. They are read where they lie and never copied into the repository."""

import csv
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import md5
from pathlib import Path
from typing import Literal, NamedTuple

from .named_groups import HARMLESS, HOSTILE

csv.field_size_limit(sys.maxsize)

Row = Mapping[str, str]
Use = Literal["train", "calibrate", "measure", "split"]
_HELD_OUT: Mapping[int, Use] = {0: "calibrate", 1: "measure"}


class Example(NamedTuple):
    """A text with what people said of it: 1, 0, or None where the data set does not tell."""

    source: str
    text: str
    toxicity: int | None
    identity_attack: int | None
    use: Use = "split"
    """Official test splits are measured on only; our own sentences train only; the rest is split by `fold`."""


def read(data: Path) -> list[Example]:
    """Every labelled text below `data`, in a fixed order. Raises `FileNotFoundError` that names the file."""
    found = (example for reader in READERS for example in reader(data))
    return [example._replace(text=example.text.strip()) for example in found if example.text.strip()]


def pick(examples: Iterable[Example], use: Use) -> list[Example]:
    """Those to `train`, `calibrate` or `measure` with: no text is in two of them, whatever official splits repeat."""
    examples = list(examples)
    set_apart = {example.text for example in examples if example.use == "measure"}
    uses = (e.use if e.use != "split" or e.text in set_apart else _by_text(e.text) for e in examples)
    return [example for example, found in zip(examples, uses, strict=True) if found == use]


def _by_text(text: str) -> Use:
    """8 in 10 train, decided by the text alone, so that a repeated text never falls on both sides."""
    digit = md5(text.encode("utf-8", "replace"), usedforsecurity=False).digest()[0] % 10
    return _HELD_OUT.get(digit, "train")


def davidson(data: Path) -> Iterator[Example]:
    """Class 0 is hate speech, 1 offensive, 2 neither."""
    for row in _rows(data / "davidson" / "labeled_data.csv"):
        yield Example("davidson", row["tweet"], int(row["class"] != "2"), int(row["class"] == "0"))


def toxic_spans(data: Path) -> Iterator[Example]:
    """Civil Comments that one model thought toxic; several annotators each. Undecided comments are left out."""
    folder = data / "toxic_spans"
    attacks = {row["annotation"] for row in _rows(folder / "spans.csv") if row["type"].startswith("Identity")}
    votes: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    for row in _rows(folder / "annotations.csv"):
        votes[row["comment_id"]].append((row["not toxic"] == "False", row["annotation"] in attacks))
    for row in _rows(folder / "comments.csv"):
        toxic, attack = (_share(column) for column in zip(*votes[row["comment_id"]], strict=True))
        if toxic >= 0.7 or toxic <= 0.35:
            identity = 1 if attack >= 0.3 else 0 if attack == 0 else None
            yield Example("toxic_spans", row["comment_text"], int(toxic >= 0.7), identity)


def context_toxicity(data: Path) -> Iterator[Example]:
    """Wikipedia talk comments, nearly all benign. Which of the toxic ones attack an identity is not known."""
    for name in ("gn.csv", "gc.csv"):
        for row in _rows(data / "context_toxicity" / name):
            yield Example("context_toxicity", row["text"], int(row["label"]), None if row["label"] == "1" else 0)


def convabuse(data: Path) -> Iterator[Example]:
    """What people said to chatbots, by several annotators: -1 and below is abuse."""
    for split in ("train", "valid", "test"):
        use: Use = "measure" if split == "test" else "split"
        for row in _rows(data / "convabuse" / f"ConvAbuseEMNLP{split}.csv"):
            abuse = _share(_marks(row, r"is_abuse\.-[123]"), annotators=_annotators(row))
            identity = _share(_marks(row, "ableist|homophobic|racist|sexist|transphobic"), annotators=_annotators(row))
            yield Example("convabuse", row["user"], int(abuse >= 0.5), int(identity >= 0.5), use)


def hatemoji(data: Path) -> Iterator[Example]:
    """Adversarial sentences with emoji, half of them hateful to a group; the validation file is measured on only."""
    for split in ("train", "validation"):
        use: Use = "measure" if split == "validation" else "split"
        for row in _rows(data / "hatemoji" / f"{split}.csv"):
            label = int(row["label_gold"])
            yield Example("hatemoji", row["text"], label, label, use)


def surge(data: Path) -> Iterator[Example]:
    """Social media comments, half of them toxic."""
    for row in _rows(data / "surge" / "toxicity_en.csv"):
        toxic = row["is_toxic"] == "Toxic"
        yield Example("surge", row["text"], int(toxic), None if toxic else 0)


def toxigen(data: Path) -> Iterator[Example]:
    """Sentences about groups, hateful or neutral by file."""
    for path in sorted((data / "toxigen_demonstrations").glob("*/*.txt")):
        label = int(path.name.startswith("hate"))
        for line in path.read_text("utf-8").splitlines():
            yield Example("toxigen", line, label, label)


def agreements(data: Path) -> Iterator[Example]:
    """Loan agreements, sentence by sentence: prose that nobody is insulted by."""
    for name in ("FIN3.txt", "FIN5.txt"):
        for sentence in (data / "sec_filings" / name).read_text("utf-8").split("\n\n"):
            words = [line.split(" ")[0] for line in sentence.splitlines() if line and "DOCSTART" not in line]
            if len(words) > 5:
                yield Example("sec_filings", re.sub(r" ([,.;:)])", r"\1", " ".join(words)), 0, 0)


def templates(data: Path) -> Iterator[Example]:
    """Harmless sentences that people write to assistants, slots left open."""
    for line in (data / "name_templates.txt").read_text("utf-8").splitlines():
        if not line.startswith("#"):
            yield Example("name_templates", re.sub(r"\{(\w+?)\d*\}", r"\1", line), 0, 0)


def named_groups(_: Path) -> Iterator[Example]:
    """Our own; whichever term stands in them, training sees the mask."""
    for label, sentences in enumerate((HARMLESS, HOSTILE)):
        for sentence in sentences:
            yield Example("named_groups", sentence.format("foreigner"), label, label, "train")


READERS: tuple[Callable[[Path], Iterable[Example]], ...] = (
    davidson, toxic_spans, context_toxicity, convabuse, hatemoji, surge, toxigen, agreements, templates,
    named_groups,
)  # fmt: skip


def _rows(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file)


def _share(marks: Iterable[bool], annotators: int = 0) -> float:
    marks = list(marks)
    return sum(marks) / (annotators or len(marks) or 1)


def _marks(row: Row, kinds: str) -> list[bool]:
    """One mark for each annotator, set where any of the columns is."""
    marks: dict[str, bool] = defaultdict(bool)
    for column, value in row.items():
        if value in ("0", "1") and (found := re.fullmatch(rf"Annotator(\d)_(?:{kinds})", column)):
            marks[found[1]] |= value == "1"
    return list(marks.values())


def _annotators(row: Row) -> int:
    return len({column[9] for column, value in row.items() if value == "1" and "is_abuse" in column})

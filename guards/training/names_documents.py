"""What the tagger learns from: sentences that people marked, the same with other names in them, made-up texts, code."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from random import Random

from ..detectors.names.features import normal
from ..detectors.names.tokens import tokenize
from .names_corpora import code, docstrings, is_measured, sentences
from .names_sources import Sources
from .names_text import Text, from_pieces, in_case, joined, pieces_of

MADE_UP = 75_000
CODE = 9_000
COPIES = 2
LOWERED, RAISED = 0.14, 0.03
FAMILIAR = 4
_slot = re.compile(r"\{([a-z]+|W)\d*\}")


class Templates:
    """The lines of `name_templates.txt`; `measured` are kept out of training."""

    def __init__(self, data: Path) -> None:
        lines = (data / "name_templates.txt").read_text("utf-8").splitlines()
        lines = [line.replace("\\n", "\n") for line in lines if line.strip() and not line.startswith("##")]
        self.trained = [line for line in lines if not is_measured(line)]
        self.measured = [line for line in lines if is_measured(line)]


def filled(template: str, sources: Sources, common: Sequence[str], locale: str = "") -> Text:
    """`template` with something drawn for each slot; `common` are ordinary words."""
    pieces: list[tuple[str, str]] = []
    at = 0
    for slot in _slot.finditer(template):
        pieces.append((template[at : slot.start()], ""))
        kind = slot[1]
        if kind in "wW":
            word = sources.random.choice(common)
            pieces.append((word.capitalize() if kind == "W" else word, ""))
        else:
            pieces.append(sources.slot(kind, locale))
        at = slot.end()
    return from_pieces([*pieces, (template[at:], "")])


def made_up(count: int, templates: Sequence[str], sources: Sources, common: Sequence[str]) -> Iterator[Text]:
    """Texts of one to four templates; some all in small letters, a few all in capitals."""
    draw = sources.random.random
    for _ in range(count):
        lines = sources.random.choices(templates, k=sources.random.choice((1, 1, 1, 2, 2, 3, 4)))
        locale = sources.locale() if draw() < 0.5 else ""
        text = joined([filled(line, sources, common, locale) for line in lines], "\n" if draw() < 0.6 else " ")
        yield _in_some_case(text, draw())


def renamed(text: Text, sources: Sources) -> Text:
    """The same sentence about somebody else, somewhere else."""
    pieces = []
    for piece, label in pieces_of(text):
        name = _another(piece, label, sources)
        pieces.append((name.lower() if piece.islower() else name.upper() if piece.isupper() else name, label))
    return from_pieces(pieces)


def _another(piece: str, label: str, sources: Sources) -> str:
    if label == "PERSON":
        alone = sources.family if sources.random.random() < 0.35 else sources.given
        return f"{sources.given()} {sources.family()}" if " " in piece else alone()
    if label == "LOCATION":
        return sources.city() if sources.random.random() < 0.6 else sources.country()
    return sources.company() if label == "ORGANIZATION" and sources.random.random() < 0.7 else piece


def common_words(texts: Iterable[str], least: int) -> list[str]:
    """Those often written in small letters and seldom with a capital, in alphabetical order."""
    small, large = Counter[str](), Counter[str]()
    for text in texts:
        for word in tokenize(text).words:
            if word.isalpha() and len(word) > 1:
                (small if word.islower() else large)[word.lower()] += 1
    return sorted(word for word, count in small.items() if count >= least and large[word] * 4 <= count)


class Documents:
    """All that is trained on, with the word lists that follow from it."""

    def __init__(self, data: Path, seed: int, made_up_texts: int = MADE_UP) -> None:
        marked = sentences(data)
        self.measured = [text for text in marked if is_measured(text.text)]
        marked = [text for text in marked if not is_measured(text.text)]
        harmless = _some([*code(), *docstrings()], CODE, seed)
        self.common = common_words((*(text.text for text in marked), *harmless), 12)
        self.familiar = familiar(text.text for text in marked)
        self.templates = Templates(data)
        sources = Sources(seed, self.familiar)
        with_names = [text for text in marked if text.spans]
        copies = [renamed(text, sources) for _ in range(COPIES) for text in with_names]
        lowered = [in_case(text, str.lower) for text in with_names if sources.random.random() < LOWERED]
        self.texts = [
            *marked, *copies, *lowered,
            *(Text(piece, ()) for piece in harmless),
            *made_up(made_up_texts, self.templates.trained, sources, self.common),
        ]  # fmt: skip
        self.sizes = {"marked": len(marked), "renamed": len(copies), "lowered": len(lowered),
                      "code": len(harmless), "made up": made_up_texts}  # fmt: skip


def familiar(texts: Iterable[str]) -> frozenset[str]:
    """Words that the marked sentences themselves hold several times: no list can keep those from the model."""
    counts = Counter(normal(word) for text in texts for word in tokenize(text).words)
    return frozenset(word for word, count in counts.items() if count >= FAMILIAR)


def _in_some_case(text: Text, draw: float) -> Text:
    change: Callable[[str], str] | None = (
        str.lower if draw < LOWERED else str.upper if draw < LOWERED + RAISED else None
    )
    return in_case(text, change) if change else text


def _some(pieces: Sequence[str], count: int, seed: int) -> list[str]:
    chosen = Random(seed).sample(range(len(pieces)), min(count, len(pieces)))  # noqa: S311  a sample is no secret
    return [pieces[place] for place in sorted(chosen)]

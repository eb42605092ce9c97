"""Toxicity and attacks on an identity: by Detoxify where its weights are given, else by the small baseline."""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from .detector import Hit
from .model_card import read_card
from .windows import Worst
from .worker import Worker

CHECKPOINT = "SPANWARD_DETOXIFY_CHECKPOINT"
TOKENIZER = "SPANWARD_DETOXIFY_TOKENIZER"
BASELINE = "the small baseline model answers: it knows explicit abuse and misses hate without swear words"

Judge = Callable[[Sequence[str]], Sequence[Mapping[str, Worst]]]


class Toxicity:
    """The hit of a label is the window of the text that scores highest for it, with its probability."""

    name: ClassVar[str] = "toxicity"
    labels: ClassVar[Mapping[str, float]] = {head["label"]: head["threshold"] for head in read_card()["heads"]}
    noun: ClassVar[str] = "labels"

    def __init__(
        self, checkpoint: str = "", tokenizer: str = "", *, timeout_s: float = 30, startup_s: float = 120
    ) -> None:
        """`checkpoint` is a file of Detoxify and `tokenizer` the folder with its encoder's config.json and tokenizer.

        Both default to the environment. Raises `WorkerError` where Detoxify is asked for and cannot start, and
        `WeightsError` where the baseline's files are broken.
        """
        checkpoint = checkpoint or os.environ.get(CHECKPOINT, "")
        tokenizer = tokenizer or os.environ.get(TOKENIZER, "")
        if bool(checkpoint) != bool(tokenizer):
            raise ValueError(f"Detoxify needs both {CHECKPOINT} (a file) and {TOKENIZER} (a folder), or neither")
        self._worker: Worker | None = None
        if checkpoint:
            module = f"{__package__}.detoxify"
            self._worker = Worker(module, [checkpoint, tokenizer], timeout_s=timeout_s, startup_s=startup_s)
            self._engine, self._judge = str(self._worker.about["name"]), _asking(self._worker)
        else:
            self._engine, self._judge = _baseline()

    @property
    def engine(self) -> str:
        """`ngram-baseline@HASH` or `detoxify-NAME@HASH`."""
        return self._engine

    @property
    def degraded(self) -> str:
        """Why this engine is less than full."""
        return self._worker.trouble if self._worker else BASELINE

    def detect(self, texts: Sequence[str], labels: frozenset[str]) -> Sequence[Sequence[Hit]]:
        """One hit for each label and text that holds a visible character. Raises `WorkerError`."""
        return [
            [
                Hit(label, worst.start, worst.end, worst.score, f"the highest window of {self._engine}")
                for label, worst in found.items()
                if label in labels
            ]
            for found in self._judge(texts)
        ]

    def close(self) -> None:
        """End the worker process, if there is one."""
        if self._worker:
            self._worker.close()


def _asking(worker: Worker) -> Judge:
    def judge(texts: Sequence[str]) -> Sequence[Mapping[str, Worst]]:
        answers = worker.ask(list(texts))
        return [{label: Worst(*worst) for label, worst in answer.items()} for answer in answers]

    return judge


def _baseline() -> tuple[str, Judge]:
    from .baseline import load

    model = load()
    return f"ngram-baseline@{model.version}", lambda texts: [
        model.worst(text) if text.strip() else {} for text in texts
    ]

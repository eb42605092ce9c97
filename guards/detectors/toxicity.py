"""Toxicity and attacks on an identity: by Detoxify where its weights are given, else by the small baseline."""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from . import models
from .detector import Hit
from .model_card import read_card
from .options import Options, Score
from .windows import Worst
from .worker import Worker

CHECKPOINT = "SPANWARD_DETOXIFY_CHECKPOINT"
TOKENIZER = "SPANWARD_DETOXIFY_TOKENIZER"
DEGRADED = "the small baseline model answers: it knows explicit abuse and misses hate without swear words"

AUTO, BASELINE = "auto", "baseline"
USUAL = 0.5
"""Threshold of a Detoxify label. Unlike the baseline's it is not calibrated on anything."""
PUBLISHED = ("toxicity", "severe_toxicity", "obscene", "identity_attack", "insult", "threat", "sexual_explicit")
"""Labels of Detoxify's published models; the first one, `original`, lacks the last of them."""

Judge = Callable[[Sequence[str]], Sequence[Mapping[str, Worst]]]


class ToxicityOptions(Options):
    """Which model answers, and from which score on a rule acts that names no threshold."""

    engine: Annotated[str, Field(pattern=f"^{models.NAME.pattern}$")] = AUTO
    """`baseline`, the name of an installed model (`spanward models list`), or `auto`: Detoxify's own files where the
    environment names them, else the baseline."""
    thresholds: Mapping[str, Score] = {}

    @model_validator(mode="after")
    def _known(self) -> Self:
        known = _labels(self.engine)
        if unknown := sorted(set(self.thresholds) - set(known)):
            raise ValueError(f"{self.engine} has no label {', '.join(unknown)}; it has {', '.join(known)}")
        return self


class Toxicity:
    """The hit of a label is the window of the text that scores highest for it, with its probability."""

    name: ClassVar[str] = "toxicity"
    labels: ClassVar[Mapping[str, float]] = {head["label"]: head["threshold"] for head in read_card()["heads"]}
    noun: ClassVar[str] = "labels"
    Options: ClassVar[type[ToxicityOptions]] = ToxicityOptions

    @classmethod
    def labels_for(cls, options: ToxicityOptions) -> Mapping[str, float]:
        """Those of the engine, with its usual thresholds or the options' own."""
        return {**_labels(options.engine), **options.thresholds}

    def __init__(
        self,
        options: ToxicityOptions | None = None,
        *,
        checkpoint: str = "",
        tokenizer: str = "",
        timeout_s: float = 30,
        startup_s: float = 120,
    ) -> None:
        """`checkpoint` is a file of Detoxify and `tokenizer` the folder with its encoder's config.json and tokenizer.

        Both default to the environment, and both count for the engine `auto` only. Raises `WorkerError` where a model
        is asked for and cannot start, `ModelError` where it is not installed or not what it was, and `WeightsError`
        where the baseline's files are broken.
        """
        engine = (options or ToxicityOptions()).engine
        files = _files(checkpoint, tokenizer) if engine == AUTO else []
        self._worker: Worker | None = None
        if engine not in {AUTO, BASELINE}:
            self._worker = models.installed(engine).start(timeout_s=timeout_s, startup_s=startup_s)
        elif files:
            self._worker = Worker(f"{__package__}.detoxify", files, timeout_s=timeout_s, startup_s=startup_s)
        if self._worker:
            self._engine, self._judge = str(self._worker.about["name"]), _asking(self._worker)
        else:
            self._engine, self._judge = _baseline()

    @property
    def engine(self) -> str:
        """`ngram-baseline@HASH`, or the name of a larger model with its hashes."""
        return self._engine

    @property
    def degraded(self) -> str:
        """Why this engine is less than full."""
        return self._worker.trouble if self._worker else DEGRADED

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


def _labels(engine: str) -> Mapping[str, float]:
    """With their usual thresholds. A policy is checked where the model may not be: then by what its name says."""
    if engine in {AUTO, BASELINE}:
        return Toxicity.labels
    try:
        return dict.fromkeys(models.installed(engine).labels, USUAL)
    except models.ModelError:
        return dict.fromkeys(PUBLISHED[:-1] if "original" in engine else PUBLISHED, USUAL)


def _files(checkpoint: str, tokenizer: str) -> list[str]:
    checkpoint = checkpoint or os.environ.get(CHECKPOINT, "")
    tokenizer = tokenizer or os.environ.get(TOKENIZER, "")
    if bool(checkpoint) != bool(tokenizer):
        raise ValueError(f"Detoxify needs both {CHECKPOINT} (a file) and {TOKENIZER} (a folder), or neither")
    return [checkpoint, tokenizer] if checkpoint else []


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

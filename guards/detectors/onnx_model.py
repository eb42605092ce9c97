"""An installed model at work: onnxruntime and tokenizers, neither torch nor transformers.

This file is run as the worker process.
"""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from . import models
from .models import MODEL, TOKENIZER, Model, ModelError
from .pieces import Piece, cut, prepared
from .worker_process import serve


class OnnxModel(NamedTuple):
    """A loaded model, an `Encoder`. `labels` are the first columns of its output."""

    name: str
    labels: tuple[str, ...]
    session: Any
    tokenizer: Any
    padding: int
    """The token that fills up a batch; what it stands on is not looked at."""

    @property
    def about(self) -> Mapping[str, Any]:
        return {"name": self.name, "labels": self.labels}

    def pieces(self, text: str) -> Iterator[Piece]:
        return cut(self.tokenizer, text)

    def scores(self, batch: Sequence[Sequence[int]]) -> list[list[float]]:
        import numpy as np

        width = max(map(len, batch))
        ids = np.array([[*window, *[self.padding] * (width - len(window))] for window in batch], np.int64)
        mask = np.array([[1] * len(window) + [0] * (width - len(window)) for window in batch], np.int64)
        (logits,) = self.session.run(["logits"], {"input_ids": ids, "attention_mask": mask})
        rows: list[list[float]] = (1 / (1 + np.exp(-logits[:, : len(self.labels)].astype(np.float64)))).tolist()
        return rows


def load(model: Model) -> OnnxModel:
    """As `opened`, and its scores of the manifest's sentences must be those that torch gave where it was converted."""
    loaded = opened(model)
    _same_here(loaded, model)
    return loaded


def opened(model: Model) -> OnnxModel:
    """Its files must have the hashes of its manifest. Raises `ModelError`."""
    try:
        import onnxruntime
        import tokenizers
    except ModuleNotFoundError as error:
        raise ModelError(f"{error.name} is missing: pip install 'spanward[onnx]'") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # the cores are the application's too
    try:
        session = onnxruntime.InferenceSession(model.content(MODEL), options, providers=["CPUExecutionProvider"])
        tokenizer = prepared(tokenizers.Tokenizer.from_str(model.content(TOKENIZER).decode()))
    except ModelError:
        raise
    except Exception as error:  # neither library has a common class for a file that it cannot read
        raise ModelError(
            f"{model.folder} cannot be loaded by onnxruntime {onnxruntime.__version__}: {type(error).__name__}"
        ) from error
    return OnnxModel(model.engine, model.labels, session, tokenizer, model.manifest["padding"])


def _same_here(loaded: OnnxModel, model: Model) -> None:
    """Integer arithmetic differs between processors; a model must not score differently where it is served."""
    bound = model.manifest["drift"]["bound"]
    for text, expected in model.manifest["probes"]:
        (piece,) = loaded.pieces(text)
        (row,) = loaded.scores([piece.ids])
        drift = max(abs(ours - theirs) for ours, theirs in zip(row, expected, strict=True))
        if not drift <= bound:  # not a number is no agreement
            raise ModelError(
                f"{model.name} scores differently on this machine: {drift:.3f} off where {bound:g} is allowed. "
                f"Install it again with --precision fp32"
            )


def main(folder: str) -> None:
    serve(lambda: load(models.read(Path(folder))))


if __name__ == "__main__":
    main(*sys.argv[1:])

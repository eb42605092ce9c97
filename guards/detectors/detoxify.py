"""Detoxify's published models by a loader of our own that refuses what it cannot vouch for.

The package's own loader executes pickles, asks the network for a configuration, and takes a checkpoint without one
fitting key for a model with random scores. This file is run as the worker process; only there torch is imported.
"""

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from hashlib import file_digest
from pathlib import Path
from typing import Any, NamedTuple

from .pieces import Piece, cut, prepared
from .worker_process import serve

ARCHITECTURES = frozenset(f"{kind}ForSequenceClassification" for kind in ("Bert", "Roberta", "XLMRoberta", "Albert"))
LABELS = {"toxic": "toxicity", "severe_toxic": "severe_toxicity", "identity_hate": "identity_attack"}
"""Names of the first model's classes; those of the later ones are as we want them."""


class CheckpointError(Exception):
    """The files are not a Detoxify model that can be trusted to score. The text says what to do next."""


class Detoxify(NamedTuple):
    """A loaded model, an `Encoder`. `labels` are the named outputs, in order; it may have more that are not named."""

    model: Any
    tokenizer: Any
    """Of transformers. The one of tokenizers inside it does the work."""
    labels: tuple[str, ...]
    name: str

    @property
    def about(self) -> Mapping[str, Any]:
        return {"name": self.name, "labels": self.labels}

    def pieces(self, text: str) -> Iterator[Piece]:
        return cut(self.tokenizer.backend_tokenizer, text)

    def scores(self, batch: Sequence[Sequence[int]]) -> list[list[float]]:
        import torch

        padded = self.tokenizer.pad({"input_ids": list(batch)}, return_tensors="pt")
        with torch.inference_mode():
            logits = self.model(input_ids=padded["input_ids"], attention_mask=padded["attention_mask"]).logits
        rows: list[list[float]] = torch.sigmoid(logits)[:, : len(self.labels)].tolist()
        return rows


def load(checkpoint: Path, folder: Path) -> Detoxify:
    """The model of `checkpoint`; `folder` has config.json and the tokenizer's files. Raises `CheckpointError`."""
    name = _name(checkpoint, sha256_of(checkpoint))
    saved = _saved(checkpoint)
    try:
        architecture, size = (saved["config"]["arch"]["args"][key] for key in ("model_name", "num_classes"))
        classes, state = saved["config"]["dataset"]["args"]["classes"], saved["state_dict"]
    except (KeyError, TypeError) as error:
        raise CheckpointError(f"{checkpoint.name} has no {error}: it is no Detoxify checkpoint. {_FETCH}") from error
    labels = tuple(LABELS.get(label, label) for label in classes)
    if len(labels) > size or not {"toxicity", "identity_attack"} <= set(labels):
        raise CheckpointError(f"{checkpoint.name} names the classes {', '.join(labels)} for {size} outputs. {_FETCH}")
    model = _model(checkpoint.name, architecture, size, state, folder)
    return Detoxify(model, _tokenizer(folder, model.config.vocab_size), labels, name)


def sha256_of(checkpoint: Path) -> str:
    """In hex. Raises `CheckpointError`."""
    try:
        with checkpoint.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CheckpointError(f"cannot read the checkpoint {checkpoint}: {error.strerror}. {_FETCH}") from error


def _name(checkpoint: Path, digest: str) -> str:
    """`detoxify-NAME@HASH`, by the first 8 hex digits of the file's sha256, which published names carry."""
    digest = digest[:8]
    promised = re.search(r"-([0-9a-f]{8})$", checkpoint.stem)
    if promised and promised[1] != digest:
        raise CheckpointError(f"{checkpoint.name} is damaged: its sha256 begins with {digest}. {_FETCH}")
    return f"detoxify-{checkpoint.stem.removesuffix(f'-{digest}')}@{digest}"


def _saved(checkpoint: Path) -> Any:
    import torch

    try:
        return torch.load(checkpoint, map_location="cpu", weights_only=True)
    except Exception as error:  # torch has no common class for what a broken file makes it raise
        raise CheckpointError(f"{checkpoint.name} is no checkpoint of plain tensors. {_FETCH}") from error


def _model(name: str, architecture: str, size: int, state: Mapping[str, Any], folder: Path) -> Any:
    if architecture not in ARCHITECTURES:
        raise CheckpointError(f"{name} asks for {architecture}; known are {', '.join(sorted(ARCHITECTURES))}")
    import transformers

    kind = getattr(transformers, architecture)
    try:
        (folder / "config.json").open().close()  # without one transformers takes the usual sizes, and says nothing
        config = kind.config_class.from_pretrained(folder, num_labels=size, local_files_only=True)
        model = kind(config)
        missing, unexpected = model.load_state_dict(state, strict=False)
    except (OSError, ValueError) as error:
        raise CheckpointError(f"cannot read config.json in {folder}. {_FOLDER}") from error
    except RuntimeError as error:
        raise CheckpointError(f"the sizes in {name} and in {folder / 'config.json'} differ. {_FOLDER}") from error
    unexpected = [key for key in unexpected if not key.endswith(".position_ids")]
    if missing or unexpected:
        counts = f"lacks {len(missing)} and has {len(unexpected)} unknown tensors"
        raise CheckpointError(f"{name} does not fit {architecture}: it {counts}, such as {[*missing, *unexpected][0]}")
    return model.eval()


def _tokenizer(folder: Path, vocabulary: int) -> Any:
    import transformers

    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True, use_fast=True)
    except Exception as error:  # transformers raises nearly anything here
        raise CheckpointError(f"cannot read the tokenizer in {folder}. {_FOLDER}") from error
    if not tokenizer.is_fast or len(tokenizer) != vocabulary:
        raise CheckpointError(
            f"the tokenizer in {folder} has {len(tokenizer)} words, the model {vocabulary}. {_FOLDER}"
        )
    prepared(tokenizer.backend_tokenizer)
    return tokenizer


_FETCH = "Fetch the file again from the releases of unitaryai/detoxify"
_FOLDER = "It must hold config.json and the tokenizer files of the encoder that the checkpoint was trained from"


def main(checkpoint: str, folder: str) -> None:
    def start() -> Detoxify:
        try:
            return load(Path(checkpoint), Path(folder))
        except ModuleNotFoundError as error:
            raise CheckpointError(f"{error.name} is missing: pip install 'spanward[detoxify]'") from error

    serve(start)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""A Detoxify checkpoint becomes an installed model: exported, fused, quantised, and compared with what torch says.

Needs the extra [convert]. Nothing here runs where the model is served.
"""

import json
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import version
from io import StringIO
from itertools import zip_longest
from math import inf, isnan
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast

from . import detoxify, models, onnx_model
from .models import FORMAT, LABELS, MANIFEST, MODEL, TOKENIZER
from .pieces import Encoder
from .sources import PROBES, SENTENCES

Precision = Literal["int8", "fp32"]
BOUND = 0.05
"""How far a converted probability may be from torch's, for any label and any sentence."""
QUANTISED = ["MatMul", "Attention", "Gemm"]
"""Not the embeddings: one scale for a table of all words costs accuracy, and a look-up gains no time."""
OPSET = 17
LIBRARIES = ("torch", "transformers", "tokenizers", "onnx", "onnxruntime")


class ConversionError(Exception):
    """The converted model cannot be vouched for. The text says what to do next."""


class Drift(NamedTuple):
    """For each label the largest difference between two models' probabilities, over `windows` windows of `texts`."""

    labels: Mapping[str, float]
    texts: int
    windows: int

    @property
    def largest(self) -> float:
        return max(self.labels.values())


class Wanted(NamedTuple):
    """What to make: `bound` is the largest drift that is accepted; `own` are sentences of the user's, never stored."""

    name: str
    precision: Precision
    bound: float
    own: Sequence[str]


Say = Callable[[str], None]


def convert(source: detoxify.Detoxify, digest: str, file: str, wanted: Wanted, folder: Path, say: Say) -> Drift:
    """Fill the empty `folder` with a model of `source`, the checkpoint `file` with the sha256 `digest`.

    Raises `ConversionError` where the scores differ by more than `wanted.bound`, `OSError` where it cannot be written.
    """
    with _temporaries_in(folder) as working, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter and the optimizer use their own old names
        say("exporting the graph")
        graph = exported(source.model, working / "exported.onnx")
        say("fusing its operators")
        fused(graph, source.model.config, working / "fused.onnx")
        graph.unlink()
        say("writing 8-bit weights" if wanted.precision == "int8" else "writing the weights as they are")
        (quantised if wanted.precision == "int8" else _moved)(working / "fused.onnx", folder / MODEL)
    source.tokenizer.backend_tokenizer.save(str(folder / TOKENIZER))
    (folder / LABELS).write_text(json.dumps(source.labels) + "\n")
    manifest = _manifest(source, digest, file, wanted, folder)
    _write(manifest, folder)
    say(f"comparing with torch on {len(SENTENCES) + len(wanted.own)} sentences")
    drift = compared(source, onnx_model.opened(models.read(folder)), [*SENTENCES, *wanted.own])
    if drift.largest > wanted.bound:
        raise ConversionError(_refusal(drift, wanted))
    manifest["drift"] |= {"labels": drift.labels, "texts": drift.texts, "windows": drift.windows}
    _write(manifest, folder)
    return drift


def exported(model: Any, path: Path) -> Path:
    """The graph of a transformers classifier with the inputs `input_ids` and `attention_mask`, any shape."""
    import torch

    class Logits(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            return self.model(input_ids=input_ids, attention_mask=attention_mask).logits

    attention = model.config._attn_implementation  # noqa: SLF001  transformers has no other way to ask for it
    model.set_attn_implementation("eager")  # the form that the optimizer knows
    ids = torch.ones((2, 16), dtype=torch.int64) * 5
    either = {0: "batch", 1: "length"}
    try:
        with redirect_stdout(StringIO()):
            torch.onnx.export(
                Logits().eval(),
                (ids, torch.ones_like(ids)),
                str(path),
                dynamo=False,  # what the other exporter writes is not fused: its attention stays eight operators
                opset_version=OPSET,
                input_names=["input_ids", "attention_mask"],
                output_names=["logits"],
                dynamic_axes={"input_ids": either, "attention_mask": either, "logits": {0: "batch"}},
            )
    finally:
        model.set_attn_implementation(attention)
        model.eval()
    return path


def fused(graph: Path, config: Any, path: Path) -> None:
    """Attention, skip and layer normalisation, bias and GELU become one operator each."""
    from onnxruntime.transformers import optimizer

    with _quiet():
        optimized = optimizer.optimize_model(
            str(graph),
            model_type="bert",
            num_heads=config.num_attention_heads,
            hidden_size=config.hidden_size,
            opt_level=0,
        )
        optimized.save_model_to_file(str(path))


def quantised(graph: Path, path: Path) -> None:
    """Weights of 7 bits, a scale for each column; activations are quantised as they come.

    7, since without VNNI a processor adds two products in 16 bits, which full range overflows: the same file would
    score differently from machine to machine.
    """
    from onnx import TensorProto
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with _quiet():
        quantize_dynamic(
            graph,
            path,
            op_types_to_quantize=QUANTISED,
            per_channel=True,
            reduce_range=True,
            weight_type=QuantType.QInt8,
            extra_options={"DefaultTensorType": TensorProto.FLOAT},
        )


def compared(before: Encoder, after: Encoder, texts: Sequence[str]) -> Drift:
    """Raises `ConversionError` where the two do not even cut the same windows."""
    largest = dict.fromkeys(before.labels, 0.0)
    windows = 0
    for number, text in enumerate(texts, 1):
        for piece, other in zip_longest(before.pieces(text), after.pieces(text)):
            if piece is None or other is None or list(piece.ids) != list(other.ids):
                raise ConversionError(f"the converted tokenizer reads sentence {number} differently. {_REPORT}")
            windows += 1
            rows = (before.scores([piece.ids])[0], after.scores([piece.ids])[0])
            for label, ours, theirs in zip(before.labels, *rows, strict=True):
                gap = abs(ours - theirs)
                largest[label] = max(largest[label], inf if isnan(gap) else gap)
    return Drift(largest, len(texts), windows)


def _refusal(drift: Drift, wanted: Wanted) -> str:
    said = ", ".join(f"{label} {value:.4f}" for label, value in drift.labels.items())
    further = (
        "Keep the weights as they are (--precision fp32: slower), or accept more with --max-drift"
        if wanted.precision == "int8"
        else _REPORT
    )
    return (
        f"the converted model's scores are up to {drift.largest:.4f} off torch's, {wanted.bound:g} is allowed "
        f"({said}). Nothing is installed. {further}"
    )


def _manifest(source: detoxify.Detoxify, digest: str, file: str, wanted: Wanted, folder: Path) -> dict[str, Any]:
    probes = [(text, source.scores([piece.ids])[0]) for text in PROBES for piece in source.pieces(text)]
    return {
        "format": FORMAT,
        "name": wanted.name,
        "source": {"file": file, "sha256": digest},
        "precision": wanted.precision,
        "padding": cast("int", source.tokenizer.pad_token_id),
        "files": {name: sha256((folder / name).read_bytes()).hexdigest() for name in (MODEL, TOKENIZER, LABELS)},
        "versions": {name: version(name) for name in LIBRARIES},
        "converted": datetime.now(UTC).isoformat(timespec="seconds"),
        "drift": {"bound": wanted.bound},
        "probes": probes,
    }


def _write(manifest: Mapping[str, Any], folder: Path) -> None:
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n")


def _moved(graph: Path, path: Path) -> None:
    graph.rename(path)


@contextmanager
def _temporaries_in(folder: Path) -> Iterator[Path]:
    """Also those of the libraries: the folder of models was looked at for room, the system's may be small."""
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory(dir=folder) as working:
        tempfile.tempdir = working
        try:
            yield Path(working)
        finally:
            tempfile.tempdir = before


@contextmanager
def _quiet() -> Iterator[None]:
    """The optimizer and the quantiser speak about each operator, at level INFO and WARNING, on the root logger."""
    import logging

    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(level)


_REPORT = "This is a fault of the conversion: please report it with the versions of torch, transformers and onnx"

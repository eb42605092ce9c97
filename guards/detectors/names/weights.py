"""The file of the model: a hashed table in bytes, the network, the lists; and the card beside it with its hash."""

import json
from collections.abc import Sequence
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple, cast
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import numpy as np
import numpy.typing as npt

from ..model_card import WEIGHTS, WeightsError
from .features import ROWS, WIDTH
from .gazetteer import Gazetteer
from .network import DILATIONS, DIMENSIONS, HIDDEN, LABELS, Floats, Network, network

NAME = "names-small"
SHAPE: dict[str, Any] = {
    "format": 1,
    "rows": ROWS,
    "features": WIDTH,
    "dimensions": DIMENSIONS,
    "hidden": HIDDEN,
    "dilations": list(DILATIONS),
    "labels": list(LABELS),
}
"""What the weights must have been trained with; anything else would give numbers without meaning."""
REMEDY = "Install the package again, or run `make names-model`"


class Weights(NamedTuple):
    """`table[row] * scales[row]` is a row of word features; `version` is the beginning of the hash of the file."""

    table: npt.NDArray[np.int8]
    scales: Floats
    contexts: Floats
    network: Network
    gazetteer: Gazetteer
    version: str


def pack(table: Floats, contexts: Floats, arrays: Sequence[Floats], gazetteer: Gazetteer) -> bytes:
    """The bytes of `names-small.npz`: the same for the same arrays, whenever they are made."""
    scales = (np.abs(table).max(axis=1) / 127).astype(np.float16).astype(np.float32)
    steps = np.divide(table, scales[:, None], where=scales[:, None] > 0, out=np.zeros_like(table))
    parts: dict[str, npt.NDArray[Any]] = {
        "table": np.clip(np.rint(steps), -127, 127).astype(np.int8),
        "scales": scales.astype(np.float16),
        "contexts": contexts,
        "keys": np.diff(gazetteer.keys, prepend=np.uint32(0)),
        "flags": gazetteer.flags,
    }
    parts |= {f"network_{number}": array for number, array in enumerate(arrays)}
    file = BytesIO()
    with ZipFile(file, "w", ZIP_STORED) as archive:
        for name, array in parts.items():
            one = BytesIO()
            np.save(one, np.ascontiguousarray(array), allow_pickle=False)
            archive.writestr(ZipInfo(f"{name}.npy"), one.getvalue(), ZIP_STORED)
    return file.getvalue()


def load(folder: Path = WEIGHTS) -> Weights:
    """Of `names-small.npz` and `names-small.json` in `folder`. Raises `WeightsError`."""
    path = folder / f"{NAME}.npz"
    card, stored = _card(folder), _content(path)
    wrong = [f"{key} is {card.get(key)}, not {value}" for key, value in SHAPE.items() if card.get(key) != value]
    if wrong:
        raise WeightsError(f"{folder / NAME}.json was made by another version: {'; '.join(wrong)}. {REMEDY}")
    if sha256(stored).hexdigest() != card.get("sha256"):
        raise WeightsError(f"{path} is not the file that {NAME}.json was written for. {REMEDY}")
    with np.load(BytesIO(stored), allow_pickle=False) as parts:
        arrays = [np.asarray(parts[f"network_{number}"], np.float32) for number in range(2 * len(DILATIONS) + 2)]
        keys = np.cumsum(parts["keys"], dtype=np.uint32)
        return Weights(
            parts["table"],
            parts["scales"].astype(np.float32),
            parts["contexts"],
            network(arrays),
            Gazetteer(keys, parts["flags"]),
            str(card["sha256"])[:12],
        )


def _card(folder: Path) -> dict[str, Any]:
    path = folder / f"{NAME}.json"
    try:
        found = json.loads(_content(path))
    except ValueError as error:
        raise WeightsError(f"{path} is not JSON: {error}. {REMEDY}") from error
    if not isinstance(found, dict):
        raise WeightsError(f"{path} is no card. {REMEDY}")
    return cast("dict[str, Any]", found)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise WeightsError(f"cannot read {path}: {error.strerror}. {REMEDY}") from error

"""The file beside the baseline's weights: what they were trained with, and the thresholds. Read without numpy."""

import json
from pathlib import Path
from typing import Any, cast

WEIGHTS = Path(__file__).parent.parent / "weights"
REMEDY = "Install the package again, or run `make baseline`"


class WeightsError(Exception):
    """The files of the model are not there, or not what they should be."""


def read_card(folder: Path = WEIGHTS) -> dict[str, Any]:
    """`baseline.json` of `folder`. Raises `WeightsError`."""
    try:
        return cast("dict[str, Any]", json.loads(content(folder / "baseline.json")))
    except ValueError as error:
        raise WeightsError(f"{folder / 'baseline.json'} is not JSON: {error}. {REMEDY}") from error


def content(path: Path) -> bytes:
    """Raises `WeightsError`."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise WeightsError(f"cannot read {path}: {error.strerror}. {REMEDY}") from error

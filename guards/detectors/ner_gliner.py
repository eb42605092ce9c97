"""The engine `gliner:FOLDER`: a GLiNER model on disk. Brings torch into the process.

It is told to read local files only. What its encoder does was never tried with a real model: start the process with
`HF_HUB_OFFLINE=1`, which is not ours to set where the application may be in the same process.
"""

from pathlib import Path
from threading import Lock
from typing import Any

from .detector import Hit
from .ner import EngineError
from .ner_labels import entity
from .stretches import Stretch, stretches

EXPLANATION = "ner: gliner"
ASKED = ("person", "location", "street address", "organization", "nationality")
LEAST = 0.3
BLOCK, OVERLAP = 1000, 200
"""Characters. GLiNER cuts off what is behind its 384th word."""


class GlinerNer:
    """Asked from several threads; the model itself answers one at a time."""

    def __init__(self, model: Any, engine: str) -> None:
        self._model = model
        self._lock = Lock()
        self.engine = engine
        self.entities = frozenset(map(entity, ASKED))

    def find(self, text: str) -> list[Hit]:
        return [hit for block in stretches(text, BLOCK, OVERLAP) for hit in self._in(text, block)]

    def _in(self, text: str, block: Stretch) -> list[Hit]:
        with self._lock:
            found = self._model.predict_entities(text[block.start : block.end], list(ASKED), threshold=LEAST)
        hits = [_hit(part, block.start) for part in found]
        return sorted((hit for hit in hits if hit.label and block.owns(hit.start)), key=lambda hit: hit.start)


def _hit(part: dict[str, Any], offset: int) -> Hit:
    start, end, score = offset + part["start"], offset + part["end"], round(float(part["score"]), 3)
    return Hit(entity(part["label"]), start, end, score, EXPLANATION)


def load(folder: str) -> GlinerNer:
    """Raises `EngineError` where the library or the model is missing."""
    path = Path(folder)
    if not (path / "gliner_config.json").is_file():
        raise EngineError(f"{folder} is no GLiNER model: it needs gliner_config.json, the weights and the tokenizer")
    try:
        from gliner import GLiNER  # type: ignore[import-not-found]  # not among what we test with
    except ImportError as error:
        raise EngineError(f"the engine gliner needs {error.name}: install gliner") from error
    try:
        model = GLiNER.from_pretrained(str(path), local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        raise EngineError(f"gliner cannot read the model in {folder}: {type(error).__name__}") from error
    return GlinerNer(model, f"gliner:{path.name}")

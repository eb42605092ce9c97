"""The engine `transformers:FOLDER`: a token classification model on disk, in safetensors. Nothing is downloaded.

Brings torch and transformers into the process: seconds at the start and some hundred megabytes.
"""

from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any

from .detector import Hit
from .ner import EngineError
from .ner_labels import entities, entity

EXPLANATION = "ner: transformers"
LONGEST = 512


class TransformersNer:
    """Asked from several threads; the model itself answers one at a time. Long texts go through it in windows."""

    def __init__(self, pipeline: Any, engine: str) -> None:
        self._pipeline = pipeline
        self._lock = Lock()
        self.engine = engine
        self.entities = entities(tuple(pipeline.model.config.id2label.values()))

    def find(self, text: str) -> list[Hit]:
        if not text.strip():
            return []
        with self._lock:
            found = self._pipeline(text)
        return sorted(
            (
                Hit(label, int(part["start"]), int(part["end"]), round(float(part["score"]), 3), EXPLANATION)
                for part in found
                if (label := entity(part["entity_group"])) and part["end"] > part["start"]
            ),
            key=lambda hit: hit.start,
        )


def load(folder: str) -> TransformersNer:
    """Raises `EngineError` where a library or a file is missing, or the model is not what the engine needs."""
    path = Path(folder)
    weights = sorted(path.glob("*.safetensors"))
    if not (path / "config.json").is_file() or not weights:
        raise EngineError(f"{folder} is no model of transformers: it needs config.json, *.safetensors and a tokenizer")
    try:
        import torch  # noqa: F401  transformers only says so later, and less clearly
        from transformers import AutoModelForTokenClassification, AutoTokenizer, TokenClassificationPipeline
    except ImportError as error:
        raise EngineError(f"the engine transformers needs {error.name}: install torch and transformers") from error
    try:
        tokenizer = AutoTokenizer.from_pretrained(path, local_files_only=True)
        model, told = AutoModelForTokenClassification.from_pretrained(
            path, local_files_only=True, use_safetensors=True, output_loading_info=True
        )
    except (OSError, ValueError, KeyError) as error:
        raise EngineError(f"transformers cannot read the model in {folder}: {type(error).__name__}") from error
    if told["missing_keys"]:
        raise EngineError(f"the weights in {folder} lack {len(told['missing_keys'])} tensors of a token classifier")
    if not tokenizer.is_fast:
        raise EngineError(
            f"the tokenizer in {folder} cannot tell where its tokens stand: save tokenizer.json beside it"
        )
    model.eval()
    tokenizer.model_max_length = min(tokenizer.model_max_length, LONGEST, _positions(model.config))
    pipeline = TokenClassificationPipeline(  # type: ignore[no-untyped-call]
        model=model,
        tokenizer=tokenizer,
        aggregation_strategy="first",
        stride=tokenizer.model_max_length // 4,
        device=-1,
    )
    made = TransformersNer(pipeline, f"transformers:{path.name}@{_digest(weights)}")
    if not made.entities:
        raise EngineError(f"the model in {folder} finds none of PERSON, LOCATION, ADDRESS, ORGANIZATION, NRP")
    return made


def _positions(config: Any) -> int:
    """How long a text may be: RoBERTa's kin count two places more than they have."""
    return int(getattr(config, "max_position_embeddings", LONGEST + 2)) - 2


def _digest(files: list[Path]) -> str:
    digest = sha256()
    for path in files:
        with path.open("rb") as file:
            while part := file.read(1 << 20):
                digest.update(part)
    return digest.hexdigest()[:12]

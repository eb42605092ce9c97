"""The engine `spacy:MODEL`: a pipeline that is installed as a package, or saved in a folder. Nothing is downloaded."""

from pathlib import Path
from threading import Lock
from typing import Any

from .detector import Hit
from .ner import EngineError
from .ner_labels import entities, entity
from .presidio import without
from .stretches import Stretch, stretches

SCORE = 0.85
"""A pipeline does not say how sure it is; presidio gives its entities this score as well."""
EXPLANATION = "ner: spacy"
_READ = ("ner", "entity_ruler", "span_ruler")
_NEEDLESS = ("tagger", "parser", "lemmatizer", "attribute_ruler", "morphologizer", "senter")
BLOCK, OVERLAP = 50_000, 1000


class SpacyNer:
    """Asked from several threads; the pipeline itself answers one at a time."""

    def __init__(self, pipeline: Any) -> None:
        self._pipeline = pipeline
        self._lock = Lock()
        labels = {label for name in _READ for label in pipeline.pipe_labels.get(name, ())}
        self.entities = entities(labels)
        self.engine = f"spacy:{pipeline.meta['lang']}_{pipeline.meta['name']} {pipeline.meta['version']}"

    def find(self, text: str) -> list[Hit]:
        return [hit for block in stretches(text, BLOCK, OVERLAP) for hit in self._in(text, block)]

    def _in(self, text: str, block: Stretch) -> list[Hit]:
        with self._lock:
            document = self._pipeline(text[block.start : block.end])
        hits = [
            Hit(label, block.start + found.start_char, block.start + found.end_char, SCORE, EXPLANATION)
            for found in document.ents
            if (label := entity(found.label_))
        ]
        return [hit for hit in hits if block.owns(hit.start)]


def load(model: str) -> SpacyNer:
    """Raises `EngineError` where spaCy or the model is missing, or the model names none of our entities."""
    try:
        with without("torch", "transformers"):  # spaCy takes them along where they are installed
            import spacy

            # what names do not need costs three quarters of the time
            pipeline = spacy.load(Path(model) if Path(model).is_dir() else model, exclude=_NEEDLESS)
    except ImportError as error:
        raise EngineError(f"the engine spacy:{model} needs a library that is not there ({error.name}): "
                          "install spacy; pipelines that need torch are not for this engine") from error  # fmt: skip
    except (OSError, ValueError) as error:
        raise EngineError(f"spaCy has no pipeline {model!r} here: install its package (for example "
                          "`pip install en_core_web_sm` from your own index) or name a folder") from error  # fmt: skip
    made = SpacyNer(pipeline)
    if not made.entities:
        raise EngineError(f"the pipeline {model!r} finds none of PERSON, LOCATION, ADDRESS, ORGANIZATION, NRP")
    return made

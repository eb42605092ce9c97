"""Names of people, places and organisations, and postal addresses: which engine finds them, behind one seam.

`builtin-small` is a model of our own that the package carries; it needs numpy and nothing else. The others use what the
person who runs it has installed and put on disk; none of them ever asks the network. `transformers` and `gliner` bring
torch into the process that asks for them; `builtin-small`, `spacy` and `off` do not.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Protocol, cast

from .detector import Hit

DEFAULT = "builtin-small"
ENGINES = {
    "builtin-small": ("", ".names.recognizer:load"),
    "spacy": ("MODEL", ".ner_spacy:load"),
    "transformers": ("FOLDER", ".ner_transformers:load"),
    "gliner": ("FOLDER", ".ner_gliner:load"),
    "off": ("", ".ner:Off"),
}
"""What follows the colon, and where the engine is made."""


class EngineError(ValueError):
    """The engine that somebody named cannot be brought up. The message says what to write or to install."""


class Ner(Protocol):
    """Made once by `recognizer`, and then asked from several threads at a time."""

    @property
    def engine(self) -> str:
        """Which model answers, with its version or the hash of its weights (`builtin-small@1c0f…`). No path."""
        ...

    @property
    def entities(self) -> frozenset[str]:
        """What it can find: some of PERSON, LOCATION, ADDRESS, ORGANIZATION, NRP."""
        ...

    def find(self, text: str) -> list[Hit]:
        """All it sees in a text of any length, in order, no overlaps; `Hit.explanation` is `ner: ` and its kind."""
        ...


def parse(engine: str) -> tuple[str, str]:
    """`("spacy", "en_core_web_sm")` of `spacy:en_core_web_sm`; nothing is loaded. Raises `EngineError`."""
    kind, _, argument = engine.partition(":")
    wanted = ENGINES.get(kind, ("", ""))[0]
    if kind not in ENGINES or bool(wanted) != bool(argument):
        known = ", ".join(f"{name}:{rest}" if rest else name for name, (rest, _) in ENGINES.items())
        raise EngineError(f"no engine for names is called {engine!r}; write one of {known}")
    return kind, argument


def recognizer(engine: str = DEFAULT) -> Ner:
    """The engine of that name, loaded and ready. Raises `EngineError`, and `WeightsError` for damaged weights."""
    kind, argument = parse(engine)
    module, _, attribute = ENGINES[kind][1].partition(":")
    make = cast("Callable[..., Ner]", getattr(import_module(module, __package__), attribute))
    return make(argument) if argument else make()


class Off:
    """Nobody looks for names."""

    engine = "off"
    entities: frozenset[str] = frozenset()

    def find(self, text: str) -> list[Hit]:  # noqa: ARG002  the seam's signature
        return []

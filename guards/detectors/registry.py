"""Which detectors there are: our own, and those that other packages bring by the entry point `spanward.detectors`."""

from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import cast

from .detector import Detector

GROUP = "spanward.detectors"
OWN = {
    "pii": ".pii:Pii",
    "secrets": ".secrets:Secrets",
    "toxicity": ".toxicity:Toxicity",
}


def names() -> tuple[str, ...]:
    """Every detector that a policy may name, in alphabetical order."""
    return tuple(sorted({*OWN, *_foreign()}))


def detector_class(name: str) -> type[Detector]:
    """The class behind a name of `names()`; its heavy libraries are not imported yet. Raises `KeyError`."""
    if name in OWN:
        module, _, attribute = OWN[name].partition(":")
        return cast("type[Detector]", getattr(import_module(module, __package__), attribute))
    return cast("type[Detector]", _foreign()[name].load())


def _foreign() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}

"""Which detectors there are: our own, and those that other packages bring by the entry point `spanward.detectors`."""

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any, cast

from pydantic import BaseModel

from .detector import Detector

GROUP = "spanward.detectors"
OWN = {
    "allow_list": ".lists:AllowList",
    "deny_list": ".lists:DenyList",
    "hidden_text": ".hidden_text:HiddenText",
    "injection": ".injection:Injection",
    "json_schema": ".json_schema:JsonSchema",
    "keywords": ".keywords:Keywords",
    "language": ".language:Language",
    "length": ".length:Length",
    "pii": ".pii:Pii",
    "regex": ".regex:Regex",
    "secrets": ".secrets:Secrets",
    "stereotype": ".stereotype:Stereotype",
    "topic": ".topic:Topic",
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


def options_model(cls: type[Detector]) -> type[BaseModel] | None:
    """What may be said about a detector of this class, or None if nothing may."""
    return getattr(cls, "Options", None)


def labels_of(cls: type[Detector], options: BaseModel | None) -> Mapping[str, float]:
    """The labels that a detector with these options has, each with its usual threshold."""
    labels_for = getattr(cls, "labels_for", None)
    found: Mapping[str, float] = labels_for(options) if labels_for and options is not None else cls.labels
    return found


def make(name: str, options: Mapping[str, Any]) -> Detector:
    """The detector of a name of `names()`, brought up. Raises what its constructor raises."""
    cls = cast("Any", detector_class(name))
    model = options_model(cls)
    made: Detector = cls(model.model_validate(options)) if model else cls()
    return made


def _foreign() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}

"""Detectors that read a placeholder as what it once stood for: recorded texts hold `<US_SSN_1>` and no number."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from .detectors.detector import Detector, Hit
from .pipeline import bring_up, placeholder_name
from .rules import Policy

PLACEHOLDER = re.compile(r"<([A-Z][A-Z0-9_]*?)_\d+>|\[([A-Z][A-Z0-9_]*)\]")
"""A pseudonym, or a mask."""
WHY = "a placeholder stands here"


class Remembering:
    """A detector that also finds each placeholder of its labels, with score 1: that what it stands for would be found
    again is taken for granted, since it is gone.
    """

    def __init__(self, detector: Detector) -> None:
        self.detector = detector

    def __getattr__(self, name: str) -> Any:
        return getattr(self.detector, name)

    def detect(self, texts: Sequence[str], labels: frozenset[str]) -> Sequence[Sequence[Hit]]:
        named = {placeholder_name(label): label for label in labels}
        found = self.detector.detect(texts, labels)
        return [[*hits, *_remembered(text, named)] for text, hits in zip(texts, found, strict=True)]


def _remembered(text: str, named: Mapping[str, str]) -> Iterator[Hit]:
    for found in PLACEHOLDER.finditer(text):
        if label := named.get(found[1] or found[2]):
            yield Hit(label, found.start(), found.end(), 1.0, WHY)


def remembering(policy: Policy, made: dict[str, Detector]) -> dict[str, Detector]:
    """The detectors of `policy`, each remembering. Those in `made` are used again, new ones put there.

    Raises `DetectorUnavailable`.
    """
    named = dict.fromkeys(name for rule in policy.rules for name in rule.detect)
    return {name: _one(policy, name, made) for name in named}


def _one(policy: Policy, name: str, made: dict[str, Detector]) -> Detector:
    wanted = policy.made(name)
    key = json.dumps([wanted.kind, wanted.options], sort_keys=True)
    if key not in made:
        made[key] = cast("Detector", Remembering(bring_up(name, wanted)))
    return made[key]


def placeholders(text: str) -> set[str]:
    """The names of the placeholders in `text`."""
    return {found[1] or found[2] for found in PLACEHOLDER.finditer(text)}

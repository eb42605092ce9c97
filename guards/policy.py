"""The policy: which detectors look at what, and what is done about a finding.

>>> from spanward.guards.policy import load
>>> load("default").name
'default'
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from .model_errors import mistakes_of
from .policy_detect import Detectors, Known, declared, know, section_mistakes, split
from .policy_file import Place, PolicyError, line_of
from .policy_mistakes import rule_mistakes, rules_in
from .policy_schema import schema
from .policy_source import SHIPPED, Layer, Source, Texts, files_in, layers_of, locate
from .rules import Choice, Defaults, Policy, Rule

__all__ = [
    "SHIPPED", "Choice", "Loaded", "Policy", "PolicyError", "Rule", "files_in", "load", "loaded", "locate", "schema",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Loaded:
    """A policy with the files that it was read from, those that it extends first."""

    policy: Policy
    sources: tuple[Source, ...]

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file that the policy was read from."""
        return tuple(source.path for source in self.sources)

    def line(self, rule: str, *keys: str | int) -> str:
        """`file:line` of a key of a rule, or of the nearest thing around it."""
        for source in reversed(self.sources):
            for n, said in rules_in(source.data):
                if said.get("name") == rule:
                    return f"{source.path}:{line_of(source.lines, ('rules', n, *keys))}"
        raise KeyError(rule)

    def detector_line(self, name: str, *keys: str | int) -> str:
        """`file:line` of a detector that the policy makes."""
        for source in reversed(self.sources):
            if name in declared(source.data):
                return f"{source.path}:{line_of(source.lines, ('detectors', name, *keys))}"
        raise KeyError(name)


def load(path: str | Path) -> Policy:
    """A policy from a YAML file, a folder of them, or a shipped one by its bare name. Raises `PolicyError`."""
    return loaded(path).policy


def loaded(path: str | Path, texts: Texts | None = None) -> Loaded:
    """As `load`, with the files. `texts` are read instead of files. Raises `PolicyError`, which names every mistake."""
    located = locate(str(path), Path())
    layers = layers_of(located, texts=texts)
    known, problems = _made(layers)
    policies: list[Policy] = []
    for layer in layers:
        mistakes, said = _validated(layer, Detectors(known))
        problems += mistakes
        policies += said
    if problems:
        raise PolicyError("\n".join(problems))
    own = len(policies) - len(layers[-1])
    merged = _merged(policies[:own], policies[own:], located.resolve().stem)
    return Loaded(merged, tuple(chain.from_iterable(layers)))


def _made(layers: Iterable[Layer]) -> tuple[dict[str, Known | None], list[str]]:
    """The detectors that the files make, an heir's in place of its base's, and what is wrong with them."""
    known: dict[str, Known | None] = {}
    problems: list[str] = []
    for layer in layers:
        by_name: dict[str, str] = {}
        for source in layer:
            mistakes = list(section_mistakes(source.data))
            for name, said in declared(source.data).items():
                place: Place = ("detectors", name)
                known[name], wrong = know(name, said, place)
                mistakes += wrong
                if name in by_name:
                    mistakes.append((place, f"there is a detector {name!r} already, in {by_name[name]}"))
                by_name[name] = source.path.name
            problems += _said(source, mistakes)
    return known, problems


def _validated(layer: Layer, detectors: Detectors) -> tuple[list[str], list[Policy]]:
    """Each file of a layer as a policy of its own, with the thresholds of all labels; or what is wrong with it."""
    problems: list[str] = []
    policies: list[Policy] = []
    rules: dict[str, str] = {}
    singles: dict[str, str] = {}
    for source in layer:
        data = source.data
        mistakes = [mistake for n, rule in rules_in(data) for mistake in detectors.resolve(rule, ("rules", n))]
        wrong = {place[1] for place, _ in mistakes if isinstance(place[1], int)}
        try:
            policies.append(Policy.model_validate({**data, "detectors": _kinds(data)}))
        except ValidationError as error:
            mistakes += mistakes_of(error, Policy)
        mistakes += rule_mistakes(data, rules, wrong)
        mistakes += _said_twice(data, singles)
        rules |= {str(rule.get("name")): source.path.name for _, rule in rules_in(data)}
        singles |= dict.fromkeys(_singles(data), source.path.name)
        problems += _said(source, mistakes)
    return problems, policies


def _kinds(data: Mapping[str, Any]) -> dict[str, Any]:
    """`detectors:` of a file, those that are right, in the form that a policy keeps."""
    parted = ((name, *split(name, said)) for name, said in declared(data).items())
    return {
        name: {"kind": kind, "options": options}
        for name, kind, options in parted
        if isinstance(kind, str) and isinstance(options, dict)
    }


def _singles(data: Mapping[str, Any]) -> Iterator[str]:
    """What only one file of a folder may say: the name, and each of the defaults."""
    defaults = data.get("defaults")
    yield from (key for key in ("name",) if key in data)
    yield from (f"defaults.{key}" for key in defaults) if isinstance(defaults, dict) else ()


def _said_twice(data: Mapping[str, Any], singles: Mapping[str, str]) -> Iterator[tuple[Place, str]]:
    for key in _singles(data):
        if key in singles:
            yield tuple(key.split(".")), f"{key!r} is said already, in {singles[key]}"


def _said(source: Source, mistakes: Sequence[tuple[Place, str]]) -> list[str]:
    return str(source.complaint(mistakes)).splitlines() if mistakes else []


def _merged(base: Sequence[Policy], own: Sequence[Policy], name: str) -> Policy:
    """Base first; a rule or detector of the same name takes the place of the base's. `name` is for a policy of none."""
    policies = (*base, *own)
    said = {key: getattr(policy.defaults, key) for policy in policies for key in policy.defaults.model_fields_set}
    return Policy(
        version=1,
        name=next((policy.name for policy in own if policy.name), name),
        extends=next((policy.extends for policy in own if policy.extends), None),
        defaults=Defaults(**said),
        detectors={name: made for policy in policies for name, made in policy.detectors.items()},
        rules=tuple({rule.name: rule for policy in policies for rule in policy.rules}.values()),
    )

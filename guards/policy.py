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
from .policy_file import Lines, Place, PolicyError, complain, did_you_mean, line_of, read
from .policy_mistakes import rule_mistakes, rules_in
from .policy_schema import schema
from .rules import Choice, Defaults, Policy, Rule

__all__ = ["Choice", "Loaded", "Policy", "PolicyError", "Rule", "load", "loaded", "schema"]

SHIPPED = Path(__file__).parent / "policies"


@dataclass(frozen=True, slots=True)
class Source:
    """One file of a policy: what it says, and where."""

    path: Path
    data: dict[str, Any]
    lines: Lines


Layer = Sequence[Source]
"""A file, or the files of a folder in the order of their names. A layer extends the one before it."""


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


def loaded(path: str | Path) -> Loaded:
    """As `load`, with the files. Raises `PolicyError`, which names every mistake in all of them."""
    located = locate(str(path), Path())
    layers = _layers(located, ())
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


def locate(named: str, beside: Path) -> Path:
    """A bare name is a shipped policy, unless a file of that name lies there; a folder is told by a `/`."""
    path = beside / named
    if path.is_file() or "/" in named or path.suffix:
        return path
    shipped = SHIPPED / f"{named}.yaml"
    if shipped.exists():
        return shipped
    if path.exists():
        return path
    raise PolicyError(f"{named}: no such policy{did_you_mean(named, (p.stem for p in SHIPPED.glob('*.yaml')))}")


def _layers(path: Path, heirs: tuple[Path, ...]) -> list[Layer]:
    """The policy at `path` and before it all that it extends."""
    layer = [Source(file, *read(file)) for file in files_in(path)]
    extending = [source for source in layer if source.data.get("extends") is not None]
    if len(extending) > 1:
        text = f"only one file of a folder may extend, and {extending[0].path.name} does"
        raise _complain(extending[1], [(("extends",), text)])
    if not extending:
        return [layer]
    source = extending[0]
    try:
        base = locate(str(source.data["extends"]), source.path.parent)
    except PolicyError as error:
        raise _complain(source, [(("extends",), str(error))]) from None
    if base.resolve() in {path.resolve(), *heirs}:
        raise _complain(source, [(("extends",), f"{source.data['extends']!r} extends this policy in turn")])
    if base.parent == path:
        raise _complain(source, [(("extends",), f"{source.data['extends']!r} is a file of this folder already")])
    if not base.exists():
        raise _complain(source, [(("extends",), f"no such file: {source.data['extends']!r}")])
    return [*_layers(base, (*heirs, path.resolve())), layer]


def files_in(path: Path) -> list[Path]:
    """The files of a policy that is one, or a folder of them. Raises `PolicyError`."""
    if not path.is_dir():
        return [path]
    found = sorted(p for p in path.iterdir() if p.suffix in {".yaml", ".yml"} and not p.name.startswith("."))
    if not found:
        raise PolicyError(f"{path}: no policy files (*.yaml) in this folder")
    return found


def _complain(source: Source, mistakes: Iterable[tuple[Place, str]]) -> PolicyError:
    return complain(source.path, source.lines, mistakes)


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
        try:
            policies.append(Policy.model_validate({**data, "detectors": _kinds(data)}))
        except ValidationError as error:
            mistakes += mistakes_of(error, Policy)
        mistakes += rule_mistakes(data, rules)
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
    return str(_complain(source, mistakes)).splitlines() if mistakes else []


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

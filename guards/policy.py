"""The policy: which detectors look at what, and what is done about a finding.

>>> from spanward.guards.policy import load
>>> load("default").name
'default'
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from .detectors import registry
from .judgement import Stage
from .policy_file import Lines, Place, PolicyError, complain, did_you_mean, read

__all__ = ["Policy", "PolicyError", "Rule", "load", "schema"]

RuleAction = Literal["allow", "flag", "redact", "pseudonymise", "block"]
OnFailure = Literal["block", "flag", "allow"]
RuleMode = Literal["enforce", "shadow"]
SHIPPED = Path(__file__).parent / "policies"
IN_THE_WAY: frozenset[RuleAction] = frozenset({"redact", "pseudonymise", "block"})


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Patterns = Annotated[tuple[str, ...], BeforeValidator(_listed)]
"""Glob patterns (`*`, `?`, `[…]`), case-sensitive; one, or a list of which one must match."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class When(_Strict):
    """What a rule applies to; what is not said matches everything."""

    stage: Annotated[tuple[Stage, ...], BeforeValidator(_listed), Field(min_length=1)] = get_args(Stage)
    app: Patterns = ()
    environment: Patterns = ()
    provider: Patterns = ()
    model: Patterns = ()
    prompt: Patterns = ()
    user_group: Patterns = ()
    tags: Patterns = ()


class Stream(_Strict):
    """How streamed output waits for the rule: `window` holds back at most that many characters."""

    mode: Literal["window", "buffer", "observe"] = "window"
    window: Annotated[int, Field(ge=64, le=100_000)] = 400


class Defaults(_Strict):
    """What holds for rules that do not say; `timeout_ms` is for all detectors of one check together."""

    on_error: OnFailure = "block"
    on_timeout: OnFailure = "block"
    timeout_ms: Annotated[int, Field(gt=0, le=600_000)] = 2000


class Rule(_Strict):
    """Detectors with their labels and thresholds, and what is done about a finding that reaches its threshold."""

    name: Annotated[str, Field(min_length=1)]
    when: When = When()
    detect: Annotated[dict[str, dict[str, float]], Field(min_length=1)]
    action: RuleAction
    restore: bool = False
    reply: str | None = None
    mode: RuleMode = "enforce"
    on_error: OnFailure | None = None
    on_timeout: OnFailure | None = None
    stream: Stream | None = None

    @property
    def in_the_way(self) -> bool:
        """Whether the call waits for this rule; the others are judged off its path."""
        return self.mode == "enforce" and self.action in IN_THE_WAY


class Policy(_Strict):
    """A policy with everything resolved: inherited rules in, every label with its threshold."""

    version: Literal[1]
    name: str = ""
    extends: str | None = None
    defaults: Defaults = Defaults()
    rules: tuple[Rule, ...] = ()

    @cached_property
    def hash(self) -> str:
        """Of what the policy says, not of how its file is written: 12 hexadecimal digits."""
        said = self.model_dump(mode="json", exclude={"extends"})
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:12]


def load(path: str | Path) -> Policy:
    """A policy from a YAML file, or a shipped one by its bare name. Raises `PolicyError`."""
    return _load(_locate(str(path), Path()), ())


def schema() -> dict[str, Any]:
    """JSON Schema of a policy file, with the labels of every detector that is installed."""
    made = Policy.model_json_schema()
    rule = made["$defs"]["Rule"]["properties"]
    rule["detect"] = {
        "type": "object",
        "minProperties": 1,
        "additionalProperties": False,
        "properties": {name: _detector_schema(name) for name in registry.names()},
    }
    for key in When.model_fields:
        one_or_list = made["$defs"]["When"]["properties"][key]
        made["$defs"]["When"]["properties"][key] = {"anyOf": [one_or_list, one_or_list["items"]]}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Spanward policy", **made}


def _detector_schema(name: str) -> dict[str, Any]:
    cls = registry.detector_class(name)
    labels = sorted(cls.labels)
    threshold = {"type": "number", "minimum": 0, "maximum": 1}
    chosen = {
        "anyOf": [
            {"type": "object", "additionalProperties": False, "properties": dict.fromkeys(labels, threshold)},
            {"type": "array", "items": {"enum": labels}},
        ]
    }
    return {"type": "object", "additionalProperties": False, "properties": {cls.noun: chosen}}


def _locate(named: str, beside: Path) -> Path:
    """A bare name is a shipped policy, unless a file of that name lies there."""
    path = beside / named
    if not path.exists() and not path.suffix and "/" not in named:
        shipped = SHIPPED / f"{named}.yaml"
        if not shipped.exists():
            known = (p.stem for p in SHIPPED.glob("*.yaml"))
            raise PolicyError(f"{named}: no such policy{did_you_mean(named, known)}")
        return shipped
    return path


def _load(path: Path, heirs: tuple[Path, ...]) -> Policy:
    data, lines = read(path)
    mistakes = list(_resolve_detectors(data))
    try:
        own = Policy.model_validate({"name": path.stem, **data})
    except ValidationError as error:
        mistakes += _explained(error)
    mistakes += _rule_mistakes(data)
    if mistakes:
        raise complain(path, lines, mistakes)
    return _inherit(own, path, lines, (*heirs, path.resolve()))


def _inherit(own: Policy, path: Path, lines: Lines, heirs: tuple[Path, ...]) -> Policy:
    """The base's rules come first; a rule of the same name takes the place of the base's."""
    if own.extends is None:
        return own
    try:
        base_path = _locate(own.extends, path.parent)
    except PolicyError as error:
        raise complain(path, lines, [(("extends",), str(error))]) from None
    if base_path.resolve() in heirs:
        raise complain(path, lines, [(("extends",), f"{own.extends!r} extends this policy in turn")])
    if not base_path.exists():
        raise complain(path, lines, [(("extends",), f"no such file: {own.extends!r}")])
    base = _load(base_path, heirs)
    rules = {rule.name: rule for rule in (*base.rules, *own.rules)}
    said = own.defaults.model_fields_set
    defaults = base.defaults.model_copy(update={key: getattr(own.defaults, key) for key in said})
    return own.model_copy(update={"rules": tuple(rules.values()), "defaults": defaults})


def _rules(data: Mapping[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    rules = data.get("rules")
    for n, rule in enumerate(rules if isinstance(rules, list) else ()):
        if isinstance(rule, dict):
            yield n, rule


def _resolve_detectors(data: dict[str, Any]) -> Iterator[tuple[Place, str]]:
    """Put thresholds beside the labels of every rule, in place; yields what is wrong with them."""
    for n, rule in _rules(data):
        detect = rule.get("detect")
        if not isinstance(detect, dict):
            continue
        for name, options in list(detect.items()):
            place: Place = ("rules", n, "detect", str(name))
            if name not in registry.names():
                yield place, f"unknown detector {name!r}{did_you_mean(name, registry.names())}"
            elif options is not None and not isinstance(options, dict):
                yield place, f"the options of {name!r} are a mapping; write {{}} for none"
            else:
                yield from _resolve_labels(name, options or {}, detect, place)
            if name in detect and not _is_thresholds(detect[name]):
                detect[name] = {}


def _is_thresholds(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(number, float) for number in value.values())


def _resolve_labels(
    name: str, options: dict[str, Any], detect: dict[str, Any], place: Place
) -> Iterator[tuple[Place, str]]:
    cls = registry.detector_class(name)
    for key in options.keys() - {cls.noun}:
        yield (*place, str(key)), f"unknown key {key!r}{did_you_mean(key, [cls.noun])}"
    chosen = options.get(cls.noun)
    if chosen is None:
        opt_in: frozenset[str] = getattr(cls, "opt_in", frozenset())
        chosen = [label for label in cls.labels if label not in opt_in]
    if not isinstance(chosen, dict | list):
        yield (*place, cls.noun), f"`{cls.noun}` is a list of names, or a mapping of names to thresholds"
        return
    thresholds = {}
    for n, label in enumerate(chosen):
        here: Place = (*place, cls.noun, n if isinstance(chosen, list) else str(label))
        threshold = chosen[label] if isinstance(chosen, dict) else cls.labels.get(str(label))
        if label not in cls.labels:
            noun = {"entities": "entity", "labels": "label"}.get(cls.noun, cls.noun)
            yield here, f"unknown {noun} {label!r} of {name!r}{did_you_mean(label, cls.labels)}"
        elif isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0 <= threshold <= 1:
            yield here, f"the threshold of {label!r} is a number from 0 to 1, not {threshold!r}"
        else:
            thresholds[label] = float(threshold)
    detect[name] = thresholds


def _rule_mistakes(data: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    """What no single field can tell: options that the action would ignore, and names given twice."""
    seen: set[str] = set()
    for n, rule in _rules(data):
        name, action = rule.get("name"), rule.get("action")
        if name in seen:
            yield ("rules", n, "name"), f"there is a rule {name!r} already"
        seen.add(str(name))
        if rule.get("restore") and action != "pseudonymise":
            yield ("rules", n, "restore"), "only `action: pseudonymise` can be restored"
        if rule.get("reply") is not None and action != "block":
            yield ("rules", n, "reply"), "only `action: block` has a reply"


def _explained(error: ValidationError) -> Iterator[tuple[Place, str]]:
    for found in error.errors(include_url=False):
        place = tuple(found["loc"])
        key = place[-1] if place else ""
        if found["type"] == "extra_forbidden":
            yield place, f"unknown key {key!r}{did_you_mean(key, _keys_at(place[:-1]))}"
        elif found["type"] == "missing":
            yield place, f"{key!r} is missing"
        elif found["type"] == "literal_error":
            yield place, f"{found['input']!r} is no {_noun(place)}{_meant(found)}"
        else:
            yield place, f"{key!r}: {found['msg'][0].lower()}{found['msg'][1:]}"


def _noun(place: Place) -> object:
    return place[-2] if isinstance(place[-1], int) and len(place) > 1 else place[-1]


def _meant(found: Any) -> str:
    expected = found["ctx"]["expected"].replace(" or ", ", ").split(", ")
    return did_you_mean(found["input"], (word.strip("'") for word in expected))


_MODELS: dict[Place, type[BaseModel]] = {
    (): Policy,
    ("defaults",): Defaults,
    ("rules",): Rule,
    ("rules", "when"): When,
    ("rules", "stream"): Stream,
}


def _keys_at(place: Place) -> list[str]:
    return list(_MODELS[tuple(key for key in place if isinstance(key, str))].model_fields)

"""What a policy file says about detectors: `detectors:` makes them, `detect:` of a rule names their labels."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from .detectors import registry
from .detectors.detector import Detector
from .model_errors import mistakes_of
from .policy_file import Place, did_you_mean
from .rules import RuleAction

Mistakes = Iterator[tuple[Place, str]]


@dataclass(frozen=True, slots=True)
class Known:
    """A detector that rules may name. `usual` are the labels, with thresholds, of a rule that names none.

    `needs` says what the options must say for a label that they leave out; empty if there is none.
    """

    kind: str
    noun: str
    labels: Mapping[str, float]
    usual: Mapping[str, float]
    needs: Callable[[str], str] = lambda _: ""


def declared(data: Mapping[str, Any]) -> dict[str, Any]:
    """The section `detectors:`, as it is written; empty if it is no mapping."""
    section = data.get("detectors")
    return {str(name): said for name, said in section.items()} if isinstance(section, dict) else {}


def section_mistakes(data: Mapping[str, Any]) -> Mistakes:
    """A section that is there and is no mapping."""
    if not isinstance(data.get("detectors", {}), dict | None):
        yield ("detectors",), "`detectors` is a mapping of names to what each is made of: `kind` and options"


def split(name: str, said: Any) -> tuple[Any, Any]:
    """The kind and the options of an entry of `detectors:`."""
    if not isinstance(said, dict):
        return name, {} if said is None else said
    return said.get("kind", name), {key: value for key, value in said.items() if key != "kind"}


def know(name: str, said: Any, place: Place) -> tuple[Known | None, list[tuple[Place, str]]]:
    """The detector that an entry makes, or what is wrong with the entry."""
    kind, options = split(name, said)
    if not isinstance(options, dict):
        return None, [(place, f"what {name!r} is made of is a mapping; write {{}} for nothing")]
    if kind not in registry.names():
        has_kind = isinstance(said, dict) and "kind" in said
        hint = did_you_mean(kind, registry.names())
        text = f"unknown kind of detector {kind!r}" if has_kind else f"no detector is called {name!r}; say its `kind`"
        return None, [((*place, "kind") if has_kind else place, f"{text}{hint}")]
    try:
        cls = registry.detector_class(kind)
    except Exception as error:  # noqa: BLE001  another package's module may fail in any way
        return None, [(place, f"the detector {kind!r} cannot be imported: {type(error).__name__}: {error}")]
    return _with_options(kind, cls, options, place)


def _with_options(
    kind: str, cls: type[Detector], options: dict[str, Any], place: Place
) -> tuple[Known | None, list[tuple[Place, str]]]:
    model = registry.options_model(cls)
    if model is None:
        return (None, [((*place, key), f"the detector {kind!r} has no options") for key in options]) if options else (
            _known(kind, cls, None), []
        )  # fmt: skip
    try:
        return _known(kind, cls, model.model_validate(options)), []
    except ValidationError as error:
        return None, [((*place, *where), text) for where, text in mistakes_of(error, model)]


def _known(kind: str, cls: type[Detector], options: BaseModel | None) -> Known:
    labels = registry.labels_of(cls, options)
    opt_in: frozenset[str] = getattr(cls, "opt_in", frozenset())
    usual = {label: threshold for label, threshold in labels.items() if label not in opt_in}
    return Known(kind, cls.noun, labels, usual, getattr(cls, "needs", lambda _: ""))


class Detectors:
    """The detectors that the rules of a policy may name: those that it makes, and all that are installed."""

    def __init__(self, made: Mapping[str, Known | None]) -> None:
        """`made` holds None for an entry that is wrong, which was said: rules that name it are not wrong too."""
        self._known = dict(made)
        self._installed = registry.names()

    def resolve(self, rule: dict[str, Any], place: Place) -> Mistakes:
        """Put a threshold, and an action where one is said, beside each label of `rule`, in place."""
        detect = rule.get("detect")
        if not isinstance(detect, dict):
            return
        resolved: dict[str, dict[str, Any]] = {}
        for key, said in detect.items():
            name = str(key)
            here: Place = (*place, "detect", name)
            resolved[name] = {}
            if name not in self._known and name not in self._installed:
                yield here, f"unknown detector {name!r}{did_you_mean(name, {*self._known, *self._installed})}"
                continue
            if name not in self._known:
                self._known[name], mistakes = know(name, None, here)
                yield from (_must_be_made(name, each) for each in mistakes)
            known = self._known[name]
            if said is not None and not isinstance(said, dict):
                yield here, f"the options of {name!r} are a mapping; write {{}} for none"
            elif known:
                yield from _labels(name, known, said or {}, resolved[name], here)
        rule["detect"] = resolved


def _must_be_made(name: str, mistake: tuple[Place, str]) -> tuple[Place, str]:
    place, text = mistake
    return place, f"the detector {name!r} must be told more, under `detectors:`: {text}"


def _labels(name: str, known: Known, said: dict[Any, Any], resolved: dict[str, Any], place: Place) -> Mistakes:
    for key in said.keys() - {known.noun}:
        yield (*place, str(key)), f"unknown key {key!r}{did_you_mean(key, [known.noun])}"
    chosen = said.get(known.noun)
    if chosen is None:
        chosen = list(known.usual)
    if not isinstance(chosen, dict | list):
        yield (*place, known.noun), f"`{known.noun}` is a list of names, or a mapping of names to thresholds"
        return
    for n, label in enumerate(chosen):
        here: Place = (*place, known.noun, n if isinstance(chosen, list) else str(label))
        if not isinstance(label, str) or label not in known.labels:
            noun = {"entities": "entity", "labels": "label"}.get(known.noun, known.noun)
            needs = known.needs(str(label))
            yield (
                here,
                (
                    f"{noun} {label!r} of {name!r} needs {needs}, under `detectors:`"
                    if needs
                    else f"unknown {noun} {label!r} of {name!r}{did_you_mean(label, known.labels)}"
                ),
            )
            continue
        choice, mistakes = _choice(label, chosen[label] if isinstance(chosen, dict) else None, known, here)
        yield from mistakes
        if not mistakes:
            resolved[label] = choice


def _choice(label: str, said: Any, known: Known, place: Place) -> tuple[dict[str, Any], list[tuple[Place, str]]]:
    """`said` is a threshold, `{threshold, action}` of which either may be missing, or nothing for the usual."""
    given = said if isinstance(said, dict) else {} if said is None else {"threshold": said}
    choice = {"threshold": known.labels[label], **given}
    threshold, action = choice["threshold"], choice.get("action")
    mistakes = [
        ((*place, str(key)), f"unknown key {key!r}{did_you_mean(key, ('threshold', 'action'))}")
        for key in choice.keys() - {"threshold", "action"}
    ]
    if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0 <= threshold <= 1:
        where = (*place, "threshold") if isinstance(said, dict) else place
        mistakes.append((where, f"the threshold of {label!r} is a number from 0 to 1, not {threshold!r}"))
    if action is not None and action not in get_args(RuleAction):
        mistakes.append(((*place, "action"), f"{action!r} is no action{did_you_mean(action, get_args(RuleAction))}"))
    return choice, mistakes

"""Checks and decisions as plain dicts, for JSON between the application and the sidecar. Unknown keys are refused."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any, TypeVar, get_args

from .judgement import (
    Action,
    Check,
    Context,
    Decision,
    Edit,
    GuardEvent,
    Mode,
    Side,
    Stage,
    StreamMode,
    StreamPlan,
    Verdict,
)
from .messages import Message, Part, PartKind

_WORD = re.compile("[a-z_]{1,30}")
T = TypeVar("T")
Plain = dict[str, Any]


class WireError(ValueError):
    """The other side sent something else than this version speaks; the text says where."""


def check_to_json(check: Check) -> Plain:
    """A check as dicts, lists, strings and numbers."""
    return asdict(check)


def check_from_json(data: object) -> Check:
    """The check again. Raises `WireError`."""
    plain = _mapping("check", data)
    return _make(
        Check,
        "check",
        plain,
        messages=_messages("check.messages", plain.get("messages", ())),
        context=_make(Context, "check.context", _mapping("check.context", plain.get("context", {}))),
    )


def decision_to_json(decision: Decision) -> Plain:
    """A decision as dicts, lists, strings and numbers. It holds originals where a rule restores them."""
    plain = {each.name: getattr(decision, each.name) for each in fields(decision)}
    return {
        **plain,
        "messages": [asdict(message) for message in decision.messages],
        "events": [asdict(event) for event in decision.events],
        "edits": [asdict(edit) for edit in decision.edits],
        "pseudonyms": dict(decision.pseudonyms),
        "stream": asdict(decision.stream),
    }


def decision_from_json(data: object) -> Decision:
    """The decision again. Raises `WireError`."""
    plain = _mapping("decision", data)
    pseudonyms = _mapping("decision.pseudonyms", plain.get("pseudonyms", {}))
    if not all(isinstance(value, str) for value in pseudonyms.values()):
        raise WireError("decision.pseudonyms: originals are strings")
    return _make(
        Decision,
        "decision",
        plain,
        messages=_messages("decision.messages", plain.get("messages", ())),
        events=_several(GuardEvent, "decision.events", plain.get("events", ())),
        edits=_several(Edit, "decision.edits", plain.get("edits", ())),
        pseudonyms=pseudonyms,
        stream=_make(StreamPlan, "decision.stream", _mapping("decision.stream", plain.get("stream", {}))),
    )


_CHOICES: dict[Any, tuple[str, ...]] = {
    alias: get_args(alias) for alias in (Side, Stage, Mode, Verdict, Action, StreamMode, PartKind)
}
_SCALARS: dict[Any, tuple[type, ...]] = {str: (str,), int: (int,), bool: (bool,), float: (int, float)}


def _make(cls: type[T], where: str, data: Mapping[str, Any], **ready: Any) -> T:
    """`data` as a dataclass; fields in `ready` are converted already, all others are checked here."""
    known = {each.name: each.type for each in fields(cls)}  # type: ignore[arg-type]  # every cls here is a dataclass
    if unknown := data.keys() - known.keys():
        raise WireError(f"{where}: unknown key {_quoted(min(unknown))}")
    plain = {key: _value(f"{where}.{key}", known[key], value) for key, value in data.items() if key not in ready}
    try:
        return cls(**plain, **ready)
    except TypeError as error:
        raise WireError(f"{where}: {str(error).partition('() ')[2]}") from None


def _value(where: str, kind: Any, value: Any) -> Any:
    if kind in _CHOICES:
        if value not in _CHOICES[kind]:
            raise WireError(f"{where}: {_quoted(value)} is none of {', '.join(_CHOICES[kind])}")
        return value
    if kind in _SCALARS:
        fits = isinstance(value, _SCALARS[kind]) and (kind is bool or not isinstance(value, bool))
        return value if fits else _refuse(where, value)
    if kind == str | None:
        return value if value is None or isinstance(value, str) else _refuse(where, value)
    items = _sequence(where, value)  # what is left is a tuple of strings, or a path of strings and numbers
    return tuple(item if isinstance(item, str | int) else _refuse(where, item) for item in items)


def _quoted(value: object) -> str:
    """A word of another version, as it came; anything else may be content, which no error quotes."""
    return repr(value) if isinstance(value, str) and _WORD.fullmatch(value) else "what stands there"


def _refuse(where: str, value: object) -> Any:
    raise WireError(f"{where}: cannot be of type {type(value).__name__}")


def _mapping(where: str, data: object) -> Plain:
    return data if isinstance(data, dict) else _refuse(where, data)


def _sequence(where: str, data: object) -> Sequence[Any]:
    return data if isinstance(data, list | tuple) else _refuse(where, data)


def _several(cls: type[T], where: str, data: object) -> tuple[T, ...]:
    return tuple(
        _make(cls, f"{where}[{n}]", _mapping(f"{where}[{n}]", item)) for n, item in enumerate(_sequence(where, data))
    )


def _messages(where: str, data: object) -> tuple[Message, ...]:
    made = []
    for n, item in enumerate(_sequence(where, data)):
        here = f"{where}[{n}]"
        plain = _mapping(here, item)
        made.append(_make(Message, here, plain, parts=_several(Part, f"{here}.parts", plain.get("parts", ()))))
    return tuple(made)

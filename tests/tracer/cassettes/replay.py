"""How the traffic of one provider is replayed: what each `replays/PROVIDER.py` gives as REPLAY."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .tape import Exchange, Json

Part = tuple[str, Any]
"""(kind, text), or ("tool_call", (name, arguments))"""


@dataclass(frozen=True)
class Said:
    """What a recorded answer says, read without any of our code. Empty: it does not say."""

    model: str = ""
    id: str = ""
    reasons: tuple[str, ...] = ()
    tokens: dict[str, int] | None = None
    """Counts by the conventions' names: the input with everything cached, the output with all reasoning."""
    parts: list[Part] = field(default_factory=list)


def _model_of(said: Exchange) -> str:
    return str(said.request["model"])


@dataclass(frozen=True)
class Replay:
    """`call` makes the recorded request again with the library, pointed at an address, and reads a stream to its end.
    It raises what the library raises. `skip` says why an exchange cannot be asked again, '' if it can."""

    folder: str
    library: str
    call: Callable[[Exchange, str], None]
    said: Callable[[Exchange], Said]
    skip: Callable[[Exchange], str] = lambda said: ""
    errors: dict[int, str] = field(default_factory=dict)
    """The library's exception type by status."""
    asked_model: Callable[[Exchange], str] = _model_of


def known(method: Any, body: Json) -> Json:
    """Arguments for a method of a Stainless SDK: what it has no name for goes along as it would for a person."""
    names = method.__wrapped__.__annotations__ if hasattr(method, "__wrapped__") else {}
    extra = {name: value for name, value in body.items() if names and name not in names}
    return {
        **{name: value for name, value in body.items() if name not in extra},
        **({"extra_body": extra} if extra else {}),
    }


def at(value: Any, *path: Any) -> int:
    """A count below `value`, 0 where there is none."""
    for step in path:
        value = (value or {}).get(step)
    return value or 0

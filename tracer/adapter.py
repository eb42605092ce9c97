"""What an adapter hands to the engine: pure functions from one library's objects to the typed record, and back.

An adapter never opens a span, never calls a guard and never patches anything: it says where the library's methods
are and how to read and rewrite what goes in and out of them. The engine does everything else.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ..guards.messages import PartKind, Path
from .call import ModelCall

Kwargs = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of streamed text: `channel` names the growing text it belongs to, `where` its place in the chunk.

    With `whole` set, `text` repeats the channel's full text (OpenAI's `*.done` events): the engine replaces it by
    what was delivered, instead of adding to it.
    """

    channel: Hashable
    text: str
    where: Path
    kind: PartKind = "text"
    json: bool = False
    whole: bool = False


@dataclass(frozen=True, slots=True)
class ChunkView:
    """What one chunk holds. `closes` names channels after which no more text comes: held text goes out before it."""

    deltas: tuple[Delta, ...] = ()
    closes: tuple[Hashable, ...] = ()


class StreamReader(Protocol):
    """Follows the chunks of one streamed call."""

    def read(self, chunk: Any) -> ChunkView:
        """Take note of usage, ids and finish reasons in `chunk`, and say which texts it holds."""
        ...

    def filler(self, channel: Hashable, text: str) -> Any:
        """A chunk of the library's own type that carries `text` for `channel`, like those seen before."""
        ...

    def finish(self, call: ModelCall, texts: Mapping[Hashable, str]) -> None:
        """Fill the record's output, usage, model and finish reasons; `texts` is what may be recorded, by channel."""
        ...


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of a library, in its sync and async class."""

    module: str
    sync_class: str
    async_class: str
    method: str
    request: Callable[[Any, Kwargs], ModelCall]
    """(resource instance, keyword arguments) -> record; every part's `where` is a path into the keyword arguments."""
    response: Callable[[ModelCall, Any], None]
    """Fill the record from a whole response; every output part's `where` is a path into the response object."""
    reader: Callable[[ModelCall], StreamReader]
    reply: Callable[[ModelCall, str], Any]
    """A canned answer in the library's own response type."""
    reply_chunks: Callable[[ModelCall, str], Iterable[Any]]
    """The same answer as the chunks of a stream."""
    streams: Callable[[Kwargs], bool]
    """Whether these keyword arguments ask for a stream."""


@dataclass(frozen=True, slots=True)
class Adapter:
    """One library: `distribution` is its name on PyPI, `oldest` and `below` the versions that were tested."""

    library: str
    distribution: str
    oldest: str
    below: str
    endpoints: tuple[Endpoint, ...]

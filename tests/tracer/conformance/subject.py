"""What an adapter gives to join the conformance suite: its library, pointed at a fake that speaks its wire format.

One module a library in `subjects/`, with `SUBJECT = Subject(...)` or `SUBJECTS = (...)`; see `subjects/openai.py`. The
suite finds it there: `python -m pytest tests/tracer/conformance -k NAME`. Library imports stand inside functions.
What has a default here was added later: give it where it applies.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from spanward.collector.demo.provider_answers import Behaviour

Json = dict[str, Any]


@dataclass(frozen=True)
class Ask:
    """One question, in nobody's format. `model` may end in the words that steer the fake (see `provider_answers`)."""

    model: str
    text: str
    system: str = ""
    image: bytes = b""
    """A PNG beside the text."""
    tool: Json | None = None
    """{"name": …, "description": …, "parameters": JSON schema}"""
    result: str = ""
    """What `tool` said when the model called it a turn ago: those two turns go along (feature `results`)."""
    schema: Json | None = None
    """JSON schema of the answer."""


def _asks_for_stream(body: Json) -> bool:
    return body.get("stream") is True


@dataclass(frozen=True)
class Route:
    """One POST route of a fake. Parameters of `path` (Starlette's syntax) are put into the decoded body.

    `model` is read from the body, and its steering words are obeyed by the server itself: errors (once or always),
    `slow`, `midstream`. `answer` and `frames` get the body and the behaviour, and use `provider_answers` for what to
    say; a frame is one chunk of the stream, encoded as the provider does.
    """

    path: str
    answer: Callable[[Json, Behaviour], Json | bytes]
    frames: Callable[[Json, Behaviour], Iterator[str | bytes]] | None = None
    streams: Callable[[Json], bool] = _asks_for_stream
    media_type: str = "text/event-stream"
    error: Callable[[int, str], Json] = lambda status, said: {"error": {"code": status, "message": said}}
    """(status, text) -> the provider's own error body."""
    headers: Callable[[int], dict[str, str]] = lambda status: {}
    """(status) -> headers of the answer; one without a content type is JSON (a stream: `media_type`)."""


@dataclass(frozen=True)
class Subject:
    """An adapter under test. `client` and `async_client` get (address of the fake, retries, timeout in seconds).

    `ask` and `stream` get a client of either kind, and give what the library gives for it: an awaitable for an async
    one, or for a stream also the async iterator itself. `text` reads a whole answer, `chunk_text` one chunk ('' if it
    has none). `features` are those of FEATURES that the library has; the suite skips the others.
    """

    name: str
    library: str
    provider: str
    model: str
    routes: tuple[Route, ...]
    client: Callable[[str, int, float], Any]
    async_client: Callable[[str, int, float], Any] | None
    ask: Callable[[Any, Ask], Any]
    stream: Callable[[Any, Ask], Any] | None
    text: Callable[[Any], str]
    chunk_text: Callable[[Any], str] = str
    operation: str = "chat"
    features: frozenset[str] = frozenset({"tools", "schema", "images", "retry", "usage", "stream_usage"})
    tool_call: Callable[[Any], tuple[str, Json]] | None = None
    """(name, arguments) of the tool call in a whole answer."""
    managed: bool = False
    """`stream` gives a context manager, which asks on entering."""
    canned: bool = True
    """A rule's `reply` comes in the library's own type; else a block always raises."""
    streams_only: bool = False
    """Another way to a stream; its whole answers are those of another subject, and are not tested again."""
    counted: Callable[[Json], tuple[int, int]] | None = None
    """(input, output tokens) of what `Route.answer` gave, where `oracle.counted` does not know the provider's names."""
    reasons: Callable[[Json], tuple[str, ...]] | None = None
    """Finish reasons of what `Route.answer` gave, where `oracle.reasons` does not know the provider's names."""
    close: Callable[[Any], Any] | None = None
    """What closes a client, where it has none of `aclose`, `close`, `__aexit__`, `__exit__`; may give an awaitable."""
    http_spans: bool = True
    """The library's attempts are child spans: it uses a transport that we watch."""
    generators: bool = False
    """Streams are generators of the library's own: to close one and to drop it is the same to what it reads from."""
    unlike: tuple[tuple[str, str], ...] = ()
    """(name of a test, why it cannot hold for this library): skipped with that reason."""


FEATURES = {
    "tools": "calls tools",
    "schema": "answers by a JSON schema",
    "images": "reads images",
    "retry": "the library itself repeats a refused request (429, 500)",
    "usage": "a whole answer tells its tokens",
    "results": "takes the result of a tool call",
    "stream_usage": "a stream tells its tokens, if need be because we asked",
}

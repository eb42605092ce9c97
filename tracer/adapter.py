"""The contract of an adapter: pure functions from one library's objects to the typed record, and back.

An adapter says where the library's methods are, and how to read and rewrite what goes in and out of them. It never
opens a span, calls a guard or patches anything: the engine does. Most need `Endpoint` with `request`, `response`,
`reader`, `reply` and `reply_stream`, and one `Adapter` around them; everything else is for libraries that differ.
Whatever one of these functions raises is counted, and the application's call goes on; only `CallersError` reaches it.

Paths (`where`) of a request lead through dicts and lists only, whatever the caller gave: `request` puts dicts in the
place of the library's objects (a turn of an earlier answer put back), and lists in the place of tuples and one-shot
iterators, in the keyword arguments themselves, and never touches what the caller owns below them (`fields.plain`). An
edit copies what it changes on the way down. Where a part is `json` and its place holds an object (anthropic's tool
input, a whole part of an unknown type) and not a string, the edited text is decoded before it is put there.
Paths of a response lead through attributes or keys and list indices: `response` reads objects and decoded JSON alike.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any, NamedTuple, Protocol

from ..guards.messages import Message, PartKind, Path
from .call import ModelCall
from .operation import Operation

Kwargs = dict[str, Any]


class CallersError(Exception):
    """What an iterator of the application raised while `request` read it in the library's place: not ours to keep."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


def never(_: object) -> bool:
    """Of `Endpoint.streams` where nothing is streamed, and of `QuickReader.adds` where every chunk is read."""
    return False


def always(_: object) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of a library that asks a model, sync and async. Several endpoints may be on one: see `applies`.

    `sync_method` and `async_method` are dotted names within `module`: `Completions.create`, or a function's name; ''
    where there is none. Positional arguments reach `request` by the names of the method's own signature. "Instance" is
    the object whose method was called, None for a function.
    """

    module: str
    sync_method: str
    async_method: str
    request: Callable[[Any, Kwargs], ModelCall]
    """(instance, keyword arguments) -> record. The `where` of every part is a path into the keyword arguments."""
    response: Callable[[ModelCall, Any], None]
    """(record, whole answer) -> None: fill the record. The `where` of every part is a path into the answer."""
    _: KW_ONLY
    reader: "Callable[[ModelCall], StreamReader] | None" = None
    """record -> what follows its stream. None where nothing is streamed."""
    streams: Callable[[Kwargs], bool] = never
    """keyword arguments -> whether they ask for a stream."""
    reply: Callable[[ModelCall, str], Any] | None = None
    """(record, text) -> a canned answer in the library's own response type. A block raises where this is None or gives
    None."""
    reply_stream: Callable[[Any, ModelCall, str], Any] | None = None
    """(instance, record, text) -> the canned answer as the library's own stream object, sync or async as the instance
    is, so that `isinstance`, `close` and `response` hold for it too. None as in `reply`."""

    # which calls of the method are meant, and what else they do
    applies: Callable[[Any, Kwargs], bool] | None = None
    """(instance, keyword arguments) -> whether this is a call of this endpoint, where the method does other things
    too. Asked for every call of the method: it has to be cheap. Any other call goes through untouched."""
    names: tuple[str, ...] = ()
    """Names for what is given by position, where the method itself says `*args`; it takes them by these names too."""
    outermost: bool = False
    """Calls to a model that this one makes through other libraries are this call, and are not told once more."""
    lazy: bool = False
    """The method is a generator function (an async one in async classes): nothing happens before the first `next`, and
    it gives its iterator without an `await`. Always a stream; no span before the first `next`."""
    manager: "Manager | None" = None
    """Set where the method gives a context manager that makes the request. Always a stream."""

    # what goes out or comes back is not what `request` and `response` read
    send: Callable[[Kwargs], Kwargs] | None = None
    """guarded keyword arguments -> those that the method takes, asked right before it is called: where `request`
    decoded what has to be sent encoded (the body of Bedrock's `invoke_model`). It must not fail."""
    codec: "Codec | None" = None
    """Set where the chunks of a stream have to be decoded to be read; the reader gets what it opened."""
    whole_codec: "Codec | None" = None
    """The same for whole answers; `response` gets what it opened."""
    raw: "Raw | None" = None
    """In the place of the adapter's, where the plain call itself gives what is not decoded yet; `reply` and
    `reply_stream` then give that too."""
    validates: bool = False
    """The method validates the answer against the application's types: it is asked for raw, restored, then parsed."""
    edited: Callable[[Kwargs, Any], None] | None = None
    """(keyword arguments as the application gave them, whole answer) -> None: called after texts in the answer were
    changed, to bring into line what the library had made of them before."""
    extra_usage: "ExtraUsage | None" = None
    """Set where a stream tells token counts only when asked."""


@dataclass(frozen=True, slots=True)
class Around:
    """A method that is work around model calls: a search in a store, a tool of a server. Methods as in `Endpoint`."""

    module: str
    sync_method: str
    async_method: str
    begin: Callable[[Any, Kwargs], Operation]
    """(instance, keyword arguments) -> record. Changes nothing of the arguments."""
    done: Callable[[Operation, Any], None]
    """(record, what the method gave) -> None: fill the record. Changes nothing of that, and reads no iterator."""
    _: KW_ONLY
    applies: Callable[[Any, Kwargs], bool] | None = None
    """As in `Endpoint`."""
    private: bool = False
    """The library tells whom it talks to which span is OpenTelemetry's current one: not of ours, then."""


@dataclass(frozen=True, slots=True)
class Adapter:
    """One library: `distribution` is its name on PyPI, tested from version `oldest` up to, and without, `below`.

    It may have endpoints, methods around, a listener, or all of these.
    """

    library: str
    distribution: str
    oldest: str
    below: str
    endpoints: tuple[Endpoint, ...] = ()
    around: tuple[Around, ...] = ()
    raw: "Raw | None" = None
    """Set where the library can hand out its HTTP response in the place of the parsed object."""
    apart: frozenset[str] | None = None
    """Arguments that are no content (credentials, headers, addresses, settings of the transport). Texts in all others
    that no part of the record covers are judged as well: see `leftover`. None where arguments are not looked through.
    """
    listen: "Callable[[Narrator], Callable[[], None]] | None" = None
    """narrator -> what undoes it. For a framework that tells by itself what it does (callbacks, an event bus, a tracing
    processor): register with it, and tell the narrator."""
    listens_to: str = ""
    """The module at whose import `listen` is called; '' for the library itself."""
    native_provider: Callable[[Any], Any] | None = None
    """instance -> the tracer provider that the library's own spans of this call would go to, or None. Where that is
    ours, they are not made within the call, so that nobody sees it twice; those of an application's own stay."""
    native_tracer: tuple[str, str, str] | None = None
    """(module, class, property) from which the library takes its own tracer: it gives None within such a call."""
    native_hooks: tuple[tuple[str, str], ...] = ()
    """(module, dotted method) of methods `(…, request) -> request` in which a library begins its own span, where it has
    no property to take a tracer from: within such a call they give the request back as it is."""


class Delta(NamedTuple):
    """A piece of streamed text: `channel` names the growing text it belongs to, `where` its place in the chunk.

    With `whole` set, `text` repeats the channel's full text (OpenAI's `*.done` events): the engine replaces it by
    what was delivered, instead of adding to it. Where nothing was delivered yet, it is the channel's only text.
    """

    channel: Hashable
    text: str
    where: Path
    kind: PartKind = "text"
    json: bool = False
    whole: bool = False


class ChunkView(NamedTuple):
    """What one chunk holds. `closes` names channels after which no more text comes: held text goes out before it.

    A channel that is both in `deltas` and in `closes` ends with this chunk: its held text goes out in the delta's
    place. A closed channel may open again (a server that writes text, a tool call, and text again).
    """

    deltas: tuple[Delta, ...] = ()
    closes: tuple[Hashable, ...] = ()


Lane = Callable[[Hashable], list[str] | None]


def no_lane(channel: Hashable) -> list[str] | None:  # noqa: ARG001  the face of `QuickReader.lane`
    """Of a stream whose every chunk has to be read."""
    return None


class StreamReader(Protocol):
    """Follows the chunks of one streamed call.

    A reader may have one method more, for the chunks that a long stream is made of (see `QuickReader`).
    """

    def read(self, chunk: Any) -> ChunkView:
        """Take note of usage, ids and finish reasons in `chunk`, and say which texts it holds."""
        ...

    def filler(self, channel: Hashable, text: str) -> Any:
        """A chunk of the library's own type that carries `text` for `channel`, like those seen before."""
        ...

    def finish(self, call: ModelCall, texts: Mapping[Hashable, str]) -> None:
        """Fill the record's output, usage, model and finish reasons; `texts` is what may be recorded, by channel."""
        ...


class QuickReader(StreamReader, Protocol):
    """A reader that does the chunks that only add to one text, and need not be read, for next to nothing."""

    lane: Lane
    """channel -> where its texts go, None while guards have to look at them. The list of a channel stays the same.
    `no_lane` at first; the engine sets it before it calls `adds`."""

    def adds(self, chunk: Any) -> bool:
        """Whether the chunk only adds a text to one channel, and it was put into the list of that.

        It gets the chunk as it came, no codec asked, and may raise where it is another one, which is read then. A chunk
        with the probabilities of its tokens says more than its text. Each step counts, for of a chunk nothing else of
        ours is as dear; and the chunk is not kept, since an application may change it.
        """
        ...


class Raw(Protocol):
    """How a library hands out its HTTP response instead of the parsed object (`with_raw_response` and its like).

    The engine edits the JSON of a whole answer in the response itself, so that the text, the JSON and every later
    `parse()` agree; for a stream it makes `parse()` give its proxy. What is read line by line past `parse()` is
    neither guarded nor restored.
    """

    def asked(self, kwargs: Kwargs) -> str:
        """'' (parsed object), 'read' (raw, body read) or 'unread' (raw, body not read yet: call `read` first)."""
        ...

    def ask(self, kwargs: Kwargs) -> Kwargs:
        """A copy of the keyword arguments that asks for 'read'."""
        ...

    def read(self, raw: Any) -> Any:
        """Read the body; an awaitable in async classes."""
        ...

    def body(self, raw: Any) -> Any:
        """The decoded JSON of a body that was read, None if it is not JSON."""
        ...

    def put(self, raw: Any, body: Any) -> None:
        """Make `body` what the response holds."""
        ...

    def parse(self, raw: Any) -> Any:
        """The library's parsed object or stream; an awaitable in some async classes."""
        ...

    def install(self, raw: Any, parsed: Any) -> None:
        """Make the application's `parse()` give `parsed`; call it after `parse`."""
        ...


class Codec(Protocol):
    """Chunks and whole answers that hide what they say in bytes of their own encoding (Bedrock's `invoke_model`
    streams), or that cannot be changed (strings).
    """

    def open(self, chunk: Any) -> Any:
        """What it says, as an object that paths lead through."""
        ...

    def put(self, chunk: Any, opened: Any) -> Any:
        """Make `opened`, which was edited, what it says. Gives the chunk, or another one in its place."""
        ...


class Manager(Protocol):
    """A method that makes no request itself but gives a context manager, which requests on entering.

    The engine calls the method as it is (so that wrong arguments fail where they always did), takes the pending
    request out of the manager, and puts a request of its own there: it guards, calls the method again if the
    guards changed the arguments, runs the pending request and gives its stream's proxy. No span before entering.
    """

    def take(self, manager: Any) -> Any:
        """The pending request: a function of no arguments (sync), an awaitable (async). Close one you drop."""
        ...

    def put(self, manager: Any, pending: Any) -> None:
        """Put a function or an awaitable of the same kind in its place."""
        ...


class ExtraUsage(Protocol):
    """How to have a stream tell its token counts that the application did not ask for, without it noticing."""

    def ask(self, instance: Any, kwargs: Kwargs, hosts: tuple[str, ...]) -> Kwargs | None:
        """A copy of the keyword arguments that asks for usage, None where the application decided or it is not safe.

        `hosts` are patterns of servers that the user says take the question, besides those that are known to.
        """
        ...

    def hides(self, chunk: Any) -> bool:
        """Whether this chunk came only because we asked: it is not delivered. Takes every other trace of the question
        out of the chunk.
        """
        ...


class Narrator(Protocol):
    """Whom a framework's listener tells about operations. None of it raises; all of it may be called from any thread.

    `key` is the framework's own id of the operation, unique while it is open.
    """

    def begin(self, key: Hashable, record: Operation | ModelCall, parent: Hashable | None = None) -> None:
        """An operation began: its span is a child of the open one whose key is `parent`, else of what is current.

        A model call is told here too, where a client without an adapter may make it: it becomes a span only if none
        of our wrappers sees a call in this context (`contextvars`) before it ends. Fill the record until then.
        """
        ...

    def end(self, key: Hashable, found: tuple[Message, ...] = (), error: BaseException | None = None) -> None:
        """It ended. May block while guards look at it; on an event loop they look in another thread."""
        ...

    def waits(self, key: Hashable) -> bool:
        """Whether it is worth filling the record: a model call may have been seen by a wrapper of ours."""
        ...

    def drop(self, key: Hashable) -> None:
        """There was none after all (an answer out of a cache): it becomes no span."""
        ...

    def follow(self, current: Callable[[], Hashable | None]) -> Callable[[], None]:
        """Register how to ask the framework which operation the calling code runs in (its own context variable):
        model calls made there become children of it. Gives what undoes that.
        """
        ...

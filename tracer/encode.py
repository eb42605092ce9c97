"""Our finished spans as OTLP bytes: what `opentelemetry-exporter-otlp-proto-common` writes, in a fraction of the time.

Protobuf by hand, and no protobuf library in the application's process: a field is its key, the length and the bytes.
The resource and the scope are the same in every frame of a process and are encoded once, the names of attributes once
each. Spans with events or links, which we never make, go the library's way. A test holds both to the same bytes.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from struct import Struct, pack
from typing import Any

from opentelemetry.trace import SpanKind

from . import health
from .own_tracer import MOST_ATTRIBUTES, NO_STATE, UNSET, OwnSpan
from .segment import frame, varint
from .usual import Usual

RESOURCE_SPANS = b"\x0a"
"""Key of field 1, `resource_spans`, of a request."""
SCOPE_SPANS, SPANS = b"\x12", b"\x12"
"""Keys of field 2: `scope_spans` of resource spans, `spans` of scope spans."""
SPAN_ATTRIBUTE, RESOURCE_ATTRIBUTE, SCOPE_ATTRIBUTE = b"\x4a", b"\x0a", b"\x1a"
STRING = b"\x0a"
"""Key of a value's field 1, `string_value`."""
_times = Struct("<cQcQ").pack
"""Fields 7 and 8, when it began and ended, with their keys."""
HAS_IS_REMOTE = b"\x85\x01" + pack("<I", 0x100)
IS_REMOTE = b"\x85\x01" + pack("<I", 0x300)
BYTES = [bytes((number,)) for number in range(0x80)]
"""Numbers below 128 as varints."""
SMALL = [b"\x18" + number for number in BYTES]
"""The same as values."""
SHORT = 62
"""A name and a value below this are below 128 together."""
LONG = 16_000
"""A text of 128 bytes and more, but below this: its length, and that of what it stands in, take two bytes."""
STRINGS = [bytes((size + 2, 0x0A, size)) for size in range(SHORT)]
"""What stands before a short text: the length of the value, the key of its string, the length of that."""
KINDS = {kind: bytes((0x30, kind.value + 1)) for kind in SpanKind}
"""Field 6, by kind: the enum of protobuf begins with `unspecified`."""
CLIENT = KINDS[SpanKind.CLIENT]
MOST_NAMES = 1000
"""So many names of attributes are remembered: an adapter writes a few dozen, an application may make up any."""

MOST_WORDS = 500
"""So many names of spans and lists of one word are remembered as they are written."""

_names: dict[str, tuple[bytes, int]] = {}


class Encoder:
    """Encodes spans that share the resource and the scope of the last ones fastest. Safe for threads."""

    def __init__(self) -> None:
        self._known: tuple[Any, Any, bytes, bytes, bytes, bytes] = (None, None, b"", b"", b"", b"")

    def frame(self, spans: Sequence[Any], encoded: Sequence[bytes] = ()) -> bytes:
        """An `ExportTraceServiceRequest` as a frame, of `ReadableSpan` or `OwnSpan`: at least one, all of one scope.

        In front of them those that are `encoded` already (see `Alike`).
        """
        first = spans[-1]
        resource, scope = first.resource, first.instrumentation_scope
        known = self._known
        if known[0] is not resource or known[1] is not scope:
            known = self._known = (resource, scope, _resource(resource), _scope(scope), *_tails(resource, scope))
        _, _, resource_head, scope_head, resource_tail, scope_tail = known
        pieces = [b"", resource_head, SCOPE_SPANS, b"", scope_head, *encoded]
        for span in spans:
            if not encoded and (span.events or span.links or span.resource is not resource):
                return frame(_by_the_library(spans))  # those of the SDK, of which none comes encoded
            _span(span, pieces)
        pieces += (scope_tail,)
        pieces[3] = varint(sum(map(len, pieces)) - len(resource_head) - 1)
        pieces += (resource_tail,)
        inner = sum(map(len, pieces))
        head = RESOURCE_SPANS + varint(inner)
        pieces[0] = varint(len(head) + inner) + head
        return b"".join(pieces)  # once: what was said may be long


class Alike:
    """Spans like `span` but for their ids and times: of a request to a provider hardly anything else ever differs.

    `span` has ended, and has a parent of this process in a trace without state.
    """

    def __init__(self, span: OwnSpan) -> None:
        pieces: list[bytes] = []
        _span(span, pieces)
        self._before = b"".join(pieces[:2]) + b"\x0a\x10"
        self._name = pieces[2][38:-18]  # between three ids and two times
        self._after = b"".join(pieces[3:])

    def encoded(self, parent: OwnSpan, started_ns: int, ended_ns: int) -> bytes:
        """Another one, as a field of its scope's spans: once for a `parent`, whose `id_beneath` it takes."""
        return b"".join((
            self._before, parent.trace_id, b"\x12\x08", parent.id_beneath, b"\x22\x08", parent.span_id, self._name,
            _times(b"9", started_ns, b"A", ended_ns), self._after,
        ))  # fmt: skip


def _by_the_library(spans: Sequence[Any]) -> bytes:
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

    return encode_spans(spans).SerializeToString()


def _resource(resource: Any) -> bytes:
    pieces: list[bytes] = []
    _attributes(pieces, RESOURCE_ATTRIBUTE, resource.attributes)
    return b"\x0a" + frame(b"".join(pieces))


def _scope(scope: Any) -> bytes:
    pieces = [
        _text(b"\x0a", scope.name) if scope.name else b"",
        _text(b"\x12", scope.version) if scope.version else b"",
    ]
    _attributes(pieces, SCOPE_ATTRIBUTE, scope.attributes or {})
    return b"\x0a" + frame(b"".join(pieces))


def _tails(resource: Any, scope: Any) -> tuple[bytes, bytes]:
    urls = (resource.schema_url, scope.schema_url)
    one, two = (_text(b"\x1a", url) if url else b"" for url in urls)
    return one, two


def _span(span: Any, pieces: list[bytes]) -> None:
    """Adds the pieces of a span's field to those of the request. The third are its ids and times."""
    parent, dropped = span.parent, span.dropped_attributes
    if type(span) is OwnSpan:
        trace_id, span_id, state = span.trace_id, span.span_id, span.state
    else:
        here = span.context
        trace_id, span_id, state = here[0].to_bytes(16, "big"), here[1].to_bytes(8, "big"), here[4]
    usual, attributes = (span.usual, span.said) if type(span) is OwnSpan and not dropped else ((), _kept(span))
    head = b"\x0a\x10" + trace_id + b"\x12\x08" + span_id
    if state is not NO_STATE and state:  # a look into it is a call
        head += _text(b"\x1a", ",".join([f"{key}={value}" for key, value in state.items()]))
    if parent is not None:
        head += b"\x22\x08" + parent[1].to_bytes(8, "big")
    if span.name:
        head += _title(span.name)
    head += CLIENT if span.kind is SpanKind.CLIENT else KINDS[span.kind]  # the hash of an enum's member is a call
    if span.start_time and span.end_time:  # as of all but a few in tests
        head += _times(b"9", span.start_time, b"A", span.end_time)
    elif span.start_time:
        head += b"9" + pack("<Q", span.start_time)
    elif span.end_time:
        head += b"A" + pack("<Q", span.end_time)
    pieces += (SPANS, b"")
    at = len(pieces)
    pieces += (head,)
    for known in usual:
        pieces += (known.encoded or _alike(known),)
    _attributes(pieces, SPAN_ATTRIBUTE, attributes)
    tail = b"P" + varint(dropped) if dropped else b""
    tail += b"z" + frame(_status(span.status)) if span.status is not UNSET else b"z\x00"
    tail += IS_REMOTE if parent is not None and parent[2] else HAS_IS_REMOTE
    pieces += (tail,)
    pieces[at - 1] = varint(sum(map(len, pieces[at:])))


def _kept(span: Any) -> Mapping[str, Any]:
    """Attributes without those that are too many."""
    attributes: Mapping[str, Any] = span.attributes or {}
    if len(attributes) > MOST_ATTRIBUTES and span.dropped_attributes:
        return dict(list(attributes.items())[-MOST_ATTRIBUTES:])
    return attributes


def _alike(usual: Usual) -> bytes:
    pieces: list[bytes] = []
    _attributes(pieces, SPAN_ATTRIBUTE, usual)
    usual.encoded = b"".join(pieces)
    return usual.encoded


def _status(status: Any) -> bytes:
    said = _text(b"\x12", status.description) if status.description else b""
    return said + (b"\x18" + BYTES[status.status_code.value] if status.status_code.value else b"")


def _attributes(pieces: list[bytes], key: bytes, given: Mapping[str, Any]) -> None:
    """Adds each attribute as a field with this key."""
    for name, value in given.items():
        kind = type(value)
        try:
            head, taken = _names[name]
        except KeyError:
            head, taken = _name(name)
        if kind is str:
            try:
                text = value.encode()
            except UnicodeEncodeError:
                text = _utf8(value)
            size = len(text)
            if size < SHORT and taken < SHORT:  # every length fits into one byte, as of most
                pieces += (key, BYTES[taken + size + 3], head, STRINGS[size], text)
                continue
            if 0x80 <= size < LONG and taken < SHORT:  # or into two, as of nearly all others
                whole, part = taken + size + 5, size + 3
                lengths = bytes((part & 0x7F | 0x80, part >> 7, 0x0A, size & 0x7F | 0x80, size >> 7))
                pieces += (key, bytes((whole & 0x7F | 0x80, whole >> 7)), head, lengths, text)
                continue
            said = STRING + varint(size)
            size += len(said)
        else:
            said, text = _value(value), b""
            if not said:
                health.count("internal", f"attribute {name}: {type(value).__name__} is no value")
                continue
            size = len(said)
            if size < SHORT and taken < SHORT:
                pieces += (key, BYTES[taken + size + 1], head, BYTES[size], said)
                continue
        length = varint(size)
        pieces += (key, varint(taken + len(length) + size), head, length, said, text)


def _name(name: str) -> tuple[bytes, int]:
    """The name of an attribute as a field with the key of the value that follows, and how long that is."""
    head = _text(b"\x0a", name) + b"\x12"
    if len(_names) < MOST_NAMES:
        _names[name] = head, len(head)
    return head, len(head)


def _text(key: bytes, text: str) -> bytes:
    return key + frame(_utf8(text))


def _utf8(text: str) -> bytes:
    """Halves of surrogate pairs, which are no text in UTF-8, are replaced."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


@lru_cache(MOST_WORDS)
def _title(name: str) -> bytes:
    """The name of a span as its field: an operation and a model."""
    return _text(b"\x2a", name)


@lru_cache(MOST_WORDS)
def _list_of(word: str) -> bytes:
    """A list of one word, as the reasons for which an answer ended nearly always are."""
    return _list((word,))


def _list(values: Iterable[Any]) -> bytes:
    return b"*" + frame(b"".join([STRING + frame(_value(item)) for item in values]))


def _value(value: Any) -> bytes:  # noqa: PLR0911  one type a return
    """An `AnyValue`, nothing for what cannot be one."""
    kind = type(value)
    if kind is int and 0 <= value < 0x4000:
        return SMALL[value] if value < 0x80 else bytes((0x18, value & 0x7F | 0x80, value >> 7))
    if kind is bool:
        return b"\x10\x01" if value else b"\x10\x00"
    if kind is float:
        return b"!" + pack("<d", value)
    if kind is tuple and len(value) == 1 and type(value[0]) is str and len(value[0]) < SHORT:
        return _list_of(value[0])
    if isinstance(value, int):
        if -(2**63) <= value < 2**63:
            return b"\x18" + varint(value & 0xFFFF_FFFF_FFFF_FFFF)
        return _text(STRING, str(value))
    if isinstance(value, float):
        return b"!" + pack("<d", value)
    if isinstance(value, str):
        return _text(STRING, value)
    if kind is tuple or kind is list or (isinstance(value, Iterable) and not isinstance(value, Mapping | bytes)):
        return _list(value)
    return b""

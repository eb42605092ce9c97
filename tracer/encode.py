"""Our finished spans as OTLP bytes: what `opentelemetry-exporter-otlp-proto-common` writes, in a fraction of the time.

Protobuf by hand, and no protobuf library in the application's process: a field is its key, the length and the bytes.
The resource and the scope are the same in every frame of a process and are encoded once, the names of attributes once
each. Spans with events or links, which we never make, go the library's way. A test holds both to the same bytes.
"""

from collections.abc import Iterable, Mapping, Sequence
from struct import pack
from typing import Any

from . import health
from .own_tracer import MOST_ATTRIBUTES
from .segment import frame, varint

RESOURCE_SPANS = b"\x0a"
"""Key of field 1, `resource_spans`, of a request."""
SCOPE_SPANS, SPANS = b"\x12", b"\x12"
"""Keys of field 2: `scope_spans` of resource spans, `spans` of scope spans."""
SPAN_ATTRIBUTE, RESOURCE_ATTRIBUTE, SCOPE_ATTRIBUTE = b"\x4a", b"\x0a", b"\x1a"
STRING = b"\x0a"
"""Key of a value's field 1, `string_value`."""
HAS_IS_REMOTE = b"\x85\x01" + pack("<I", 0x100)
IS_REMOTE = b"\x85\x01" + pack("<I", 0x300)
BYTES = [bytes((number,)) for number in range(0x80)]
"""Numbers below 128 as varints."""
MOST_NAMES = 1000
"""So many names of attributes are remembered: an adapter writes a few dozen, an application may make up any."""

_names: dict[str, tuple[bytes, int]] = {}


class Encoder:
    """Encodes spans that share the resource and the scope of the last ones fastest. Safe for threads."""

    def __init__(self) -> None:
        self._known: tuple[Any, Any, bytes, bytes] = (None, None, b"", b"")

    def request(self, spans: Sequence[Any]) -> bytes:
        """An `ExportTraceServiceRequest` of `ReadableSpan` or `OwnSpan`: at least one, and all of one scope."""
        first = spans[-1]
        resource, scope = first.resource, first.instrumentation_scope
        _, _, resource_head, scope_head = known = self._known
        if known[0] is not resource or known[1] is not scope:
            resource_head, scope_head = _resource(resource), _scope(scope)
            self._known = (resource, scope, resource_head, scope_head)
        pieces = [scope_head]
        for span in spans:
            if span.events or span.links or span.resource is not resource:
                return _by_the_library(spans)
            body = _span(span)
            pieces += (SPANS, varint(len(body)), body)
        if scope.schema_url:
            pieces.append(_text(b"\x1a", scope.schema_url))
        body = resource_head + SCOPE_SPANS + frame(b"".join(pieces))
        if resource.schema_url:
            body += _text(b"\x1a", resource.schema_url)
        return RESOURCE_SPANS + frame(body)


def _by_the_library(spans: Sequence[Any]) -> bytes:
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

    return encode_spans(spans).SerializeToString()


def _resource(resource: Any) -> bytes:
    return b"\x0a" + frame(b"".join(_attributes(RESOURCE_ATTRIBUTE, resource.attributes)))


def _scope(scope: Any) -> bytes:
    named = (_text(b"\x0a", scope.name) if scope.name else b"") + (
        _text(b"\x12", scope.version) if scope.version else b""
    )
    return b"\x0a" + frame(named + b"".join(_attributes(SCOPE_ATTRIBUTE, scope.attributes or {})))


def _span(span: Any) -> bytes:
    here, parent, attributes, dropped = span.context, span.parent, span.attributes or {}, span.dropped_attributes
    if len(attributes) > MOST_ATTRIBUTES and dropped:
        attributes = dict(list(attributes.items())[-MOST_ATTRIBUTES:])
    pieces = [b"\x0a\x10", here[0].to_bytes(16, "big"), b"\x12\x08", here[1].to_bytes(8, "big")]
    if here.trace_state:
        pieces.append(_text(b"\x1a", ",".join(f"{key}={value}" for key, value in here.trace_state.items())))
    if parent is not None:
        pieces += (b"\x22\x08", parent[1].to_bytes(8, "big"))
    if span.name:
        pieces.append(_text(b"\x2a", span.name))
    # the enum of protobuf begins with `unspecified`
    pieces += (b"0", BYTES[span.kind.value + 1])
    if span.start_time:
        pieces += (b"9", pack("<Q", span.start_time))
    if span.end_time:
        pieces += (b"A", pack("<Q", span.end_time))
    pieces += _attributes(SPAN_ATTRIBUTE, attributes)
    if dropped:
        pieces += (b"P", varint(dropped))
    pieces += (
        b"z",
        frame(_status(span.status)),
        IS_REMOTE if parent is not None and parent.is_remote else HAS_IS_REMOTE,
    )
    return b"".join(pieces)


def _status(status: Any) -> bytes:
    said = _text(b"\x12", status.description) if status.description else b""
    return said + (b"\x18" + BYTES[status.status_code.value] if status.status_code.value else b"")


def _attributes(key: bytes, given: Mapping[str, Any]) -> list[bytes]:
    """Each attribute as a field with this key."""
    pieces: list[bytes] = []
    for name, value in given.items():
        try:
            head, taken = _names[name]
        except KeyError:
            head, taken = _name(name)
        if type(value) is str:
            try:
                text = value.encode()
            except UnicodeEncodeError:
                text = _utf8(value)
            size = len(text)
            if taken + size < 0x7D:  # every length fits into one byte, as of most
                pieces += (key, BYTES[taken + size + 3], head, BYTES[size + 2], STRING, BYTES[size], text)
                continue
            said = STRING + varint(size) + text
        else:
            said = _value(value)
            if not said:
                health.count("internal", f"attribute {name}: {type(value).__name__} is no value")
                continue
        size = len(said)
        length = BYTES[size] if size < 0x80 else varint(size)
        size += taken + len(length)
        pieces += (key, BYTES[size] if size < 0x80 else varint(size), head, length, said)
    return pieces


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


def _value(value: Any) -> bytes:  # noqa: PLR0911  one type a return
    """An `AnyValue`, nothing for what cannot be one."""
    kind = type(value)
    if kind is bool:
        return b"\x10\x01" if value else b"\x10\x00"
    if kind is int and 0 <= value < 0x80:
        return b"\x18" + BYTES[value]
    if isinstance(value, int):
        if -(2**63) <= value < 2**63:
            return b"\x18" + varint(value & 0xFFFF_FFFF_FFFF_FFFF)
        return _text(STRING, str(value))
    if isinstance(value, float):
        return b"!" + pack("<d", value)
    if isinstance(value, str):
        return _text(STRING, value)
    if isinstance(value, Iterable) and not isinstance(value, Mapping | bytes):
        return b"*" + frame(b"".join([STRING + frame(_value(item)) for item in value]))
    return b""

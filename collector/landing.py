"""The statement by which ClickHouse reads a segment into the landing table. No Python touches a span on that way.

Attribute values become text as the official exporter writes it: strings as they are, the rest as in JSON, bytes as
base64. A value that is set to 0, false or '' differs from one that is not set by the oneof's own column.
"""

from pathlib import Path

PROTO = Path(__file__).parent / "otlp.proto"
MESSAGE = "Request"

# Levels of values inside an attribute's value, as otlp.proto has them. Each costs every insert about 20 ms, so only the
# attributes of spans have two.
_OF_SPAN, _OF_OTHERS = 2, 1

SETTINGS = {
    "input_format_protobuf_oneof_presence": "1",
    "insert_deduplicate": "1",
    # A crash can leave a table written and its rollup not: the repeat has to go past the table to the rollup.
    "deduplicate_blocks_in_dependent_materialized_views": "1",
    # Blocks are what is deduplicated, so a repeat must cut a segment into the same ones.
    "max_threads": "1",
    "max_insert_threads": "1",
    "parallel_view_processing": "0",
    # One span with a mad clock must not stop the queue.
    "max_partitions_per_insert_block": "0",
}

_KINDS = (
    "value Enum8('' = 0, 'string_value' = 1, 'bool_value' = 2, 'int_value' = 3, 'double_value' = 4, "
    "'array_value' = 5, 'kvlist_value' = 6, 'bytes_value' = 7)"
)
_SCALARS = "string_value String, bool_value Bool, int_value Int64, double_value Float64, bytes_value String"


def structure() -> str:
    """The columns that ClickHouse reads from otlp.proto, given because it would flatten them otherwise."""
    of_span, attributes = (
        f"attributes Array(Tuple(key String, value {_value_type(d)}))" for d in (_OF_SPAN, _OF_OTHERS)
    )
    event = f"time_unix_nano UInt64, name String, {attributes}"
    link = f"trace_id String, span_id String, trace_state String, {attributes}"
    span = (
        "trace_id String, span_id String, trace_state String, parent_span_id String, name String, kind Int32, "
        f"start_time_unix_nano UInt64, end_time_unix_nano UInt64, {of_span}, events Array(Tuple({event})), "
        f"links Array(Tuple({link})), status Tuple(message String, code Int32)"
    )
    scope = f"scope Tuple(name String, version String), spans Array(Tuple({span}))"
    return f"resource_spans Array(Tuple(resource Tuple({attributes}), scope_spans Array(Tuple({scope}))))"


def insert(source: str) -> str:
    """`source` is a table function that reads `structure()`, such as `file('…', 'Protobuf', '…')`."""
    return f"""
INSERT INTO otel_traces
(
    Timestamp, TraceId, SpanId, ParentSpanId, TraceState, SpanName, SpanKind, ServiceName, ResourceAttributes,
    ScopeName, ScopeVersion, SpanAttributes, Duration, StatusCode, StatusMessage,
    `Events.Timestamp`, `Events.Name`, `Events.Attributes`,
    `Links.TraceId`, `Links.SpanId`, `Links.TraceState`, `Links.Attributes`
)
SELECT
    {_time("span.start_time_unix_nano")},
    lower(hex(span.trace_id)), lower(hex(span.span_id)), lower(hex(span.parent_span_id)), span.trace_state,
    span.name, ['Unspecified', 'Internal', 'Server', 'Client', 'Producer', 'Consumer'][span.kind + 1],
    resource['service.name'], resource, scope.name, scope.version,
    {_map("span.attributes", _OF_SPAN)},
    if(span.end_time_unix_nano > span.start_time_unix_nano, span.end_time_unix_nano - span.start_time_unix_nano, 0),
    ['Unset', 'Ok', 'Error'][span.status.code + 1], span.status.message,
    arrayMap(e -> {_time("e.time_unix_nano")}, span.events),
    arrayMap(e -> e.name, span.events),
    arrayMap(e -> {_map("e.attributes")}, span.events),
    arrayMap(l -> lower(hex(l.trace_id)), span.links),
    arrayMap(l -> lower(hex(l.span_id)), span.links),
    arrayMap(l -> l.trace_state, span.links),
    arrayMap(l -> {_map("l.attributes")}, span.links)
FROM
(
    SELECT resource, scoped.scope AS scope, arrayJoin(scoped.spans) AS span
    FROM
    (
        SELECT {_map("from_resource.resource.attributes")} AS resource, arrayJoin(from_resource.scope_spans) AS scoped
        FROM (SELECT arrayJoin(resource_spans) AS from_resource FROM {source})
    )
)
"""  # noqa: S608  all of it is ours


def _value_type(depth: int) -> str:
    if depth == 0:
        return f"Tuple({_KINDS}, {_SCALARS}, array_value String, kvlist_value String)"
    inner = _value_type(depth - 1)
    return (
        f"Tuple({_KINDS}, {_SCALARS}, array_value Tuple(values Array({inner})), "
        f"kvlist_value Tuple(values Array(Tuple(key String, value {inner}))))"
    )


def _time(nanoseconds: str) -> str:
    return f"fromUnixTimestamp64Nano(toInt64({nanoseconds}))"


def _map(pairs: str, depth: int = _OF_OTHERS) -> str:
    text = _text("x.value", depth)
    return f"CAST(arrayMap(x -> (x.key, {text}), {pairs}), 'Map(LowCardinality(String), String)')"


def _text(value: str, depth: int) -> str:
    return (
        f"multiIf({value}.value = 'string_value', {value}.string_value, "
        f"{value}.value = 'int_value', toString({value}.int_value), "
        f"{value}.value = 'double_value', toString({value}.double_value), "
        f"{value}.value = 'bool_value', if({value}.bool_value, 'true', 'false'), "
        f"{value}.value = 'array_value', {_array(value, depth)}, "
        f"{value}.value = 'kvlist_value', {_object(value, depth)}, "
        f"{value}.value = 'bytes_value', base64Encode({value}.bytes_value), '')"
    )


def _json(value: str, depth: int) -> str:
    return (
        f"multiIf({value}.value = 'string_value', toJSONString({value}.string_value), "
        f"{value}.value = 'bytes_value', toJSONString(base64Encode({value}.bytes_value)), "
        # JSON has no number for these
        f"{value}.value = 'double_value' AND NOT isFinite({value}.double_value), "
        f"toJSONString(toString({value}.double_value)), "
        f"{value}.value = '', 'null', {_text(value, depth)})"
    )


def _array(value: str, depth: int) -> str:
    if depth == 0:
        return "'\"(nested too deep)\"'"
    v = f"v{depth}"
    items = f"arrayMap({v} -> {_json(v, depth - 1)}, {value}.array_value.values)"
    return f"concat('[', arrayStringConcat({items}, ','), ']')"


def _object(value: str, depth: int) -> str:
    if depth == 0:
        return "'\"(nested too deep)\"'"
    p = f"p{depth}"
    items = f"arrayMap({p} -> concat(toJSONString({p}.key), ':', {_json(f'{p}.value', depth - 1)}), "
    return f"concat('{{', arrayStringConcat({items}{value}.kvlist_value.values), ','), '}}')"

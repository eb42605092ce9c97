-- Every span, without what people and models said: content keys never enter a Map that lists and charts read.
CREATE TABLE IF NOT EXISTS spans${local} ${on_cluster}
(
    tenant LowCardinality(String),
    ts DateTime64(9, 'UTC') CODEC(Delta(8), ZSTD(1)),
    trace_id String CODEC(ZSTD(1)),
    span_id String CODEC(ZSTD(1)),
    parent_span_id String CODEC(ZSTD(1)),
    trace_state String CODEC(ZSTD(1)),
    name LowCardinality(String),
    kind LowCardinality(String),
    service LowCardinality(String),
    env LowCardinality(String),
    scope LowCardinality(String),
    status LowCardinality(String),
    status_message String CODEC(ZSTD(1)),
    duration_ns UInt64 CODEC(T64, ZSTD(1)),
    attributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    resource Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    events Nested (ts DateTime64(9, 'UTC'), name LowCardinality(String), attributes Map(LowCardinality(String), String)) CODEC(ZSTD(1)),
    links Nested (trace_id String, span_id String, trace_state String, attributes Map(LowCardinality(String), String)) CODEC(ZSTD(1)),
    INDEX by_trace trace_id TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX by_span span_id TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = ${MergeTree}
PARTITION BY toMonday(ts)
ORDER BY (tenant, toStartOfFiveMinutes(ts), service, name, ts)
SETTINGS index_granularity = 1024, ttl_only_drop_parts = 1, ${deduplication};

CREATE MATERIALIZED VIEW IF NOT EXISTS spans_view${local} ${on_cluster} TO spans${local} AS
SELECT
    if(ResourceAttributes['spanward.tenant'] = '', 'default', ResourceAttributes['spanward.tenant']) AS tenant,
    Timestamp AS ts,
    TraceId AS trace_id,
    SpanId AS span_id,
    ParentSpanId AS parent_span_id,
    TraceState AS trace_state,
    SpanName AS name,
    SpanKind AS kind,
    ServiceName AS service,
    if(ResourceAttributes['deployment.environment.name'] != '', ResourceAttributes['deployment.environment.name'], ResourceAttributes['deployment.environment']) AS env,
    ScopeName AS scope,
    multiIf(StatusCode = 'Error', 'error', StatusCode = 'Ok', 'ok', 'unset') AS status,
    StatusMessage AS status_message,
    Duration AS duration_ns,
    mapFilter((k, v) -> k NOT IN (${content_keys}), SpanAttributes) AS attributes,
    ResourceAttributes AS resource,
    Events.Timestamp AS `events.ts`,
    Events.Name AS `events.name`,
    arrayMap(a -> mapFilter((k, v) -> k NOT IN (${content_keys}), a), Events.Attributes) AS `events.attributes`,
    Links.TraceId AS `links.trace_id`,
    Links.SpanId AS `links.span_id`,
    Links.TraceState AS `links.trace_state`,
    Links.Attributes AS `links.attributes`
FROM otel_traces${local};

-- What was said, as JSON text of the conventions' shape; read for the one call that is opened. Kept for a shorter time.
-- Of a tool the arguments and the result, of a search the query and the documents.
CREATE TABLE IF NOT EXISTS content${local} ${on_cluster}
(
    tenant LowCardinality(String),
    ts DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    trace_id String CODEC(ZSTD(1)),
    span_id String CODEC(ZSTD(1)),
    env LowCardinality(String),
    input String CODEC(ZSTD(3)),
    output String CODEC(ZSTD(3)),
    system String CODEC(ZSTD(3)),
    tools String CODEC(ZSTD(3)),
    INDEX by_trace trace_id TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX by_span span_id TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = ${MergeTree}
PARTITION BY toMonday(ts)
ORDER BY (tenant, toStartOfFiveMinutes(ts), trace_id, span_id)
SETTINGS index_granularity = 256, ttl_only_drop_parts = 1, ${deduplication};

CREATE MATERIALIZED VIEW IF NOT EXISTS content_view${local} ${on_cluster} TO content${local} AS
WITH
    -- some emitters put content on an event of the span
    mapConcat(SpanAttributes, arrayFirst(a -> arrayExists(k -> mapContains(a, k), [${content_keys}]), Events.Attributes)) AS said
SELECT
    if(ResourceAttributes['spanward.tenant'] = '', 'default', ResourceAttributes['spanward.tenant']) AS tenant,
    Timestamp AS ts,
    TraceId AS trace_id,
    SpanId AS span_id,
    if(ResourceAttributes['deployment.environment.name'] != '', ResourceAttributes['deployment.environment.name'], ResourceAttributes['deployment.environment']) AS env,
    arrayFirst(t -> t != '', arrayMap(k -> said[k], ['gen_ai.input.messages', 'gen_ai.tool.call.arguments', 'gen_ai.retrieval.query.text'])) AS input,
    arrayFirst(t -> t != '', arrayMap(k -> said[k], ['gen_ai.output.messages', 'gen_ai.tool.call.result', 'gen_ai.retrieval.documents'])) AS output,
    said['gen_ai.system_instructions'] AS system,
    said['gen_ai.tool.definitions'] AS tools
FROM otel_traces${local}
WHERE input != '' OR output != '' OR system != '' OR tools != '';

-- One narrow row a model call: what lists, facets and charts read. Prompts are here as previews only.
CREATE TABLE IF NOT EXISTS llm_calls${local} ${on_cluster}
(
    tenant LowCardinality(String),
    ts DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    trace_id String CODEC(ZSTD(1)),
    span_id String CODEC(ZSTD(1)),
    parent_span_id String CODEC(ZSTD(1)),
    service LowCardinality(String),
    env LowCardinality(String),
    operation LowCardinality(String),
    provider LowCardinality(String),
    request_model LowCardinality(String),
    model LowCardinality(String),
    status LowCardinality(String),
    error_type LowCardinality(String),
    status_message String CODEC(ZSTD(1)),
    finish_reason LowCardinality(String),
    stream UInt8 CODEC(ZSTD(1)),
    stream_end LowCardinality(String),
    chunks UInt32 CODEC(T64, ZSTD(1)),
    input_tokens UInt32 CODEC(T64, ZSTD(1)),
    cached_tokens UInt32 CODEC(T64, ZSTD(1)),
    cache_write_tokens UInt32 CODEC(T64, ZSTD(1)),
    output_tokens UInt32 CODEC(T64, ZSTD(1)),
    reasoning_tokens UInt32 CODEC(T64, ZSTD(1)),
    usage_source LowCardinality(String),
    cost_usd Nullable(Float64) CODEC(ZSTD(1)),
    price_version LowCardinality(String),
    latency_ms Float32 CODEC(ZSTD(1)),
    ttft_ms Float32 CODEC(ZSTD(1)),
    guard_verdict LowCardinality(String),
    guard_action LowCardinality(String),
    policy_hash LowCardinality(String),
    guard_latency_ms Float32 CODEC(ZSTD(1)),
    degraded UInt8 CODEC(ZSTD(1)),
    content_withheld LowCardinality(String),
    session_id String CODEC(ZSTD(1)),
    user_id String CODEC(ZSTD(1)),
    user_group LowCardinality(String),
    prompt_name LowCardinality(String),
    prompt_version LowCardinality(String),
    tags Array(LowCardinality(String)) CODEC(ZSTD(1)),
    input_preview String CODEC(ZSTD(1)),
    output_preview String CODEC(ZSTD(1)),
    INDEX by_trace trace_id TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX by_span span_id TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX by_user user_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_session session_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ${MergeTree}
PARTITION BY toMonday(ts)
ORDER BY (tenant, toStartOfFiveMinutes(ts), service, model, ts)
SETTINGS index_granularity = 1024, ttl_only_drop_parts = 1, ${deduplication};

-- A preview is text, not JSON: of the last user message that says anything, and of the first answer that does.
-- Its parts are told apart: the inputs of one embeddings call are several texts.
CREATE MATERIALIZED VIEW IF NOT EXISTS llm_calls_view${local} ${on_cluster} TO llm_calls${local} AS
WITH
    toFloat64OrNull(SpanAttributes['spanward.cost.usd']) AS cost_given,
    toFloat32OrZero(SpanAttributes['gen_ai.response.time_to_first_chunk']) * 1000 AS ttft_given
SELECT
    if(ResourceAttributes['spanward.tenant'] = '', 'default', ResourceAttributes['spanward.tenant']) AS tenant,
    Timestamp AS ts,
    TraceId AS trace_id,
    SpanId AS span_id,
    ParentSpanId AS parent_span_id,
    ServiceName AS service,
    if(ResourceAttributes['deployment.environment.name'] != '', ResourceAttributes['deployment.environment.name'], ResourceAttributes['deployment.environment']) AS env,
    SpanAttributes['gen_ai.operation.name'] AS operation,
    if(SpanAttributes['gen_ai.provider.name'] != '', SpanAttributes['gen_ai.provider.name'], SpanAttributes['gen_ai.system']) AS provider,
    SpanAttributes['gen_ai.request.model'] AS request_model,
    if(SpanAttributes['gen_ai.response.model'] != '', SpanAttributes['gen_ai.response.model'], request_model) AS model,
    multiIf(guard_action = 'block', 'blocked', StatusCode = 'Error', 'error', 'ok') AS status,
    SpanAttributes['error.type'] AS error_type,
    StatusMessage AS status_message,
    if(startsWith(SpanAttributes['gen_ai.response.finish_reasons'], '['), JSONExtractString(SpanAttributes['gen_ai.response.finish_reasons'], 1), SpanAttributes['gen_ai.response.finish_reasons']) AS finish_reason,
    SpanAttributes['gen_ai.request.stream'] = 'true' AS stream,
    SpanAttributes['spanward.stream.end'] AS stream_end,
    toUInt32OrZero(SpanAttributes['spanward.stream.chunks']) AS chunks,
    toUInt32OrZero(SpanAttributes['gen_ai.usage.input_tokens']) AS input_tokens,
    toUInt32OrZero(SpanAttributes['gen_ai.usage.cache_read.input_tokens']) AS cached_tokens,
    toUInt32OrZero(SpanAttributes['gen_ai.usage.cache_write.input_tokens']) AS cache_write_tokens,
    toUInt32OrZero(SpanAttributes['gen_ai.usage.output_tokens']) AS output_tokens,
    toUInt32OrZero(SpanAttributes['gen_ai.usage.reasoning.output_tokens']) AS reasoning_tokens,
    SpanAttributes['spanward.usage.source'] AS usage_source,
    if(isFinite(cost_given) AND cost_given >= 0, cost_given, NULL) AS cost_usd,
    SpanAttributes['spanward.cost.price_version'] AS price_version,
    toFloat32(Duration / 1e6) AS latency_ms,
    if(isFinite(ttft_given) AND ttft_given > 0, ttft_given, 0) AS ttft_ms,
    SpanAttributes['spanward.guard.verdict'] AS guard_verdict,
    SpanAttributes['spanward.guard.action'] AS guard_action,
    SpanAttributes['spanward.guard.policy.hash'] AS policy_hash,
    toFloat32OrZero(SpanAttributes['spanward.guard.latency_ms']) AS guard_latency_ms,
    SpanAttributes['spanward.guard.degraded'] NOT IN ('', 'false', '[]') AS degraded,
    SpanAttributes['spanward.content.withheld'] AS content_withheld,
    SpanAttributes['gen_ai.conversation.id'] AS session_id,
    SpanAttributes['user.id'] AS user_id,
    SpanAttributes['spanward.user.group'] AS user_group,
    SpanAttributes['gen_ai.prompt.name'] AS prompt_name,
    SpanAttributes['gen_ai.prompt.version'] AS prompt_version,
    JSONExtract(SpanAttributes['spanward.tags'], 'Array(String)') AS tags,
    leftUTF8(arrayLast(t -> t != '', arrayMap(
        m -> if(JSONExtractString(m, 'role') = 'user', arrayStringConcat(arrayFilter(t -> t != '', arrayMap(
            p -> if(JSONExtractString(p, 'type') = 'text', JSONExtractString(p, 'content'), ''), JSONExtractArrayRaw(m, 'parts'))), ' · '), ''),
        JSONExtractArrayRaw(SpanAttributes['gen_ai.input.messages']))), 200) AS input_preview,
    leftUTF8(arrayFirst(t -> t != '', arrayMap(
        m -> arrayStringConcat(arrayFilter(t -> t != '', arrayMap(
            p -> if(JSONExtractString(p, 'type') = 'text', JSONExtractString(p, 'content'), ''), JSONExtractArrayRaw(m, 'parts'))), ' · '),
        JSONExtractArrayRaw(SpanAttributes['gen_ai.output.messages']))), 200) AS output_preview
FROM otel_traces${local}
WHERE SpanAttributes['gen_ai.operation.name'] IN (${model_operations});

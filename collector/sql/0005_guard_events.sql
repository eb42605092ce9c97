-- One row for what one rule made of one check, from run_guardrail spans.
CREATE TABLE IF NOT EXISTS guard_events${local} ${on_cluster}
(
    tenant LowCardinality(String),
    ts DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    trace_id String CODEC(ZSTD(1)),
    span_id String CODEC(ZSTD(1)),
    guard_span_id String CODEC(ZSTD(1)),
    service LowCardinality(String),
    env LowCardinality(String),
    rule LowCardinality(String),
    policy LowCardinality(String),
    policy_hash LowCardinality(String),
    stage LowCardinality(String),
    detector LowCardinality(String),
    label LowCardinality(String),
    score Float32 CODEC(ZSTD(1)),
    findings UInt32 CODEC(T64, ZSTD(1)),
    verdict LowCardinality(String),
    action LowCardinality(String),
    mode LowCardinality(String),
    engine LowCardinality(String),
    degraded UInt8 CODEC(ZSTD(1)),
    latency_ms Float32 CODEC(ZSTD(1)),
    reason String CODEC(ZSTD(1)),
    INDEX by_trace trace_id TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX by_span span_id TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = ${MergeTree}
PARTITION BY toMonday(ts)
ORDER BY (tenant, toStartOfFiveMinutes(ts), service, rule, ts)
SETTINGS index_granularity = 1024, ttl_only_drop_parts = 1, ${deduplication};

CREATE MATERIALIZED VIEW IF NOT EXISTS guard_events_view${local} ${on_cluster} TO guard_events${local} AS
SELECT
    if(ResourceAttributes['spanward.tenant'] = '', 'default', ResourceAttributes['spanward.tenant']) AS tenant,
    Timestamp AS ts,
    TraceId AS trace_id,
    if(SpanAttributes['spanward.guardrail.call.span_id'] != '', SpanAttributes['spanward.guardrail.call.span_id'], ParentSpanId) AS span_id,
    SpanId AS guard_span_id,
    ServiceName AS service,
    if(ResourceAttributes['deployment.environment.name'] != '', ResourceAttributes['deployment.environment.name'], ResourceAttributes['deployment.environment']) AS env,
    SpanAttributes['gen_ai.guardrail.policy.rule.id'] AS rule,
    if(SpanAttributes['spanward.guard.policy.name'] != '', SpanAttributes['spanward.guard.policy.name'], SpanAttributes['gen_ai.guardrail.security.policy.id']) AS policy,
    SpanAttributes['spanward.guard.policy.hash'] AS policy_hash,
    if(SpanAttributes['spanward.guardrail.stage'] != '', SpanAttributes['spanward.guardrail.stage'], SpanAttributes['gen_ai.guardrail.target.type']) AS stage,
    SpanAttributes['gen_ai.guardrail.component.name'] AS detector,
    SpanAttributes['gen_ai.guardrail.risk.category'] AS label,
    toFloat32OrZero(SpanAttributes['gen_ai.guardrail.risk.score']) AS score,
    toUInt32OrZero(SpanAttributes['spanward.guardrail.findings']) AS findings,
    SpanAttributes['gen_ai.guardrail.verdict.type'] AS verdict,
    SpanAttributes['gen_ai.guardrail.action.type'] AS action,
    SpanAttributes['spanward.guardrail.mode'] AS mode,
    SpanAttributes['spanward.guardrail.engine'] AS engine,
    SpanAttributes['spanward.guardrail.degraded'] NOT IN ('', 'false', '[]') AS degraded,
    toFloat32(Duration / 1e6) AS latency_ms,
    SpanAttributes['gen_ai.guardrail.verdict.reason'] AS reason
FROM otel_traces${local}
WHERE SpanAttributes['gen_ai.operation.name'] = 'run_guardrail';

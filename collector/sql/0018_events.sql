-- An event knows its call by the names that the call's own columns have, so that pages need not look for the calls of
-- many events. The sidecar copies it from the call's span where both came at once (`of_call` is 1; 2: what was judged is no
-- call to a model). Of others, and of all that were stored before, `of_call` is 0: pages look for their calls.
ALTER TABLE guard_events${local} ${on_cluster}
    ADD COLUMN IF NOT EXISTS of_call UInt8,
    ADD COLUMN IF NOT EXISTS call_ts DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    ADD COLUMN IF NOT EXISTS provider LowCardinality(String),
    ADD COLUMN IF NOT EXISTS request_model LowCardinality(String),
    ADD COLUMN IF NOT EXISTS model LowCardinality(String),
    ADD COLUMN IF NOT EXISTS operation LowCardinality(String),
    ADD COLUMN IF NOT EXISTS status LowCardinality(String),
    ADD COLUMN IF NOT EXISTS error_type LowCardinality(String),
    ADD COLUMN IF NOT EXISTS finish_reason LowCardinality(String),
    ADD COLUMN IF NOT EXISTS prompt_name LowCardinality(String),
    ADD COLUMN IF NOT EXISTS prompt_version LowCardinality(String),
    ADD COLUMN IF NOT EXISTS user_group LowCardinality(String),
    ADD COLUMN IF NOT EXISTS user_id String CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS session_id String CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS tags Array(LowCardinality(String)) CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS guard_verdict LowCardinality(String),
    ADD COLUMN IF NOT EXISTS guard_action LowCardinality(String),
    ADD INDEX IF NOT EXISTS strays of_call TYPE minmax GRANULARITY 1;

ALTER TABLE guard_events_view${local} ${on_cluster} MODIFY QUERY
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
    SpanAttributes['gen_ai.guardrail.verdict.reason'] AS reason,
    multiIf(operation = '', 0, operation IN (${model_operations}), 1, 2) AS of_call,
    fromUnixTimestamp64Nano(toInt64OrZero(SpanAttributes['spanward.call.start_ns']), 'UTC') AS call_ts,
    if(SpanAttributes['spanward.call.gen_ai.provider.name'] != '', SpanAttributes['spanward.call.gen_ai.provider.name'], SpanAttributes['spanward.call.gen_ai.system']) AS provider,
    SpanAttributes['spanward.call.gen_ai.request.model'] AS request_model,
    if(SpanAttributes['spanward.call.gen_ai.response.model'] != '', SpanAttributes['spanward.call.gen_ai.response.model'], request_model) AS model,
    SpanAttributes['spanward.call.gen_ai.operation.name'] AS operation,
    multiIf(of_call != 1, '', guard_action = 'block', 'blocked', SpanAttributes['spanward.call.failed'] = 'true', 'error', 'ok') AS status,
    SpanAttributes['spanward.call.error.type'] AS error_type,
    if(startsWith(SpanAttributes['spanward.call.gen_ai.response.finish_reasons'], '['), JSONExtractString(SpanAttributes['spanward.call.gen_ai.response.finish_reasons'], 1), SpanAttributes['spanward.call.gen_ai.response.finish_reasons']) AS finish_reason,
    SpanAttributes['spanward.call.gen_ai.prompt.name'] AS prompt_name,
    SpanAttributes['spanward.call.gen_ai.prompt.version'] AS prompt_version,
    SpanAttributes['spanward.call.spanward.user.group'] AS user_group,
    SpanAttributes['spanward.call.user.id'] AS user_id,
    SpanAttributes['spanward.call.gen_ai.conversation.id'] AS session_id,
    JSONExtract(SpanAttributes['spanward.call.spanward.tags'], 'Array(String)') AS tags,
    SpanAttributes['spanward.call.spanward.guard.verdict'] AS guard_verdict,
    SpanAttributes['spanward.call.spanward.guard.action'] AS guard_action
FROM otel_traces${local}
WHERE SpanAttributes['gen_ai.operation.name'] = 'run_guardrail';
-- As in 0009: until it is loaded again, a changed view names its blocks otherwise than after a restart.
DETACH TABLE guard_events_view${local} ${on_cluster} SYNC;
ATTACH TABLE guard_events_view${local} ${on_cluster};

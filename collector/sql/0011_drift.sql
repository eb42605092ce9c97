-- What the drift engine reads: calls an hour by bucket of each watched stream. A stream is one line below; '' is not counted.
-- Sizes are floor(2 * log2(x)), bins 41 % wide. The same expressions are in dashboards/drift/streams.py; a test compares them.
CREATE TABLE IF NOT EXISTS drift_1h${local} ${on_cluster}
(
    t DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    tenant LowCardinality(String),
    service LowCardinality(String),
    env LowCardinality(String),
    stream LowCardinality(String),
    bucket String CODEC(ZSTD(1)),
    n SimpleAggregateFunction(sum, UInt64)
)
ENGINE = ${AggregatingMergeTree}
PARTITION BY toYYYYMM(t)
ORDER BY (tenant, stream, t, service, env, bucket)
SETTINGS ttl_only_drop_parts = 1, ${deduplication};

CREATE MATERIALIZED VIEW IF NOT EXISTS drift_1h_calls_view${local} ${on_cluster} TO drift_1h${local} AS
SELECT
    toStartOfHour(toDateTime(c.ts, 'UTC')) AS t, c.tenant AS tenant, c.service AS service, c.env AS env,
    pair.1 AS stream, leftUTF8(pair.2, 100) AS bucket, count() AS n
FROM llm_calls${local} AS c
ARRAY JOIN arrayFilter(p -> p.2 != '', [
    ('model', toString(c.model)),
    ('snapshot', if(c.status = 'ok' AND c.request_model != '', if(c.model = c.request_model, c.model, concat(c.request_model, ' → ', c.model)), '')),
    ('finish_reason', if(c.status = 'ok', toString(c.finish_reason), '')),
    ('error', if(c.status = 'error', 'error', 'no error')),
    ('guard', multiIf(c.guard_verdict = 'fail_open', 'failed_open', c.guard_action = 'block' OR c.status = 'blocked', 'blocked', c.guard_action = 'modify', 'modified', c.guard_verdict IN ('warn', 'deny'), 'flagged', c.guard_verdict = 'allow', 'clean', '')),
    ('input_length', if(c.input_tokens > 0, toString(toInt32(floor(2 * log2(c.input_tokens)))), '')),
    ('output_length', if(c.output_tokens > 0, toString(toInt32(floor(2 * log2(c.output_tokens)))), '')),
    ('latency', if(c.status = 'ok' AND c.latency_ms > 0, toString(toInt32(floor(2 * log2(c.latency_ms)))), '')),
    ('cost', if(ifNull(c.cost_usd, 0) > 0, toString(toInt32(floor(2 * log2(assumeNotNull(c.cost_usd))))), '')),
    ('refusal', multiIf(c.failure = 'refusal', 'refusal', c.status = 'ok', 'no refusal', '')),
    ('tool_calls', if(c.status = 'ok', if(c.tool_calls > 0, 'tool call', 'none'), '')),
    ('json_valid', multiIf(c.json_valid = 'yes', 'valid', c.json_valid = 'no', 'invalid', ''))
]) AS pair
GROUP BY t, tenant, service, env, stream, bucket;

CREATE MATERIALIZED VIEW IF NOT EXISTS drift_1h_guards_view${local} ${on_cluster} TO drift_1h${local} AS
SELECT
    toStartOfHour(toDateTime(g.ts, 'UTC')) AS t, g.tenant AS tenant, g.service AS service, g.env AS env,
    'guard_rule' AS stream, leftUTF8(concat(toString(g.rule), ': ', toString(g.verdict)), 100) AS bucket, count() AS n
FROM guard_events${local} AS g
WHERE g.verdict NOT IN ('allow', 'none', '')
GROUP BY t, tenant, service, env, stream, bucket;

-- For long ranges: by the hour what charts read by the minute, and the calls of an hour by what a list is narrowed by.
CREATE TABLE IF NOT EXISTS llm_1h${local} ${on_cluster}
(
    t DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    tenant LowCardinality(String),
    service LowCardinality(String),
    env LowCardinality(String),
    provider LowCardinality(String),
    model LowCardinality(String),
    calls SimpleAggregateFunction(sum, UInt64),
    errors SimpleAggregateFunction(sum, UInt64),
    blocked SimpleAggregateFunction(sum, UInt64),
    unpriced SimpleAggregateFunction(sum, UInt64),
    input_tokens SimpleAggregateFunction(sum, UInt64),
    cached_tokens SimpleAggregateFunction(sum, UInt64),
    output_tokens SimpleAggregateFunction(sum, UInt64),
    cost_usd SimpleAggregateFunction(sum, Float64),
    lat_hist SimpleAggregateFunction(sumMap, Map(Int16, UInt64)),
    ttft_hist SimpleAggregateFunction(sumMap, Map(Int16, UInt64))
)
ENGINE = ${AggregatingMergeTree}
PARTITION BY toYYYYMM(t)
ORDER BY (tenant, t, service, env, provider, model)
SETTINGS ttl_only_drop_parts = 1, ${deduplication};

CREATE MATERIALIZED VIEW IF NOT EXISTS llm_1h_view${local} ${on_cluster} TO llm_1h${local} AS
SELECT
    toStartOfHour(m.t) AS t, m.tenant AS tenant, m.service AS service, m.env AS env, m.provider AS provider, m.model AS model,
    sum(m.calls) AS calls, sum(m.errors) AS errors, sum(m.blocked) AS blocked, sum(m.unpriced) AS unpriced,
    sum(m.input_tokens) AS input_tokens, sum(m.cached_tokens) AS cached_tokens, sum(m.output_tokens) AS output_tokens,
    sum(m.cost_usd) AS cost_usd, sumMap(m.lat_hist) AS lat_hist, sumMap(m.ttft_hist) AS ttft_hist
FROM llm_1m${local} AS m
GROUP BY t, tenant, service, env, provider, model;

-- The calls of an hour by what a list is narrowed by: facets and totals of long ranges.
CREATE TABLE IF NOT EXISTS facets_1h${local} ${on_cluster}
(
    t DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    tenant LowCardinality(String),
    service LowCardinality(String),
    env LowCardinality(String),
    provider LowCardinality(String),
    model LowCardinality(String),
    operation LowCardinality(String),
    status LowCardinality(String),
    error_type LowCardinality(String),
    finish_reason LowCardinality(String),
    failure LowCardinality(String),
    prompt_name LowCardinality(String),
    user_group LowCardinality(String),
    guard LowCardinality(String),
    calls SimpleAggregateFunction(sum, UInt64)
)
ENGINE = ${AggregatingMergeTree}
PARTITION BY toYYYYMM(t)
ORDER BY (tenant, t, service, env, provider, model, operation, status, error_type, finish_reason, failure, prompt_name, user_group, guard)
SETTINGS ttl_only_drop_parts = 1, ${deduplication};

CREATE MATERIALIZED VIEW IF NOT EXISTS facets_1h_view${local} ${on_cluster} TO facets_1h${local} AS
SELECT
    toStartOfHour(c.ts) AS t, c.tenant AS tenant, c.service AS service, c.env AS env, c.provider AS provider, c.model AS model,
    c.operation AS operation, c.status AS status, c.error_type AS error_type, c.finish_reason AS finish_reason,
    c.failure AS failure, c.prompt_name AS prompt_name, c.user_group AS user_group,
    multiIf(c.guard_verdict = 'fail_open', 'failed_open', c.guard_action = 'block' OR c.status = 'blocked', 'blocked', c.guard_action = 'modify', 'modified', c.guard_verdict IN ('warn', 'deny'), 'flagged', c.guard_verdict = 'allow', 'clean', 'unguarded') AS guard,
    count() AS calls
FROM llm_calls${local} AS c
GROUP BY t, tenant, service, env, provider, model, operation, status, error_type, finish_reason, failure, prompt_name, user_group, guard;

-- A call in eight bytes: sets and joins of many calls by it are several times faster than by its two ids.
ALTER TABLE llm_calls${local} ${on_cluster} ADD COLUMN IF NOT EXISTS call_key UInt64 MATERIALIZED cityHash64(trace_id, span_id) CODEC(NONE);
ALTER TABLE guard_events${local} ${on_cluster} ADD COLUMN IF NOT EXISTS call_key UInt64 MATERIALIZED cityHash64(trace_id, span_id) CODEC(NONE);
ALTER TABLE llm_calls${local} ${on_cluster} MATERIALIZE COLUMN call_key;
ALTER TABLE guard_events${local} ${on_cluster} MATERIALIZE COLUMN call_key;

-- What was stored before these tables were there. No span arrives while the schema changes.
TRUNCATE TABLE llm_1h${local} ${on_cluster};
TRUNCATE TABLE facets_1h${local} ${on_cluster};

INSERT INTO llm_1h${local}
SELECT
    toStartOfHour(m.t) AS t, m.tenant AS tenant, m.service AS service, m.env AS env, m.provider AS provider, m.model AS model,
    sum(m.calls) AS calls, sum(m.errors) AS errors, sum(m.blocked) AS blocked, sum(m.unpriced) AS unpriced,
    sum(m.input_tokens) AS input_tokens, sum(m.cached_tokens) AS cached_tokens, sum(m.output_tokens) AS output_tokens,
    sum(m.cost_usd) AS cost_usd, sumMap(m.lat_hist) AS lat_hist, sumMap(m.ttft_hist) AS ttft_hist
FROM llm_1m${local} AS m
GROUP BY t, tenant, service, env, provider, model;

INSERT INTO facets_1h${local}
SELECT
    toStartOfHour(c.ts) AS t, c.tenant AS tenant, c.service AS service, c.env AS env, c.provider AS provider, c.model AS model,
    c.operation AS operation, c.status AS status, c.error_type AS error_type, c.finish_reason AS finish_reason,
    c.failure AS failure, c.prompt_name AS prompt_name, c.user_group AS user_group,
    multiIf(c.guard_verdict = 'fail_open', 'failed_open', c.guard_action = 'block' OR c.status = 'blocked', 'blocked', c.guard_action = 'modify', 'modified', c.guard_verdict IN ('warn', 'deny'), 'flagged', c.guard_verdict = 'allow', 'clean', 'unguarded') AS guard,
    count() AS calls
FROM llm_calls${local} AS c
GROUP BY t, tenant, service, env, provider, model, operation, status, error_type, finish_reason, failure, prompt_name, user_group, guard;

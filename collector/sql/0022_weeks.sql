-- ClickHouse takes no index of `ifNull(cost_usd, -1)` for a condition on it, and read all: of the same as a number it does.
ALTER TABLE llm_calls${local} ${on_cluster} DROP INDEX IF EXISTS range_priced;
ALTER TABLE llm_calls${local} ${on_cluster} ADD INDEX IF NOT EXISTS range_cost toFloat64(ifNull(cost_usd, -1)) TYPE minmax GRANULARITY 1;
ALTER TABLE llm_calls${local} ${on_cluster} MATERIALIZE INDEX range_cost;

-- Cost of weeks: by the day what `cost_1h` has by the hour, but for how long calls took. It is made of what comes into
-- that, a few rows a segment, corrections too.
CREATE TABLE IF NOT EXISTS cost_1d${local} ${on_cluster}
(
    t DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    tenant LowCardinality(String),
    service LowCardinality(String),
    env LowCardinality(String),
    provider LowCardinality(String),
    model LowCardinality(String),
    user_group LowCardinality(String),
    prompt_name LowCardinality(String),
    prompt_version LowCardinality(String),
    calls SimpleAggregateFunction(sum, UInt64),
    errors SimpleAggregateFunction(sum, UInt64),
    blocked SimpleAggregateFunction(sum, UInt64),
    unpriced SimpleAggregateFunction(sum, UInt64),
    priced SimpleAggregateFunction(sum, UInt64),
    priced_tokens SimpleAggregateFunction(sum, UInt64),
    found SimpleAggregateFunction(sum, UInt64),
    input_tokens SimpleAggregateFunction(sum, UInt64),
    cached_tokens SimpleAggregateFunction(sum, UInt64),
    output_tokens SimpleAggregateFunction(sum, UInt64),
    cost_usd SimpleAggregateFunction(sum, Float64)
)
ENGINE = ${AggregatingMergeTree}
PARTITION BY toYYYYMM(t)
ORDER BY (tenant, t, service, env, provider, model, user_group, prompt_name, prompt_version)
SETTINGS ttl_only_drop_parts = 1, ${deduplication};

CREATE MATERIALIZED VIEW IF NOT EXISTS cost_1d_view${local} ${on_cluster} TO cost_1d${local} AS
SELECT
    toDateTime(toStartOfDay(h.t), 'UTC') AS t, h.tenant AS tenant, h.service AS service, h.env AS env, h.provider AS provider,
    h.model AS model, h.user_group AS user_group, h.prompt_name AS prompt_name, h.prompt_version AS prompt_version,
    sum(h.calls) AS calls, sum(h.errors) AS errors, sum(h.blocked) AS blocked, sum(h.unpriced) AS unpriced,
    sum(h.priced) AS priced, sum(h.priced_tokens) AS priced_tokens, sum(h.found) AS found,
    sum(h.input_tokens) AS input_tokens, sum(h.cached_tokens) AS cached_tokens, sum(h.output_tokens) AS output_tokens,
    sum(h.cost_usd) AS cost_usd
FROM cost_1h${local} AS h
GROUP BY t, tenant, service, env, provider, model, user_group, prompt_name, prompt_version;

-- What was stored before it was there. No span arrives while the schema changes.
TRUNCATE TABLE cost_1d${local} ${on_cluster};

INSERT INTO cost_1d${local}
SELECT
    toDateTime(toStartOfDay(h.t), 'UTC') AS t, h.tenant AS tenant, h.service AS service, h.env AS env, h.provider AS provider,
    h.model AS model, h.user_group AS user_group, h.prompt_name AS prompt_name, h.prompt_version AS prompt_version,
    sum(h.calls) AS calls, sum(h.errors) AS errors, sum(h.blocked) AS blocked, sum(h.unpriced) AS unpriced,
    sum(h.priced) AS priced, sum(h.priced_tokens) AS priced_tokens, sum(h.found) AS found,
    sum(h.input_tokens) AS input_tokens, sum(h.cached_tokens) AS cached_tokens, sum(h.output_tokens) AS output_tokens,
    sum(h.cost_usd) AS cost_usd
FROM cost_1h${local} AS h
GROUP BY t, tenant, service, env, provider, model, user_group, prompt_name, prompt_version;

-- What pages read by the million is packed less tightly: LZ4 unpacks two to four times as fast, and a row of `llm_calls`
-- takes 7 bytes more of 205. Users by the day are sorted by user, where it takes less room, too. As parts are merged.
ALTER TABLE llm_calls${local} ${on_cluster}
    MODIFY COLUMN ts DateTime64(6, 'UTC') CODEC(Delta(8), LZ4),
    MODIFY COLUMN input_tokens UInt32 CODEC(T64, LZ4),
    MODIFY COLUMN cached_tokens UInt32 CODEC(T64, LZ4),
    MODIFY COLUMN output_tokens UInt32 CODEC(T64, LZ4),
    MODIFY COLUMN cost_usd Nullable(Float64) CODEC(LZ4),
    MODIFY COLUMN latency_ms Float32 CODEC(LZ4),
    MODIFY COLUMN ttft_ms Float32 CODEC(LZ4),
    MODIFY COLUMN session_id String CODEC(LZ4),
    MODIFY COLUMN user_id String CODEC(LZ4),
    MODIFY COLUMN tags Array(LowCardinality(String)) CODEC(LZ4);
ALTER TABLE guard_events${local} ${on_cluster}
    MODIFY COLUMN ts DateTime64(6, 'UTC') CODEC(Delta(8), LZ4),
    MODIFY COLUMN call_ts DateTime64(6, 'UTC') CODEC(Delta(8), LZ4),
    MODIFY COLUMN latency_ms Float32 CODEC(LZ4),
    MODIFY COLUMN session_id String CODEC(LZ4),
    MODIFY COLUMN user_id String CODEC(LZ4),
    MODIFY COLUMN tags Array(LowCardinality(String)) CODEC(LZ4);
ALTER TABLE user_1d${local} ${on_cluster}
    MODIFY COLUMN t DateTime('UTC') CODEC(LZ4),
    MODIFY COLUMN user_id String CODEC(LZ4);
ALTER TABLE user_app_1d${local} ${on_cluster}
    MODIFY COLUMN t DateTime('UTC') CODEC(LZ4),
    MODIFY COLUMN user_id String CODEC(LZ4);

-- What a call is by itself, and what an event found of it, as bits (0 blocked, 1 modified, 2 flagged, 3 shadow, 4 failed
-- open, 5 unguarded, 6 clean): of a million events made from six columns of words that was most of the work.
ALTER TABLE guard_events${local} ${on_cluster}
    ADD COLUMN IF NOT EXISTS call_bits UInt8 MATERIALIZED multiIf(guard_verdict = 'fail_open', toUInt8(16), guard_action = 'block' OR status = 'blocked', toUInt8(1), guard_action = 'modify', toUInt8(2), guard_verdict IN ('warn', 'deny'), toUInt8(4), guard_verdict = 'allow', toUInt8(64), toUInt8(32)),
    ADD COLUMN IF NOT EXISTS event_bits UInt8 MATERIALIZED if(verdict NOT IN ('allow', 'none'), multiIf(verdict = 'fail_open', toUInt8(16), mode = 'shadow', toUInt8(8), action = 'block', toUInt8(1), action = 'modify', toUInt8(2), toUInt8(4)), 0);
ALTER TABLE guard_events${local} ${on_cluster} MATERIALIZE COLUMN call_bits, MATERIALIZE COLUMN event_bits;

-- Where the rows of a column lie is kept in memory from the start: the first to sort a list waited three times as long as
-- the next. A few megabytes for ten million calls.
ALTER TABLE llm_calls${local} ${on_cluster} MODIFY SETTING prewarm_mark_cache = 1;
ALTER TABLE guard_events${local} ${on_cluster} MODIFY SETTING prewarm_mark_cache = 1;
ALTER TABLE llm_1m${local} ${on_cluster} MODIFY SETTING prewarm_mark_cache = 1;
ALTER TABLE llm_1h${local} ${on_cluster} MODIFY SETTING prewarm_mark_cache = 1;
ALTER TABLE facets_1h${local} ${on_cluster} MODIFY SETTING prewarm_mark_cache = 1;
ALTER TABLE facets_1d${local} ${on_cluster} MODIFY SETTING prewarm_mark_cache = 1;
ALTER TABLE cost_1h${local} ${on_cluster} MODIFY SETTING prewarm_mark_cache = 1;
ALTER TABLE cost_1d${local} ${on_cluster} MODIFY SETTING prewarm_mark_cache = 1;
ALTER TABLE tag_1h${local} ${on_cluster} MODIFY SETTING prewarm_mark_cache = 1;
ALTER TABLE user_1d${local} ${on_cluster} MODIFY SETTING prewarm_mark_cache = 1;
ALTER TABLE user_app_1d${local} ${on_cluster} MODIFY SETTING prewarm_mark_cache = 1;
ALTER TABLE sessions${local} ${on_cluster} MODIFY SETTING prewarm_mark_cache = 1;
ALTER TABLE failures_1h${local} ${on_cluster} MODIFY SETTING prewarm_mark_cache = 1;
ALTER TABLE failed_1h${local} ${on_cluster} MODIFY SETTING prewarm_mark_cache = 1;
ALTER TABLE guard_1m${local} ${on_cluster} MODIFY SETTING prewarm_mark_cache = 1;
ALTER TABLE guard_1h${local} ${on_cluster} MODIFY SETTING prewarm_mark_cache = 1;
ALTER TABLE guarded_1h${local} ${on_cluster} MODIFY SETTING prewarm_mark_cache = 1;

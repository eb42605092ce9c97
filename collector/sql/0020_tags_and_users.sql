-- What charts of one tag, what failed under it, and the users of one application are answered by.

-- How long the calls of a tag took. Old hours get rows with nothing but that, as far as their calls are still there; a
-- migration that was cut off begins without them again, and its rows are no repetition.
ALTER TABLE tag_1h${local} ${on_cluster} DROP COLUMN IF EXISTS lat_hist, DROP COLUMN IF EXISTS ttft_hist;
ALTER TABLE tag_1h${local} ${on_cluster}
    ADD COLUMN IF NOT EXISTS lat_hist SimpleAggregateFunction(sumMap, Map(Int16, UInt64)),
    ADD COLUMN IF NOT EXISTS ttft_hist SimpleAggregateFunction(sumMap, Map(Int16, UInt64));

INSERT INTO tag_1h${local} (t, tenant, service, env, provider, model, tag, lat_hist, ttft_hist) SETTINGS insert_deduplicate = 0
SELECT
    toStartOfHour(c.ts) AS t, c.tenant AS tenant, c.service AS service, c.env AS env, c.provider AS provider, c.model AS model,
    one_tag AS tag,
    sumMap(map(toInt16(if(c.latency_ms > 0, floor(8 * log2(c.latency_ms)), -100)), toUInt64(1))) AS lat_hist,
    sumMap(map(toInt16(if(c.ttft_ms > 0, floor(8 * log2(c.ttft_ms)), -100)), toUInt64(1))) AS ttft_hist
FROM llm_calls${local} AS c ARRAY JOIN if(empty(c.tags), [''], arrayDistinct(c.tags)) AS one_tag
GROUP BY t, tenant, service, env, provider, model, tag;

ALTER TABLE tag_1h_view${local} ${on_cluster} MODIFY QUERY
SELECT
    toStartOfHour(c.ts) AS t, c.tenant AS tenant, c.service AS service, c.env AS env, c.provider AS provider, c.model AS model,
    one_tag AS tag,
    count() AS calls, countIf(c.status = 'error') AS errors, countIf(c.status = 'blocked') AS blocked,
    countIf(c.cost_usd IS NULL AND c.input_tokens + c.output_tokens > 0) AS unpriced,
    countIf(c.cost_usd IS NOT NULL) AS priced,
    sumIf(c.input_tokens + c.output_tokens, c.cost_usd IS NOT NULL) AS priced_tokens,
    countIf(c.guard_verdict NOT IN ('', 'allow', 'none')) AS found,
    sum(c.input_tokens) AS input_tokens, sum(c.cached_tokens) AS cached_tokens, sum(c.output_tokens) AS output_tokens,
    sum(ifNull(c.cost_usd, 0)) AS cost_usd,
    sumMap(map(toInt16(if(c.latency_ms > 0, floor(8 * log2(c.latency_ms)), -100)), toUInt64(1))) AS lat_hist,
    sumMap(map(toInt16(if(c.ttft_ms > 0, floor(8 * log2(c.ttft_ms)), -100)), toUInt64(1))) AS ttft_hist
FROM llm_calls${local} AS c ARRAY JOIN if(empty(c.tags), [''], arrayDistinct(c.tags)) AS one_tag
GROUP BY t, tenant, service, env, provider, model, tag;

-- As in 0009: the blocks of a segment that was repeated across the change would be taken for new.
DETACH TABLE tag_1h_view${local} ${on_cluster} SYNC;
ATTACH TABLE tag_1h_view${local} ${on_cluster};

-- What failed, by all that calls are narrowed by: about a row a call, but few calls fail.
CREATE TABLE IF NOT EXISTS failed_1h${local} ${on_cluster}
(
    t DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    tenant LowCardinality(String),
    failure_group LowCardinality(String),
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
    prompt_version LowCardinality(String),
    user_group LowCardinality(String),
    tags Array(LowCardinality(String)) CODEC(ZSTD(1)),
    calls SimpleAggregateFunction(sum, UInt64)
)
ENGINE = ${AggregatingMergeTree}
PARTITION BY toYYYYMM(t)
PRIMARY KEY (tenant, t, failure_group)
ORDER BY (tenant, t, failure_group, service, env, provider, model, operation, status, error_type, finish_reason, failure, prompt_name, prompt_version, user_group, tags)
SETTINGS ttl_only_drop_parts = 1, ${deduplication};

TRUNCATE TABLE failed_1h${local} ${on_cluster};

INSERT INTO failed_1h${local}
SELECT
    toStartOfHour(c.ts) AS t, c.tenant AS tenant, c.failure_group AS failure_group, c.service AS service, c.env AS env,
    c.provider AS provider, c.model AS model, c.operation AS operation, c.status AS status, c.error_type AS error_type,
    c.finish_reason AS finish_reason, c.failure AS failure, c.prompt_name AS prompt_name, c.prompt_version AS prompt_version,
    c.user_group AS user_group, c.tags AS tags, count() AS calls
FROM llm_calls${local} AS c
WHERE c.failure != ''
GROUP BY t, tenant, failure_group, service, env, provider, model, operation, status, error_type, finish_reason, failure, prompt_name, prompt_version, user_group, tags;

CREATE MATERIALIZED VIEW IF NOT EXISTS failed_1h_view${local} ${on_cluster} TO failed_1h${local} AS
SELECT
    toStartOfHour(c.ts) AS t, c.tenant AS tenant, c.failure_group AS failure_group, c.service AS service, c.env AS env,
    c.provider AS provider, c.model AS model, c.operation AS operation, c.status AS status, c.error_type AS error_type,
    c.finish_reason AS finish_reason, c.failure AS failure, c.prompt_name AS prompt_name, c.prompt_version AS prompt_version,
    c.user_group AS user_group, c.tags AS tags, count() AS calls
FROM llm_calls${local} AS c
WHERE c.failure != ''
GROUP BY t, tenant, failure_group, service, env, provider, model, operation, status, error_type, finish_reason, failure, prompt_name, prompt_version, user_group, tags;

-- Fifty users of a page are in as many granules: of a block of 64 KiB nearly all would be unpacked for nothing. Blocks
-- become smaller as parts are merged.
ALTER TABLE user_1d${local} ${on_cluster} MODIFY SETTING min_compress_block_size = 4096, max_compress_block_size = 16384;

-- A user of an application by the day: of one application's users only its rows are read. Nearly as many rows as calls
-- where everybody uses everything, so that without an application `user_1d` is asked.
CREATE TABLE IF NOT EXISTS user_app_1d${local} ${on_cluster}
(
    t DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    tenant LowCardinality(String),
    service LowCardinality(String),
    user_id String CODEC(ZSTD(1)),
    env LowCardinality(String),
    calls SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    errors SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    blocked SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    unpriced SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    priced SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    priced_tokens SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    found SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    input_tokens SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    cached_tokens SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    output_tokens SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
    cost_usd SimpleAggregateFunction(sum, Float64) CODEC(ZSTD(1))
)
ENGINE = ${AggregatingMergeTree}
PARTITION BY toYYYYMM(t)
ORDER BY (tenant, service, user_id, t, env)
SETTINGS index_granularity = 1024, min_compress_block_size = 4096, max_compress_block_size = 16384, ttl_only_drop_parts = 1, ${deduplication};

TRUNCATE TABLE user_app_1d${local} ${on_cluster};

INSERT INTO user_app_1d${local}
SELECT
    toDateTime(toStartOfDay(c.ts), 'UTC') AS t, c.tenant AS tenant, c.service AS service, c.user_id AS user_id, c.env AS env,
    count() AS calls, countIf(c.status = 'error') AS errors, countIf(c.status = 'blocked') AS blocked,
    countIf(c.cost_usd IS NULL AND c.input_tokens + c.output_tokens > 0) AS unpriced,
    countIf(c.cost_usd IS NOT NULL) AS priced,
    sumIf(c.input_tokens + c.output_tokens, c.cost_usd IS NOT NULL) AS priced_tokens,
    countIf(c.guard_verdict NOT IN ('', 'allow', 'none')) AS found,
    sum(c.input_tokens) AS input_tokens, sum(c.cached_tokens) AS cached_tokens, sum(c.output_tokens) AS output_tokens,
    sum(ifNull(c.cost_usd, 0)) AS cost_usd
FROM llm_calls${local} AS c
GROUP BY t, tenant, service, user_id, env;

CREATE MATERIALIZED VIEW IF NOT EXISTS user_app_1d_view${local} ${on_cluster} TO user_app_1d${local} AS
SELECT
    toDateTime(toStartOfDay(c.ts), 'UTC') AS t, c.tenant AS tenant, c.service AS service, c.user_id AS user_id, c.env AS env,
    count() AS calls, countIf(c.status = 'error') AS errors, countIf(c.status = 'blocked') AS blocked,
    countIf(c.cost_usd IS NULL AND c.input_tokens + c.output_tokens > 0) AS unpriced,
    countIf(c.cost_usd IS NOT NULL) AS priced,
    sumIf(c.input_tokens + c.output_tokens, c.cost_usd IS NOT NULL) AS priced_tokens,
    countIf(c.guard_verdict NOT IN ('', 'allow', 'none')) AS found,
    sum(c.input_tokens) AS input_tokens, sum(c.cached_tokens) AS cached_tokens, sum(c.output_tokens) AS output_tokens,
    sum(ifNull(c.cost_usd, 0)) AS cost_usd
FROM llm_calls${local} AS c
GROUP BY t, tenant, service, user_id, env;

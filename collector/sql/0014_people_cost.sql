-- Who used what, and what it cost. Read with sum(), min(), max() and groupUniqArrayArray(): rows may not be merged yet.
-- `priced` are the calls with a cost, `priced_tokens` what those read and wrote; `found`: guards in their way found something.
-- A table is filled from the calls that are there before its view is made; TRUNCATE lets a migration that was cut off begin again.
CREATE TABLE IF NOT EXISTS cost_1h${local} ${on_cluster}
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
    cost_usd SimpleAggregateFunction(sum, Float64),
    lat_hist SimpleAggregateFunction(sumMap, Map(Int16, UInt64)),
    ttft_hist SimpleAggregateFunction(sumMap, Map(Int16, UInt64))
)
ENGINE = ${AggregatingMergeTree}
PARTITION BY toYYYYMM(t)
ORDER BY (tenant, t, service, env, provider, model, user_group, prompt_name, prompt_version)
SETTINGS ttl_only_drop_parts = 1, ${deduplication};

TRUNCATE TABLE cost_1h${local} ${on_cluster};

INSERT INTO cost_1h${local}
SELECT
    toStartOfHour(c.ts) AS t, c.tenant AS tenant, c.service AS service, c.env AS env, c.provider AS provider, c.model AS model,
    c.user_group AS user_group, c.prompt_name AS prompt_name, c.prompt_version AS prompt_version,
    count() AS calls, countIf(c.status = 'error') AS errors, countIf(c.status = 'blocked') AS blocked,
    countIf(c.cost_usd IS NULL AND c.input_tokens + c.output_tokens > 0) AS unpriced,
    countIf(c.cost_usd IS NOT NULL) AS priced,
    sumIf(c.input_tokens + c.output_tokens, c.cost_usd IS NOT NULL) AS priced_tokens,
    countIf(c.guard_verdict NOT IN ('', 'allow', 'none')) AS found,
    sum(c.input_tokens) AS input_tokens, sum(c.cached_tokens) AS cached_tokens, sum(c.output_tokens) AS output_tokens,
    sum(ifNull(c.cost_usd, 0)) AS cost_usd,
    sumMap(map(toInt16(if(c.latency_ms > 0, floor(8 * log2(c.latency_ms)), -100)), toUInt64(1))) AS lat_hist,
    sumMap(map(toInt16(if(c.ttft_ms > 0, floor(8 * log2(c.ttft_ms)), -100)), toUInt64(1))) AS ttft_hist
FROM llm_calls${local} AS c
GROUP BY t, tenant, service, env, provider, model, user_group, prompt_name, prompt_version;

CREATE MATERIALIZED VIEW IF NOT EXISTS cost_1h_view${local} ${on_cluster} TO cost_1h${local} AS
SELECT
    toStartOfHour(c.ts) AS t, c.tenant AS tenant, c.service AS service, c.env AS env, c.provider AS provider, c.model AS model,
    c.user_group AS user_group, c.prompt_name AS prompt_name, c.prompt_version AS prompt_version,
    count() AS calls, countIf(c.status = 'error') AS errors, countIf(c.status = 'blocked') AS blocked,
    countIf(c.cost_usd IS NULL AND c.input_tokens + c.output_tokens > 0) AS unpriced,
    countIf(c.cost_usd IS NOT NULL) AS priced,
    sumIf(c.input_tokens + c.output_tokens, c.cost_usd IS NOT NULL) AS priced_tokens,
    countIf(c.guard_verdict NOT IN ('', 'allow', 'none')) AS found,
    sum(c.input_tokens) AS input_tokens, sum(c.cached_tokens) AS cached_tokens, sum(c.output_tokens) AS output_tokens,
    sum(ifNull(c.cost_usd, 0)) AS cost_usd,
    sumMap(map(toInt16(if(c.latency_ms > 0, floor(8 * log2(c.latency_ms)), -100)), toUInt64(1))) AS lat_hist,
    sumMap(map(toInt16(if(c.ttft_ms > 0, floor(8 * log2(c.ttft_ms)), -100)), toUInt64(1))) AS ttft_hist
FROM llm_calls${local} AS c
GROUP BY t, tenant, service, env, provider, model, user_group, prompt_name, prompt_version;

-- The same by tag: a call with several is in several rows, one without any under ''. Never a sum over tags.
CREATE TABLE IF NOT EXISTS tag_1h${local} ${on_cluster}
(
    t DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    tenant LowCardinality(String),
    service LowCardinality(String),
    env LowCardinality(String),
    provider LowCardinality(String),
    model LowCardinality(String),
    tag LowCardinality(String),
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
ORDER BY (tenant, t, service, env, provider, model, tag)
SETTINGS ttl_only_drop_parts = 1, ${deduplication};

TRUNCATE TABLE tag_1h${local} ${on_cluster};

INSERT INTO tag_1h${local}
SELECT
    toStartOfHour(c.ts) AS t, c.tenant AS tenant, c.service AS service, c.env AS env, c.provider AS provider, c.model AS model,
    one_tag AS tag,
    count() AS calls, countIf(c.status = 'error') AS errors, countIf(c.status = 'blocked') AS blocked,
    countIf(c.cost_usd IS NULL AND c.input_tokens + c.output_tokens > 0) AS unpriced,
    countIf(c.cost_usd IS NOT NULL) AS priced,
    sumIf(c.input_tokens + c.output_tokens, c.cost_usd IS NOT NULL) AS priced_tokens,
    countIf(c.guard_verdict NOT IN ('', 'allow', 'none')) AS found,
    sum(c.input_tokens) AS input_tokens, sum(c.cached_tokens) AS cached_tokens, sum(c.output_tokens) AS output_tokens,
    sum(ifNull(c.cost_usd, 0)) AS cost_usd
FROM llm_calls${local} AS c ARRAY JOIN if(empty(c.tags), [''], arrayDistinct(c.tags)) AS one_tag
GROUP BY t, tenant, service, env, provider, model, tag;

CREATE MATERIALIZED VIEW IF NOT EXISTS tag_1h_view${local} ${on_cluster} TO tag_1h${local} AS
SELECT
    toStartOfHour(c.ts) AS t, c.tenant AS tenant, c.service AS service, c.env AS env, c.provider AS provider, c.model AS model,
    one_tag AS tag,
    count() AS calls, countIf(c.status = 'error') AS errors, countIf(c.status = 'blocked') AS blocked,
    countIf(c.cost_usd IS NULL AND c.input_tokens + c.output_tokens > 0) AS unpriced,
    countIf(c.cost_usd IS NOT NULL) AS priced,
    sumIf(c.input_tokens + c.output_tokens, c.cost_usd IS NOT NULL) AS priced_tokens,
    countIf(c.guard_verdict NOT IN ('', 'allow', 'none')) AS found,
    sum(c.input_tokens) AS input_tokens, sum(c.cached_tokens) AS cached_tokens, sum(c.output_tokens) AS output_tokens,
    sum(ifNull(c.cost_usd, 0)) AS cost_usd
FROM llm_calls${local} AS c ARRAY JOIN if(empty(c.tags), [''], arrayDistinct(c.tags)) AS one_tag
GROUP BY t, tenant, service, env, provider, model, tag;

-- A user by the day: what the list of users is sorted by. With apps and models it had nearly as many rows as there are calls.
CREATE TABLE IF NOT EXISTS user_1d${local} ${on_cluster}
(
    t DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    tenant LowCardinality(String),
    user_id String CODEC(ZSTD(1)),
    env LowCardinality(String),
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
    cost_usd SimpleAggregateFunction(sum, Float64),
    last SimpleAggregateFunction(max, DateTime64(6, 'UTC'))
)
ENGINE = ${AggregatingMergeTree}
PARTITION BY toYYYYMM(t)
ORDER BY (tenant, user_id, t, env)
SETTINGS index_granularity = 1024, ttl_only_drop_parts = 1, ${deduplication};

TRUNCATE TABLE user_1d${local} ${on_cluster};

INSERT INTO user_1d${local}
SELECT
    toDateTime(toStartOfDay(c.ts), 'UTC') AS t, c.tenant AS tenant, c.user_id AS user_id, c.env AS env,
    count() AS calls, countIf(c.status = 'error') AS errors, countIf(c.status = 'blocked') AS blocked,
    countIf(c.cost_usd IS NULL AND c.input_tokens + c.output_tokens > 0) AS unpriced,
    countIf(c.cost_usd IS NOT NULL) AS priced,
    sumIf(c.input_tokens + c.output_tokens, c.cost_usd IS NOT NULL) AS priced_tokens,
    countIf(c.guard_verdict NOT IN ('', 'allow', 'none')) AS found,
    sum(c.input_tokens) AS input_tokens, sum(c.cached_tokens) AS cached_tokens, sum(c.output_tokens) AS output_tokens,
    sum(ifNull(c.cost_usd, 0)) AS cost_usd, max(c.ts) AS last
FROM llm_calls${local} AS c
GROUP BY t, tenant, user_id, env;

CREATE MATERIALIZED VIEW IF NOT EXISTS user_1d_view${local} ${on_cluster} TO user_1d${local} AS
SELECT
    toDateTime(toStartOfDay(c.ts), 'UTC') AS t, c.tenant AS tenant, c.user_id AS user_id, c.env AS env,
    count() AS calls, countIf(c.status = 'error') AS errors, countIf(c.status = 'blocked') AS blocked,
    countIf(c.cost_usd IS NULL AND c.input_tokens + c.output_tokens > 0) AS unpriced,
    countIf(c.cost_usd IS NOT NULL) AS priced,
    sumIf(c.input_tokens + c.output_tokens, c.cost_usd IS NOT NULL) AS priced_tokens,
    countIf(c.guard_verdict NOT IN ('', 'allow', 'none')) AS found,
    sum(c.input_tokens) AS input_tokens, sum(c.cached_tokens) AS cached_tokens, sum(c.output_tokens) AS output_tokens,
    sum(ifNull(c.cost_usd, 0)) AS cost_usd, max(c.ts) AS last
FROM llm_calls${local} AS c
GROUP BY t, tenant, user_id, env;

-- One row a session, month and environment: what its line in a list says, and between which times its calls lie.
CREATE TABLE IF NOT EXISTS sessions${local} ${on_cluster}
(
    t DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    tenant LowCardinality(String),
    session_id String CODEC(ZSTD(1)),
    env LowCardinality(String),
    first SimpleAggregateFunction(min, DateTime64(6, 'UTC')),
    last SimpleAggregateFunction(max, DateTime64(6, 'UTC')),
    calls SimpleAggregateFunction(sum, UInt64),
    errors SimpleAggregateFunction(sum, UInt64),
    blocked SimpleAggregateFunction(sum, UInt64),
    unpriced SimpleAggregateFunction(sum, UInt64),
    found SimpleAggregateFunction(sum, UInt64),
    input_tokens SimpleAggregateFunction(sum, UInt64),
    output_tokens SimpleAggregateFunction(sum, UInt64),
    cost_usd SimpleAggregateFunction(sum, Float64),
    users SimpleAggregateFunction(groupUniqArrayArray, Array(String)),
    services SimpleAggregateFunction(groupUniqArrayArray, Array(String)),
    models SimpleAggregateFunction(groupUniqArrayArray, Array(String))
)
ENGINE = ${AggregatingMergeTree}
PARTITION BY toYYYYMM(t)
ORDER BY (session_id, tenant, env, t)
SETTINGS index_granularity = 1024, ttl_only_drop_parts = 1, ${deduplication};

TRUNCATE TABLE sessions${local} ${on_cluster};

INSERT INTO sessions${local}
SELECT
    toDateTime(toStartOfMonth(c.ts), 'UTC') AS t, c.tenant AS tenant, c.session_id AS session_id, c.env AS env,
    min(c.ts) AS first, max(c.ts) AS last,
    count() AS calls, countIf(c.status = 'error') AS errors, countIf(c.status = 'blocked') AS blocked,
    countIf(c.cost_usd IS NULL AND c.input_tokens + c.output_tokens > 0) AS unpriced,
    countIf(c.guard_verdict NOT IN ('', 'allow', 'none')) AS found,
    sum(c.input_tokens) AS input_tokens, sum(c.output_tokens) AS output_tokens, sum(ifNull(c.cost_usd, 0)) AS cost_usd,
    groupUniqArrayIf(c.user_id, c.user_id != '') AS users,
    groupUniqArray(toString(c.service)) AS services,
    groupUniqArray(toString(c.model)) AS models
FROM llm_calls${local} AS c
WHERE c.session_id != ''
GROUP BY t, tenant, session_id, env;

CREATE MATERIALIZED VIEW IF NOT EXISTS sessions_view${local} ${on_cluster} TO sessions${local} AS
SELECT
    toDateTime(toStartOfMonth(c.ts), 'UTC') AS t, c.tenant AS tenant, c.session_id AS session_id, c.env AS env,
    min(c.ts) AS first, max(c.ts) AS last,
    count() AS calls, countIf(c.status = 'error') AS errors, countIf(c.status = 'blocked') AS blocked,
    countIf(c.cost_usd IS NULL AND c.input_tokens + c.output_tokens > 0) AS unpriced,
    countIf(c.guard_verdict NOT IN ('', 'allow', 'none')) AS found,
    sum(c.input_tokens) AS input_tokens, sum(c.output_tokens) AS output_tokens, sum(ifNull(c.cost_usd, 0)) AS cost_usd,
    groupUniqArrayIf(c.user_id, c.user_id != '') AS users,
    groupUniqArray(toString(c.service)) AS services,
    groupUniqArray(toString(c.model)) AS models
FROM llm_calls${local} AS c
WHERE c.session_id != ''
GROUP BY t, tenant, session_id, env;

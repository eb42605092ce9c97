-- Facets of weeks: by the day what `facets_1h` has by the hour. It is made of what comes into that, a few rows a segment.
CREATE TABLE IF NOT EXISTS facets_1d${local} ${on_cluster}
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

CREATE MATERIALIZED VIEW IF NOT EXISTS facets_1d_view${local} ${on_cluster} TO facets_1d${local} AS
SELECT
    toDateTime(toStartOfDay(f.t), 'UTC') AS t, f.tenant AS tenant, f.service AS service, f.env AS env, f.provider AS provider,
    f.model AS model, f.operation AS operation, f.status AS status, f.error_type AS error_type,
    f.finish_reason AS finish_reason, f.failure AS failure, f.prompt_name AS prompt_name, f.user_group AS user_group,
    f.guard AS guard, sum(f.calls) AS calls
FROM facets_1h${local} AS f
GROUP BY t, tenant, service, env, provider, model, operation, status, error_type, finish_reason, failure, prompt_name, user_group, guard;

-- What was stored before it was there. No span arrives while the schema changes.
TRUNCATE TABLE facets_1d${local} ${on_cluster};

INSERT INTO facets_1d${local}
SELECT
    toDateTime(toStartOfDay(f.t), 'UTC') AS t, f.tenant AS tenant, f.service AS service, f.env AS env, f.provider AS provider,
    f.model AS model, f.operation AS operation, f.status AS status, f.error_type AS error_type,
    f.finish_reason AS finish_reason, f.failure AS failure, f.prompt_name AS prompt_name, f.user_group AS user_group,
    f.guard AS guard, sum(f.calls) AS calls
FROM facets_1h${local} AS f
GROUP BY t, tenant, service, env, provider, model, operation, status, error_type, finish_reason, failure, prompt_name, user_group, guard;

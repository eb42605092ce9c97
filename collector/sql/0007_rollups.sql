-- What charts read. Only dimensions of few values: names of prompts made more rows than calls. Never assume merged rows:
-- read with sum() and sumMap(). Histograms count by floor(8 * log2(x)), bins 9 % wide; -100 stands for none.
CREATE TABLE IF NOT EXISTS llm_1m${local} ${on_cluster}
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
    ttft_hist SimpleAggregateFunction(sumMap, Map(Int16, UInt64)),
    in_hist SimpleAggregateFunction(sumMap, Map(Int16, UInt64)),
    out_hist SimpleAggregateFunction(sumMap, Map(Int16, UInt64))
)
ENGINE = ${AggregatingMergeTree}
PARTITION BY toYYYYMM(t)
ORDER BY (tenant, t, service, env, provider, model)
SETTINGS ttl_only_drop_parts = 1, ${deduplication};

CREATE MATERIALIZED VIEW IF NOT EXISTS llm_1m_view${local} ${on_cluster} TO llm_1m${local} AS
SELECT
    toStartOfMinute(c.ts) AS t, c.tenant AS tenant, c.service AS service, c.env AS env, c.provider AS provider, c.model AS model,
    count() AS calls,
    countIf(c.status = 'error') AS errors,
    countIf(c.status = 'blocked') AS blocked,
    countIf(c.cost_usd IS NULL AND c.input_tokens + c.output_tokens > 0) AS unpriced,
    sum(c.input_tokens) AS input_tokens,
    sum(c.cached_tokens) AS cached_tokens,
    sum(c.output_tokens) AS output_tokens,
    sum(ifNull(c.cost_usd, 0)) AS cost_usd,
    sumMap(map(toInt16(if(c.latency_ms > 0, floor(8 * log2(c.latency_ms)), -100)), toUInt64(1))) AS lat_hist,
    sumMap(map(toInt16(if(c.ttft_ms > 0, floor(8 * log2(c.ttft_ms)), -100)), toUInt64(1))) AS ttft_hist,
    sumMap(map(toInt16(if(c.input_tokens > 0, floor(8 * log2(c.input_tokens)), -100)), toUInt64(1))) AS in_hist,
    sumMap(map(toInt16(if(c.output_tokens > 0, floor(8 * log2(c.output_tokens)), -100)), toUInt64(1))) AS out_hist
FROM llm_calls${local} AS c
GROUP BY t, tenant, service, env, provider, model;

-- What guards found, by the minute.
CREATE TABLE IF NOT EXISTS guard_1m${local} ${on_cluster}
(
    t DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    tenant LowCardinality(String),
    service LowCardinality(String),
    env LowCardinality(String),
    rule LowCardinality(String),
    detector LowCardinality(String),
    verdict LowCardinality(String),
    action LowCardinality(String),
    mode LowCardinality(String),
    events SimpleAggregateFunction(sum, UInt64)
)
ENGINE = ${AggregatingMergeTree}
PARTITION BY toYYYYMM(t)
ORDER BY (tenant, t, service, env, rule, detector, verdict, action, mode)
SETTINGS ttl_only_drop_parts = 1, ${deduplication};

CREATE MATERIALIZED VIEW IF NOT EXISTS guard_1m_view${local} ${on_cluster} TO guard_1m${local} AS
SELECT
    toStartOfMinute(g.ts) AS t, g.tenant AS tenant, g.service AS service, g.env AS env, g.rule AS rule,
    g.detector AS detector, g.verdict AS verdict, g.action AS action, g.mode AS mode,
    count() AS events
FROM guard_events${local} AS g
GROUP BY t, tenant, service, env, rule, detector, verdict, action, mode;

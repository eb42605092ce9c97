-- By the hour: what rules found and did, and how calls were guarded. A page reads whole hours here, the rest from rows.
CREATE TABLE IF NOT EXISTS guard_1h${local} ${on_cluster}
(
    t DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    tenant LowCardinality(String),
    service LowCardinality(String),
    env LowCardinality(String),
    rule LowCardinality(String),
    policy LowCardinality(String),
    detector LowCardinality(String),
    label LowCardinality(String),
    stage LowCardinality(String),
    verdict LowCardinality(String),
    action LowCardinality(String),
    mode LowCardinality(String),
    engine LowCardinality(String),
    degraded UInt8,
    events SimpleAggregateFunction(sum, UInt64),
    findings SimpleAggregateFunction(sum, UInt64),
    lat_hist SimpleAggregateFunction(sumMap, Map(Int16, UInt64))
)
ENGINE = ${AggregatingMergeTree}
PARTITION BY toYYYYMM(t)
ORDER BY (tenant, t, service, env, rule, policy, detector, label, stage, verdict, action, mode, engine, degraded)
SETTINGS ttl_only_drop_parts = 1, ${deduplication};

CREATE MATERIALIZED VIEW IF NOT EXISTS guard_1h_view${local} ${on_cluster} TO guard_1h${local} AS
SELECT
    toStartOfHour(g.ts) AS t, g.tenant AS tenant, g.service AS service, g.env AS env, g.rule AS rule, g.policy AS policy,
    g.detector AS detector, g.label AS label, g.stage AS stage, g.verdict AS verdict, g.action AS action, g.mode AS mode,
    g.engine AS engine, g.degraded AS degraded,
    count() AS events,
    sum(g.findings) AS findings,
    sumMap(map(toInt16(if(g.latency_ms > 0, floor(8 * log2(g.latency_ms)), -100)), toUInt64(1))) AS lat_hist
FROM guard_events${local} AS g
GROUP BY t, tenant, service, env, rule, policy, detector, label, stage, verdict, action, mode, engine, degraded;

-- Guards' outcome for whole calls by the hour: verdict, action, and how long guards took of a call.
CREATE TABLE IF NOT EXISTS guarded_1h${local} ${on_cluster}
(
    t DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    tenant LowCardinality(String),
    service LowCardinality(String),
    env LowCardinality(String),
    guard_verdict LowCardinality(String),
    guard_action LowCardinality(String),
    blocked UInt8,
    degraded UInt8,
    calls SimpleAggregateFunction(sum, UInt64),
    lat_hist SimpleAggregateFunction(sumMap, Map(Int16, UInt64))
)
ENGINE = ${AggregatingMergeTree}
PARTITION BY toYYYYMM(t)
ORDER BY (tenant, t, service, env, guard_verdict, guard_action, blocked, degraded)
SETTINGS ttl_only_drop_parts = 1, ${deduplication};

CREATE MATERIALIZED VIEW IF NOT EXISTS guarded_1h_view${local} ${on_cluster} TO guarded_1h${local} AS
SELECT
    toStartOfHour(c.ts) AS t, c.tenant AS tenant, c.service AS service, c.env AS env, c.guard_verdict AS guard_verdict,
    c.guard_action AS guard_action, c.status = 'blocked' AS blocked, c.degraded AS degraded,
    count() AS calls,
    sumMap(map(toInt16(if(c.guard_latency_ms > 0, floor(8 * log2(c.guard_latency_ms)), -100)), toUInt64(1))) AS lat_hist
FROM llm_calls${local} AS c
GROUP BY t, tenant, service, env, guard_verdict, guard_action, blocked, degraded;

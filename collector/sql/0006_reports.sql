-- What a tracer had to drop or could not do, by its own count.
CREATE TABLE IF NOT EXISTS reports${local} ${on_cluster}
(
    tenant LowCardinality(String),
    ts DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    service LowCardinality(String),
    env LowCardinality(String),
    kind LowCardinality(String),
    reason LowCardinality(String),
    count UInt64 CODEC(T64, ZSTD(1))
)
ENGINE = ${MergeTree}
PARTITION BY toMonday(ts)
ORDER BY (tenant, toStartOfFiveMinutes(ts), service, kind, ts)
SETTINGS ttl_only_drop_parts = 1, ${deduplication};

CREATE MATERIALIZED VIEW IF NOT EXISTS reports_view${local} ${on_cluster} TO reports${local} AS
SELECT
    if(ResourceAttributes['spanward.tenant'] = '', 'default', ResourceAttributes['spanward.tenant']) AS tenant,
    Timestamp AS ts,
    ServiceName AS service,
    if(ResourceAttributes['deployment.environment.name'] != '', ResourceAttributes['deployment.environment.name'], ResourceAttributes['deployment.environment']) AS env,
    SpanAttributes['spanward.report.kind'] AS kind,
    SpanAttributes['spanward.report.reason'] AS reason,
    toUInt64OrZero(SpanAttributes['spanward.report.count']) AS count
FROM otel_traces${local}
WHERE SpanName = 'spanward.report';

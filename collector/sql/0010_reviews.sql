-- What people made of findings: a log; the newest row of an actor about a finding counts. `missed` is about a call.
CREATE TABLE IF NOT EXISTS reviews${local} ${on_cluster}
(
    tenant LowCardinality(String),
    ts DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    actor String CODEC(ZSTD(1)),
    call_ts DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    trace_id String CODEC(ZSTD(1)),
    span_id String CODEC(ZSTD(1)),
    service LowCardinality(String),
    env LowCardinality(String),
    rule LowCardinality(String),
    detector LowCardinality(String),
    label LowCardinality(String),
    stage LowCardinality(String),
    score Float32 CODEC(ZSTD(1)),
    verdict LowCardinality(String),
    note String CODEC(ZSTD(1)),
    INDEX by_trace trace_id TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = ${MergeTree}
PARTITION BY toYYYYMM(ts)
ORDER BY (tenant, rule, label, ts)
SETTINGS ttl_only_drop_parts = 1, ${deduplication};

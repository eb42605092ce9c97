-- What became of alert rules and of what was sent about them: never changed, read with LIMIT 1 BY id, since a row that
-- was being written when the sidecar died is written again.
CREATE TABLE IF NOT EXISTS alert_events${local} ${on_cluster}
(
    tenant LowCardinality(String),
    ts DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    id String CODEC(ZSTD(1)),
    rule String CODEC(ZSTD(1)),
    name String CODEC(ZSTD(1)),
    `group` String CODEC(ZSTD(1)),
    event LowCardinality(String),
    value Nullable(Float64) CODEC(ZSTD(1)),
    threshold Nullable(Float64) CODEC(ZSTD(1)),
    channel String CODEC(ZSTD(1)),
    attempts UInt16 CODEC(T64, ZSTD(1)),
    actor String CODEC(ZSTD(1)),
    detail String CODEC(ZSTD(1))
)
ENGINE = ${MergeTree}
PARTITION BY toYYYYMM(ts)
ORDER BY (tenant, rule, ts, id)
SETTINGS ttl_only_drop_parts = 1, ${deduplication};

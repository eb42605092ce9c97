-- What people did to the guards. Written first to the audit log of the data directory; these rows are its copy.
-- `hash` is the SHA-256 of the log's line, `prev` that of the line before it; of the first line it is `chain`, the log's own name.
CREATE TABLE IF NOT EXISTS audit${local} ${on_cluster}
(
    tenant LowCardinality(String),
    ts DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    actor String CODEC(ZSTD(1)),
    action LowCardinality(String),
    subject String CODEC(ZSTD(1)),
    detail Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    chain String CODEC(ZSTD(1)),
    seq UInt64 CODEC(Delta(8), ZSTD(1)),
    prev String CODEC(ZSTD(1)),
    hash String CODEC(ZSTD(1))
)
ENGINE = ${MergeTree}
PARTITION BY toYYYYMM(ts)
ORDER BY (tenant, ts, chain, seq)
SETTINGS ttl_only_drop_parts = 1, ${deduplication};

-- Only for a cluster, as in cluster.sql: what came with 0018.
ALTER TABLE guard_events ${on_cluster}
    ADD COLUMN IF NOT EXISTS of_call UInt8,
    ADD COLUMN IF NOT EXISTS call_ts DateTime64(6, 'UTC'),
    ADD COLUMN IF NOT EXISTS provider LowCardinality(String),
    ADD COLUMN IF NOT EXISTS request_model LowCardinality(String),
    ADD COLUMN IF NOT EXISTS model LowCardinality(String),
    ADD COLUMN IF NOT EXISTS operation LowCardinality(String),
    ADD COLUMN IF NOT EXISTS status LowCardinality(String),
    ADD COLUMN IF NOT EXISTS error_type LowCardinality(String),
    ADD COLUMN IF NOT EXISTS finish_reason LowCardinality(String),
    ADD COLUMN IF NOT EXISTS prompt_name LowCardinality(String),
    ADD COLUMN IF NOT EXISTS prompt_version LowCardinality(String),
    ADD COLUMN IF NOT EXISTS user_group LowCardinality(String),
    ADD COLUMN IF NOT EXISTS user_id String,
    ADD COLUMN IF NOT EXISTS session_id String,
    ADD COLUMN IF NOT EXISTS tags Array(LowCardinality(String)),
    ADD COLUMN IF NOT EXISTS guard_verdict LowCardinality(String),
    ADD COLUMN IF NOT EXISTS guard_action LowCardinality(String),
    ADD COLUMN IF NOT EXISTS found LowCardinality(String);
ALTER TABLE cost_1h ${on_cluster}
    ADD COLUMN IF NOT EXISTS unguarded UInt64,
    ADD COLUMN IF NOT EXISTS failed_open UInt64,
    ADD COLUMN IF NOT EXISTS guard_blocked UInt64,
    ADD COLUMN IF NOT EXISTS modified UInt64,
    ADD COLUMN IF NOT EXISTS degraded UInt64,
    ADD COLUMN IF NOT EXISTS guard_hist Map(Int16, UInt64);

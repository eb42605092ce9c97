-- Only for a cluster, as in cluster.sql: what came with 0009.
CREATE TABLE IF NOT EXISTS failures_1h ${on_cluster} AS failures_1h${local} ENGINE = Distributed(${cluster}, ${database}, failures_1h${local}, rand());
CREATE TABLE IF NOT EXISTS failure_groups ${on_cluster} AS failure_groups${local} ENGINE = Distributed(${cluster}, ${database}, failure_groups${local}, rand());
ALTER TABLE llm_calls ${on_cluster}
    ADD COLUMN IF NOT EXISTS tool_calls UInt16,
    ADD COLUMN IF NOT EXISTS json_valid LowCardinality(String),
    ADD COLUMN IF NOT EXISTS answer_fault LowCardinality(String),
    ADD COLUMN IF NOT EXISTS failure LowCardinality(String),
    ADD COLUMN IF NOT EXISTS failure_text LowCardinality(String),
    ADD COLUMN IF NOT EXISTS failure_group LowCardinality(String);

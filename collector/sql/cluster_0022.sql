-- Only for a cluster, as in cluster.sql: what came with 0022.
CREATE TABLE IF NOT EXISTS cost_1d ${on_cluster} AS cost_1d${local} ENGINE = Distributed(${cluster}, ${database}, cost_1d${local}, rand());
ALTER TABLE guard_events ${on_cluster} ADD COLUMN IF NOT EXISTS call_bits UInt8, ADD COLUMN IF NOT EXISTS event_bits UInt8;

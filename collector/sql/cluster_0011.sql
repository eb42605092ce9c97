-- Only for a cluster, as in cluster.sql: what came with 0011.
CREATE TABLE IF NOT EXISTS drift_1h ${on_cluster} AS drift_1h${local} ENGINE = Distributed(${cluster}, ${database}, drift_1h${local}, rand());

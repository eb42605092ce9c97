-- Only for a cluster, as in cluster.sql: what came with 0008.
CREATE TABLE IF NOT EXISTS audit ${on_cluster} AS audit${local} ENGINE = Distributed(${cluster}, ${database}, audit${local}, cityHash64(chain));

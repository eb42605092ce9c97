-- Only for a cluster, as in cluster.sql: what came with 0013.
CREATE TABLE IF NOT EXISTS alert_events ${on_cluster} AS alert_events${local} ENGINE = Distributed(${cluster}, ${database}, alert_events${local}, cityHash64(rule));

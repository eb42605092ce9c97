CREATE TABLE IF NOT EXISTS traits ${on_cluster} AS traits${local} ENGINE = Distributed(${cluster}, ${database}, traits${local}, cityHash64(trace_id));

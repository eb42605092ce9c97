CREATE TABLE IF NOT EXISTS reviews ${on_cluster} AS reviews${local} ENGINE = Distributed(${cluster}, ${database}, reviews${local}, cityHash64(trace_id));
CREATE TABLE IF NOT EXISTS guard_1h ${on_cluster} AS guard_1h${local} ENGINE = Distributed(${cluster}, ${database}, guard_1h${local}, rand());
CREATE TABLE IF NOT EXISTS guarded_1h ${on_cluster} AS guarded_1h${local} ENGINE = Distributed(${cluster}, ${database}, guarded_1h${local}, rand());

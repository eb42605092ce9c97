-- Only for a cluster: the name people use is spread over the shards, the rows are in NAME_local.
CREATE TABLE IF NOT EXISTS otel_traces ${on_cluster} AS otel_traces${local} ENGINE = Distributed(${cluster}, ${database}, otel_traces${local}, cityHash64(TraceId));
CREATE TABLE IF NOT EXISTS spans ${on_cluster} AS spans${local} ENGINE = Distributed(${cluster}, ${database}, spans${local}, cityHash64(trace_id));
CREATE TABLE IF NOT EXISTS llm_calls ${on_cluster} AS llm_calls${local} ENGINE = Distributed(${cluster}, ${database}, llm_calls${local}, cityHash64(trace_id));
CREATE TABLE IF NOT EXISTS content ${on_cluster} AS content${local} ENGINE = Distributed(${cluster}, ${database}, content${local}, cityHash64(trace_id));
CREATE TABLE IF NOT EXISTS guard_events ${on_cluster} AS guard_events${local} ENGINE = Distributed(${cluster}, ${database}, guard_events${local}, cityHash64(trace_id));
CREATE TABLE IF NOT EXISTS reports ${on_cluster} AS reports${local} ENGINE = Distributed(${cluster}, ${database}, reports${local}, rand());
CREATE TABLE IF NOT EXISTS llm_1m ${on_cluster} AS llm_1m${local} ENGINE = Distributed(${cluster}, ${database}, llm_1m${local}, rand());
CREATE TABLE IF NOT EXISTS guard_1m ${on_cluster} AS guard_1m${local} ENGINE = Distributed(${cluster}, ${database}, guard_1m${local}, rand());

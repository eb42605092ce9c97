-- Only for a cluster, as in cluster.sql: what came with 0020.
ALTER TABLE tag_1h ${on_cluster}
    ADD COLUMN IF NOT EXISTS lat_hist SimpleAggregateFunction(sumMap, Map(Int16, UInt64)),
    ADD COLUMN IF NOT EXISTS ttft_hist SimpleAggregateFunction(sumMap, Map(Int16, UInt64));
CREATE TABLE IF NOT EXISTS failed_1h ${on_cluster} AS failed_1h${local} ENGINE = Distributed(${cluster}, ${database}, failed_1h${local}, rand());
CREATE TABLE IF NOT EXISTS user_app_1d ${on_cluster} AS user_app_1d${local} ENGINE = Distributed(${cluster}, ${database}, user_app_1d${local}, rand());

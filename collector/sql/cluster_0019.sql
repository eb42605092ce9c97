-- Only for a cluster, as in cluster.sql: what came with 0019.
CREATE TABLE IF NOT EXISTS facets_1d ${on_cluster} AS facets_1d${local} ENGINE = Distributed(${cluster}, ${database}, facets_1d${local}, rand());

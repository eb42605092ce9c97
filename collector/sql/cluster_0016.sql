-- Only for a cluster, as in cluster.sql: what came with 0016.
CREATE TABLE IF NOT EXISTS llm_1h ${on_cluster} AS llm_1h${local} ENGINE = Distributed(${cluster}, ${database}, llm_1h${local}, rand());
CREATE TABLE IF NOT EXISTS facets_1h ${on_cluster} AS facets_1h${local} ENGINE = Distributed(${cluster}, ${database}, facets_1h${local}, rand());

-- Only for a cluster, as in cluster.sql: what came with 0014.
CREATE TABLE IF NOT EXISTS cost_1h ${on_cluster} AS cost_1h${local} ENGINE = Distributed(${cluster}, ${database}, cost_1h${local}, rand());
CREATE TABLE IF NOT EXISTS tag_1h ${on_cluster} AS tag_1h${local} ENGINE = Distributed(${cluster}, ${database}, tag_1h${local}, rand());
CREATE TABLE IF NOT EXISTS user_1d ${on_cluster} AS user_1d${local} ENGINE = Distributed(${cluster}, ${database}, user_1d${local}, rand());
CREATE TABLE IF NOT EXISTS sessions ${on_cluster} AS sessions${local} ENGINE = Distributed(${cluster}, ${database}, sessions${local}, rand());

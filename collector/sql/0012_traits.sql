-- What the texts of a sample of calls are like; numbers and short codes only, nothing that anybody said.
CREATE TABLE IF NOT EXISTS traits${local} ${on_cluster}
(
    tenant LowCardinality(String),
    ts DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    trace_id String CODEC(ZSTD(1)),
    span_id String CODEC(ZSTD(1)),
    service LowCardinality(String),
    env LowCardinality(String),
    model LowCardinality(String),
    prompt_name LowCardinality(String),
    prompt_version LowCardinality(String),
    language LowCardinality(String),
    input_form LowCardinality(String),
    topic LowCardinality(String),
    new_words Nullable(Float32) CODEC(ZSTD(1)),
    centroid_distance Nullable(Float32) CODEC(ZSTD(1)),
    sampled_of Float32 CODEC(ZSTD(1)),
    INDEX by_trace trace_id TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX by_span span_id TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = ${MergeTree}
PARTITION BY toMonday(ts)
ORDER BY (tenant, toStartOfFiveMinutes(ts), service, ts)
SETTINGS index_granularity = 1024, ttl_only_drop_parts = 1, ${deduplication};

CREATE MATERIALIZED VIEW IF NOT EXISTS traits_drift_view${local} ${on_cluster} TO drift_1h${local} AS
SELECT
    toStartOfHour(x.ts) AS t, x.tenant AS tenant, x.service AS service, x.env AS env,
    said.1 AS stream, said.2 AS bucket, count() AS n
FROM
(
    SELECT ts, tenant, service, env, arrayJoin([
        ('language', toString(language)),
        ('topic', toString(topic)),
        ('input_form', toString(input_form)),
        ('new_words', multiIf(new_words IS NULL, '', new_words = 0, 'none', new_words <= 0.05, 'up to 5%', new_words <= 0.1, 'up to 10%', new_words <= 0.25, 'up to 25%', 'over 25%')),
        ('centroid_shift', if(centroid_distance IS NULL, '', toString(floor(assumeNotNull(centroid_distance) * 10) / 10)))
    ]) AS said
    FROM traits${local}
) AS x
WHERE bucket != ''
GROUP BY t, tenant, service, env, stream, bucket;

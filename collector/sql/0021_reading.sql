-- Previews are read by the million when a text is looked for: unpacking them was three quarters of the time, and packing
-- them took more than all the rest of writing them. They take three quarters more room.
ALTER TABLE llm_calls${local} ${on_cluster}
    MODIFY COLUMN input_preview String CODEC(LZ4),
    MODIFY COLUMN output_preview String CODEC(LZ4);

-- Of a column with NULLs the largest of a granule is taken for infinite: it ruled nothing out.
ALTER TABLE llm_calls${local} ${on_cluster} DROP INDEX IF EXISTS range_cost;
ALTER TABLE llm_calls${local} ${on_cluster} ADD INDEX IF NOT EXISTS range_priced ifNull(cost_usd, -1) TYPE minmax GRANULARITY 1;
ALTER TABLE llm_calls${local} ${on_cluster} MATERIALIZE INDEX range_priced;

-- A week that is over becomes one part: a list reads a few rows of many columns, and opens each column of each part for it.
ALTER TABLE llm_calls${local} ${on_cluster} MODIFY SETTING min_age_to_force_merge_seconds = 86400, min_age_to_force_merge_on_partition_only = 1;
ALTER TABLE guard_events${local} ${on_cluster} MODIFY SETTING min_age_to_force_merge_seconds = 86400, min_age_to_force_merge_on_partition_only = 1;

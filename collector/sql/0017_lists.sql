-- What lists are sorted by: the largest and smallest of a granule tell which of them hold the first rows.
ALTER TABLE llm_calls${local} ${on_cluster}
    ADD INDEX IF NOT EXISTS range_latency latency_ms TYPE minmax GRANULARITY 1,
    ADD INDEX IF NOT EXISTS range_ttft ttft_ms TYPE minmax GRANULARITY 1,
    ADD INDEX IF NOT EXISTS range_cost cost_usd TYPE minmax GRANULARITY 1,
    ADD INDEX IF NOT EXISTS range_input input_tokens TYPE minmax GRANULARITY 1,
    ADD INDEX IF NOT EXISTS range_output output_tokens TYPE minmax GRANULARITY 1,
    ADD INDEX IF NOT EXISTS range_tokens input_tokens + output_tokens TYPE minmax GRANULARITY 1;

-- A page of a list reads all columns of a hundred granules: of a block of 64 KiB nearly all would be unpacked for nothing.
ALTER TABLE llm_calls${local} ${on_cluster} MODIFY SETTING min_compress_block_size = 16384;

-- Goes on in the background; blocks become smaller as parts are merged.
ALTER TABLE llm_calls${local} ${on_cluster}
    MATERIALIZE INDEX range_latency, MATERIALIZE INDEX range_ttft, MATERIALIZE INDEX range_cost,
    MATERIALIZE INDEX range_input, MATERIALIZE INDEX range_output, MATERIALIZE INDEX range_tokens;

-- What an event found, in one word to group by: grouping by one such column is five times as fast as by seven. First a
-- digit, its kind (0 blocked, 1 modified, 2 flagged, 3 shadow, 4 failed open); empty where nothing was found.
ALTER TABLE guard_events${local} ${on_cluster} ADD COLUMN IF NOT EXISTS found LowCardinality(String) MATERIALIZED
    if(verdict IN ('allow', 'none'), '', concat(
        multiIf(verdict = 'fail_open', '4', mode = 'shadow', '3', action = 'block', '0', action = 'modify', '1', '2'),
        toString((toString(rule), toString(detector), toString(label), toString(stage), toString(verdict), toString(mode), toString(policy)))));
ALTER TABLE guard_events${local} ${on_cluster} MATERIALIZE COLUMN found;

-- How calls were guarded, by the hour and by what `cost_1h` knows of them: a page about one model or prompt reads it there.
ALTER TABLE cost_1h${local} ${on_cluster}
    ADD COLUMN IF NOT EXISTS unguarded SimpleAggregateFunction(sum, UInt64),
    ADD COLUMN IF NOT EXISTS failed_open SimpleAggregateFunction(sum, UInt64),
    ADD COLUMN IF NOT EXISTS guard_blocked SimpleAggregateFunction(sum, UInt64),
    ADD COLUMN IF NOT EXISTS modified SimpleAggregateFunction(sum, UInt64),
    ADD COLUMN IF NOT EXISTS degraded SimpleAggregateFunction(sum, UInt64),
    ADD COLUMN IF NOT EXISTS guard_hist SimpleAggregateFunction(sumMap, Map(Int16, UInt64));

-- What was stored before, once: a row of these sums alone is added to what is there by the same key. No span arrives while
-- the schema changes.
INSERT INTO cost_1h${local} (t, tenant, service, env, provider, model, user_group, prompt_name, prompt_version, unguarded, failed_open, guard_blocked, modified, degraded, guard_hist)
WITH multiIf(c.guard_verdict = 'fail_open', 'failed_open', c.guard_action = 'block' OR c.status = 'blocked', 'blocked', c.guard_action = 'modify', 'modified', c.guard_verdict IN ('warn', 'deny'), 'flagged', c.guard_verdict = 'allow', 'clean', 'unguarded') AS guard
SELECT
    toStartOfHour(c.ts) AS t, c.tenant AS tenant, c.service AS service, c.env AS env, c.provider AS provider, c.model AS model,
    c.user_group AS user_group, c.prompt_name AS prompt_name, c.prompt_version AS prompt_version,
    countIf(guard = 'unguarded') AS unguarded, countIf(guard = 'failed_open') AS failed_open,
    countIf(guard = 'blocked') AS guard_blocked, countIf(guard = 'modified') AS modified, countIf(c.degraded > 0) AS degraded,
    sumMap(map(toInt16(if(c.guard_latency_ms > 0, floor(8 * log2(c.guard_latency_ms)), -100)), toUInt64(1))) AS guard_hist
FROM llm_calls${local} AS c
WHERE (SELECT count() FROM cost_1h${local} WHERE notEmpty(guard_hist)) = 0
GROUP BY t, tenant, service, env, provider, model, user_group, prompt_name, prompt_version;

ALTER TABLE cost_1h_view${local} ${on_cluster} MODIFY QUERY
WITH multiIf(c.guard_verdict = 'fail_open', 'failed_open', c.guard_action = 'block' OR c.status = 'blocked', 'blocked', c.guard_action = 'modify', 'modified', c.guard_verdict IN ('warn', 'deny'), 'flagged', c.guard_verdict = 'allow', 'clean', 'unguarded') AS guard
SELECT
    toStartOfHour(c.ts) AS t, c.tenant AS tenant, c.service AS service, c.env AS env, c.provider AS provider, c.model AS model,
    c.user_group AS user_group, c.prompt_name AS prompt_name, c.prompt_version AS prompt_version,
    count() AS calls, countIf(c.status = 'error') AS errors, countIf(c.status = 'blocked') AS blocked,
    countIf(c.cost_usd IS NULL AND c.input_tokens + c.output_tokens > 0) AS unpriced,
    countIf(c.cost_usd IS NOT NULL) AS priced,
    sumIf(c.input_tokens + c.output_tokens, c.cost_usd IS NOT NULL) AS priced_tokens,
    countIf(c.guard_verdict NOT IN ('', 'allow', 'none')) AS found,
    sum(c.input_tokens) AS input_tokens, sum(c.cached_tokens) AS cached_tokens, sum(c.output_tokens) AS output_tokens,
    sum(ifNull(c.cost_usd, 0)) AS cost_usd,
    sumMap(map(toInt16(if(c.latency_ms > 0, floor(8 * log2(c.latency_ms)), -100)), toUInt64(1))) AS lat_hist,
    sumMap(map(toInt16(if(c.ttft_ms > 0, floor(8 * log2(c.ttft_ms)), -100)), toUInt64(1))) AS ttft_hist,
    countIf(guard = 'unguarded') AS unguarded, countIf(guard = 'failed_open') AS failed_open,
    countIf(guard = 'blocked') AS guard_blocked, countIf(guard = 'modified') AS modified, countIf(c.degraded > 0) AS degraded,
    sumMap(map(toInt16(if(c.guard_latency_ms > 0, floor(8 * log2(c.guard_latency_ms)), -100)), toUInt64(1))) AS guard_hist
FROM llm_calls${local} AS c
GROUP BY t, tenant, service, env, provider, model, user_group, prompt_name, prompt_version;
DETACH TABLE cost_1h_view${local} ${on_cluster} SYNC;
ATTACH TABLE cost_1h_view${local} ${on_cluster};

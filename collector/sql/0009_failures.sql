-- Why a call did not give what was asked for: its kind, and the group of those with one cause.
-- What the span alone knows, the view fills in; the rest follows from columns that were always there, so that calls of
-- before have it too.
ALTER TABLE llm_calls${local} ${on_cluster}
    ADD COLUMN IF NOT EXISTS tool_calls UInt16 CODEC(T64, ZSTD(1)),
    ADD COLUMN IF NOT EXISTS json_valid LowCardinality(String),
    ADD COLUMN IF NOT EXISTS answer_fault LowCardinality(String);

-- `json_valid` is empty where no JSON was asked for or the whole answer is not known; `answer_fault` too.
-- Messages are parsed once each, into tuples: piece by piece it was half of the time that a span took.
ALTER TABLE llm_calls_view${local} ${on_cluster} MODIFY QUERY
WITH
    toFloat64OrNull(SpanAttributes['spanward.cost.usd']) AS cost_given,
    toFloat32OrZero(SpanAttributes['gen_ai.response.time_to_first_chunk']) * 1000 AS ttft_given,
    SpanAttributes['gen_ai.output.messages'] AS answered,
    operation IN ('chat', 'text_completion', 'generate_content') AS of_text,
    of_text AND StatusCode != 'Error' AND guard_action != 'block' AND content_withheld = '' AND stream_end IN ('', 'complete')
        AND SpanAttributes['spanward.content.cut'] IN ('', '0') AS known_whole,
    known_whole AND (SpanAttributes['gen_ai.output.type'] = 'json' OR startsWith(lower(SpanAttributes['gen_ai.request.response_format']), 'json')) AS json_asked,
    if(json_asked, arrayFirst(t -> t != '', arrayMap(
        m -> arrayStringConcat(arrayMap(
            p -> if(JSONExtractString(p, 'type') = 'text', JSONExtractString(p, 'content'), ''), JSONExtractArrayRaw(m, 'parts'))),
        JSONExtractArrayRaw(answered))), '') AS json_text
SELECT
    if(ResourceAttributes['spanward.tenant'] = '', 'default', ResourceAttributes['spanward.tenant']) AS tenant,
    Timestamp AS ts,
    TraceId AS trace_id,
    SpanId AS span_id,
    ParentSpanId AS parent_span_id,
    ServiceName AS service,
    if(ResourceAttributes['deployment.environment.name'] != '', ResourceAttributes['deployment.environment.name'], ResourceAttributes['deployment.environment']) AS env,
    SpanAttributes['gen_ai.operation.name'] AS operation,
    if(SpanAttributes['gen_ai.provider.name'] != '', SpanAttributes['gen_ai.provider.name'], SpanAttributes['gen_ai.system']) AS provider,
    SpanAttributes['gen_ai.request.model'] AS request_model,
    if(SpanAttributes['gen_ai.response.model'] != '', SpanAttributes['gen_ai.response.model'], request_model) AS model,
    multiIf(guard_action = 'block', 'blocked', StatusCode = 'Error', 'error', 'ok') AS status,
    SpanAttributes['error.type'] AS error_type,
    StatusMessage AS status_message,
    if(startsWith(SpanAttributes['gen_ai.response.finish_reasons'], '['), JSONExtractString(SpanAttributes['gen_ai.response.finish_reasons'], 1), SpanAttributes['gen_ai.response.finish_reasons']) AS finish_reason,
    SpanAttributes['gen_ai.request.stream'] = 'true' AS stream,
    SpanAttributes['spanward.stream.end'] AS stream_end,
    toUInt32OrZero(SpanAttributes['spanward.stream.chunks']) AS chunks,
    toUInt32OrZero(SpanAttributes['gen_ai.usage.input_tokens']) AS input_tokens,
    toUInt32OrZero(SpanAttributes['gen_ai.usage.cache_read.input_tokens']) AS cached_tokens,
    toUInt32OrZero(SpanAttributes['gen_ai.usage.cache_write.input_tokens']) AS cache_write_tokens,
    toUInt32OrZero(SpanAttributes['gen_ai.usage.output_tokens']) AS output_tokens,
    toUInt32OrZero(SpanAttributes['gen_ai.usage.reasoning.output_tokens']) AS reasoning_tokens,
    SpanAttributes['spanward.usage.source'] AS usage_source,
    if(isFinite(cost_given) AND cost_given >= 0, cost_given, NULL) AS cost_usd,
    SpanAttributes['spanward.cost.price_version'] AS price_version,
    toFloat32(Duration / 1e6) AS latency_ms,
    if(isFinite(ttft_given) AND ttft_given > 0, ttft_given, 0) AS ttft_ms,
    SpanAttributes['spanward.guard.verdict'] AS guard_verdict,
    SpanAttributes['spanward.guard.action'] AS guard_action,
    SpanAttributes['spanward.guard.policy.hash'] AS policy_hash,
    toFloat32OrZero(SpanAttributes['spanward.guard.latency_ms']) AS guard_latency_ms,
    SpanAttributes['spanward.guard.degraded'] NOT IN ('', 'false', '[]') AS degraded,
    SpanAttributes['spanward.content.withheld'] AS content_withheld,
    SpanAttributes['gen_ai.conversation.id'] AS session_id,
    SpanAttributes['user.id'] AS user_id,
    SpanAttributes['spanward.user.group'] AS user_group,
    SpanAttributes['gen_ai.prompt.name'] AS prompt_name,
    SpanAttributes['gen_ai.prompt.version'] AS prompt_version,
    JSONExtract(SpanAttributes['spanward.tags'], 'Array(String)') AS tags,
    leftUTF8(arrayLast(t -> t != '', arrayMap(
        m -> if(m.1 = 'user', arrayStringConcat(arrayFilter(t -> t != '', arrayMap(p -> if(p.1 = 'text', p.2, ''), m.2)), ' · '), ''),
        JSONExtract(SpanAttributes['gen_ai.input.messages'], 'Array(Tuple(role String, parts Array(Tuple(type String, content String))))'))), 200) AS input_preview,
    leftUTF8(arrayFirst(t -> t != '', arrayMap(
        m -> arrayStringConcat(arrayFilter(t -> t != '', arrayMap(p -> if(p.1 = 'text', p.2, ''), m.1)), ' · '),
        JSONExtract(answered, 'Array(Tuple(parts Array(Tuple(type String, content String))))'))), 200) AS output_preview,
    if(position(answered, 'tool_call') = 0, 0, arraySum(arrayMap(
        m -> arrayCount(p -> JSONExtractString(p, 'type') = 'tool_call', JSONExtractArrayRaw(m, 'parts')), JSONExtractArrayRaw(answered)))) AS tool_calls,
    multiIf(json_text = '', '', isValidJSON(json_text), 'yes', 'no') AS json_valid,
    multiIf(
        NOT known_whole, '',
        json_valid = 'no', multiIf(
            match(json_text, '^\\s*```'), 'JSON in a code fence',
            match(json_text, '^\\s*[\\[{]'), if(match(json_text, '[\\]}]\\s*\\z'), 'malformed JSON', 'JSON that breaks off'),
            match(json_text, '[\\[{]'), 'text around the JSON',
            'no JSON'),
        output_preview != '' OR tool_calls > 0, '',
        answered = '', if(SpanAttributes['gen_ai.usage.output_tokens'] = '0' AND SpanAttributes['gen_ai.input.messages'] != '', 'no answer', ''),
        NOT isValidJSON(answered) OR arrayExists(
            m -> arrayExists(p -> JSONExtractString(p, 'type') NOT IN ('text', 'reasoning'), JSONExtractArrayRaw(m, 'parts')), JSONExtractArrayRaw(answered)), '',
        position(answered, 'reasoning') > 0, 'only reasoning',
        'no answer') AS answer_fault
FROM otel_traces${local}
WHERE SpanAttributes['gen_ai.operation.name'] IN (${model_operations});
-- Until it is loaded again, a view that was changed names its blocks otherwise than the same view after a restart does:
-- a segment that was repeated across one would be taken for new.
DETACH TABLE llm_calls_view${local} ${on_cluster} SYNC;
ATTACH TABLE llm_calls_view${local} ${on_cluster};

-- The message of an error without what differs from call to call. Codes after words such as HTTP or error stay (held as
-- _429_ meanwhile), as do names of parameters in quotes: they are the cause.
ALTER TABLE llm_calls${local} ${on_cluster} ADD COLUMN IF NOT EXISTS failure_said String ALIAS
    if(status_message = '', '', leftUTF8(trim(BOTH ' ' FROM replaceRegexpAll(replaceRegexpAll(replaceRegexpAll(replaceRegexpAll(replaceRegexpAll(arrayStringConcat(arrayMap(
        w -> if(length(w) >= 8 AND match(w, '[0-9]') AND match(w, '[A-Za-z]')
                AND (length(w) >= 20 OR match(w, '[0-9].*[0-9].*[0-9]') OR match(w, '[a-z].*[A-Z].*[a-z]')), '<id>', w),
        extractAll(replaceRegexpAll(replaceRegexpAll(replaceRegexpAll(replaceRegexpAll(replaceRegexpAll(replaceRegexpAll(replaceRegexpAll(replaceRegexpAll(replaceRegexpAll(replaceRegexpAll(replaceRegexpAll(replaceAll(replaceAll(leftUTF8(status_message, 2000), if(length(request_model) < 4, '\0', toString(request_model)), '<model>'), if(length(model) < 4, '\0', toString(model)), '<model>'),
        'https?://[^\\s\'\\"<>)]+', '<url>'),
        '\\b(?:gpt|claude|gemini|gemma|llama|mistral|mixtral|ministral|codestral|magistral|command-[ra]|qwen|deepseek|grok|text-embedding|dall-e|whisper|o\\d)[-:.\\d][\\w.:-]*\\w', '<model>'),
        '[\\w.+-]+@[\\w-]+\\.[\\w.-]*\\w', '<email>'),
        '\\b\\d{4}-\\d\\d-\\d\\d(?:[T ]\\d\\d:\\d\\d(?::\\d\\d(?:\\.\\d+)?)?(?:Z|[+-]\\d\\d:?\\d\\d)?)?', '<time>'),
        '\\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\\b', '<id>'),
        '[\'\\"`]([a-z]+(?:_[a-z]+)+|temperature|top_p|top_k|max_tokens|messages|message|model|tools|tool|functions|function|stream|stop|seed|logprobs|system|input|prompt|contents|content|thinking|reasoning|user|assistant|role|metadata|type|param|code|error|detail|status|format|schema|image|audio|file)[\'\\"`]', '\\1'),
        '(?i)\\b(http(?:/\\d(?:\\.\\d)?)?|status(?:[ _]code)?|error(?:[ _]code)?|code|errno)([ :=#]{1,3})(\\d{1,5})\\b', '\\1\\2_\\3_'),
        '\\b(message|msg|detail|reason|error_description)[\'\\"]?: ?[\'\\"]', '\\1: '),
        '(^|[^A-Za-z0-9])(?:\'[^\']{0,400}\'|\\"[^\\"]{0,400}\\"|`[^`]{0,400}`|“[^”]{0,400}”)', '\\1<value>'),
        '\\b\\d{1,3}(?:\\.\\d{1,3}){3}(?::\\d+)?\\b', '<host>'),
        '\\b(?:0x[0-9a-fA-F]+|[0-9a-f]{16,})\\b', '<id>'),
        '[A-Za-z0-9_-]+|[^A-Za-z0-9_-]+'))),
        '\\b(?:\\d+(?:[.,:]\\d+)*(?:ms|us|ns|s|m|h|d|k|K|M|KB|MB|GB|KiB|MiB|GiB|kb|mb|gb|min|sec)?)+\\b', '<n>'),
        '<n> ?(?:milliseconds?|seconds?|secs?|minutes?|mins?|hours?|days?|ms|s)\\b', '<n>'),
        '<n> tokens?\\b', '<n> tokens'),
        '_(\\d{1,5})_', '\\1'),
        '\\s+', ' ')), 240));

-- The error in words: its type, and where that says nothing its message as well.
ALTER TABLE llm_calls${local} ${on_cluster}
    ADD COLUMN IF NOT EXISTS error_words String ALIAS lower(if(lower(error_type) IN ('', '_other', 'other', 'error', 'exception', 'apierror', 'apistatuserror', 'clienterror', 'httperror', 'httpstatuserror', 'runtimeerror') OR match(error_type, '^[0-9]+\\z'), concat(error_type, ' ', failure_said), error_type)),
    ADD COLUMN IF NOT EXISTS error_code UInt16 ALIAS toUInt16OrZero(if(match(error_type, '^[1-5][0-9][0-9]\\z'), toString(error_type), extract(status_message, '(?i)\\b(?:http(?:/[0-9.]+)?|status(?:[ _]code)?|error(?:[ _]code)?|code)[ :=]{1,3}([1-5][0-9][0-9])\\b')));

-- The first that fits. A refusal begins with one of these phrases; an apology alone is none.
ALTER TABLE llm_calls${local} ${on_cluster} ADD COLUMN IF NOT EXISTS failure LowCardinality(String) DEFAULT
    multiIf(
        status = 'blocked', 'guard_block',
        status = 'error', multiIf(
            stream_end IN ('cancelled', 'abandoned') OR match(error_words, 'cancell?ed|generatorexit|keyboardinterrupt|aborted by (?:the )?(?:client|user)'), 'cancelled',
            match(error_words, 'content[_ ]?filter|content[_ ]?policy|content management policy|responsibleai|moderation[_ ]?blocked|safety[_ ]?(?:error|violation)|refusal')
                OR match(lower(status_message), 'content[_ ]?filter|content[_ ]?policy[_ ]?violation|content management policy|responsibleaipolicyviolation'), 'refusal',
            match(error_words, 'lengthfinishreason|max[_ ]?tokens[_ ]?(?:reached|exceeded)'), 'cut_by_length',
            error_code = 429 OR match(error_words, 'rate[_ ]?limit|rate limit|too[_ ]?many[_ ]?requests|too many requests|throttl|resource[_ ]?exhausted|quota'), 'rate_limit',
            error_code IN (408, 504, 524) OR match(error_words, 'time[_ ]?d? ?out|deadline'), 'timeout',
            error_code >= 500, 'provider_error',
            error_code >= 400, 'client_error',
            match(error_words, 'outputpars|jsondecode|invalid[_ ]?json|json[_ ]?invalid'), 'invalid_json',
            match(error_words, 'bad[_ ]?request|invalid[_ ]?request|invalid[_ ]?argument|authenticat|unauthori[sz]ed|api[_ ]?key|permission|forbidden|access[_ ]?denied|not[_ ]?found|unprocessable|conflict|request[_ ]?too[_ ]?large|payload[_ ]?too[_ ]?large|context[_ ]?length|validation[_ ]?(?:error|exception)|valueerror|typeerror|keyerror'), 'client_error',
            match(error_words, 'internal[_ ]?server|internal[_ ]?failure|internalerror|server[_ ]?error|servererror|service[_ ]?unavailable|unavailable|bad[_ ]?gateway|overloaded|model[_ ]?error|connect|network|protocol|readerror|writeerror|\\bssl|\\btls\\b|socket|econn|eoferror|end of file|incomplete[_ ]?read|gaierror|name resolution|disconnected|broken[_ ]?pipe|responsevalidation'), 'provider_error',
            'other'),
        stream_end IN ('cancelled', 'abandoned'), 'cancelled',
        stream_end = 'error', 'provider_error',
        operation NOT IN ('chat', 'text_completion', 'generate_content'), '',
        lower(finish_reason) IN ('content_filter', 'content_filtered', 'refusal', 'safety', 'prohibited_content', 'blocklist', 'spii', 'recitation', 'guardrail_intervened', 'error_toxic', 'language'), 'refusal',
        lower(finish_reason) IN ('length', 'max_tokens', 'max_output_tokens', 'model_length', 'max_length', 'model_context_window_exceeded', 'error_limit'), 'cut_by_length',
        answer_fault IN ('no answer', 'only reasoning'), 'empty',
        tool_calls = 0 AND match(output_preview, '(?i)^\\s*(?:(?:(?:(?:i[\'’]m|i am|we[\'’]re|we are) (?:very |so |truly |really )?sorry|sorry|i apologi[sz]e|apologies|unfortunately|my apologies)[,.!:]?(?: (?:but|however),?)? (?:unfortunately,? )?)?(?:as an ai(?: language)? (?:model|assistant)[^,.]{0,40}, ?)?(?:(?:(?:i|we) (?:can[\'’]t|cannot|can not|am unable to|are unable to|am not able to|[\'’]m not able to|won[\'’]t|will not|must decline to|have to decline to|must refuse to|do not feel comfortable|don[\'’]t feel comfortable)|(?:i[\'’]m (?:unable|not able) to))(?: be able to)? (?:help|assist|comply|fulfil|fulfill|discuss (?:that|this)|do (?:that|this)|participate|engage in|support (?:that|this)|continue with (?:that|this)|answer (?:that|this)|(?:helping|assisting|providing|discussing|writing|creating|generating)|(?:provide|give|offer|share|write|create|generate|produce) (?:that|this|you with (?:that|this)|instructions|guidance on|information (?:on|about) how to|content|advice on|medical|legal|financial)))|(?:(?:(?:i[\'’]m|i am|we[\'’]re|we are) (?:very |so |truly |really )?sorry|sorry|i apologi[sz]e|apologies|unfortunately|my apologies)[,.!:]?(?: (?:but|however),?)? (?:unfortunately,? )?)?as an ai(?: language)? (?:model|assistant)[^,.]{0,40},? i (?:can[\'’]t|cannot|am unable|am not able|do not|don[\'’]t)|(?:es )?tut mir leid,? (?:aber )?(?:ich|wir|das|dabei) (?:kann|können|darf) [^.]{0,40}nicht|(?:ich|wir) (?:kann|können) (?:dir |ihnen |euch )?(?:dabei|damit|hierbei) (?:leider )?nicht|(?:je suis )?d[ée]sol[ée]e?,? (?:mais )?je ne (?:peux|suis) pas|lo siento,? (?:pero )?no puedo|(?:很)?抱歉，?(?:但)?我(?:无法|不能)|申し訳ありませんが、[^。]{0,40}(?:できません|お答え))'), 'refusal',
        answer_fault != '', 'invalid_json',
        '');

ALTER TABLE llm_calls${local} ${on_cluster} ADD COLUMN IF NOT EXISTS failure_text LowCardinality(String) DEFAULT
    multiIf(
        failure = '', '',
        status IN ('error', 'blocked'), if(failure_said = '', if(error_type = '', 'no message', error_type), if(error_type = '' OR startsWith(lower(failure_said), lower(error_type)), failure_said, concat(error_type, ': ', failure_said))),
        failure = 'cancelled', concat('stream ', stream_end),
        failure = 'provider_error', 'the stream broke off',
        failure = 'cut_by_length', concat('finish reason ', finish_reason, multiIf(json_valid = 'no', ', JSON cut off', tool_calls > 0, ', in a tool call', '')),
        failure = 'refusal', if(lower(finish_reason) IN ('', 'stop', 'end_turn', 'stop_sequence', 'complete', 'completed', 'eos', 'tool_calls'), 'the answer begins as a refusal', concat('finish reason ', finish_reason)),
        failure = 'empty' AND finish_reason != '', concat(answer_fault, ', finish reason ', finish_reason),
        answer_fault);

ALTER TABLE llm_calls${local} ${on_cluster} ADD COLUMN IF NOT EXISTS failure_group LowCardinality(String) DEFAULT
    if(failure = '', '', substring(lower(hex(MD5(concat(failure, ' ', failure_text)))), 1, 12));

-- By the hour, as names and versions of prompts have too many values for the minute. Calls without failure are here too
-- (`failure` is empty): they are what rates are of.
CREATE TABLE IF NOT EXISTS failures_1h${local} ${on_cluster}
(
    t DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    tenant LowCardinality(String),
    service LowCardinality(String),
    env LowCardinality(String),
    provider LowCardinality(String),
    model LowCardinality(String),
    prompt_name LowCardinality(String),
    prompt_version LowCardinality(String),
    failure LowCardinality(String),
    failure_group LowCardinality(String),
    calls SimpleAggregateFunction(sum, UInt64)
)
ENGINE = ${AggregatingMergeTree}
PARTITION BY toYYYYMM(t)
ORDER BY (tenant, t, service, env, provider, model, prompt_name, prompt_version, failure, failure_group)
SETTINGS ttl_only_drop_parts = 1, ${deduplication};

-- Every group with its words, and when it was first and last seen.
CREATE TABLE IF NOT EXISTS failure_groups${local} ${on_cluster}
(
    tenant LowCardinality(String),
    env LowCardinality(String),
    failure_group String,
    failure SimpleAggregateFunction(any, LowCardinality(String)),
    failure_text SimpleAggregateFunction(any, String),
    first SimpleAggregateFunction(min, DateTime('UTC')),
    last SimpleAggregateFunction(max, DateTime('UTC')),
    calls SimpleAggregateFunction(sum, UInt64)
)
ENGINE = ${AggregatingMergeTree}
ORDER BY (tenant, env, failure_group)
SETTINGS ${deduplication};

-- The calls of before; a migration that broke off starts it anew. Of a cluster, those of the shard that is asked.
TRUNCATE TABLE failures_1h${local} ${on_cluster};
TRUNCATE TABLE failure_groups${local} ${on_cluster};

INSERT INTO failures_1h${local} (t, tenant, service, env, provider, model, prompt_name, prompt_version, failure, failure_group, calls)
SELECT toStartOfHour(c.ts) AS t, c.tenant AS tenant, c.service AS service, c.env AS env, c.provider AS provider, c.model AS model, c.prompt_name AS prompt_name, c.prompt_version AS prompt_version, c.failure AS failure, c.failure_group AS failure_group,
    count() AS calls
FROM llm_calls${local} AS c
GROUP BY t, tenant, service, env, provider, model, prompt_name, prompt_version, failure, failure_group;

INSERT INTO failure_groups${local} (tenant, env, failure_group, failure, failure_text, first, last, calls)
SELECT c.tenant AS tenant, c.env AS env, c.failure_group AS failure_group, any(c.failure) AS failure,
    any(toString(c.failure_text)) AS failure_text, toDateTime(min(c.ts), 'UTC') AS first, toDateTime(max(c.ts), 'UTC') AS last, count() AS calls
FROM llm_calls${local} AS c
WHERE c.failure != ''
GROUP BY tenant, env, failure_group;

CREATE MATERIALIZED VIEW IF NOT EXISTS failures_1h_view${local} ${on_cluster} TO failures_1h${local} AS
SELECT toStartOfHour(c.ts) AS t, c.tenant AS tenant, c.service AS service, c.env AS env, c.provider AS provider, c.model AS model, c.prompt_name AS prompt_name, c.prompt_version AS prompt_version, c.failure AS failure, c.failure_group AS failure_group,
    count() AS calls
FROM llm_calls${local} AS c
GROUP BY t, tenant, service, env, provider, model, prompt_name, prompt_version, failure, failure_group;

CREATE MATERIALIZED VIEW IF NOT EXISTS failure_groups_view${local} ${on_cluster} TO failure_groups${local} AS
SELECT c.tenant AS tenant, c.env AS env, c.failure_group AS failure_group, any(c.failure) AS failure,
    any(toString(c.failure_text)) AS failure_text, toDateTime(min(c.ts), 'UTC') AS first, toDateTime(max(c.ts), 'UTC') AS last, count() AS calls
FROM llm_calls${local} AS c
WHERE c.failure != ''
GROUP BY tenant, env, failure_group;

-- So that lists need not work it out for old calls at each look. Goes on in the background.
ALTER TABLE llm_calls${local} ${on_cluster} MATERIALIZE COLUMN failure, MATERIALIZE COLUMN failure_text, MATERIALIZE COLUMN failure_group;

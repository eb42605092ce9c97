"""Millions of calls in minutes: ClickHouse makes the rows itself, and the views behind `llm_calls` roll them up."""

from collections.abc import Iterator

from spanward.collector.store import Store

DAYS = 30
CHUNK = 250_000

_WORDS = [
    "order", "parcel", "refund", "invoice", "please", "customer", "table", "oak", "chair", "delivery", "late",
    "address", "change", "cancel", "return", "warranty", "price", "discount", "code", "account", "password", "login",
    "error", "broken", "blue", "green", "wood", "metal", "garden", "kitchen", "lamp", "sofa", "shelf", "today",
    "tomorrow", "morning", "evening", "store", "online", "payment", "card", "bank", "transfer", "receipt", "email",
    "phone", "number", "question", "answer", "thanks", "hello", "sorry", "wait", "confirm", "update", "status",
    "tracking", "missing", "damaged", "replace", "repair", "service", "manager", "team", "policy",
]  # fmt: skip

_HASH = "cityHash64(number, {salt})"


def fill(store: Store, calls: int, end: int) -> None:
    """`calls` rows over the 30 days before `end` (ms), with guard events for one in twenty and content for the
    newest 20,000. The same rows for the same arguments.
    """
    for first in range(0, calls, CHUNK):
        size = min(CHUNK, calls - first)
        for statement in _statements(first, size, calls, end):
            store.command(statement)


def _statements(first: int, size: int, calls: int, end: int) -> Iterator[str]:
    yield f"INSERT INTO llm_calls {_calls(first, size, calls, end)} SETTINGS max_insert_threads = 2"
    begin, last = (_moment(str(number), calls, end) for number in (first, first + size - 1))
    of_these = f"llm_calls WHERE ts >= {begin} AND ts <= {last}"
    yield f"INSERT INTO guard_events {_EVENTS} FROM {of_these} AND guard_action = 'modify'"
    if first + size > calls - 20_000:
        yield f"INSERT INTO content {_CONTENT} FROM {of_these} LIMIT 20000"


def _moment(number: str, calls: int, end: int) -> str:
    """Evenly spread; the last call was a second before `end`."""
    span = DAYS * 86_400_000
    begin = end - 1000 - span
    milliseconds = f"{begin} + intDiv(toInt64({number}) * {span}, {calls})"
    return f"fromUnixTimestamp64Micro(1000 * ({milliseconds}) + {number} % 1000, 'UTC')"


def _one_of(values: list[str], salt: int) -> str:
    return f"{values}[1 + {_HASH.format(salt=salt)} % {len(values)}]"


def _share(salt: int) -> str:
    """0 to 1."""
    return f"({_HASH.format(salt=salt)} % 100000 / 100000)"


def _text(salt: int, words: int) -> str:
    one = f"words[1 + cityHash64(number, i, {salt}) % {len(_WORDS)}]"
    return f"arrayStringConcat(arrayMap(i -> {one}, range({words})), ' ')"


def _calls(first: int, size: int, calls: int, end: int) -> str:
    """Six applications with three models each; errors 2 %, blocked 0.5 %, every tenth streamed, a few unpriced."""
    models = [f"model-{n}" for n in range(12)]
    errors = ["RateLimitError", "APITimeoutError", "InternalServerError", "BadRequestError"]
    providers = ["openai", "anthropic", "google", "mistral"]
    return f"""
WITH {_WORDS} AS words, {models} AS models, {providers} AS providers,
     toUInt8({_HASH.format(salt=1)} % 6) AS app, toUInt8((app * 2 + {_HASH.format(salt=2)} % 3) % 12) AS which,
     {_share(3)} AS luck, toFloat32(exp(4.5 + 4 * ({_share(4)} + {_share(5)} + {_share(6)}) / 3)) AS took,
     toUInt32(20 + exp(7.5 * {_share(7)})) AS tokens_in, toUInt32(5 + exp(6.5 * {_share(8)})) AS tokens_out
SELECT 'default' AS tenant, {_moment("number", calls, end)} AS ts,
       lower(hex(MD5(toString(intDiv(number, 2))))) AS trace_id, lower(hex({_HASH.format(salt=9)})) AS span_id,
       '' AS parent_span_id, concat('app-', toString(app)) AS service, if({_share(10)} < 0.9, 'prod', 'staging') AS env,
       if({_share(11)} < 0.95, 'chat', 'embeddings') AS operation, providers[1 + which % 4] AS provider,
       models[1 + which] AS request_model, models[1 + which] AS model,
       multiIf(luck < 0.005, 'blocked', luck < 0.025, 'error', 'ok') AS status,
       if(status = 'error', {_one_of(errors, 12)}, '')
           AS error_type,
       if(status = 'error', concat('HTTP 429 on request ', toString(number)), '') AS status_message,
       if(status = 'ok', if({_share(13)} < 0.97, 'stop', 'length'), '') AS finish_reason,
       {_share(14)} < 0.1 AS stream, if(stream, 'read', '') AS stream_end, 0 AS chunks, tokens_in AS input_tokens,
       intDiv(tokens_in, 3) AS cached_tokens, 0 AS cache_write_tokens,
       if(status = 'ok', tokens_out, 0) AS output_tokens,
       0 AS reasoning_tokens, 'provider' AS usage_source,
       if(which = 11, NULL, (tokens_in + 4 * tokens_out) / 1e6) AS cost_usd, '2026-11' AS price_version,
       took AS latency_ms, if(stream, took / 5, 0) AS ttft_ms,
       multiIf(status = 'blocked', 'deny', {_share(15)} < 0.05, 'modify', {_share(15)} < 0.98, 'allow', 'none')
           AS guard_verdict,
       multiIf(status = 'blocked', 'block', guard_verdict = 'modify', 'modify', 'allow') AS guard_action,
       'abcdef' AS policy_hash, 1.5 AS guard_latency_ms, 0 AS degraded, '' AS content_withheld,
       concat('session-', toString(intDiv(number, 5))) AS session_id,
       concat('user-', toString({_HASH.format(salt=16)} % 50000)) AS user_id,
       {_one_of(["free", "pro", "enterprise"], 17)} AS user_group,
       concat('prompt-', toString(app), '-', toString({_HASH.format(salt=18)} % 2)) AS prompt_name,
       {_one_of(["1", "2"], 19)} AS prompt_version, [{_one_of(["beta", "web", "mobile"], 20)}] AS tags,
       {_text(21, 24)} AS input_preview, {_text(22, 24)} AS output_preview
FROM numbers({first}, {size})"""


_EVENTS = """SELECT tenant, ts, trace_id, span_id, substring(trace_id, 1, 16) AS guard_span_id, service, env,
       if(cityHash64(span_id) % 3 = 0, 'pii-in', 'pii-out') AS rule, 'default' AS policy, policy_hash, 'input' AS stage,
       'pii' AS detector, 'EMAIL_ADDRESS' AS label, 0.9 AS score, 1 AS findings, 'modify' AS verdict,
       'modify' AS action,
       'enforce' AS mode, 'pattern' AS engine, 0 AS degraded, 1.5 AS latency_ms, '' AS reason"""

_CONTENT = """SELECT tenant, ts, trace_id, span_id, env, input_preview AS input, output_preview AS output, '' AS system,
       '' AS tools"""

"""Millions of calls in minutes: ClickHouse makes the rows itself, and the views behind the tables roll them up.

What a table works out by itself (kinds of failure, keys) is left to it: columns are always named.
"""

from collections.abc import Iterator, Mapping

from spanward.collector.store import Store

DAYS = 30
CHUNK = 250_000
NEWEST = 20_000
"""Of so many calls, spans and what was said are there."""

_WORDS = [
    "order", "parcel", "refund", "invoice", "please", "customer", "table", "oak", "chair", "delivery", "late",
    "address", "change", "cancel", "return", "warranty", "price", "discount", "code", "account", "password", "login",
    "error", "broken", "blue", "green", "wood", "metal", "garden", "kitchen", "lamp", "sofa", "shelf", "today",
    "tomorrow", "morning", "evening", "store", "online", "payment", "card", "bank", "transfer", "receipt", "email",
    "phone", "number", "question", "answer", "thanks", "hello", "sorry", "wait", "confirm", "update", "status",
    "tracking", "missing", "damaged", "replace", "repair", "service", "manager", "team", "policy",
]  # fmt: skip


def _hash(salt: int) -> str:
    return f"cityHash64(number, {salt})"


def _one_of(values: list[str], salt: int) -> str:
    return f"{values}[1 + {_hash(salt)} % {len(values)}]"


def _share(salt: int) -> str:
    """0 to 1."""
    return f"({_hash(salt)} % 100000 / 100000)"


def _text(salt: int, words: int) -> str:
    one = f"words[1 + cityHash64(number, i, {salt}) % {len(_WORDS)}]"
    return f"arrayStringConcat(arrayMap(i -> {one}, range({words})), ' ')"


_MODELS = [f"model-{n}" for n in range(12)]
_PROVIDERS = ["openai", "anthropic", "google", "mistral"]
_ERRORS = ["RateLimitError", "APITimeoutError", "InternalServerError", "BadRequestError"]
_SAID = [
    "HTTP 429: rate limit reached for requests, try again in ",
    "Request timed out after ",
    "HTTP 500 of the upstream, request ",
    "HTTP 400: max_tokens is too large: ",
]
_MADE = f"""{_WORDS} AS words, {_MODELS} AS models, {_PROVIDERS} AS providers,
     toUInt8({_hash(1)} % 6) AS app, toUInt8((app * 2 + {_hash(2)} % 3) % 12) AS which, {_share(3)} AS luck,
     toUInt8(1 + {_hash(12)} % 4) AS wrong, toFloat32(exp(4.5 + 4 * ({_share(4)} + {_share(5)} + {_share(6)}) / 3)) AS took,
     toUInt32(20 + exp(7.5 * {_share(7)})) AS tokens_in, toUInt32(5 + exp(6.5 * {_share(8)})) AS tokens_out"""  # noqa: E501

_CALLS = {
    "tenant": "'default'",
    "trace_id": "lower(hex(MD5(toString(intDiv(number, 2)))))",
    "span_id": f"lower(hex({_hash(9)}))",
    "service": "concat('app-', toString(app))",
    "env": f"if({_share(10)} < 0.9, 'prod', 'staging')",
    "operation": f"if({_share(11)} < 0.95, 'chat', 'embeddings')",
    "provider": "providers[1 + which % 4]",
    "request_model": "models[1 + which]",
    "model": "models[1 + which]",
    "status": "multiIf(luck < 0.005, 'blocked', luck < 0.025, 'error', 'ok')",
    "error_type": f"if(status = 'error', {_ERRORS}[wrong], '')",
    "status_message": f"if(status = 'error', concat({_SAID}[wrong], toString(number)), '')",
    "finish_reason": f"if(status = 'ok', if({_share(13)} < 0.97, 'stop', 'length'), '')",
    "stream": f"{_share(14)} < 0.1",
    "stream_end": "if(stream, 'complete', '')",
    "input_tokens": "tokens_in",
    "cached_tokens": "intDiv(tokens_in, 3)",
    "output_tokens": "if(status = 'ok', tokens_out, 0)",
    "usage_source": "'provider'",
    "cost_usd": "if(which = 11, NULL, (tokens_in + 4 * tokens_out) / 1e6)",
    "price_version": "'2026-11'",
    "latency_ms": "took",
    "ttft_ms": "if(stream, took / 5, 0)",
    "guard_verdict": (
        f"multiIf(status = 'blocked', 'deny', {_share(15)} < 0.05, 'modify', {_share(15)} < 0.06, 'warn', "
        f"{_share(15)} < 0.98, 'allow', '')"
    ),
    "guard_action": "multiIf(status = 'blocked', 'block', guard_verdict = 'modify', 'modify', 'allow')",
    "policy_hash": "'abcdef'",
    "guard_latency_ms": "if(guard_verdict = '', 0, 0.5 + took / 1000)",
    "session_id": "concat('session-', toString(intDiv(number, 5)))",
    "user_id": f"concat('user-', toString({_hash(16)} % 50000))",
    "user_group": _one_of(["free", "pro", "enterprise"], 17),
    "prompt_name": f"concat('prompt-', toString(app), '-', toString({_hash(18)} % 2))",
    "prompt_version": _one_of(["1", "2"], 19),
    "tags": f"[{_one_of(['beta', 'web', 'mobile'], 20)}]",
    "input_preview": _text(21, 24),
    "output_preview": _text(22, 24),
    "tool_calls": f"{_share(23)} < 0.2",
    "json_valid": f"multiIf(status != 'ok' OR app != 3, '', {_share(24)} < 0.97, 'yes', 'no')",
}
"""Six applications with three models each; errors 2 %, blocked 0.5 %, every tenth streamed, a few unpriced."""

_OF_CALL = {name: name for name in ("tenant", "ts", "trace_id", "span_id", "service", "env")}
_RULE = "multiIf(guard_action = 'block', 3, guard_verdict = 'warn', 4, guard_action = 'modify', 1 + cityHash64(span_id) % 2, 5)"  # noqa: E501
_OF_EVENTS_CALL = (
    "provider", "request_model", "model", "operation", "status", "error_type", "finish_reason", "prompt_name",
    "prompt_version", "user_group", "user_id", "session_id", "tags", "guard_verdict", "guard_action",
)  # fmt: skip
_EVENTS = {name: name for name in (*_OF_CALL, *_OF_EVENTS_CALL)} | {
    "of_call": "1",
    "call_ts": "ts",
    "guard_span_id": "substring(trace_id, 1, 16)",
    "rule": f"['pii-in', 'pii-out', 'injection', 'toxicity', 'topics'][{_RULE}]",
    "policy": "'default'",
    "policy_hash": "policy_hash",
    "stage": f"['input', 'output', 'input', 'output', 'input'][{_RULE}]",
    "detector": f"['pii', 'pii', 'injection', 'toxicity', 'classify'][{_RULE}]",
    "label": f"['EMAIL_ADDRESS', 'PERSON', 'INJECTION', 'insult', 'medical'][{_RULE}]",
    "score": "0.5 + (cityHash64(span_id, 1) % 500) / 1000",
    "findings": "1",
    "verdict": f"['modify', 'modify', 'deny', 'warn', 'deny'][{_RULE}]",
    "action": f"['modify', 'modify', 'block', 'allow', 'block'][{_RULE}]",
    "mode": f"if({_RULE} = 5, 'shadow', 'enforce')",
    "engine": "'pattern'",
    "latency_ms": "guard_latency_ms",
}
_WITH_EVENT = "guard_verdict NOT IN ('allow', '') OR cityHash64(span_id) % 50 = 0"
_TRAITS = _OF_CALL | {
    "model": "model",
    "prompt_name": "prompt_name",
    "prompt_version": "prompt_version",
    "language": "if(cityHash64(span_id, 2) % 10 = 0, 'de', 'en')",
    "input_form": "'text'",
    "topic": "concat('topic-', toString(cityHash64(span_id, 3) % 8))",
    "new_words": "(cityHash64(span_id, 4) % 300) / 1000",
    "centroid_distance": "(cityHash64(span_id, 5) % 900) / 1000",
    "sampled_of": "100",
}
_REVIEWS = {name: name for name in _OF_CALL if name != "ts"} | {
    "ts": "ts + INTERVAL 1 HOUR",
    "actor": "'reviewer'",
    "call_ts": "ts",
    **{name: name for name in ("rule", "detector", "label", "stage", "score")},
    "verdict": "if(cityHash64(span_id, 6) % 5 = 0, 'wrong', 'right')",
}
_CONTENT = {name: name for name in _OF_CALL if name != "service"} | {
    "input": "input_preview",
    "output": "output_preview",
}
_SPANS = _OF_CALL | {
    "name": "concat('chat ', model)",
    "kind": "'Client'",
    "status": "status",
    "duration_ns": "toUInt64(latency_ms * 1e6)",
    "attributes": "map('gen_ai.request.model', toString(model))",
    "resource": "map('service.version', '1')",
}


def fill(store: Store, calls: int, end: int) -> None:
    """`calls` rows over the 30 days before `end` (ms), with guard events for one in twelve, traits of one in a hundred,
    labels on one event in a thousand, spans and content of the newest. The same rows for the same arguments.
    """
    for first in range(0, calls, CHUNK):
        size = min(CHUNK, calls - first)
        for statement in _statements(first, size, calls, end):
            store.command(statement)
    for table in ("llm_calls", "guard_events"):
        _merge_past_weeks(store, table)


def _merge_past_weeks(store: Store, table: str) -> None:
    """As the store does by itself a day after a week is over (0021_reading.sql)."""
    weeks = f"""SELECT DISTINCT partition FROM system.parts
WHERE database = currentDatabase() AND table = '{table}' AND active ORDER BY partition"""
    for (week,) in store.ask(weeks).rows[:-1]:
        store.command(f"OPTIMIZE TABLE {table} PARTITION '{week}' FINAL")


def _statements(first: int, size: int, calls: int, end: int) -> Iterator[str]:
    made = _CALLS | {"ts": _moment("number", calls, end)}
    selected = ", ".join(f"{how} AS {name}" for name, how in made.items())
    yield f"INSERT INTO llm_calls ({', '.join(made)}) WITH {_MADE} SELECT {selected} FROM numbers({first}, {size})"
    begin, last = (_moment(str(number), calls, end) for number in (first, first + size - 1))
    of_these = f"WHERE ts >= {begin} AND ts <= {last}"
    yield _insert("guard_events", _EVENTS, f"llm_calls {of_these} AND ({_WITH_EVENT})")
    yield _insert("traits", _TRAITS, f"llm_calls {of_these} AND cityHash64(span_id) % 100 = 0")
    yield _insert("reviews", _REVIEWS, f"guard_events {of_these} AND cityHash64(span_id, 7) % 1000 = 0")
    if first + size == calls:
        newest = f"llm_calls {of_these} ORDER BY ts DESC LIMIT {NEWEST}"
        yield _insert("content", _CONTENT, newest)
        yield _insert("spans", _SPANS, newest)


def _insert(table: str, columns: Mapping[str, str], source: str) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(columns.values())} FROM {source}"


def _moment(number: str, calls: int, end: int) -> str:
    """Evenly spread; the last call was a second before `end`."""
    span = DAYS * 86_400_000
    begin = end - 1000 - span
    milliseconds = f"{begin} + intDiv(toInt64({number}) * {span}, {calls})"
    return f"fromUnixTimestamp64Micro(1000 * ({milliseconds}) + {number} % 1000, 'UTC')"

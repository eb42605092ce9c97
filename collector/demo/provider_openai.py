"""OpenAI's HTTP protocol: chat completions, responses and embeddings, as JSON and as server-sent events."""

import base64
import hashlib
import json
import struct
import time
from collections.abc import Iterator
from typing import Any

from .provider_answers import THOUGHT, Behaviour, answer, arguments, behaviour, pieces, structured, texts, tokens

DEFAULT_MODEL = "gpt-4o-mini"
ERRORS = {
    400: ("invalid_request_error", "invalid_value", "The request was not understood."),
    401: ("invalid_request_error", "invalid_api_key", "Incorrect API key provided."),
    404: ("invalid_request_error", "model_not_found", "The model does not exist."),
    429: ("requests", "rate_limit_exceeded", "Rate limit reached for requests per minute."),
    500: ("server_error", None, "The server had an error while processing your request."),
}
Json = dict[str, Any]


def error(status: int, said: str = "") -> Json:
    kind, code, message = ERRORS.get(status, ("server_error", None, "The server had an error."))
    return {"error": {"message": f"{message}{said}", "type": kind, "param": None, "code": code}}


def headers(request_id: str) -> dict[str, str]:
    return {
        "x-request-id": request_id,
        "openai-organization": "spanward-demo",
        "openai-processing-ms": "7",
        "openai-version": "2020-10-01",
    }


def steering(body: Json) -> Behaviour:
    return behaviour(str(body.get("model", "")), DEFAULT_MODEL)


def last_text(body: Json) -> str:
    """The last text that a user wrote, or that is to be embedded."""
    turns = body.get("messages") or body.get("input") or ""
    if isinstance(turns, str):
        return turns
    for turn in reversed(turns):
        if isinstance(turn, str):
            return turn
        if isinstance(turn, dict) and turn.get("role") == "user":
            return " ".join(texts(turn.get("content")))
    return ""


def _prompt(body: Json, *names: str) -> str:
    return "\n".join(text for name in names for text in texts(body.get(name)))


def _after_tool(turns: Any) -> bool:
    last = turns[-1] if isinstance(turns, list) and turns else {}
    return isinstance(last, dict) and (last.get("role") == "tool" or str(last.get("type", "")).endswith("_output"))


# chat completions


def _head(body: Json, how: Behaviour, kind: str) -> Json:
    return {
        "id": f"chatcmpl-{_digest(body)}",
        "object": kind,
        "created": int(time.time()),
        "model": how.model,
        "service_tier": "default",
        "system_fingerprint": "fp_demo",
    }


def _digest(body: Json) -> str:
    """The same for the same question, streamed or not."""
    asked = {name: value for name, value in body.items() if not name.startswith("stream")}
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:24]


def _tool(body: Json, how: Behaviour, turns: Any) -> tuple[str, str] | None:
    """Name and arguments of the tool to call, in either API's form of a definition."""
    tools = body.get("tools")
    if "tool" not in how.words or not tools or _after_tool(turns):
        return None
    definition = tools[0].get("function", tools[0])
    said = arguments(definition.get("parameters"), how, last_text(body))
    return str(definition.get("name", "")), json.dumps(said, ensure_ascii=False)


def _text(body: Json, how: Behaviour, prompt: str, schema: Any) -> str:
    if schema and "refusal" not in how.words:
        return structured(schema, how, prompt, last_text(body))
    return answer(how, prompt, last_text(body))


def _chat_schema(body: Json) -> Any:
    return ((body.get("response_format") or {}).get("json_schema") or {}).get("schema")


def _chat_usage(how: Behaviour, prompt: str, said: str) -> Json:
    prompt_tokens, completion_tokens = tokens(prompt), tokens(said) if said else 0
    reasoning = tokens(THOUGHT) if "thinking" in how.words else 0
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens + reasoning,
        "total_tokens": prompt_tokens + completion_tokens + reasoning,
        "prompt_tokens_details": {
            "cached_tokens": prompt_tokens // 2 if "cached" in how.words else 0,
            "audio_tokens": 0,
        },
        "completion_tokens_details": {
            "reasoning_tokens": reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def chat(body: Json) -> Json:
    how = steering(body)
    prompt = _prompt(body, "messages")
    tool = _tool(body, how, body.get("messages"))
    text = "" if tool else _text(body, how, prompt, _chat_schema(body))
    refused = "refusal" in how.words and not tool
    message: Json = {"role": "assistant", "content": text, "refusal": None, "annotations": []}
    if refused:
        message |= {"content": None, "refusal": text}
    if tool:
        call = {"id": f"call_{_digest(body)}", "type": "function", "function": {"name": tool[0], "arguments": tool[1]}}
        message |= {"content": None, "tool_calls": [call]}
    reason = "tool_calls" if tool else "stop"
    choices = [
        {"index": i, "message": message, "logprobs": None, "finish_reason": reason} for i in range(body.get("n") or 1)
    ]
    usage = _chat_usage(how, prompt, tool[1] if tool else text * len(choices))
    return {**_head(body, how, "chat.completion"), "choices": choices, "usage": usage}


def chat_events(body: Json) -> Iterator[str]:
    """The same answer in chunks."""
    how = steering(body)
    whole = chat(body)
    asked = (body.get("stream_options") or {}).get("include_usage")
    head = {**_head(body, how, "chat.completion.chunk"), **({"usage": None} if asked else {})}
    for choice in whole["choices"]:
        for delta in _deltas(how, choice["message"]):
            yield _data({**head, "choices": [_chunk_choice(choice["index"], delta, None)]})
        yield _data({**head, "choices": [_chunk_choice(choice["index"], {}, choice["finish_reason"])]})
    if asked:
        yield _data({**head, "choices": [], "usage": whole["usage"]})
    yield "data: [DONE]\n\n"


def _chunk_choice(index: int, delta: Json, reason: str | None) -> Json:
    return {"index": index, "delta": delta, "logprobs": None, "finish_reason": reason}


def _deltas(how: Behaviour, message: Json) -> Iterator[Json]:
    for i, call in enumerate(message.get("tool_calls") or []):
        function = {"name": call["function"]["name"], "arguments": ""}
        first = {"index": i, "id": call["id"], "type": "function", "function": function}
        yield {"role": "assistant", "content": None, "tool_calls": [first]}
        for piece in pieces(how, call["function"]["arguments"]):
            yield {"tool_calls": [{"index": i, "function": {"arguments": piece}}]}
        return
    name = "refusal" if message["refusal"] else "content"
    yield {"role": "assistant", "content": "", "refusal": None}
    for piece in pieces(how, message[name] or ""):
        yield {name: piece}


def _data(chunk: Json) -> str:
    return f"data: {json.dumps(chunk)}\n\n"


# responses


def _items(body: Json, how: Behaviour, prompt: str) -> list[Json]:
    digest = _digest(body)
    items: list[Json] = []
    if "thinking" in how.words:
        items.append(
            {"id": f"rs_{digest}", "type": "reasoning", "summary": [{"type": "summary_text", "text": THOUGHT}]}
        )
    if tool := _tool(body, how, body.get("input")):
        return [*items, {
            "id": f"fc_{digest}", "type": "function_call", "status": "completed", "call_id": f"call_{digest}",
            "name": tool[0], "arguments": tool[1],
        }]  # fmt: skip
    schema = ((body.get("text") or {}).get("format") or {}).get("schema")
    text = _text(body, how, prompt, schema)
    content: Json = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    if "refusal" in how.words:
        content = {"type": "refusal", "refusal": text}
    items.append({
        "id": f"msg_{digest}", "type": "message", "status": "completed", "role": "assistant", "content": [content],
    })  # fmt: skip
    return items


def response(body: Json) -> Json:
    how = steering(body)
    prompt = _prompt(body, "instructions", "input")
    items = _items(body, how, prompt)
    said = "".join(text for item in items for text in texts(item.get("content") or item.get("arguments") or ""))
    reasoning = tokens(THOUGHT) if "thinking" in how.words else 0
    input_tokens, output_tokens = tokens(prompt), (tokens(said) if said else 0) + reasoning
    return {
        "id": f"resp_{_digest(body)}", "object": "response", "created_at": int(time.time()), "status": "completed",
        "error": None, "incomplete_details": None, "instructions": body.get("instructions"), "max_output_tokens": None,
        "model": how.model, "output": items, "parallel_tool_calls": True, "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None}, "store": True, "temperature": 1.0,
        "text": body.get("text") or {"format": {"type": "text"}}, "tool_choice": "auto",
        "tools": body.get("tools") or [], "top_p": 1.0, "truncation": "disabled", "user": None, "metadata": {},
        "usage": {
            "input_tokens": input_tokens,
            "input_tokens_details": {
                "cached_tokens": input_tokens // 2 if "cached" in how.words else 0, "cache_write_tokens": 0,
            },
            "output_tokens": output_tokens,
            "output_tokens_details": {"reasoning_tokens": reasoning},
            "total_tokens": input_tokens + output_tokens,
        },
    }  # fmt: skip


def response_events(body: Json) -> Iterator[str]:
    """The same answer in events."""
    whole = response(body)
    begun = {**whole, "status": "in_progress", "output": [], "usage": None}
    events = (
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
        *(event for i, item in enumerate(whole["output"]) for event in _item_events(steering(body), i, item)),
        {"type": "response.completed", "response": whole},
    )
    for number, event in enumerate(events):
        yield f"event: {event['type']}\n" + _data({**event, "sequence_number": number})


_STREAMED = {"output_text": "text", "refusal": "refusal", "summary_text": "text"}


def _item_events(how: Behaviour, index: int, item: Json) -> Iterator[Json]:
    at = {"output_index": index, "item_id": item["id"]}
    hollow = {**item, "status": "in_progress"}
    hollow |= {name: [] for name in ("content", "summary") if name in item}
    hollow |= {"arguments": ""} if "arguments" in item else {}
    yield {"type": "response.output_item.added", "output_index": index, "item": hollow}
    if "arguments" in item:
        for piece in pieces(how, item["arguments"]):
            yield {"type": "response.function_call_arguments.delta", **at, "delta": piece}
        done = {"arguments": item["arguments"], "name": item["name"]}
        yield {"type": "response.function_call_arguments.done", **at, **done}
    for i, part in enumerate(item.get("summary", [])):
        yield from _part_events(how, "response.reasoning_summary", {**at, "summary_index": i}, part)
    for i, part in enumerate(item.get("content", [])):
        yield from _part_events(how, "response.content", {**at, "content_index": i}, part)
    yield {"type": "response.output_item.done", "output_index": index, "item": item}


def _part_events(how: Behaviour, name: str, at: Json, part: Json) -> Iterator[Json]:
    field = _STREAMED[part["type"]]
    grows = "reasoning_summary_text" if part["type"] == "summary_text" else part["type"]
    yield {"type": f"{name}_part.added", **at, "part": {**part, field: ""}}
    for piece in pieces(how, part[field]):
        yield {"type": f"response.{grows}.delta", **at, "delta": piece, "logprobs": []}
    yield {"type": f"response.{grows}.done", **at, field: part[field], "logprobs": []}
    yield {"type": f"{name}_part.done", **at, "part": part}


# embeddings


def embeddings(body: Json) -> Json:
    asked = body.get("input", "")
    inputs = asked if isinstance(asked, list) and asked and not isinstance(asked[0], int) else [asked]
    size = int(body.get("dimensions") or 64)
    as_base64 = body.get("encoding_format") == "base64"
    data = [
        {"object": "embedding", "index": i, "embedding": _vector(entry, size, as_base64=as_base64)}
        for i, entry in enumerate(inputs)
    ]
    used = sum(len(entry) if isinstance(entry, list) else tokens(str(entry)) for entry in inputs)
    usage = {"prompt_tokens": used, "total_tokens": used}
    return {"object": "list", "data": data, "model": behaviour(str(body.get("model")), "text-embedding-3-small").model,
            "usage": usage}  # fmt: skip


def _vector(entry: Any, size: int, *, as_base64: bool) -> list[float] | str:
    """A vector of length one that depends on the text alone."""
    noise = hashlib.shake_256(json.dumps(entry).encode()).digest(size)
    values = [byte / 127.5 - 1 for byte in noise]
    length = sum(value * value for value in values) ** 0.5 or 1.0
    unit = [value / length for value in values]
    return base64.b64encode(struct.pack(f"<{size}f", *unit)).decode() if as_base64 else unit

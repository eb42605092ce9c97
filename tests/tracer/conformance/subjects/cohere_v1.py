"""The `cohere` package: chat of version 1, whose answers repeat the whole conversation."""

import json
from collections.abc import Iterator
from typing import Any

from spanward.collector.demo.provider_answers import Behaviour, answer, arguments, pieces, structured, texts, tokens

from ..subject import FEATURES, Ask, Json, Route, Subject
from .cohere import options, repeating


def client(address: str, retries: int, timeout_s: float) -> Any:
    import cohere

    return repeating(cohere.Client(api_key="demo", base_url=address, timeout=timeout_s), retries)


def async_client(address: str, retries: int, timeout_s: float) -> Any:
    import cohere

    return repeating(cohere.AsyncClient(api_key="demo", base_url=address, timeout=timeout_s), retries)


def _prompt(body: Json) -> str:
    return "\n".join(texts([body.get(name) for name in ("preamble", "chat_history", "documents", "message")]))


def whole(body: Json, how: Behaviour) -> Json:
    asked = body["message"]
    answered: Json = {"response_id": "ea2d074c", "generation_id": "41bd7ae5", "finish_reason": "COMPLETE", "text": ""}
    if "tool" in how.words and body.get("tools") and not body.get("tool_results"):
        properties = {name: {"type": "string"} for name in body["tools"][0]["parameter_definitions"]}
        called = arguments({"type": "object", "properties": properties}, how, asked)
        answered["tool_calls"] = [{"name": body["tools"][0]["name"], "parameters": called}]
        answered["text"] = "I will look it up."
    else:
        shape = (body.get("response_format") or {}).get("schema")
        answered["text"] = structured(shape, how, _prompt(body), asked) if shape else answer(how, _prompt(body), asked)
        said = {"role": "CHATBOT", "message": answered["text"]}
        answered["chat_history"] = [*(body.get("chat_history") or []), {"role": "USER", "message": asked}, said]
    if body.get("documents"):
        cited = {"start": 0, "end": 9, "text": answered["text"], "document_ids": ["doc_0"]}
        answered |= {"documents": body["documents"], "citations": [cited]}
    read, written = float(tokens(_prompt(body))), float(tokens(answered["text"]))
    counts = {"input_tokens": read, "output_tokens": written}
    billed = {"input_tokens": max(1.0, read - 3), "output_tokens": written}
    return {**answered, "meta": {"api_version": {"version": "1"}, "billed_units": billed, "tokens": counts}}


def frames(body: Json, how: Behaviour) -> Iterator[str]:
    """One JSON text a line."""
    answered = whole(body, how)
    yield _line({"event_type": "stream-start", "generation_id": "41bd7ae5"})
    for i, call in enumerate(answered.get("tool_calls") or []):
        for piece in pieces(how, answered["text"]):
            yield _line({"event_type": "tool-calls-chunk", "tool_call_delta": {"text": piece}})
        yield _line({"event_type": "tool-calls-chunk", "tool_call_delta": {"index": i, "name": call["name"]}})
        for piece in pieces(how, json.dumps(call["parameters"], ensure_ascii=False)):
            yield _line({"event_type": "tool-calls-chunk", "tool_call_delta": {"index": i, "parameters": piece}})
    if answered.get("tool_calls"):
        calls = {"tool_calls": answered["tool_calls"], "text": answered["text"]}
        yield _line({"event_type": "tool-calls-generation", **calls})
    else:
        for piece in pieces(how, answered["text"]):
            yield _line({"event_type": "text-generation", "text": piece})
    if answered.get("citations"):
        yield _line({"event_type": "citation-generation", "citations": answered["citations"]})
    yield _line({"event_type": "stream-end", "finish_reason": "COMPLETE", "response": answered})


def _line(event: Json) -> str:
    return json.dumps({"is_finished": event["event_type"] == "stream-end", **event}) + "\n"


def given(ask: Ask) -> Json:
    """What `chat` and `chat_stream` are given."""
    found: Json = {"model": ask.model, "message": ask.text}
    if ask.system:
        found["preamble"] = ask.system
    if ask.tool:
        definitions = {name: {"type": "str"} for name in ask.tool["parameters"]["properties"]}
        described = {"name": ask.tool["name"], "description": ask.tool["description"]}
        found["tools"] = [{**described, "parameter_definitions": definitions}]
    if ask.tool and ask.result:
        call = {"name": ask.tool["name"], "parameters": {}}
        found["tool_results"] = [{"call": call, "outputs": [{"said": ask.result}]}]
    if ask.schema:
        found["response_format"] = {"type": "json_object", "schema": ask.schema}
    return found


def tool_call(answered: Any) -> tuple[str, Json]:
    return answered.tool_calls[0].name, answered.tool_calls[0].parameters


def counted(answered: Json) -> tuple[int, int]:
    told = answered["meta"]["tokens"]
    return int(told["input_tokens"]), int(told["output_tokens"])


SUBJECT = Subject(
    name="cohere_v1",
    library="cohere",
    provider="cohere",
    model="command-r-08-2024",
    routes=(
        Route(
            "/v1/chat", whole, frames, media_type="application/stream+json",
            error=lambda status, said: {"message": said},
        ),
    ),
    client=client,
    async_client=async_client,
    ask=lambda using, asked: using.chat(**given(asked), **options(using)),
    stream=lambda using, asked: using.chat_stream(**given(asked), **options(using)),
    text=lambda answered: answered.text,
    chunk_text=lambda event: event.text if event.event_type == "text-generation" else "",
    tool_call=tool_call,
    counted=counted,
    generators=True,
    features=frozenset({*FEATURES, "results"} - {"images"}),
)  # fmt: skip

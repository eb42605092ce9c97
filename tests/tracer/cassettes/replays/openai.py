"""OpenAI: chat completions, completions, responses, embeddings, images."""

import json
from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any

from spanward.tracer import semconv

from ..replay import Part, Replay, Said, at, known
from ..tape import Exchange, Json

METHODS = {
    "/v1/chat/completions": "chat.completions.create",
    "/v1/completions": "completions.create",
    "/v1/responses": "responses.create",
    "/v1/embeddings": "embeddings.create",
    "/v1/images/generations": "images.generate",
}
GONE = {
    "/v1/assistants": "the assistants API is gone from the library",
    "/v1/threads": "the assistants API is gone from the library",
}


def skip(said: Exchange) -> str:
    return next((why for path, why in GONE.items() if said.path.startswith(path)), "")


def call(said: Exchange, address: str) -> None:
    import openai

    with openai.OpenAI(base_url=f"{address}/v1", api_key="k", max_retries=0) as client:
        ask(attrgetter(METHODS[said.path])(client), said)


def ask(method: Callable[..., Any], said: Exchange) -> None:
    result = method(**known(method, said.request))
    if said.streamed:
        assert len(list(result)) > 0


def whole(said: Exchange) -> Json:
    """The answer as one object, put together from its events if it was streamed."""
    if not said.streamed:
        return said.json
    if said.path == "/v1/responses":
        last = {"response.completed", "response.incomplete"}
        found: Json = next(e["response"] for e in said.events if e["type"] in last)
        return found
    return _chunks(said.events)


def _chunks(told: list[Json]) -> Json:
    choices: dict[int, Json] = {}
    answer: Json = {"id": told[-1]["id"], "model": told[-1]["model"], "usage": None}
    for chunk in told:
        answer["usage"] = chunk.get("usage") or answer["usage"]
        for choice in chunk["choices"]:
            found = choices.setdefault(choice["index"], {"text": "", "calls": {}, "finish_reason": None})
            delta = choice.get("delta") or {}
            found["text"] += delta.get("content") or choice.get("text") or ""
            found["finish_reason"] = choice["finish_reason"] or found["finish_reason"]
            for tool in delta.get("tool_calls") or []:
                grown = found["calls"].setdefault(tool.get("index", 0), {"name": "", "arguments": ""})
                for name in grown:
                    grown[name] += tool["function"].get(name) or ""
    return {**answer, "choices": [_choice(choices[i]) for i in sorted(choices)]}


def _choice(found: Json) -> Json:
    calls = [{"function": call} for _, call in sorted(found["calls"].items())]
    return {"message": {"content": found["text"], "tool_calls": calls}, "finish_reason": found["finish_reason"]}


def tokens(usage: Any) -> dict[str, int] | None:
    if not usage:
        return None
    sent, told = ("input", "output") if "input_tokens" in usage else ("prompt", "completion")
    return {
        semconv.INPUT_TOKENS: at(usage, f"{sent}_tokens"),
        semconv.OUTPUT_TOKENS: at(usage, f"{told}_tokens"),
        semconv.CACHE_READ_TOKENS: at(usage, f"{sent}_tokens_details", "cached_tokens"),
        semconv.REASONING_TOKENS: at(usage, f"{told}_tokens_details", "reasoning_tokens"),
    }


def chosen(choice: Json) -> Iterator[Part]:
    """What one choice says, of a chat or of a completion."""
    if choice.get("text"):
        yield "text", choice["text"]
    message = choice.get("message") or {}
    yield from (("text", message[name]) for name in ("content", "refusal") if message.get(name))
    for tool in message.get("tool_calls") or []:
        yield "tool_call", (tool["function"]["name"], json.loads(tool["function"]["arguments"]))


def _item(item: Json) -> Iterator[Part]:
    if item["type"] == "function_call":
        yield "tool_call", (item["name"], json.loads(item["arguments"]))
    elif item["type"] == "reasoning":
        yield from (("reasoning", part["text"]) for part in item["summary"])
    elif item["type"] == "message":
        yield from (("text", part.get("text") or part.get("refusal")) for part in item["content"])


def _image(image: Json) -> Iterator[Part]:
    yield "uri", image["url"].partition("?")[0]
    if image.get("revised_prompt"):
        yield "text", image["revised_prompt"]


def said(exchange: Exchange) -> Said:
    answer = whole(exchange)
    if exchange.path == "/v1/responses":
        reasons: tuple[str, ...] = ((answer.get("incomplete_details") or {}).get("reason") or answer["status"],)
        parts = [part for item in answer["output"] for part in _item(item)]
    else:
        reasons = tuple(choice["finish_reason"] for choice in answer.get("choices", []))
        parts = [part for choice in answer.get("choices", []) for part in chosen(choice)]
    if exchange.path == "/v1/images/generations":
        parts = [part for image in answer["data"] for part in _image(image)]
    return Said(answer.get("model", ""), answer.get("id", ""), reasons, tokens(answer.get("usage")), parts)


REPLAY = Replay("openai", "openai", call, said, skip, {400: "BadRequestError"})

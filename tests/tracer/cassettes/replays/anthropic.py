"""Anthropic: messages and beta messages."""

import json
from collections.abc import Iterator
from typing import Any

from spanward.tracer import semconv

from ..replay import Part, Replay, Said, at
from ..tape import Exchange, Json
from .openai import ask


def skip(exchange: Exchange) -> str:
    return "the library has no text completions any more" if exchange.path == "/v1/complete" else ""


def call(exchange: Exchange, address: str) -> None:
    import anthropic

    with anthropic.Anthropic(base_url=address, api_key="k", max_retries=0) as client:
        resource: Any = client.beta if "beta=true" in exchange.query else client
        ask(resource.messages.create, exchange)


def whole(told: list[Json]) -> Json:
    """The message that a stream's events make."""
    message: Json = told[0]["message"]
    blocks: dict[int, Json] = {}
    for event in told:
        if event["type"] == "content_block_start":
            blocks[event["index"]] = {**event["content_block"], "json": ""}
        elif event["type"] == "content_block_delta":
            delta, block = event["delta"], blocks[event["index"]]
            for source, target in (("text", "text"), ("thinking", "thinking"), ("partial_json", "json")):
                if source in delta:
                    block[target] = block.get(target, "") + delta[source]
        elif event["type"] == "message_delta":
            message["stop_reason"] = event["delta"]["stop_reason"]
            message["usage"] |= {k: v for k, v in event["usage"].items() if v is not None}
    for block in blocks.values():
        if block["type"] == "tool_use":
            block["input"] = json.loads(block["json"] or "{}")
    return {**message, "content": [blocks[i] for i in sorted(blocks)]}


def tokens(usage: Any) -> dict[str, int]:
    read, written = at(usage, "cache_read_input_tokens"), at(usage, "cache_creation_input_tokens")
    return {
        semconv.INPUT_TOKENS: at(usage, "input_tokens") + read + written,
        semconv.OUTPUT_TOKENS: at(usage, "output_tokens"),
        semconv.CACHE_READ_TOKENS: read,
        semconv.CACHE_WRITE_TOKENS: written,
    }


def block(found: Json) -> Iterator[Part]:
    """What one block of a message's content says."""
    if found["type"] == "tool_use":
        yield "tool_call", (found["name"], found["input"])
    elif found["type"] == "thinking":
        yield "reasoning", found["thinking"]
    elif found.get("text"):
        yield "text", found["text"]


def message(answer: Json) -> Said:
    parts = [part for found in answer["content"] for part in block(found)]
    return Said(answer["model"], answer["id"], (answer["stop_reason"],), tokens(answer["usage"]), parts)


def said(exchange: Exchange) -> Said:
    return message(whole(exchange.events) if exchange.streamed else exchange.json)


REPLAY = Replay("anthropic", "anthropic", call, said, skip)

"""Ollama: chat, generate, embeddings."""

from typing import Any

from spanward.tracer import semconv

from ...versions import at_least
from ..replay import Part, Replay, Said
from ..tape import Exchange, Json


def skip(exchange: Exchange) -> str:
    thinks = b'"thinking"' in exchange.body and not at_least("ollama", "0.5")
    return "this version drops what a model thought" if thinks else ""


def call(exchange: Exchange, address: str) -> None:
    import ollama

    client = ollama.Client(host=address)
    method: Any = getattr(client, exchange.path.removeprefix("/api/"))
    result = method(**{name: value for name, value in exchange.request.items() if value is not None})
    if exchange.streamed:
        assert len(list(result)) > 0


def whole(exchange: Exchange) -> Json:
    """The answer as one object: texts grow from line to line, counts come with the last."""
    if not exchange.streamed:
        return exchange.json
    lines = exchange.lines
    text = "".join(line["message"]["content"] for line in lines)
    return {**lines[-1], "message": {**lines[-1]["message"], "content": text}}


def said(exchange: Exchange) -> Said:
    answer = whole(exchange)
    message = answer.get("message") or {}
    parts: list[Part] = [("reasoning", message["thinking"])] if message.get("thinking") else []
    parts += [("text", text) for text in (message.get("content"), answer.get("response")) if text]
    for tool in message.get("tool_calls") or []:
        parts.append(("tool_call", (tool["function"]["name"], tool["function"]["arguments"])))
    counts = {
        semconv.INPUT_TOKENS: answer.get("prompt_eval_count", 0),
        semconv.OUTPUT_TOKENS: answer.get("eval_count", 0),
    }
    reasons = (answer["done_reason"],) if answer.get("done_reason") else ()
    return Said(answer.get("model", ""), "", reasons, counts if any(counts.values()) else None, parts)


REPLAY = Replay("ollama", "ollama", call, said, skip)

"""Google: Gemini's own API and Vertex."""

from typing import Any

from spanward.tracer import semconv

from ..replay import Part, Replay, Said, at
from ..tape import Exchange, Json


def call(exchange: Exchange, address: str) -> None:
    body = exchange.request
    if exchange.path.endswith("/interactions"):
        with _client(exchange, address) as client:
            client.interactions.create(**body)
        return
    config: Json = dict(body.get("generationConfig") or {})
    for theirs, ours in (("systemInstruction", "systemInstruction"), ("tools", "tools")):
        if body.get(theirs):
            config[ours] = body[theirs]
    asked: Json = {"model": asked_model(exchange), "contents": body["contents"], "config": config}
    client = _client(exchange, address)
    if streamed(exchange):
        assert len(list(client.models.generate_content_stream(**asked))) > 0
    else:
        client.models.generate_content(**asked)
    if hasattr(client, "close"):  # old versions leave it to the garbage collector
        client.close()


def _client(exchange: Exchange, address: str) -> Any:
    from google import genai
    from google.auth.credentials import AnonymousCredentials
    from google.genai.types import HttpOptions

    version = exchange.path.split("/")[1]
    options = HttpOptions(base_url=address, api_version=version)
    if version == "v1beta":
        return genai.Client(api_key="k", http_options=options)
    credentials: Any = AnonymousCredentials()  # type: ignore[no-untyped-call]  # a library without types
    credentials.token = "k"
    return genai.Client(
        vertexai=True,
        project="test-project",
        location="test-location",
        credentials=credentials,
        http_options=options,
    )


def streamed(exchange: Exchange) -> bool:
    return exchange.path.endswith(":streamGenerateContent")


def asked_model(exchange: Exchange) -> str:
    if exchange.path.endswith("/interactions"):
        return str(exchange.request.get("model") or exchange.request["agent"])
    return exchange.path.rsplit("/", 1)[1].partition(":")[0]


def said(exchange: Exchange) -> Said:
    if exchange.path.endswith("/interactions"):
        return _interacted(exchange.json)
    told = exchange.events if streamed(exchange) else [exchange.json]
    candidates = [chunk["candidates"][0] for chunk in told if chunk.get("candidates")]
    parts = _joined([part for found in candidates for part in (found.get("content") or {}).get("parts", [])])
    usage = next((chunk["usageMetadata"] for chunk in reversed(told) if "usageMetadata" in chunk), None)
    thought = at(usage, "thoughtsTokenCount")
    return Said(
        told[-1]["modelVersion"],
        told[-1]["responseId"],
        tuple(found["finishReason"] for found in candidates if "finishReason" in found),
        {
            semconv.INPUT_TOKENS: at(usage, "promptTokenCount"),
            semconv.OUTPUT_TOKENS: at(usage, "candidatesTokenCount") + thought,
            semconv.CACHE_READ_TOKENS: at(usage, "cachedContentTokenCount"),
            semconv.REASONING_TOKENS: thought,
        },
        parts,
    )


def _interacted(answer: Json) -> Said:
    usage = answer.get("usage")
    counts = {
        semconv.INPUT_TOKENS: at(usage, "total_input_tokens"),
        semconv.OUTPUT_TOKENS: at(usage, "total_output_tokens") + at(usage, "total_thought_tokens"),
        semconv.CACHE_READ_TOKENS: at(usage, "total_cached_tokens"),
        semconv.REASONING_TOKENS: at(usage, "total_thought_tokens"),
    }
    steps = [step for step in answer.get("steps", []) if step["type"] == "model_output"]
    parts: list[Part] = [("text", content["text"]) for step in steps for content in step["content"]]
    model = answer.get("model") or answer["agent"]
    return Said(model, answer["id"], (answer["status"],), counts if usage else None, parts)


def _joined(pieces: list[Json]) -> list[Part]:
    """Texts of one kind that follow each other are one text."""
    parts: list[Part] = []
    for piece in pieces:
        if "functionCall" in piece:
            parts.append(("tool_call", (piece["functionCall"]["name"], piece["functionCall"]["args"])))
        elif piece.get("text"):
            kind = "reasoning" if piece.get("thought") else "text"
            if parts and parts[-1][0] == kind:
                parts[-1] = (kind, parts[-1][1] + piece["text"])
            else:
                parts.append((kind, piece["text"]))
    return parts


REPLAY = Replay("google", "google.genai", call, said, asked_model=asked_model)

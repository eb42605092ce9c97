"""The `google-genai` package against the Gemini API: the model stands in the path, the stream is a generator.

Its asynchronous client uses aiohttp where that is installed, whose requests are no spans of ours; see `vertex`.
"""

import json
from collections.abc import Iterator
from typing import Any

from spanward.collector.demo.provider_answers import (
    THOUGHT,
    Behaviour,
    answer,
    arguments,
    pieces,
    structured,
    texts,
    tokens,
)

from ...versions import at_least
from ..subject import FEATURES, Ask, Json, Route, Subject

RETRIES = at_least("google-genai", "1.16")
"""Whether the library can be told to repeat a request."""


class AsyncUse:
    """The asynchronous side of a client."""

    def __init__(self, client: Any) -> None:
        self.client = client

    async def aclose(self) -> None:
        if hasattr(self.client.aio, "aclose"):  # old versions leave it to the garbage collector
            await self.client.aio.aclose()


def options(address: str, retries: int, timeout_s: float) -> Any:
    from google.genai import types

    given: Json = {"base_url": address, "timeout": int(timeout_s * 1000)}
    if RETRIES:
        quick: Json = {"initial_delay": 0.01, "max_delay": 0.05, "exp_base": 1, "jitter": 0}
        given["retry_options"] = types.HttpRetryOptions(attempts=retries + 1, **quick)
    return types.HttpOptions(**given)


def client(address: str, retries: int, timeout_s: float) -> Any:
    from google import genai

    return genai.Client(api_key="demo", http_options=options(address, retries, timeout_s))


def async_client(address: str, retries: int, timeout_s: float) -> Any:
    return AsyncUse(client(address, retries, timeout_s))


def _last(body: Json) -> str:
    asked = [
        turn for turn in body["contents"] if turn.get("role") == "user" and "functionResponse" not in turn["parts"][0]
    ][-1]
    return "".join(part.get("text", "") for part in asked["parts"])


def _prompt(body: Json) -> str:
    said = [body["contents"], body.get("systemInstruction")]
    return "\n".join(texts(said))


def _parts(body: Json, how: Behaviour) -> list[Json]:
    last = body["contents"][-1]["parts"][0]
    if "tool" in how.words and body.get("tools") and "functionResponse" not in last:
        function = body["tools"][0]["functionDeclarations"][0]
        schema = function.get("parameters_json_schema") or _lowered(function["parameters"])
        called = arguments(schema, how, _last(body))
        return [{"functionCall": {"id": "dv8szvqe", "name": function["name"], "args": called}}]
    config = body.get("generationConfig") or {}
    shape = config.get("responseJsonSchema") or config.get("responseSchema")
    if shape:
        return [{"text": structured(_lowered(shape), how, _prompt(body), _last(body))}]
    thought = [{"text": THOUGHT, "thought": True}] if "thinking" in how.words else []
    return [*thought, {"text": answer(how, _prompt(body), _last(body))}]


def _lowered(schema: Any) -> Any:
    """Google's schemas spell types in capitals."""
    if isinstance(schema, list):
        return [_lowered(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {k: v.lower() if k == "type" and isinstance(v, str) else _lowered(v) for k, v in schema.items()}


def _usage(body: Json, how: Behaviour, parts: list[Json]) -> Json:
    sent, said = tokens(_prompt(body)), tokens(json.dumps(parts[-1]))
    thought = tokens(THOUGHT) if "thinking" in how.words else 0
    cached = sent // 2 if "cached" in how.words else 0
    told: Json = {"promptTokenCount": sent, "candidatesTokenCount": said, "totalTokenCount": sent + said + thought}
    told["promptTokensDetails"] = [{"modality": "TEXT", "tokenCount": sent}]
    if thought:
        told["thoughtsTokenCount"] = thought
    if cached:
        details = [{"modality": "TEXT", "tokenCount": cached}]
        told |= {"cachedContentTokenCount": cached, "cacheTokensDetails": details}
    return told


def whole(body: Json, how: Behaviour) -> Json:
    parts = _parts(body, how)
    candidate = {"content": {"parts": parts, "role": "model"}, "finishReason": "STOP", "index": 0}
    head = {"modelVersion": how.model, "responseId": "92CnaIKJ"}
    return {"candidates": [candidate], "usageMetadata": _usage(body, how, parts), **head}


def frames(body: Json, how: Behaviour) -> Iterator[str]:
    """Texts in pieces, calls whole, the reason beside the last one."""
    parts = _parts(body, how)
    said = [
        {**part, "text": piece} if "text" in part else part
        for part in parts
        for piece in (pieces(how, part["text"]) if "text" in part else [""])
    ] or [{"text": ""}]
    for i, part in enumerate(said):
        last = i == len(said) - 1
        candidate: Json = {"content": {"parts": [part], "role": "model"}, "index": 0}
        candidate |= {"finishReason": "STOP"} if last else {}
        usage = _usage(body, how, parts) if last else {"promptTokenCount": 1, "totalTokenCount": 1}
        chunk = {"candidates": [candidate], "usageMetadata": usage}
        yield f"data: {json.dumps({**chunk, 'modelVersion': how.model, 'responseId': '92CnaIKJ'})}\r\n\r\n"


def error(status: int, said: str) -> Json:
    return {"error": {"code": status, "message": said, "status": "INVALID_ARGUMENT" if status == 400 else "INTERNAL"}}


def routes(prefix: str) -> tuple[Route, ...]:
    return (
        Route(f"{prefix}/models/{{model}}:generateContent", whole, error=error),
        Route(f"{prefix}/models/{{model}}:streamGenerateContent", whole, frames, lambda body: True, error=error),
    )


def given(ask: Ask) -> Json:
    """What `generate_content` is given."""
    from google.genai import types

    config: Json = {}
    contents: list[Any] = [ask.text]
    if ask.image:
        contents = [types.Part.from_text(text=ask.text), types.Part.from_bytes(data=ask.image, mime_type="image/png")]
    if ask.system:
        config["system_instruction"] = ask.system
    if ask.tool:
        declared = {"name": ask.tool["name"], "description": ask.tool["description"]}
        config["tools"] = [{"function_declarations": [{**declared, "parameters_json_schema": ask.tool["parameters"]}]}]
    if ask.tool and ask.result:
        called = types.Part.from_function_call(name=ask.tool["name"], args={})
        result = types.Part.from_function_response(name=ask.tool["name"], response={"result": ask.result})
        contents = [
            types.UserContent(ask.text),
            types.ModelContent([called]),
            types.Content(role="user", parts=[result]),
        ]
    if ask.schema:
        config |= {"response_mime_type": "application/json", "response_json_schema": ask.schema}
    found: Json = {"model": ask.model, "contents": contents}
    return {**found, "config": types.GenerateContentConfig(**config)} if config else found


def ask(using: Any, asked: Ask) -> Any:
    models = using.client.aio.models if isinstance(using, AsyncUse) else using.models
    return models.generate_content(**given(asked))


def stream(using: Any, asked: Ask) -> Any:
    models = using.client.aio.models if isinstance(using, AsyncUse) else using.models
    return models.generate_content_stream(**given(asked))


def tool_call(answered: Any) -> tuple[str, Json]:
    called = answered.function_calls[0]
    return called.name, called.args


SUBJECT = Subject(
    name="google_genai",
    library="google.genai",
    provider="gcp.gemini",
    model="gemini-2.5-flash",
    routes=routes("/{api}"),
    client=client,
    async_client=async_client,
    ask=ask,
    stream=stream,
    text=lambda answered: answered.text or "",
    chunk_text=lambda chunk: chunk.text or "",
    operation="generate_content",
    tool_call=tool_call,
    generators=True,
    features=frozenset({*FEATURES, "results"}) - (set() if RETRIES else {"retry"}),
    http_spans=False,
)

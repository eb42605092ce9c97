"""Amazon Bedrock: `converse` and the bodies that models take themselves."""

import contextlib
import json
import struct
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from spanward.tracer import semconv

from ...versions import bedrock_takes
from ..replay import Replay, Said, at
from ..tape import Exchange, Json


def call(exchange: Exchange, address: str) -> None:
    import boto3
    from botocore.config import Config

    client: Any = boto3.client(
        "bedrock-runtime",
        endpoint_url=address,
        region_name="us-east-1",
        aws_access_key_id="k",
        aws_secret_access_key="k",
        config=Config(retries={"max_attempts": 0}),
    )
    with contextlib.closing(client):
        ask(client, exchange)


def skip(exchange: Exchange) -> str:
    if '"qualifiers"' in json.dumps(exchange.request) and not bedrock_takes("GuardrailConverseTextBlock", "qualifiers"):
        return "this botocore knows no qualifiers of guarded text"
    return ""


def ask(client: Any, exchange: Exchange) -> None:
    model, way = asked_model(exchange), exchange.path.rsplit("/", 1)[1]
    if way == "invoke":
        answer = client.invoke_model(modelId=model, body=json.dumps(exchange.request))
        assert json.loads(answer["body"].read()) == exchange.json
    elif way == "converse":
        client.converse(modelId=model, **exchange.request)
    else:
        assert len(list(client.converse_stream(modelId=model, **exchange.request)["stream"])) > 0


def asked_model(exchange: Exchange) -> str:
    return unquote(exchange.path.removeprefix("/model/").rsplit("/", 1)[0])


def frames(body: bytes) -> Iterator[tuple[str, Json]]:
    """(event type, what it says) of each message of an AWS event stream, by its layout alone."""
    while body:
        total, head = struct.unpack(">II", body[:8])
        names, left = {}, body[12 : 12 + head]
        while left:
            size = left[0]
            name, length = left[1 : 1 + size].decode(), struct.unpack(">H", left[2 + size : 4 + size])[0]
            names[name] = left[4 + size : 4 + size + length].decode()
            left = left[4 + size + length :]
        yield names[":event-type"], json.loads(body[12 + head : total - 4])
        body = body[total:]


def whole(exchange: Exchange) -> Json:
    """The answer as one object, put together from its events if it was streamed."""
    if not exchange.path.endswith("converse-stream"):
        return exchange.json
    answer: Json = {"output": {"message": {"content": [{"text": ""}]}}}
    for kind, event in frames(exchange.body):
        if kind == "contentBlockDelta":
            answer["output"]["message"]["content"][0]["text"] += event["delta"]["text"]
        elif kind in {"messageStop", "metadata"}:
            answer |= event
    return answer


def said(exchange: Exchange) -> Said:
    answer = whole(exchange)
    if "output" in answer:
        texts = [block["text"] for block in answer["output"]["message"]["content"]]
    elif isinstance(answer.get("content"), list):
        texts = [block["text"] for block in answer["content"]]
    elif "choices" in answer:
        texts = [choice["text"] for choice in answer["choices"]]
    else:
        texts = [answer[name] for name in ("completion", "generation") if name in answer]
    reason = answer.get("stopReason") or answer.get("stop_reason") or answer["choices"][0]["finish_reason"]
    parts: list[tuple[str, Any]] = [("text", text) for text in texts]
    return Said(answer.get("model", ""), answer.get("id", ""), (reason,), tokens(exchange, answer), parts)


def tokens(exchange: Exchange, answer: Json) -> dict[str, int] | None:
    """By the model's own names in its body, else by the headers."""
    usage = answer.get("usage") or answer
    for sent, told in (
        ("inputTokens", "outputTokens"),
        ("input_tokens", "output_tokens"),
        ("prompt_tokens", "completion_tokens"),
        ("prompt_token_count", "generation_token_count"),
    ):
        if sent in usage:
            read, written = at(usage, "cacheReadInputTokens"), at(usage, "cacheWriteInputTokens")
            counts = {semconv.INPUT_TOKENS: usage[sent] + read + written, semconv.OUTPUT_TOKENS: usage[told]}
            return {**counts, semconv.CACHE_READ_TOKENS: read, semconv.CACHE_WRITE_TOKENS: written}
    head = "x-amzn-bedrock-{}-token-count"
    sent, told = (exchange.headers.get(head.format(way), "") for way in ("input", "output"))
    return {semconv.INPUT_TOKENS: int(sent), semconv.OUTPUT_TOKENS: int(told)} if sent else None


REPLAY = Replay("bedrock", "botocore", call, said, skip, errors={400: "ValidationException"}, asked_model=asked_model)

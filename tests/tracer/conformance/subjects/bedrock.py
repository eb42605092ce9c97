"""Amazon Bedrock through boto3: Converse, and InvokeModel with the body of Claude's messages."""

import json
import weakref
from collections.abc import Iterator
from typing import Any

from spanward.collector.demo import provider_answers as answers
from spanward.collector.demo import provider_anthropic as claude
from spanward.collector.demo.provider_answers import Behaviour

from ...versions import bedrock_takes
from ..eventstream import chunk, event
from ..subject import Ask, Json, Route, Subject
from . import anthropic

ERRORS = {
    400: "ValidationException", 403: "AccessDeniedException", 404: "ResourceNotFoundException",
    408: "ModelTimeoutException", 429: "ThrottlingException", 500: "InternalServerException",
    503: "ServiceUnavailableException",
}  # fmt: skip


def client(address: str, retries: int, timeout_s: float) -> Any:
    import boto3
    from botocore.config import Config

    return boto3.client(
        "bedrock-runtime",
        endpoint_url=address,
        region_name="us-east-1",
        aws_access_key_id="demo",
        aws_secret_access_key="demo",
        config=Config(retries={"total_max_attempts": retries + 1, "mode": "standard"}, read_timeout=timeout_s),
    )


def error(status: int, said: str) -> Json:
    return {"message": said}


def headers(status: int) -> dict[str, str]:
    kind = ERRORS.get(status, "InternalServerException") + ":http://internal.amazon.com/coral/com.amazon.bedrock/"
    refused = {"x-amzn-ErrorType": kind} if status >= 400 else {}
    return {"x-amzn-RequestId": "0c2d9f3a-5b0e-4f5e-9d0c-0d1f0f6f8f11", **refused}


def last_text(body: Json) -> str:
    texts = [
        block["text"]
        for turn in body["messages"] if turn["role"] == "user"
        for block in turn["content"] if "text" in block
    ]  # fmt: skip
    return str(texts[-1]) if texts else ""


def readable(body: Json) -> Json:
    """Without surrogates: a fake that fails closes the connection under the next request."""
    said: Json = json.loads(json.dumps(body, ensure_ascii=False).encode(errors="replace"))
    return said


def converse(body: Json, how: Behaviour) -> Json:
    body = readable(body)
    prompt, last = " ".join(answers.texts(body)), last_text(body)
    said = answers.answer(how, prompt, last)
    form = body.get("outputConfig", {}).get("textFormat")
    if form:
        schema = json.loads(form["structure"]["jsonSchema"]["schema"])
        said = answers.structured(schema, how, prompt, last)
    content: list[Json] = [{"text": said}] if said else []
    reason = "end_turn"
    if "tool" in how.words and body.get("toolConfig"):
        tool = body["toolConfig"]["tools"][0]["toolSpec"]
        given = answers.arguments(tool["inputSchema"]["json"], how, last)
        content, reason = [{"toolUse": {"toolUseId": "tooluse_1", "name": tool["name"], "input": given}}], "tool_use"
    if "thinking" in how.words:
        content.insert(0, {"reasoningContent": {"reasoningText": {"text": answers.THOUGHT, "signature": "c2ln"}}})
    sent, got = answers.tokens(prompt), answers.tokens(said)
    usage = {"inputTokens": sent, "outputTokens": got, "totalTokens": sent + got}
    if "cached" in how.words:
        usage |= {"inputTokens": sent - sent // 2, "cacheReadInputTokens": sent // 2, "cacheWriteInputTokens": 0}
    return {
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": reason,
        "usage": usage,
        "metrics": {"latencyMs": 7},
    }


def converse_frames(body: Json, how: Behaviour) -> Iterator[bytes]:
    whole = converse(body, how)
    yield event("messageStart", {"role": "assistant", "p": "abc"})
    for index, block in enumerate(whole["output"]["message"]["content"]):
        yield from _block(index, block, how)
        yield event("contentBlockStop", {"contentBlockIndex": index})
    yield event("messageStop", {"stopReason": whole["stopReason"]})
    yield event("metadata", {"usage": whole["usage"], "metrics": whole["metrics"]})


def _block(index: int, block: Json, how: Behaviour) -> Iterator[bytes]:
    if tool := block.get("toolUse"):
        start = {"toolUse": {"toolUseId": tool["toolUseId"], "name": tool["name"]}}
        yield event("contentBlockStart", {"start": start, "contentBlockIndex": index})
        deltas: list[Json] = [
            {"toolUse": {"input": piece}}
            for piece in answers.pieces(how, json.dumps(tool["input"], ensure_ascii=False))
        ]
    elif thought := block.get("reasoningContent"):
        deltas = [
            {"reasoningContent": {"text": piece}} for piece in answers.pieces(how, thought["reasoningText"]["text"])
        ]
        deltas.append({"reasoningContent": {"signature": "c2ln"}})
    else:
        deltas = [{"text": piece} for piece in answers.pieces(how, block["text"])]
    yield from (event("contentBlockDelta", {"delta": delta, "contentBlockIndex": index}) for delta in deltas)


def arguments(ask: Ask) -> Json:
    """What `converse` is given."""
    content: list[Json] = [{"text": ask.text}]
    if ask.image:
        content.append({"image": {"format": "png", "source": {"bytes": ask.image}}})
    given: Json = {
        "modelId": ask.model,
        "messages": [{"role": "user", "content": content}],
        "inferenceConfig": {"maxTokens": 99, "temperature": 0.5},
    }
    if ask.system:
        given["system"] = [{"text": ask.system}]
    if ask.tool:
        spec = {
            "name": ask.tool["name"],
            "description": ask.tool["description"],
            "inputSchema": {"json": ask.tool["parameters"]},
        }
        given["toolConfig"] = {"tools": [{"toolSpec": spec}]}
    if ask.tool and ask.result:
        given["messages"] += [
            {"role": "assistant", "content": [
                {"toolUse": {"toolUseId": "tooluse_0", "name": ask.tool["name"], "input": {}}},
            ]},
            {"role": "user", "content": [
                {"toolResult": {"toolUseId": "tooluse_0", "content": [{"text": ask.result}]}},
            ]},
        ]  # fmt: skip
    if ask.schema:
        schema = {"jsonSchema": {"schema": json.dumps(ask.schema), "name": "answer"}}
        given["outputConfig"] = {"textFormat": {"type": "json_schema", "structure": schema}}
    return given


def asked(client: Any, ask: Ask) -> Any:
    return client.converse(**arguments(ask))


def streamed(client: Any, ask: Ask) -> Any:
    return tidy(client.converse_stream(**arguments(ask))["stream"])


def tidy(stream: Any) -> Any:
    """botocore leaves the socket of a dropped stream to the garbage collector, and Python warns of that."""
    if hasattr(stream, "_raw_stream"):  # not that of a canned answer
        weakref.finalize(stream, stream._raw_stream.close)
    return stream


def text(answer: Any) -> str:
    return "".join(block.get("text", "") for block in answer["output"]["message"]["content"])


def chunk_text(event: Any) -> str:
    return str(event.get("contentBlockDelta", {}).get("delta", {}).get("text", ""))


def tool_call(answer: Any) -> tuple[str, Json]:
    called = next(block["toolUse"] for block in answer["output"]["message"]["content"] if "toolUse" in block)
    return called["name"], called["input"]


def invoke(body: Json, how: Behaviour) -> Json:
    return claude.message(readable(body))


def invoke_frames(body: Json, how: Behaviour) -> Iterator[bytes]:
    for frame in claude.message_events(readable(body)):
        yield chunk(json.loads(frame.partition("data: ")[2]))


def invoke_body(ask: Ask) -> Json:
    given = anthropic.arguments(ask)
    del given["model"]
    return {"anthropic_version": "bedrock-2023-05-31", **given}


def invoked(client: Any, ask: Ask) -> Any:
    """The body as the application reads it: it can be read once."""
    answer = client.invoke_model(modelId=ask.model, body=json.dumps(invoke_body(ask)))
    return json.loads(answer["body"].read())


def invoked_stream(client: Any, ask: Ask) -> Any:
    body = json.dumps(invoke_body(ask)).encode()
    return tidy(client.invoke_model_with_response_stream(modelId=ask.model, body=body)["body"])


def invoked_text(answer: Any) -> str:
    return "".join(block.get("text", "") for block in answer["content"])


def invoked_chunk_text(chunk: Any) -> str:
    said = json.loads(chunk["chunk"]["bytes"])
    return str(said.get("delta", {}).get("text", ""))


def invoked_tool_call(answer: Any) -> tuple[str, Json]:
    called = next(block for block in answer["content"] if block["type"] == "tool_use")
    return called["name"], called["input"]


def _route(path: str, answer: Any, frames: Any = None) -> Route:
    return Route(
        path, answer, frames, streams=lambda _: frames is not None, error=error, headers=headers,
        media_type="application/vnd.amazon.eventstream",
    )  # fmt: skip


FEATURES = frozenset({"tools", "schema", "images", "retry", "usage", "stream_usage", "results"})
CONVERSE = Subject(
    name="bedrock",
    library="botocore",
    provider="aws.bedrock",
    model="us.amazon.nova-lite-v1",
    routes=(
        _route("/model/{model}/converse", converse),
        _route("/model/{model}/converse-stream", converse, converse_frames),
    ),
    client=client,
    async_client=None,
    ask=asked,
    stream=streamed,
    text=text,
    chunk_text=chunk_text,
    tool_call=tool_call,
    features=FEATURES if bedrock_takes("ConverseRequest", "outputConfig") else FEATURES - {"schema"},
)
INVOKE = Subject(
    name="bedrock_invoke",
    library="botocore",
    provider="aws.bedrock",
    model="anthropic.claude-3-haiku-20240307-v1",
    routes=(
        _route("/model/{model}/invoke", invoke),
        _route("/model/{model}/invoke-with-response-stream", invoke, invoke_frames),
    ),
    client=client,
    async_client=None,
    ask=invoked,
    stream=invoked_stream,
    text=invoked_text,
    chunk_text=invoked_chunk_text,
    tool_call=invoked_tool_call,
    features=FEATURES,
)

SUBJECTS = (CONVERSE, INVOKE)

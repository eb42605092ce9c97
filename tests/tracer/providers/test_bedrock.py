"""What is special to Bedrock: bodies of every family through the real boto3, and what else goes through its one method."""

# ruff: noqa: E501  tables of bodies

import base64
import io
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.eventstream import EventStream
from botocore.exceptions import ClientError, EventStreamError, ResponseStreamingError
from botocore.response import StreamingBody

from spanward.tracer import semconv

from ..conformance.eventstream import chunk, event, exception
from ..loopback import JSON, Json, Server, repeating
from ..versions import bedrock_takes

MAIL = "ada.lovelace@example.org"
MASKED = "<EMAIL_ADDRESS_1>"
EVENTS = {"content-type": "application/vnd.amazon.eventstream"}
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(64)).decode()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with repeating() as server:
        yield server


def service(name: str, server: Server) -> Any:
    return boto3.client(
        name, endpoint_url=server.address, region_name="us-east-1", aws_access_key_id="k",
        aws_secret_access_key="s", config=Config(retries={"total_max_attempts": 1}),
    )  # fmt: skip


@pytest.fixture(scope="module")
def client(server: Server) -> Any:
    return service("bedrock-runtime", server)


@dataclass(frozen=True)
class Family:
    """One family's body and answer. `said` finds the text in the answer; `counts` are (input, output) tokens."""

    model: str
    body: Json
    answer: Json
    said: Callable[[Json], str]
    counts: tuple[int, int]
    reasons: tuple[str, ...] = ()
    operation: str = "text_completion"
    headers: tuple[tuple[str, str], ...] = ()


ANSWER = f"I wrote to {MASKED}."
HEADERS = (("x-amzn-bedrock-input-token-count", "12"), ("x-amzn-bedrock-output-token-count", "5"))
FAMILIES = {
    "claude": Family(
        "anthropic.claude-3-haiku-20240307-v1:0",
        {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, "system": MAIL,
         "messages": [{"role": "user", "content": [{"type": "text", "text": MAIL}]}]},
        {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-3-haiku-20240307",
         "content": [{"type": "text", "text": ANSWER}], "stop_reason": "end_turn", "stop_sequence": None,
         "usage": {"input_tokens": 12, "output_tokens": 5}},
        lambda body: str(body["content"][0]["text"]), (12, 5), ("end_turn",), "chat",
    ),
    "claude with one prompt": Family(
        "anthropic.claude-v2:1",
        {"prompt": f"\n\nHuman: {MAIL}\n\nAssistant:", "max_tokens_to_sample": 9},
        {"type": "completion", "completion": ANSWER, "stop_reason": "stop_sequence", "stop": "\n\nHuman:"},
        lambda body: str(body["completion"]), (12, 5), ("stop_sequence",), headers=HEADERS,
    ),
    "nova": Family(
        "us.amazon.nova-lite-v1:0",
        {"schemaVersion": "messages-v1", "system": [{"text": MAIL}],
         "messages": [{"role": "user", "content": [
             {"text": MAIL}, {"image": {"format": "png", "source": {"bytes": PNG}}}]}],
         "inferenceConfig": {"max_new_tokens": 9, "temperature": 0.5}},
        {"output": {"message": {"role": "assistant", "content": [{"text": ANSWER}]}}, "stopReason": "end_turn",
         "usage": {"inputTokens": 12, "outputTokens": 5, "totalTokens": 17}},
        lambda body: str(body["output"]["message"]["content"][0]["text"]), (12, 5), ("end_turn",), "chat",
    ),
    "titan": Family(
        "amazon.titan-text-express-v1",
        {"inputText": MAIL, "textGenerationConfig": {"maxTokenCount": 9, "stopSequences": ["User:"]}},
        {"inputTextTokenCount": 12,
         "results": [{"tokenCount": 5, "outputText": ANSWER, "completionReason": "FINISH"}]},
        lambda body: str(body["results"][0]["outputText"]), (12, 5), ("FINISH",),
    ),
    "llama": Family(
        "arn:aws:bedrock:us-east-1:123456789012:imported-model/abc",
        {"prompt": MAIL, "max_gen_len": 9, "temperature": 0.1},
        {"generation": ANSWER, "prompt_token_count": 12, "generation_token_count": 5, "stop_reason": "stop"},
        lambda body: str(body["generation"]), (12, 5), ("stop",),
    ),
    "mistral": Family(
        "mistral.mistral-7b-instruct-v0:2",
        {"prompt": f"<s>[INST]{MAIL}[/INST]", "max_tokens": 9, "stop": [MAIL]},
        {"outputs": [{"text": ANSWER, "stop_reason": "stop"}]},
        lambda body: str(body["outputs"][0]["text"]), (12, 5), ("stop",), headers=HEADERS,
    ),
    "jamba, as OpenAI has it": Family(
        "ai21.jamba-1-5-mini-v1:0",
        {"messages": [{"role": "system", "content": MAIL}, {"role": "user", "content": MAIL}], "max_tokens": 9},
        {"id": "c1", "model": "jamba", "choices": [
            {"index": 0, "message": {"role": "assistant", "content": ANSWER}, "finish_reason": "stop"}],
         "usage": {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}},
        lambda body: str(body["choices"][0]["message"]["content"]), (12, 5), ("stop",), "chat",
    ),
    "j2": Family(
        "ai21.j2-ultra-v1", {"prompt": MAIL, "maxTokens": 9},
        {"id": 1, "prompt": {"text": MASKED, "tokens": []},
         "completions": [{"data": {"text": ANSWER, "tokens": []}, "finishReason": {"reason": "endoftext"}}]},
        lambda body: str(body["completions"][0]["data"]["text"]), (12, 5), ("endoftext",), headers=HEADERS,
    ),
    "command": Family(
        "cohere.command-text-v14", {"prompt": MAIL, "max_tokens": 9, "p": 0.75, "k": 0},
        {"id": "g", "generations": [{"id": "g1", "text": ANSWER, "finish_reason": "COMPLETE"}], "prompt": MASKED},
        lambda body: str(body["generations"][0]["text"]), (12, 5), ("COMPLETE",), headers=HEADERS,
    ),
    "command r": Family(
        "cohere.command-r-v1:0",
        {"message": MAIL, "preamble": MAIL, "chat_history": [{"role": "CHATBOT", "message": MAIL}],
         "documents": [{"title": "t", "snippet": MAIL}]},
        {"generation_id": "g", "response_id": "r", "text": ANSWER, "finish_reason": "COMPLETE",
         "chat_history": [{"role": "USER", "message": MASKED}]},
        lambda body: str(body["text"]), (12, 5), ("COMPLETE",), "chat", HEADERS,
    ),
    "nobody knows": Family(
        "acme.unheard-of-v1", {"question": {"words": [MAIL]}, "depth": 3},
        {"reply": {"lines": [ANSWER]}},
        lambda body: str(body["reply"]["lines"][0]), (12, 5), (), "chat", HEADERS,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAMILIES)
def test_a_body_of_each_family(name: str, server: Server, client: Any, spans: Any) -> None:
    family = FAMILIES[name]
    server.says(family.answer, headers={**JSON, **dict(family.headers)})
    answer = client.invoke_model(modelId=family.model, body=json.dumps(family.body))
    assert family.said(json.loads(answer["body"].read())) == ANSWER.replace(MASKED, MAIL)
    assert server.got == json.loads(json.dumps(family.body).replace(MAIL, MASKED))
    span = spans.one()
    told = dict(span.attributes)
    assert span.name == f"{family.operation} {family.model}"
    assert told[semconv.PROVIDER] == "aws.bedrock"
    assert (told[semconv.INPUT_TOKENS], told[semconv.OUTPUT_TOKENS]) == family.counts
    assert told.get(semconv.FINISH_REASONS, ()) == family.reasons
    assert spans.said(span) == ANSWER
    assert MASKED in told[semconv.INPUT_MESSAGES]
    assert MAIL not in span.to_json()
    assert PNG[:40] not in span.to_json()


def test_echoes_of_the_prompt_are_restored_and_not_recorded(server: Server, client: Any, spans: Any) -> None:
    family = FAMILIES["command r"]
    server.says(family.answer)
    answer = client.invoke_model(modelId=family.model, body=json.dumps(family.body))
    assert json.loads(answer["body"].read())["chat_history"] == [{"role": "USER", "message": MAIL}]
    assert spans.said(spans.one()) == ANSWER


PIECES = ["I wrote to <EMAIL", "_ADDRESS_1>", "."]
METRICS = {"inputTokenCount": 12, "outputTokenCount": 5, "invocationLatency": 7, "firstByteLatency": 3}
LAST = {"amazon-bedrock-invocationMetrics": METRICS}
STREAMS: dict[str, tuple[list[Json], Callable[[Json], str]]] = {
    "claude": (
        [
            {"type": "message_start", "message": {**FAMILIES["claude"].answer, "content": [], "stop_reason": None}},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
            *({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}}
              for piece in PIECES),
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}},
            {"type": "message_stop", **LAST},
        ],
        lambda said: str((said.get("delta") or {}).get("text", "")),
    ),
    "claude with one prompt": (
        [*({"type": "completion", "completion": piece, "stop_reason": None} for piece in PIECES),
         {"type": "completion", "completion": "", "stop_reason": "stop_sequence", "stop": "\n\nHuman:", **LAST}],
        lambda said: str(said["completion"]),
    ),
    "nova": (
        [
            {"messageStart": {"role": "assistant"}},
            *({"contentBlockDelta": {"delta": {"text": piece}, "contentBlockIndex": 0}} for piece in PIECES),
            {"contentBlockStop": {"contentBlockIndex": 0}},
            {"messageStop": {"stopReason": "end_turn"}},
            {"metadata": {"usage": {"inputTokens": 12, "outputTokens": 5}, "metrics": {}}, **LAST},
        ],
        lambda said: str(said.get("contentBlockDelta", {}).get("delta", {}).get("text", "")),
    ),
    "titan": (
        [*({"outputText": piece, "index": 0, "completionReason": None} for piece in PIECES),
         {"outputText": "", "index": 0, "completionReason": "FINISH", "totalOutputTextTokenCount": 5,
          "inputTextTokenCount": 12, **LAST}],
        lambda said: str(said["outputText"]),
    ),
    "llama": (
        [*({"generation": piece, "prompt_token_count": None, "generation_token_count": 1, "stop_reason": None}
           for piece in PIECES),
         {"generation": "", "prompt_token_count": 12, "generation_token_count": 5, "stop_reason": "stop", **LAST}],
        lambda said: str(said["generation"]),
    ),
    "mistral": (
        [*({"outputs": [{"text": piece, "stop_reason": None}]} for piece in PIECES),
         {"outputs": [{"text": "", "stop_reason": "stop"}], **LAST}],
        lambda said: str(said["outputs"][0]["text"]),
    ),
    "jamba, as OpenAI has it": (
        [*({"id": "c1", "model": "jamba", "choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}]}
           for piece in PIECES),
         {"id": "c1", "model": "jamba", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}],
          "usage": {"prompt_tokens": 12, "completion_tokens": 5}, **LAST}],
        lambda said: str(said["choices"][0]["delta"].get("content", "")),
    ),
    "command": (
        [*({"text": piece, "is_finished": False, "index": 0} for piece in PIECES),
         {"is_finished": True, "finish_reason": "COMPLETE", "index": 0, **LAST}],
        lambda said: str(said.get("text", "")),
    ),
    "command r": (
        [*({"event_type": "text-generation", "text": piece, "is_finished": False} for piece in PIECES),
         {"event_type": "stream-end", "is_finished": True, "finish_reason": "COMPLETE",
          "response": {"text": ANSWER, "generation_id": "g", "finish_reason": "COMPLETE"}, **LAST}],
        lambda said: str(said.get("text", "")),
    ),
    "nobody knows": (
        [*({"reply": {"line": piece}} for piece in PIECES), LAST],
        lambda said: str(said.get("reply", {}).get("line", "")),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_of_each_family(name: str, server: Server, client: Any, spans: Any) -> None:
    family, (chunks, said) = FAMILIES[name], STREAMS[name]
    server.says(b"".join(map(chunk, chunks)), headers=EVENTS)
    answer = client.invoke_model_with_response_stream(modelId=family.model, body=json.dumps(family.body).encode())
    assert isinstance(answer["body"], EventStream)
    heard = [json.loads(part["chunk"]["bytes"]) for part in answer["body"]]
    assert "".join(map(said, heard)) == ANSWER.replace(MASKED, MAIL)
    assert MASKED not in json.dumps(heard)
    assert MAIL not in server.body.decode()
    span = spans.one()
    told = dict(span.attributes)
    assert (told[semconv.INPUT_TOKENS], told[semconv.OUTPUT_TOKENS]) == family.counts
    assert told.get(semconv.FINISH_REASONS, ()) == family.reasons
    assert told[semconv.STREAM_END] == "complete"
    assert spans.said(span) == ANSWER
    assert MAIL not in span.to_json()


@pytest.mark.parametrize(
    ("body", "operation"),
    [
        ({"inputText": MAIL, "dimensions": 512, "normalize": True}, "embeddings"),
        ({"inputText": MAIL}, "embeddings"),
        ({"texts": ["a", MAIL], "input_type": "search_document"}, "embeddings"),
        ({"query": MAIL, "documents": ["a", MAIL], "api_version": 2}, "rerank"),
        ({"taskType": "TEXT_IMAGE", "textToImageParams": {"text": MAIL}}, "image_generation"),
        ({"text_prompts": [{"text": MAIL, "weight": 1}], "init_image": PNG}, "image_generation"),
        ({"prompt": MAIL, "negative_prompt": MAIL, "aspect_ratio": "1:1"}, "image_generation"),
    ],
)
def test_bodies_that_are_no_conversation(body: Json, operation: str, server: Server, client: Any, spans: Any) -> None:
    server.says({"embedding": [0.5], "images": [PNG], "inputTextTokenCount": 3})
    client.invoke_model(modelId="m", body=json.dumps(body))
    assert server.got == json.loads(json.dumps(body).replace(MAIL, MASKED))
    told = dict(spans.one().attributes)
    assert told[semconv.OPERATION] == operation
    assert told[semconv.INPUT_TOKENS] == 3
    assert PNG[:40] not in spans.one().to_json()


@pytest.mark.parametrize(
    "kind", [str, str.encode, lambda text: bytearray(text.encode()), lambda text: io.BytesIO(text.encode())]
)
def test_a_body_that_nobody_edits_goes_out_as_it_came(kind: Any, server: Server, client: Any, spans: Any) -> None:
    odd = '{ "prompt":"h\\u00e9",  "max_gen_len" : 9e0 }'
    server.says(FAMILIES["llama"].answer)
    client.invoke_model(modelId="m", body=kind(odd))
    assert server.body == odd.encode()
    assert spans.one().attributes[semconv.USAGE_SOURCE] == "provider"


@pytest.mark.parametrize("body", [f"no JSON, {MAIL}", f'["{MAIL}"]', f'"{MAIL}"'])
def test_a_body_that_is_no_object(body: str, server: Server, client: Any, spans: Any) -> None:
    server.says(f"plain {MASKED}".encode())
    answer = client.invoke_model(modelId="m", body=body)
    assert server.body == body.replace(MAIL, MASKED).encode()
    assert answer["body"].read() == f"plain {MAIL}".encode()
    assert spans.said(spans.one()) == f"plain {MASKED}"


def test_the_body_is_botocores_own(server: Server, client: Any, spans: Any) -> None:
    server.says({"generation": f"{MASKED}\nand more", "stop_reason": "stop"})
    body = json.dumps({"prompt": MAIL})

    def ask() -> Any:
        return client.invoke_model(modelId="m", body=body)["body"]

    whole = json.dumps({"generation": f"{MAIL}\nand more", "stop_reason": "stop"}).encode()
    assert isinstance(ask(), StreamingBody)
    assert ask().read(5) + ask().read()[5:] == whole
    assert b"".join(ask().iter_chunks(7)) == whole
    assert list(ask().iter_lines()) == [whole]
    assert b"".join(ask()) == whole
    with ask() as raw:
        assert raw.read() == whole
    opened = ask()
    opened.set_socket_timeout(1)
    opened.close()


def test_a_body_that_breaks_off(server: Server, client: Any, spans: Any) -> None:
    server.says({"generation": "x"}, missing=9)
    with pytest.raises(ResponseStreamingError):
        client.invoke_model(modelId="m", body=json.dumps({"prompt": "x"}))["body"].read()
    assert spans.one().attributes[semconv.ERROR_TYPE] == "ResponseStreamingError"


CONVERSE: Json = {
    "modelId": "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-lite-v1:0",
    "system": [{"text": MAIL}, {"guardContent": {"text": {"text": MAIL}}}, {"cachePoint": {"type": "default"}}],
    "messages": [
        {"role": "user", "content": [
            {"text": MAIL},
            {"guardContent": {"text": {"text": MAIL, "qualifiers": ["query"]}}},
            {"document": {"format": "txt", "name": "letter", "context": MAIL, "source": {"bytes": MAIL.encode()}}},
            {"document": {"format": "pdf", "name": "scan", "source": {"bytes": b"%PDF-"}}},
            {"document": {"format": "md", "name": "t", "source": {"text": MAIL}}},
            {"document": {"format": "md", "name": "c", "source": {"content": [{"text": MAIL}]}}},
            {"image": {"format": "png", "source": {"bytes": b"\x89PNG"}}},
            {"video": {"format": "mp4", "source": {"s3Location": {"uri": "s3://films/a.mp4"}}}},
            {"searchResult": {"source": "s", "title": MAIL, "content": [{"text": MAIL}]}},
        ]},
        {"role": "assistant", "content": [
            {"reasoningContent": {"reasoningText": {"text": MAIL, "signature": "c2ln"}}},
            {"toolUse": {"toolUseId": "t1", "name": "find", "input": {"who": MAIL}}},
        ]},
        {"role": "user", "content": [
            {"toolResult": {"toolUseId": "t1", "content": [{"text": MAIL}, {"json": {"who": [MAIL]}}]}},
        ]},
    ],
    "inferenceConfig": {"maxTokens": 9, "temperature": 0.5, "stopSequences": [MAIL]},
    "toolConfig": {"tools": [{"toolSpec": {"name": "find", "description": MAIL, "inputSchema": {"json": {"type": "object"}}}}]},
    "additionalModelRequestFields": {"note": MAIL},
    "requestMetadata": {"who": "someone"},
    "guardrailConfig": {"guardrailIdentifier": "gr1", "guardrailVersion": "3", "trace": "enabled"},
    "performanceConfig": {"latency": "optimized"},
    "promptVariables": {"name": {"text": MAIL}},
}  # fmt: skip
TRACE = {"guardrail": {"modelOutput": [f"to {MASKED}"], "inputAssessment": {"gr1": {"invocationMetrics": {
    "guardrailProcessingLatency": 7}}}}, "promptRouter": {"invokedModelId": "amazon.nova-micro-v1:0"}}  # fmt: skip
USAGE = {
    "inputTokens": 12,
    "outputTokens": 5,
    "totalTokens": 117,
    "cacheReadInputTokens": 70,
    "cacheWriteInputTokens": 30,
}


def check_converse(span: Any, server: Server) -> Json:
    got = server.body.decode()
    assert MAIL not in got
    assert base64.b64encode(MAIL.encode()).decode() not in got
    assert base64.b64encode(MASKED.encode()).decode() in got
    assert got.count(MASKED) == 17
    assert MAIL not in span.to_json()
    told = dict(span.attributes)
    assert told[semconv.REQUEST_MODEL] == CONVERSE["modelId"]
    assert told[semconv.RESPONSE_MODEL] == "amazon.nova-micro-v1:0"
    assert told[semconv.FINISH_REASONS] == ("guardrail_intervened",)
    assert told["gen_ai.request.guardrail.id"] == "gr1"
    assert told["gen_ai.request.performance.latency"] == "optimized"
    assert (told["gen_ai.request.max_tokens"], told["gen_ai.request.temperature"]) == (9, 0.5)
    assert json.loads(told[semconv.USAGE_RAW]) == USAGE
    assert (told[semconv.INPUT_TOKENS], told[semconv.OUTPUT_TOKENS]) == (112, 5)
    assert (told[semconv.CACHE_READ_TOKENS], told[semconv.CACHE_WRITE_TOKENS]) == (70, 30)
    media = [
        part
        for message in json.loads(told[semconv.INPUT_MESSAGES])
        for part in message["parts"]
        if part["type"] == "uri"
    ]
    assert [part["mime_type"] for part in media] == ["document/pdf", "image/png", "video/mp4"]
    assert media[2]["uri"] == "s3://films/a.mp4"
    return told


@pytest.mark.skipif(not bedrock_takes("ConverseRequest", "outputConfig"), reason="this botocore knows only some of it")
def test_converse_in_all_its_parts(server: Server, client: Any, spans: Any) -> None:
    content = [
        {"reasoningContent": {"reasoningText": {"text": f"think of {MASKED}", "signature": "c2ln"}}},
        {"text": ANSWER},
        {
            "citationsContent": {
                "content": [{"text": MASKED}],
                "citations": [{"title": "t", "sourceContent": [{"text": MASKED}]}],
            }
        },
        {"toolUse": {"toolUseId": "t2", "name": "send", "input": {"to": [MASKED]}}},
    ]
    server.says({
        "output": {"message": {"role": "assistant", "content": content}}, "stopReason": "guardrail_intervened",
        "usage": USAGE, "metrics": {"latencyMs": 7}, "trace": TRACE,
    })  # fmt: skip
    answer = client.converse(**CONVERSE)
    restored = json.loads(json.dumps(content).replace(MASKED, MAIL))
    assert answer["output"]["message"]["content"] == restored
    assert answer["trace"]["guardrail"]["modelOutput"] == [f"to {MAIL}"]
    assert type(answer) is dict
    check_converse(spans.one(), server)
    assert CONVERSE["messages"][0]["content"][0] == {"text": MAIL}  # the application's own is untouched


@pytest.mark.skipif(not bedrock_takes("ConverseRequest", "outputConfig"), reason="this botocore knows only some of it")
def test_a_streamed_converse_in_all_its_parts(server: Server, client: Any, spans: Any) -> None:
    def deltas(index: int, *said: Json) -> list[bytes]:
        return [event("contentBlockDelta", {"delta": one, "contentBlockIndex": index}) for one in said]

    tool = {"toolUse": {"toolUseId": "t2", "name": "send"}}
    frames = (
        event("messageStart", {"role": "assistant"}),
        *deltas(
            0, *({"reasoningContent": {"text": piece}} for piece in PIECES), {"reasoningContent": {"signature": "s"}}
        ),
        event("contentBlockStop", {"contentBlockIndex": 0}),
        *deltas(1, *({"text": piece} for piece in PIECES)),
        *deltas(1, {"citation": {"title": "t", "sourceContent": [{"text": MASKED}]}}),
        event("contentBlockStop", {"contentBlockIndex": 1}),
        event("contentBlockStart", {"start": tool, "contentBlockIndex": 2}),
        *deltas(2, *({"toolUse": {"input": piece}} for piece in ('{"to": "<EMAIL_', 'ADDRESS_1>"}'))),
        event("contentBlockStop", {"contentBlockIndex": 2}),
        event("messageStop", {"stopReason": "guardrail_intervened"}),
        event("metadata", {"usage": USAGE, "metrics": {"latencyMs": 7}, "trace": TRACE}),
    )
    server.says(b"".join(frames), headers=EVENTS)
    heard = list(client.converse_stream(**CONVERSE)["stream"])
    texts: dict[str, str] = {"text": "", "reasoning": "", "tool": ""}
    for one in heard:
        delta = one.get("contentBlockDelta", {}).get("delta", {})
        texts["text"] += delta.get("text", "")
        texts["reasoning"] += delta.get("reasoningContent", {}).get("text", "")
        texts["tool"] += delta.get("toolUse", {}).get("input", "")
    restored = ANSWER.replace(MASKED, MAIL)
    assert texts == {"text": restored, "reasoning": restored, "tool": f'{{"to": "{MAIL}"}}'}
    assert heard[-1]["metadata"]["trace"]["guardrail"]["modelOutput"] == [f"to {MAIL}"]
    assert MASKED not in str(heard)
    check_converse(spans.one(), server)
    parts = [
        p
        for m in json.loads(spans.one().attributes[semconv.OUTPUT_MESSAGES])
        if m["role"] == "assistant"
        for p in m["parts"]
    ]
    assert [part["type"] for part in parts][:2] == ["reasoning", "text"]
    assert (parts[-1]["name"], parts[-1]["id"], parts[-1]["arguments"]) == ("send", "t2", {"to": MASKED})


def test_a_guardrail_of_an_invoked_model(server: Server, client: Any, spans: Any) -> None:
    trace = {"guardrail": {"modelOutput": [MASKED]}}
    server.says(
        {**FAMILIES["llama"].answer, "amazon-bedrock-guardrailAction": "INTERVENED", "amazon-bedrock-trace": trace}
    )
    answer = client.invoke_model(
        modelId="m", body=json.dumps({"prompt": MAIL}), guardrailIdentifier="gr1", guardrailVersion="3", trace="ENABLED"
    )
    assert json.loads(answer["body"].read())["amazon-bedrock-trace"]["guardrail"]["modelOutput"] == [MAIL]
    told = dict(spans.one().attributes)
    assert told[semconv.FINISH_REASONS] == ("guardrail_intervened",)
    assert (told["gen_ai.request.guardrail.id"], told["gen_ai.request.guardrail.trace"]) == ("gr1", "ENABLED")


@pytest.mark.parametrize(
    ("kind", "status"), [("ValidationException", 400), ("ThrottlingException", 429), ("UnheardOfException", 503)]
)
def test_a_refusal_names_its_kind_and_never_its_text(
    kind: str, status: int, server: Server, client: Any, spans: Any
) -> None:
    server.says({"message": f"{MASKED} is not allowed"}, status, {**JSON, "x-amzn-ErrorType": kind})
    with pytest.raises(ClientError) as failed:
        client.invoke_model(modelId="m", body=json.dumps({"prompt": MAIL}))
    span = spans.one()
    assert span.attributes[semconv.ERROR_TYPE] == type(failed.value).__qualname__
    assert span.status.description == f"{type(failed.value).__qualname__} HTTP {status} {kind}"
    assert "not allowed" not in span.to_json()


def test_an_error_in_the_middle_of_a_stream(server: Server, client: Any, spans: Any) -> None:
    frames = (
        event("contentBlockDelta", {"delta": {"text": "So far "}, "contentBlockIndex": 0}),
        exception("modelStreamErrorException", f"{MAIL} broke it"),
    )
    server.says(b"".join(frames), headers=EVENTS)
    heard: list[Json] = []
    stream = client.converse_stream(modelId="m", messages=[{"role": "user", "content": [{"text": "x"}]}])["stream"]
    with pytest.raises(EventStreamError):
        heard.extend(stream)
    assert len(heard) == 1
    span = spans.one()
    assert span.attributes[semconv.STREAM_END] == "error"
    assert span.attributes[semconv.ERROR_TYPE] == "EventStreamError"
    assert "modelStreamErrorException" in span.status.description
    assert "broke" not in span.to_json()


def test_each_attempt_is_a_span_below(server: Server, client: Any, spans: Any) -> None:
    server.says(FAMILIES["llama"].answer)
    client.invoke_model(modelId="m", body=json.dumps({"prompt": "x"}))
    (attempt,) = [span for span in spans.all() if semconv.HTTP_STATUS in span.attributes]
    assert attempt.attributes[semconv.HTTP_STATUS] == 200
    assert attempt.attributes[semconv.URL] == f"{server.address}/model/m/invoke"
    assert attempt.parent.span_id == spans.one().context.span_id


def test_any_other_aws_call_passes_by_for_a_few_function_calls(server: Server, spans: Any) -> None:
    """Counted, not timed. What follows is of the HTTP request, which is asked whether it is part of a call."""
    server.says({"ids": []})
    queue = service("bedrock", server)
    made: list[str] = []

    def count(frame: Any, kind: str, _: Any) -> None:
        if kind == "call" and "tracer" in frame.f_code.co_filename:
            made.append(frame.f_code.co_name)

    sys.setprofile(count)
    try:
        queue.list_foundation_models()
    finally:
        sys.setprofile(None)
    assert spans.calls() == []
    assert made[: made.index("applies") + 1] == ["wrapper", "named", "applies"]
    assert "request" not in made

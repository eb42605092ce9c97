"""What is special to Hugging Face: text generation in its four forms, other tasks, types that are dictionaries too."""

import asyncio
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from huggingface_hub import AsyncInferenceClient, InferenceClient
from huggingface_hub.errors import HfHubHTTPError

from spanward.tracer import semconv

from ..loopback import Json, Server, repeating

MAIL = "ada.lovelace@example.org"
MASKED = "<EMAIL_ADDRESS_1>"
PIECES = ["I wrote to <EMAIL", "_ADDRESS_1>", "."]
ANSWER = "".join(PIECES)
RESTORED = ANSWER.replace(MASKED, MAIL)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with repeating() as server:
        yield server


@pytest.fixture
def client(server: Server) -> InferenceClient:
    return InferenceClient(model=server.address, token="hf_demo", timeout=10)


def generated(text: str = ANSWER) -> list[Json]:
    details = {"finish_reason": "eos_token", "generated_tokens": 5, "prefill": [], "tokens": [], "seed": None}
    return [{"generated_text": text, "details": details}]


def tokens() -> bytes:
    said = [
        {"index": i, "token": {"id": i, "text": piece, "logprob": -0.5, "special": False}, "generated_text": None}
        for i, piece in enumerate(PIECES)
    ]
    details = {"finish_reason": "eos_token", "generated_tokens": 5, "input_length": 12, "seed": None}
    end = {"id": 9, "text": "</s>", "logprob": -0.5, "special": True}
    chunks = [*said, {"index": 9, "token": end, "generated_text": ANSWER, "details": details}]
    return "".join(f"data:{json.dumps(chunk)}\n\n" for chunk in chunks).encode()


def test_generated_text(server: Server, client: InferenceClient, spans: Any) -> None:
    server.says(generated())
    answer = client.text_generation(MAIL, max_new_tokens=9, stop=[MAIL])
    assert answer == RESTORED
    assert type(answer) is str
    assert server.got["inputs"] == MASKED
    assert server.got["parameters"]["stop"] == [MASKED]
    span = spans.one()
    assert span.attributes[semconv.OPERATION] == "text_completion"
    assert span.attributes["gen_ai.request.max_tokens"] == 9
    assert spans.said(span) == ANSWER
    assert MAIL not in span.to_json()


def test_generated_text_with_details(server: Server, client: InferenceClient, spans: Any) -> None:
    server.says(generated())
    answer = client.text_generation(MAIL, details=True)
    assert (answer.generated_text, answer["generated_text"]) == (RESTORED, RESTORED)
    told = dict(spans.one().attributes)
    assert told[semconv.FINISH_REASONS] == ("eos_token",)
    assert told[semconv.OUTPUT_TOKENS] == 5


@pytest.mark.parametrize("details", [False, True])
def test_generated_text_streamed(details: bool, server: Server, client: InferenceClient, spans: Any) -> None:
    server.says(tokens(), headers={"content-type": "text/event-stream"})
    heard: list[Any] = list(client.text_generation(MAIL, stream=True, details=details))
    end = "" if details else "</s>"  # the library tells it from text only in the details
    if details:
        assert heard[-1].generated_text == heard[-1]["generated_text"] == RESTORED
        heard = [one.token.text for one in heard if not one.token.special]
    assert "".join(heard) == RESTORED + end
    assert spans.said(spans.one()) == ANSWER + end
    if details:
        told = dict(spans.one().attributes)
        assert (told[semconv.INPUT_TOKENS], told[semconv.OUTPUT_TOKENS]) == (12, 5)
        assert told[semconv.FINISH_REASONS] == ("eos_token",)


def test_generated_text_streamed_async(server: Server, spans: Any) -> None:
    server.says(tokens(), headers={"content-type": "text/event-stream"})

    async def main() -> list[str]:
        async with AsyncInferenceClient(model=server.address, token="hf_demo") as client:
            return [one async for one in await client.text_generation(MAIL, stream=True)]

    assert "".join(asyncio.run(main())) == RESTORED + "</s>"
    assert server.got["inputs"] == MASKED
    assert spans.said(spans.one()) == ANSWER + "</s>"


def test_an_answer_is_edited_in_the_object_and_in_the_dictionary(
    server: Server, client: InferenceClient, spans: Any
) -> None:
    called = {"id": "c1", "type": "function", "function": {"name": "send", "arguments": f'{{"to": "{MASKED}"}}'}}
    message = {"role": "assistant", "content": ANSWER, "tool_calls": [called]}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    server.says({"id": "1", "model": "m", "created": 1, "system_fingerprint": "f", "choices": [choice],
                 "usage": {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}})  # fmt: skip
    answer = client.chat_completion([{"role": "user", "content": MAIL}], model="m")
    assert MASKED not in str(answer)
    assert MASKED not in json.dumps(answer)
    assert answer.choices[0].message.content == RESTORED
    assert answer["choices"][0]["message"]["content"] == RESTORED
    assert answer.choices[0]["message"]["tool_calls"][0]["function"]["arguments"] == f'{{"to": "{MAIL}"}}'
    told = dict(spans.one().attributes)
    assert (told[semconv.INPUT_TOKENS], told[semconv.OUTPUT_TOKENS]) == (12, 5)
    assert told[semconv.SERVER_ADDRESS] == "127.0.0.1"


TASKS: list[tuple[str, Json, Any, str, str]] = [
    ("summarization", {"text": MAIL}, [{"summary_text": ANSWER}], "summary_text", "text_completion"),
    ("translation", {"text": MAIL}, [{"translation_text": ANSWER}], "translation_text", "text_completion"),
    ("question_answering", {"question": MAIL, "context": MAIL},
     {"answer": ANSWER, "score": 0.5, "start": 0, "end": 3}, "answer", "text_completion"),
    ("automatic_speech_recognition", {"audio": b"RIFF"}, {"text": ANSWER}, "text", "transcription"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "asked", "answer", "name", "operation"), TASKS, ids=lambda value: str(value)[:20])
def test_tasks(
    method: str, asked: Json, answer: Any, name: str, operation: str,
    server: Server, client: InferenceClient, spans: Any,
) -> None:  # fmt: skip
    server.says(answer)
    result = getattr(client, method)(**asked)
    result = result[0] if isinstance(result, list) else result
    masked = MAIL in str(asked)
    assert getattr(result, name) == (RESTORED if masked else ANSWER)
    assert MAIL.encode() not in server.body
    assert spans.one().attributes[semconv.OPERATION] == operation
    assert spans.said(spans.one()) == ANSWER


def test_embeddings(server: Server, client: InferenceClient, spans: Any) -> None:
    server.says([[0.5, 0.25]])
    assert client.feature_extraction(MAIL).tolist() == [[0.5, 0.25]]
    assert server.got["inputs"] == MASKED
    assert spans.one().attributes[semconv.OPERATION] == "embeddings"


def test_an_image(server: Server, client: InferenceClient, spans: Any) -> None:
    pillow = pytest.importorskip("PIL.Image")
    drawn = io.BytesIO()
    pillow.new("RGB", (2, 2)).save(drawn, "PNG")
    server.says(drawn.getvalue(), headers={"content-type": "image/png"})
    assert client.text_to_image(f"a card for {MAIL}", negative_prompt=MAIL).size == (2, 2)
    assert server.got["inputs"] == f"a card for {MASKED}"
    assert server.got["parameters"]["negative_prompt"] == MASKED
    span = spans.one()
    assert span.attributes[semconv.OPERATION] == "image_generation"
    (image,) = json.loads(span.attributes[semconv.OUTPUT_MESSAGES])[0]["parts"]
    assert (image["mime_type"], image["uri"][:7]) == ("image/png", "sha256:")


def test_a_refusal_names_its_status(server: Server, client: InferenceClient, spans: Any) -> None:
    server.says({"error": f"{MASKED} is not allowed"}, 429)
    with pytest.raises(HfHubHTTPError) as failed:
        client.summarization(MAIL)
    kind = type(failed.value).__qualname__
    assert spans.one().status.description == f"{kind} HTTP 429"
    assert "not allowed" not in spans.one().to_json()


@pytest.mark.parametrize(
    ("made", "asked", "address", "port", "model"),
    [
        ({}, {"model": "a/b"}, "router.huggingface.co", 443, "a/b"),
        ({"model": "a/b"}, {}, "router.huggingface.co", 443, "a/b"),
        ({"base_url": "http://127.0.0.1:8/v1"}, {"model": "a/b"}, "127.0.0.1", 8, "a/b"),
        ({"model": "https://x.endpoints.huggingface.cloud"}, {}, "x.endpoints.huggingface.cloud", 443, ""),
        ({"token": "gsk_demo", "provider": "groq"}, {"model": "a/b"}, "", 0, "a/b"),
    ],
)
def test_where_a_call_goes(made: Json, asked: Json, address: str, port: int, model: str) -> None:
    from spanward.tracer.providers.huggingface import ADAPTER

    client = InferenceClient(**{"token": "hf_demo", **made})
    call = ADAPTER.endpoints[0].request(client, {"messages": [], **asked})
    assert (call.server_address, call.server_port, call.request_model) == (address, port, model)
    assert call.provider == "huggingface"

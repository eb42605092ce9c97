"""Real litellm, with its own clients, against the local provider: one call each, guarded, whatever is beneath.

litellm does not fit beside openai 3; these run where it is installed.
"""

import asyncio
import os
from collections.abc import Callable
from typing import Any

import pytest

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else importing it asks the network for prices

litellm = pytest.importorskip("litellm")

import spanward  # noqa: E402
from spanward.collector.demo.provider import Provider  # noqa: E402
from spanward.tracer import instrument, semconv  # noqa: E402

from ..inmemory import Spans  # noqa: E402

pytestmark = pytest.mark.filterwarnings("default")  # litellm warns of itself, and leaves clients of its own open
MAIL, PLACEHOLDER = "ada@example.com", "<EMAIL_ADDRESS_1>"
ASKED = [{"role": "system", "content": "be kind"}, {"role": "user", "content": f"I am {MAIL}"}]


def where(provider: Provider, library: str) -> dict[str, Any]:
    base = f"{provider.address}/v1" if library == "openai" else provider.address
    return {"api_base": base, "api_key": "demo", "max_retries": 0}


async def _acompletion(**asked: Any) -> Any:
    return await litellm.acompletion(**asked)


async def _astream(**asked: Any) -> str:
    stream = await litellm.acompletion(stream=True, **asked)
    return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])


def _stream(**asked: Any) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in litellm.completion(stream=True, **asked))


WAYS: dict[str, Callable[..., str]] = {
    "completion": lambda **asked: litellm.completion(**asked).choices[0].message.content,
    "main.completion": lambda **asked: litellm.main.completion(**asked).choices[0].message.content,
    "acompletion": lambda **asked: asyncio.run(_acompletion(**asked)).choices[0].message.content,
    "stream": _stream,
    "astream": lambda **asked: asyncio.run(_astream(**asked)),
}


@pytest.mark.parametrize("library", ["openai", "anthropic"])
@pytest.mark.parametrize("way", WAYS)
def test_a_chat_is_one_call(spans: Spans, provider: Provider, way: str, library: str) -> None:
    model = {"openai": "gpt-4o-mini-echo", "anthropic": "claude-sonnet-4-5-echo"}[library]
    provider.clear()
    said = WAYS[way](model=f"{library}/{model}", messages=ASKED, temperature=0.5, **where(provider, library))
    assert said == f"I am {MAIL}"
    assert len(provider.record) == 1
    assert MAIL.encode() not in provider.record[0].body
    span = spans.one()
    attributes = dict(span.attributes or {})
    assert span.name == f"chat {model}"
    assert (
        attributes.items()
        >= {
            semconv.PROVIDER: library,
            semconv.REQUEST_MODEL: model,
            semconv.SERVER_ADDRESS: "127.0.0.1",
            "gen_ai.request.temperature": 0.5,
            semconv.SYSTEM_INSTRUCTIONS: '[{"type":"text","content":"be kind"}]',
        }.items()
    )
    assert spans.said(span, semconv.INPUT_MESSAGES) == f"I am {PLACEHOLDER}"
    assert spans.said(span) == f"I am {PLACEHOLDER}"
    assert int(str(attributes[semconv.INPUT_TOKENS])) > 0
    assert attributes[semconv.USAGE_SOURCE] == ("estimated" if library == "openai" and "stream" in way else "provider")
    assert attributes[semconv.FINISH_REASONS] == ("stop",)
    assert MAIL not in str([dict(other.attributes or {}) for other in spans.all()])


def test_arguments_by_position(spans: Spans, provider: Provider) -> None:
    asked = where(provider, "openai")
    litellm.completion("openai/gpt-4o-mini-echo", ASKED, **asked)
    litellm.embedding("openai/text-embedding-3-small", [MAIL], **asked)
    asyncio.run(litellm.aembedding("openai/text-embedding-3-small", [MAIL], **asked))
    assert [span.name for span in spans.calls()] == [
        "chat gpt-4o-mini-echo",
        "embeddings text-embedding-3-small",
        "embeddings text-embedding-3-small",
    ]
    for span in spans.calls()[1:]:
        assert spans.said(span, semconv.INPUT_MESSAGES) == PLACEHOLDER
        assert (span.attributes or {})[semconv.USAGE_SOURCE] == "provider"


def test_a_tool_call_gets_its_arguments_back(spans: Spans, provider: Provider) -> None:
    tool = {
        "type": "function",
        "function": {
            "name": "send",
            "parameters": {"type": "object", "properties": {"to": {"type": "string"}}, "required": ["to"]},
        },
    }
    asked = {"model": "openai/gpt-4o-mini-tool", "messages": ASKED, "tools": [tool], **where(provider, "openai")}
    (call,) = litellm.completion(**asked).choices[0].message.tool_calls
    assert call.function.name == "send"
    assert MAIL not in str([dict(span.attributes or {}) for span in spans.all()])
    assert (spans.one().attributes or {})[semconv.TOOL_DEFINITIONS]


@pytest.mark.parametrize("way", WAYS)
def test_an_error_is_litellms_own(spans: Spans, provider: Provider, way: str) -> None:
    with pytest.raises(litellm.InternalServerError):
        WAYS[way](model="openai/err-500", messages=ASKED, **where(provider, "openai"))
    span = spans.one()
    assert (span.attributes or {})[semconv.ERROR_TYPE] == "InternalServerError"
    assert MAIL not in f"{span.status.description}{dict(span.attributes or {})}"


@pytest.mark.parametrize("way", WAYS)
def test_a_secret_is_not_sent(spans: Spans, provider: Provider, way: str) -> None:
    provider.clear()
    asked = [{"role": "user", "content": "use AKIAIOSFODNN7EXAMPLE please"}]
    with pytest.raises(spanward.ModelCallBlocked):
        WAYS[way](model="openai/gpt-4o-mini", messages=asked, **where(provider, "openai"))
    assert provider.record == []
    assert spans.one().status.description == "ModelCallBlocked rule no-secrets"


def test_the_router(spans: Spans, provider: Provider) -> None:
    at = where(provider, "openai")
    router = litellm.Router(
        model_list=[
            {"model_name": "mine", "litellm_params": {"model": "openai/gpt-4o-mini-echo", **at}},
            {"model_name": "broken", "litellm_params": {"model": "openai/err-500", **at}},
        ],
        fallbacks=[{"broken": ["mine"]}],
        num_retries=0,
    )
    assert router.completion("mine", ASKED).choices[0].message.content == f"I am {MAIL}"
    assert asyncio.run(router.acompletion("broken", ASKED)).choices[0].message.content == f"I am {MAIL}"
    assert [span.name for span in spans.calls()] == ["chat gpt-4o-mini-echo", "chat err-500", "chat gpt-4o-mini-echo"]


def test_metadata_is_the_applications_own(spans: Spans, provider: Provider) -> None:
    heard: list[Any] = []

    def callback(kwargs: Any, *_: Any) -> None:
        heard.append(kwargs)

    litellm.success_callback.append(callback)
    try:
        mine = {"who": MAIL}
        litellm.completion(model="openai/gpt-4o-mini-echo", messages=ASKED, metadata=mine, **where(provider, "openai"))
    finally:
        litellm.success_callback.remove(callback)
    assert mine["who"] == MAIL  # litellm adds to it
    assert ASKED[1]["content"] == f"I am {MAIL}"


def test_undone(provider: Provider) -> None:
    running = instrument.running()
    assert running is not None
    patches = [patch for patch in running.patches.done if getattr(patch.owner, "__name__", "").startswith("litellm")]
    assert {patch.name for patch in patches} >= {"completion", "acompletion", "embedding", "aembedding"}
    assert running.patches.libraries["litellm"].skipped == {}


BESIDES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "text_completion": lambda at: litellm.text_completion(
        model="text-completion-openai/gpt-3.5-turbo-instruct", prompt=f"mail {MAIL}", **at
    ),
    "responses": lambda at: litellm.responses(model="openai/gpt-4o-mini-echo", input=f"I am {MAIL}", **at),
    "responses, streamed": lambda at: list(
        litellm.responses(model="openai/gpt-4o-mini-echo", input=f"I am {MAIL}", stream=True, **at)
    ),
    "image_generation": lambda at: litellm.image_generation(prompt=f"draw {MAIL}", model="openai/gpt-image-1", **at),
    "moderation": lambda at: litellm.moderation(input=f"rude {MAIL}", model="omni-moderation-latest", **at),
}


@pytest.mark.parametrize("what", BESIDES)
def test_everything_else_goes_out_guarded_and_is_one_call(spans: Spans, provider: Provider, what: str) -> None:
    """Whether the local provider knows that path or not."""
    provider.clear()
    try:
        BESIDES[what](where(provider, "openai"))
    except Exception as error:  # noqa: BLE001  what it does not know
        assert type(error).__module__.startswith(("litellm", "openai"))  # noqa: PT017
    span = spans.one()
    assert PLACEHOLDER in str((span.attributes or {})[semconv.INPUT_MESSAGES])
    assert MAIL not in str([dict(other.attributes or {}) for other in spans.all()])
    assert not any(MAIL.encode() in request.body for request in provider.record)

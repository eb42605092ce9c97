"""The `litellm` package: its functions, which call any provider and answer in the shapes of OpenAI.

The client beneath (openai's, or its own over httpx and aiohttp) is part of the same call. Its callbacks run beneath,
too: they get what was guarded. What was imported by name before `instrument()` (`from litellm import completion`) goes
past us, as with any function.

A stream's tokens are the provider's where that tells them; where it does not, litellm counts, which we say. A block of
a stream raises: there is no stream of litellm's without a request.
"""

from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from ...guards.messages import Message, Part
from ..adapter import Adapter, Endpoint, Kwargs, StreamReader
from ..call import ModelCall
from . import openai_audio as audio
from . import openai_chat as chat
from . import openai_completions as completions
from . import openai_embeddings as embeddings
from . import openai_images as images
from . import openai_moderations as moderations
from . import openai_responses as responses
from . import openai_responses_stream
from .fields import beside, field, given, whole
from .litellm_chat import Reader, answered, told_usage
from .openai_texts import readable, texts

PROVIDERS = {
    "azure": "azure.ai.openai",
    "azure_text": "azure.ai.openai",
    "azure_ai": "azure.ai.inference",
    "bedrock": "aws.bedrock",
    "bedrock_converse": "aws.bedrock",
    "sagemaker": "aws.sagemaker",
    "vertex_ai": "gcp.vertex_ai",
    "vertex_ai_beta": "gcp.vertex_ai",
    "gemini": "gcp.gemini",
    "mistral": "mistral_ai",
    "codestral": "mistral_ai",
    "xai": "x_ai",
    "watsonx": "ibm.watsonx.ai",
    "cohere_chat": "cohere",
    "ollama_chat": "ollama",
    "text-completion-openai": "openai",
    "anthropic_text": "anthropic",
    "together_ai": "together",
    "fireworks_ai": "fireworks",
    "voyage": "voyageai",
    "nvidia_nim": "nvidia",
    "jina_ai": "jina",
    "stability": "stability_ai",
}
"""litellm's names by ours, those of the conventions and of `hosts`; any other is the same in both."""
OWN = ("metadata", "litellm_metadata")
"""What is for litellm's callbacks and not for the provider: the application's own, and left as it is."""
TEXTS = ("system", "system_instruction", "instructions", "documents", "suffix")
"""Arguments of single providers with texts that go out."""

Fill = Callable[[ModelCall, Kwargs], None]


def _request(operation: str, fill: Fill, _: Any, kwargs: Kwargs) -> ModelCall:
    provider, model = _provider(kwargs)
    host, port = _server(kwargs.get("api_base") or kwargs.get("base_url"))
    call = ModelCall(operation, provider, model, stream=streams(kwargs), server_address=host, server_port=port)
    held = {name: kwargs.pop(name) for name in OWN if name in kwargs}
    try:
        fill(call, kwargs)
    finally:
        kwargs.update(held)
    return call


def _provider(kwargs: Kwargs) -> tuple[str, str]:
    """The provider's name, and the model's without it."""
    asked = str(kwargs.get("model") or "")
    try:
        from litellm import get_llm_provider  # type: ignore[import-not-found, unused-ignore]  # not beside openai 3

        model, name, *_ = get_llm_provider(
            asked,
            custom_llm_provider=kwargs.get("custom_llm_provider"),
            api_base=kwargs.get("api_base") or kwargs.get("base_url"),
        )
    except Exception:  # noqa: BLE001  litellm will say so itself
        name, _, model = asked.rpartition("/")
        name = str(kwargs.get("custom_llm_provider") or name or "litellm")
    return PROVIDERS.get(name, name), model


def _server(url: Any) -> tuple[str, int]:
    if not isinstance(url, str) or not url:
        return "", 0
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = None
    return parts.hostname or "", port or (80 if parts.scheme == "http" else 443)


def streams(kwargs: Kwargs) -> bool:
    return kwargs.get("stream") is True


def _chat(call: ModelCall, kwargs: Kwargs) -> None:
    chat.request(call, kwargs)
    call.beside = (*call.beside, *beside(kwargs, TEXTS))


def _rerank(call: ModelCall, kwargs: Kwargs) -> None:
    call.params = given(kwargs, ("top_n", "max_chunks_per_doc"))
    documents = readable(kwargs, "documents")
    parts = [*texts(kwargs.get("query"), ("query",))]
    for i, document in enumerate(documents if isinstance(documents, list) else []):
        parts.append(whole(document, ("documents", i), name="document"))
    call.messages = (Message("user", tuple(parts)),)


def _ranked(call: ModelCall, answer: Any) -> None:
    """Texts only where the caller asked for the documents back."""
    call.response_id = field(answer, "id", "")
    parts: list[Part] = []
    for i, result in enumerate(field(answer, "results", []) or []):
        text = field(field(result, "document"), "text")
        if isinstance(text, str):
            parts.append(Part("text", text, where=("results", i, "document", "text")))
    call.output = (Message("assistant", tuple(parts)),) if parts else ()


def _reply(build: Callable[[ModelCall, str], dict[str, Any]], kind: str, call: ModelCall, text: str) -> Any:
    """The canned answer in litellm's own type."""
    import litellm  # type: ignore[import-not-found, unused-ignore]  # as above

    return getattr(litellm, kind)(**build(call, text))


def _completed(call: ModelCall, answer: Any) -> None:
    completions.response(call, answer)
    call.usage = told_usage(field(answer, "usage"))


def _both(
    method: str,
    operation: str,
    fill: Fill,
    response: Callable[[ModelCall, Any], None],
    *,
    names: tuple[str, ...] = (),
    modules: tuple[str, ...] = ("litellm",),
    reader: Callable[[ModelCall], StreamReader] | None = None,
    reply: Callable[[ModelCall, str], Any] | None = None,
) -> tuple[Endpoint, ...]:
    """The function and its async twin, in each of the modules that people take them from."""
    return tuple(
        Endpoint(
            module,
            method,
            f"a{method}",
            partial(_request, operation, fill),
            response,
            reader=reader,
            reply=reply,
            streams=streams if reader else lambda _: False,
            outermost=True,
            names=names,
        )
        for module in modules
    )


_MAIN = ("litellm", "litellm.main")

ADAPTER = Adapter(
    library="litellm",
    distribution="litellm",
    oldest="1.100",
    below="2",
    endpoints=(
        *_both(
            "completion", "chat", _chat, answered, modules=_MAIN,
            reader=Reader, reply=partial(_reply, chat.reply, "ModelResponse"),
        ),
        *_both(
            "text_completion", "text_completion", completions.request, _completed, modules=_MAIN,
            names=("prompt", "model", "best_of", "echo", "frequency_penalty", "logit_bias", "logprobs", "max_tokens"),
            reader=completions.Reader,
            reply=partial(_reply, completions.reply, "TextCompletionResponse"),
        ),
        *_both(
            "responses", "chat", responses.request, responses.response,
            reader=openai_responses_stream.Reader,
        ),
        *_both(
            "embedding", "embeddings", embeddings.request, embeddings.response, modules=_MAIN,
            names=("model", "input", "dimensions", "encoding_format", "timeout", "api_base", "api_version", "api_key"),
        ),
        *_both(
            "image_generation", "image_generation", images.request, images.response,
            names=("prompt", "model", "n", "quality", "response_format", "size", "style", "user"),
        ),
        *_both(
            "transcription", "transcription", audio.request, audio.response, modules=_MAIN,
            names=("model", "file", "language", "prompt", "response_format", "timestamp_granularities"),
        ),
        *_both(
            "speech", "speech", audio.speech, audio.spoken, modules=_MAIN,
            names=("model", "input", "voice", "api_key", "api_base", "api_version"),
        ),
        *_both("moderation", "moderation", moderations.request, moderations.response, modules=_MAIN),
        *_both("rerank", "rerank", _rerank, _ranked),
    ),
)  # fmt: skip

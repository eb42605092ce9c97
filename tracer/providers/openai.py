"""The `openai` package, 2.x and 3.x: chat completions, responses and embeddings."""

from collections.abc import Callable
from functools import partial
from typing import Any

from ...guards.messages import Message, Part
from ..adapter import Adapter, Endpoint, Kwargs
from ..call import ModelCall, Usage
from . import openai_chat as chat
from . import openai_chat_stream, openai_responses_stream
from . import openai_responses as responses
from .fields import beside, counts, field, given, number, plain, whole
from .openai_usage import ChatUsage
from .stainless import RawResponse, address, canned_stream, provider

_PROVIDERS = {"BaseAzureClient": "azure.ai.openai", "BedrockOpenAI": "aws.bedrock", "AsyncBedrockOpenAI": "aws.bedrock"}


def _request(operation: str, fill: Callable[[ModelCall, Kwargs], None], resource: Any, kwargs: Kwargs) -> ModelCall:
    client = resource._client  # noqa: SLF001  a resource's only way to its client
    host, port = address(client)
    call = ModelCall(
        operation,
        provider(client, _PROVIDERS, "openai"),
        request_model=str(kwargs.get("model") or ""),
        stream=streams(kwargs),
        server_address=host,
        server_port=port,
    )
    fill(call, kwargs)
    return call


def streams(kwargs: Kwargs) -> bool:
    return kwargs.get("stream") is True


def _embeddings_request(call: ModelCall, kwargs: Kwargs) -> None:
    """Token arrays are no text: only strings are judged."""
    if kwargs.get("input") is not None:
        kwargs["input"] = plain(kwargs["input"])
    call.params = given(kwargs, ("dimensions", "encoding_format"))
    call.beside = beside(kwargs, ("user",))
    asked = kwargs.get("input")
    if isinstance(asked, str):
        parts = [Part("text", asked, where=("input",))]
    else:
        texts = enumerate(asked if isinstance(asked, list) else [])
        parts = [Part("text", text, where=("input", i)) for i, text in texts if isinstance(text, str)]
    if kwargs.get("extra_body"):
        kwargs["extra_body"] = plain(kwargs["extra_body"])
        parts.append(whole(kwargs["extra_body"], ("extra_body",), name="extra_body"))
    call.messages = (Message("user", tuple(parts)),) if parts else ()


def _embeddings_response(call: ModelCall, answer: Any) -> None:
    call.response_model = field(answer, "model", "")
    if usage := field(answer, "usage"):
        call.usage = Usage(input=number(usage, "prompt_tokens"), source="provider", raw=counts(usage))


def _model(path: str, name: str, build: Callable[[ModelCall, str], dict[str, Any]], call: ModelCall, text: str) -> Any:
    """The canned answer in the library's own type."""
    return getattr(_types(path), name).construct(**build(call, text))


def _types(path: str) -> Any:
    import importlib

    return importlib.import_module(f"openai.types.{path}")


def _event_type() -> Any:
    return _types("responses").ResponseStreamEvent


def _chat_stream(resource: Any, call: ModelCall, text: str) -> Any:
    frames = chat.frames(chat.reply_chunks(call, text))
    return canned_stream(resource, "openai", _types("chat").ChatCompletionChunk, frames)


def _response_stream(resource: Any, call: ModelCall, text: str) -> Any:
    frames = responses.frames(responses.reply_chunks(call, text))
    return canned_stream(resource, "openai", _event_type(), frames)


def _chat(method: str, reply_type: str, *, validates: bool = False) -> Endpoint:
    return Endpoint(
        module="openai.resources.chat.completions",
        sync_method=f"Completions.{method}",
        async_method=f"AsyncCompletions.{method}",
        request=partial(_request, "chat", chat.request),
        response=chat.response,
        reader=openai_chat_stream.Reader,
        reply=partial(_model, "chat", reply_type, chat.reply),
        reply_stream=_chat_stream,
        streams=streams,
        validates=validates,
        extra_usage=ChatUsage(),
    )


def _responses(method: str, reply_type: str, *, validates: bool = False) -> Endpoint:
    return Endpoint(
        module="openai.resources.responses",
        sync_method=f"Responses.{method}",
        async_method=f"AsyncResponses.{method}",
        request=partial(_request, "chat", responses.request),
        response=responses.response,
        reader=openai_responses_stream.Reader,
        reply=partial(_model, "responses", reply_type, responses.reply),
        reply_stream=_response_stream,
        streams=streams,
        validates=validates,
    )


ADAPTER = Adapter(
    library="openai",
    distribution="openai",
    oldest="2.0",
    below="4",
    raw=RawResponse("true"),
    endpoints=(
        # `stream` of both calls `create`
        _chat("create", "ChatCompletion"),
        _chat("parse", "ParsedChatCompletion", validates=True),
        _responses("create", "Response"),
        _responses("parse", "ParsedResponse", validates=True),
        Endpoint(
            module="openai.resources.embeddings",
            sync_method="Embeddings.create",
            async_method="AsyncEmbeddings.create",
            request=partial(_request, "embeddings", _embeddings_request),
            response=_embeddings_response,
        ),
    ),
)

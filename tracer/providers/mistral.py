"""The `mistralai` package, 1.x to 3.x: completions, embeddings, moderation and reading of documents.

`parse` and `parse_stream` call `complete` and `stream`: those alone are patched. The modules moved in 2.0.
"""

import importlib
import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from ...guards.messages import Message, Part
from ..adapter import Adapter, Endpoint, Kwargs, always
from ..call import ModelCall, Usage
from . import mistral_chat as chat
from .fields import beside, counts, field, given, number, plain, whole
from .mistral_stream import Reader
from .stainless import http_module

_ROOTS = {
    "mistralai.client": "mistral_ai",
    "mistralai": "mistral_ai",
    "mistralai.azure.client": "azure.ai.inference",
    "mistralai.gcp.client": "gcp.vertex_ai",
}
"""Package of the client (that of 1.x is the second) -> provider."""


def _request(operation: str, provider: str, fill: Callable[[ModelCall, Kwargs], None], resource: Any, kwargs: Kwargs) -> ModelCall:  # noqa: E501  # fmt: skip
    own = kwargs.get("server_url")
    url = urlsplit(own if isinstance(own, str) else resource.sdk_configuration.get_server_details()[0])
    call = ModelCall(
        operation,
        provider,
        request_model=str(kwargs.get("model") or ""),
        server_address=url.hostname or "",
        server_port=url.port or (80 if url.scheme == "http" else 443),
    )
    fill(call, kwargs)
    return call


def _inputs(call: ModelCall, kwargs: Kwargs) -> None:
    """Texts to embed or to moderate, one or many, or a conversation."""
    kwargs["inputs"] = asked = plain(kwargs.get("inputs"), chat.sent)
    call.params = given(kwargs, ("output_dimension", "output_dtype", "encoding_format"))
    call.beside = beside(kwargs, ("metadata",))
    several = asked if isinstance(asked, list) else []
    parts = [Part("text", asked, where=("inputs",))] if isinstance(asked, str) else []
    parts += [whole(text, ("inputs", i)) for i, text in enumerate(several) if text]
    call.messages = (Message("user", tuple(parts)),) if parts else ()


def _document(call: ModelCall, kwargs: Kwargs) -> None:
    for name in ("document", "document_annotation_format", "bbox_annotation_format"):
        if kwargs.get(name):
            kwargs[name] = plain(kwargs[name], chat.sent)
    parts = list(chat.content([kwargs.get("document")], ()))
    parts = [Part(p.kind, p.text, p.json, p.name, p.id, p.mime, p.uri, ("document", *p.where[1:])) for p in parts]
    parts += chat.content(kwargs.get("document_annotation_prompt") or "", ("document_annotation_prompt",))
    call.messages = (Message("user", tuple(parts)),)
    call.beside = beside(kwargs, ("document_annotation_format", "bbox_annotation_format"))


def _pages(call: ModelCall, answer: Any) -> None:
    """What stands on the pages; its parts (tables, blocks) repeat it in pieces."""
    call.response_model = field(answer, "model", "")
    call.output = (Message("assistant", tuple(_page_parts(answer))),)


def _page_parts(answer: Any) -> Iterator[Part]:
    for i, page in enumerate(field(answer, "pages", [])):
        for name in ("header", "markdown", "footer"):
            if chat.is_text(text := field(page, name)):
                yield Part("text", text, where=("pages", i, name))
        for j, table in enumerate(field(page, "tables") or []):
            yield from chat.content(field(table, "content"), ("pages", i, "tables", j, "content"))
        for j, block in enumerate(field(page, "blocks") or []):
            yield from chat.content(field(block, "content"), ("pages", i, "blocks", j, "content"))
    if chat.is_text(text := field(answer, "document_annotation")):
        yield Part("text", text, json=True, where=("document_annotation",))


def _counted(call: ModelCall, answer: Any) -> None:
    """An answer of numbers: embeddings, categories."""
    call.response_id = field(answer, "id", "")
    call.response_model = field(answer, "model", "")
    if usage := field(answer, "usage"):
        call.usage = Usage(input=number(usage, "prompt_tokens"), source="provider", raw=counts(usage))


def _reply(root: str, name: str, call: ModelCall, text: str) -> Any:
    return getattr(importlib.import_module(f"{root}.models"), name).model_validate(chat.reply(call, text))


def _reply_stream(root: str, is_async: Callable[[Any], bool], resource: Any, call: ModelCall, text: str) -> Any:
    event = importlib.import_module(f"{root}.models").CompletionEvent
    streams = importlib.import_module(f"{root}.utils.eventstreaming")
    config = resource.sdk_configuration
    http = importlib.import_module(http_module(config.client or config.async_client))
    answer = http.Response(
        200,
        headers={"content-type": "text/event-stream"},
        content="".join(chat.reply_frames(call, text)).encode(),
        request=http.Request("POST", "https://spanward.invalid"),
    )
    make = streams.EventStreamAsync if is_async(resource) else streams.EventStream
    return make(answer, event.model_validate_json, sentinel="[DONE]")


def _completions(root: str, module: str, owner: str, reply: str, fill: Callable[[ModelCall, Kwargs], None]) -> Iterator[Endpoint]:  # noqa: E501  # fmt: skip
    """`complete` and `stream`, each of them as two methods of one class: the endpoint knows which one it is."""
    operation = "text_completion" if owner == "Fim" else "chat"
    request = partial(_request, operation, _ROOTS[root], fill)
    yield Endpoint(
        module=f"{root}.{module}",
        sync_method=f"{owner}.complete",
        async_method=f"{owner}.complete_async",
        request=request,
        response=chat.response,
        reply=partial(_reply, root, reply),
    )
    for is_async in (False, True):
        method = f"{owner}.stream_async" if is_async else f"{owner}.stream"
        yield Endpoint(
            module=f"{root}.{module}",
            sync_method="" if is_async else method,
            async_method=method if is_async else "",
            request=request,
            response=chat.response,
            reader=Reader,
            streams=always,
            reply_stream=partial(_reply_stream, root, always if is_async else _never),
        )


def _never(resource: Any) -> bool:  # noqa: ARG001  the face of a question about it
    return False


def _simple(root: str, module: str, method: str, operation: str, fill: Any, read: Any) -> Endpoint:
    request = partial(_request, operation, _ROOTS[root], fill)
    return Endpoint(f"{root}.{module}", method, f"{method}_async", request, read)


def _endpoints(root: str) -> Iterator[Endpoint]:
    yield from _completions(root, "chat", "Chat", "ChatCompletionResponse", chat.request)
    if root != "mistralai.azure.client":
        yield from _completions(root, "fim", "Fim", "FIMCompletionResponse", chat.middle)
    if root != "mistralai.gcp.client":
        yield _simple(root, "ocr", "Ocr.process", "generate_content", _document, _pages)
    if _ROOTS[root] == "mistral_ai":
        yield from _completions(root, "agents", "Agents", "ChatCompletionResponse", chat.request)
        yield _simple(root, "embeddings", "Embeddings.create", "embeddings", _inputs, _counted)
        for name in ("moderate", "moderate_chat", "classify", "classify_chat"):
            yield _simple(root, "classifiers", f"Classifiers.{name}", "moderation", _inputs, _counted)


def _native_provider(resource: Any) -> Any:
    """The tracer provider of the library's own span of a call, None if it makes none."""
    hooks = resource.sdk_configuration.__dict__.get("_hooks")
    hook = next((h for h in getattr(hooks, "before_request_hooks", ()) if type(h).__name__ == "TracingHook"), None)
    if hook is None:
        return None
    if getattr(hook, "tracer_provider", None) is not None:
        return hook.tracer_provider
    if not getattr(hook, "_telemetry_use_global_provider", True):  # since 2.6 only where it was asked for
        asked = getattr(resource.sdk_configuration, "telemetry", None) or os.environ.get("MISTRAL_SDK_TELEMETRY", "")
        if str(asked).strip().lower() != "global":
            return None
    from opentelemetry import trace

    return trace.get_tracer_provider()


ADAPTER = Adapter(
    library="mistralai",
    distribution="mistralai",
    oldest="1.5",
    below="4",
    apart=frozenset({"http_headers", "server_url", "retries", "timeout_ms", "accept_header_override"}),
    native_hooks=tuple((f"{root}._hooks.tracing", "TracingHook.before_request") for root in _ROOTS),
    native_provider=_native_provider,
    endpoints=tuple(endpoint for root in _ROOTS for endpoint in _endpoints(root)),
)

"""The `cohere` package, from 5.16: chat, embeddings and ranking of both API versions, on Bedrock and SageMaker too.

The public clients wrap their own methods when they are made, so a client that is older than `instrument()` would keep
the unpatched ones. Each of them asks its raw client, which is looked up at every call: that one is patched. Only the
embeddings of version 1 are patched above it, because one call of theirs is many requests in threads.
"""

import importlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from ...guards.messages import Message, Part
from ..adapter import Adapter, Endpoint, Kwargs, always
from ..call import ModelCall
from ..semconv import COUNT_TOKENS
from . import cohere_v1, cohere_v2, counting
from .cohere_content import additional, content, is_text, items, opened, settings, usage
from .fields import field, media, whole
from .stainless import is_async

_HELD = "_spanward_context"
_V1, _V2 = "cohere.raw_base_client", "cohere.v2.raw_client"


def _request(operation: str, fill: Callable[[ModelCall, Kwargs], None], client: Any, kwargs: Kwargs) -> ModelCall:
    provider, host, port = _server(client._client_wrapper)  # noqa: SLF001  where every client has its settings
    model = kwargs.get("model")
    call = ModelCall(
        operation,
        provider,
        request_model=model if isinstance(model, str) else "",
        server_address=host,
        server_port=port,
    )
    fill(call, kwargs)
    return call


def _server(wrapper: Any) -> tuple[str, str, int]:
    """(provider, host, port); requests to Amazon are readdressed in a hook of the HTTP client."""
    for hook in wrapper.httpx_client.httpx_client.event_hooks.get("request", ()):
        if getattr(hook, "__module__", "") == "cohere.aws_client" and hook.__closure__:
            told = dict(zip(hook.__code__.co_freevars, (c.cell_contents for c in hook.__closure__), strict=True))
            if told.get("service") == "sagemaker":
                return "aws.sagemaker", f"runtime.sagemaker.{told.get('aws_region')}.amazonaws.com", 443
            return "aws.bedrock", f"bedrock-runtime.{told.get('aws_region')}.amazonaws.com", 443
    url = urlsplit(wrapper.get_base_url())
    host = url.hostname or ""
    provider = "azure.ai.inference" if host.endswith(".azure.com") else "cohere"
    return provider, host, url.port or (80 if url.scheme == "http" else 443)


def _embedded(call: ModelCall, kwargs: Kwargs) -> None:
    opened(kwargs, ("texts", "images", "inputs"))
    settings(call, kwargs)
    parts = [Part("text", t, where=("texts", i)) for i, t in enumerate(items(kwargs.get("texts"))) if is_text(t)]
    parts += [media(str(image), name="image") for image in items(kwargs.get("images"))]
    for i, given in enumerate(items(kwargs.get("inputs"))):
        parts += content(field(given, "content"), ("inputs", i, "content"))
    call.messages = ((Message("user", tuple(parts)),) if parts else ()) + tuple(additional(kwargs))


def _ranked(call: ModelCall, kwargs: Kwargs) -> None:
    opened(kwargs, ("documents",))
    settings(call, kwargs)
    found = [whole(d, ("documents", i), kind="document", name="document") for i, d in enumerate(items(kwargs.get("documents")))]  # noqa: E501  # fmt: skip
    asked = Message("user", tuple(content(kwargs.get("query"), ("query",))))
    call.messages = (asked, Message("tool", tuple(found)), *additional(kwargs))


def _generated(call: ModelCall, kwargs: Kwargs) -> None:
    settings(call, kwargs)
    call.messages = (Message("user", tuple(content(kwargs.get("prompt"), ("prompt",)))), *additional(kwargs))


def _text(call: ModelCall, kwargs: Kwargs) -> None:
    """The text of a request that counts or summarises; how it is to be summarised is left over."""
    settings(call, kwargs)
    call.messages = (Message("user", tuple(content(kwargs.get("text"), ("text",)))), *additional(kwargs))


def _summary(call: ModelCall, answer: Any) -> None:
    call.response_id = field(answer.data, "id", "")
    call.usage = usage(field(answer.data, "meta"))
    call.output = (Message("assistant", tuple(content(field(answer.data, "summary"), ("data", "summary")))),)


def _sorted(call: ModelCall, kwargs: Kwargs) -> None:
    """Texts to put into classes, and examples of them."""
    opened(kwargs, ("inputs", "examples"))
    settings(call, kwargs)
    asked = [Part("text", t, where=("inputs", i)) for i, t in enumerate(items(kwargs.get("inputs"))) if is_text(t)]
    asked += [whole(e, ("examples", i), name="example") for i, e in enumerate(items(kwargs.get("examples")))]
    call.messages = ((Message("user", tuple(asked)),) if asked else ()) + tuple(additional(kwargs))


def _classes(call: ModelCall, answer: Any) -> None:
    """The class of each text, which is repeated beside it."""
    call.response_id = field(answer.data, "id", "")
    call.usage = usage(field(answer.data, "meta"))
    found: list[Part] = []
    echoed: list[Part] = []
    for i, one in enumerate(field(answer.data, "classifications") or []):
        found += content(field(one, "prediction"), ("data", "classifications", i, "prediction"))
        echoed += content(field(one, "input"), ("data", "classifications", i, "input"))
    call.output = (Message("assistant", tuple(found)),) if found else ()
    call.echoes = (Message("user", tuple(echoed)),) if echoed else ()


def _numbers(call: ModelCall, answer: Any) -> None:
    """Embeddings or scores. Such an answer may repeat the texts that were sent."""
    said = getattr(answer, "data", answer)
    where = ("data",) if said is not answer else ()
    call.response_id = field(said, "id", "")
    call.usage = usage(field(said, "meta"))
    echoed = [Part("text", t, where=(*where, "texts", i)) for i, t in enumerate(field(said, "texts") or []) if t]
    for i, result in enumerate(field(said, "results") or []):
        echoed += content(field(field(result, "document"), "text"), (*where, "results", i, "document", "text"))
    call.echoes = (Message("user", tuple(echoed)),) if echoed else ()


def _generations(call: ModelCall, answer: Any) -> None:
    said = answer.data
    call.response_id = field(said, "id", "")
    call.usage = usage(field(said, "meta"))
    call.output = tuple(
        Message("assistant", tuple(content(field(generation, "text"), ("data", "generations", i, "text"))))
        for i, generation in enumerate(field(said, "generations") or [])
    )
    call.echoes = (Message("user", tuple(content(field(said, "prompt"), ("data", "prompt")))),)


class Opened:
    """How the answer to a stream hands out its events: as `data`."""

    def asked(self, kwargs: Kwargs) -> str:  # noqa: ARG002  the face of `Raw`
        return "read"

    def ask(self, kwargs: Kwargs) -> Kwargs:
        return kwargs

    def read(self, raw: Any) -> Any:
        return raw

    def body(self, raw: Any) -> Any:  # noqa: ARG002  as above
        return None

    def put(self, raw: Any, body: Any) -> None:
        """Nothing is edited as JSON here."""

    def parse(self, raw: Any) -> Any:
        return raw.data

    def install(self, raw: Any, parsed: Any) -> None:
        raw._data = parsed  # noqa: SLF001  what `data` gives; it has no setter


class Context:
    """`chat_stream` of a raw client is a context manager made of a generator, which asks at its first step."""

    def take(self, manager: Any) -> Any:
        """The first step of the generator, which stays open as long as its answer is read."""
        generator = manager.gen
        if hasattr(generator, "__anext__"):
            return _first(generator)

        def step() -> Any:
            answer = next(generator)
            setattr(answer, _HELD, generator)
            return answer

        return step

    def put(self, manager: Any, pending: Any) -> None:
        manager.gen = _through(pending) if callable(pending) else _through_async(pending)


async def _first(generator: Any) -> Any:
    answer = await anext(generator)
    setattr(answer, _HELD, generator)
    return answer


def _through(pending: Callable[[], Any]) -> Iterator[Any]:
    """The context around a stream that was opened elsewhere: what leaves it closes both."""
    answer = pending()
    try:
        yield answer
    finally:
        for inner in _both(answer):
            if hasattr(inner, "close"):
                inner.close()


async def _through_async(pending: Awaitable[Any]) -> AsyncIterator[Any]:
    answer = await pending
    try:
        yield answer
    finally:
        for inner in _both(answer):
            if hasattr(inner, "aclose"):
                await inner.aclose()


def _both(answer: Any) -> tuple[Any, Any]:
    """The events, and the generator that holds their connection."""
    return answer.data, getattr(answer, _HELD, None)


def _answer(client: Any, data: Any) -> Any:
    """The library's own wrapper around what an answer says, with a response that never crossed a network."""
    http = importlib.import_module("httpx")
    wrappers = importlib.import_module("cohere.core.http_response")
    wrapper = wrappers.AsyncHttpResponse if is_async(client) else wrappers.HttpResponse
    return wrapper(http.Response(200, request=http.Request("POST", "https://spanward.invalid")), data)


def _built(name: str, told: Any) -> Any:
    module = importlib.import_module("cohere.core.unchecked_base_model")
    return module.construct_type(type_=getattr(importlib.import_module("cohere"), name), object_=told)


def _reply(name: str, build: Callable[[ModelCall, str], Any], call: ModelCall, text: str) -> Any:
    return _answer(None, _built(name, build(call, text)))


def _reply_stream(name: str, build: Callable[[ModelCall, str], Iterable[Any]], client: Any, call: ModelCall, text: str) -> Any:  # noqa: E501  # fmt: skip
    events = [_built(name, event) for event in build(call, text)]
    return _answer(client, _again(events) if is_async(client) else iter(events))


async def _again(events: list[Any]) -> AsyncIterator[Any]:
    for event in events:
        yield event


def _chat(module: str, owner: str, dialect: Any, answer: str, event: str) -> Iterator[Endpoint]:
    request = partial(_request, "chat", dialect.request)
    yield Endpoint(
        module,
        f"{owner}.chat",
        f"Async{owner}.chat",
        request,
        dialect.response,
        reply=partial(_reply, answer, dialect.reply),
    )
    yield Endpoint(
        module,
        f"{owner}.chat_stream",
        f"Async{owner}.chat_stream",
        request,
        dialect.response,
        reader=dialect.Reader,
        streams=always,
        manager=Context(),
        raw=Opened(),
        reply_stream=partial(_reply_stream, event, dialect.reply_events),
    )


def _simple(module: str, method: str, operation: str, fill: Any, read: Any) -> Endpoint:
    return Endpoint(module, method, f"Async{method}", partial(_request, operation, fill), read)


ADAPTER = Adapter(
    library="cohere",
    distribution="cohere",
    oldest="5.16",
    below="8",
    apart=frozenset({"batching", "stream"}),
    endpoints=(
        *_chat(_V1, "RawBaseCohere", cohere_v1, "NonStreamedChatResponse", "StreamedChatResponse"),
        *_chat(_V2, "RawV2Client", cohere_v2, "V2ChatResponse", "V2ChatStreamResponse"),
        _simple("cohere.client", "Client.embed", "embeddings", _embedded, _numbers),
        _simple(_V2, "RawV2Client.embed", "embeddings", _embedded, _numbers),
        _simple(_V1, "RawBaseCohere.rerank", "rerank", _ranked, _numbers),
        _simple(_V2, "RawV2Client.rerank", "rerank", _ranked, _numbers),
        _simple(_V1, "RawBaseCohere.tokenize", COUNT_TOKENS, _text, counting.response),
        _simple(_V1, "RawBaseCohere.summarize", "text_completion", _text, _summary),
        _simple(_V1, "RawBaseCohere.classify", "text_completion", _sorted, _classes),
        _simple(_V1, "RawBaseCohere.generate", "text_completion", _generated, _generations),
    ),
)

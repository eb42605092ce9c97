"""The `anthropic` package: messages and beta messages, of Anthropic itself and of its clients for Bedrock and Vertex.

Those clients rewrite path and body below `create`, and decode AWS's binary event stream above it: to us all is alike.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from ..adapter import Adapter, Endpoint, Kwargs, Manager, always
from ..call import ModelCall
from ..leftover import HTTP
from ..semconv import COUNT_TOKENS
from . import anthropic_messages as messages
from . import anthropic_stream, counting
from .stainless import RawResponse, StreamManager, address, canned_stream, provider

_PROVIDERS = {
    "BaseBedrockClient": "aws.bedrock",
    "AnthropicBedrock": "aws.bedrock",
    "AsyncAnthropicBedrock": "aws.bedrock",
    "BaseVertexClient": "gcp.vertex_ai",
}


def _request(resource: Any, kwargs: Kwargs, *, operation: str = "chat", always_streams: bool = False) -> ModelCall:
    client = resource._client  # noqa: SLF001  a resource's only way to its client
    host, port = address(client)
    call = ModelCall(
        operation,
        getattr(client, "_gen_ai_provider_name", "") or provider(client, _PROVIDERS, "anthropic"),
        request_model=str(kwargs.get("model") or ""),
        stream=always_streams or streams(kwargs),
        server_address=host,
        server_port=port,
    )
    messages.request(call, kwargs)
    return call


def streams(kwargs: Kwargs) -> bool:
    return kwargs.get("stream") is True


def _types(path: str) -> Any:
    import importlib

    return importlib.import_module(path)


def _reply(path: str, name: str, call: ModelCall, text: str) -> Any:
    return getattr(_types(path), name).construct(**messages.reply(call, text))


def _event_type(path: str) -> Any:
    types = _types(path)
    return types.BetaRawMessageStreamEvent if path.endswith("beta") else types.RawMessageStreamEvent


def _reply_stream(path: str, resource: Any, call: ModelCall, text: str) -> Any:
    frames = messages.frames(messages.reply_chunks(call, text))
    return canned_stream(resource, "anthropic", _event_type(path), frames)


def _endpoint(
    module: str,
    method: str,
    path: str,
    reply_type: str,
    *,
    validates: bool = False,
    manager: Manager | None = None,
    asks: Callable[[Kwargs], bool] = streams,
) -> Endpoint:
    return Endpoint(
        module=module,
        sync_method=f"Messages.{method}",
        async_method=f"AsyncMessages.{method}",
        request=partial(_request, always_streams=manager is not None),
        response=messages.response,
        reader=anthropic_stream.Reader,
        reply=partial(_reply, path, reply_type),
        reply_stream=partial(_reply_stream, path),
        streams=asks,
        validates=validates,
        manager=manager,
    )


def _native_provider(resource: Any) -> Any:
    """The tracer provider of the library's own span of a call, None if it makes none or is too old to."""
    options = getattr(resource._client, "_open_telemetry", None)  # noqa: SLF001  set by its constructor, has no getter
    if not options or not options["traces"]["enabled"]:
        return None
    from opentelemetry import trace

    return options.get("tracer_provider") or trace.get_tracer_provider()


def _counting(module: str) -> Endpoint:
    return Endpoint(
        module,
        "Messages.count_tokens",
        "AsyncMessages.count_tokens",
        partial(_request, operation=COUNT_TOKENS),
        counting.response,
    )


_PLAIN = ("anthropic.resources.messages", "anthropic.types")
_BETA = ("anthropic.resources.beta.messages", "anthropic.types.beta")
_CLOUDS = tuple((f"anthropic.lib.{cloud}._beta_messages", "anthropic.types.beta") for cloud in ("bedrock", "vertex"))
"""Resources of their own, which took the beta methods over as they were when the library was imported."""
_HELD = StreamManager()


def _endpoints(place: tuple[str, str], prefix: str) -> tuple[Endpoint, ...]:
    return (
        _endpoint(place[0], "create", place[1], f"{prefix}Message"),
        _endpoint(place[0], "parse", place[1], f"Parsed{prefix}Message", validates=True),
        _endpoint(place[0], "stream", place[1], f"{prefix}Message", manager=_HELD, asks=always),
        _counting(place[0]),
    )


ADAPTER = Adapter(
    library="anthropic",
    distribution="anthropic",
    oldest="0.84",
    below="3",
    raw=RawResponse("raw"),
    apart=HTTP,
    native_tracer=("anthropic._base_client", "BaseClient", "_tracer"),
    native_provider=_native_provider,
    endpoints=(
        *_endpoints(_PLAIN, ""),
        *_endpoints(_BETA, "Beta"),
        *(endpoint for cloud in _CLOUDS for endpoint in _endpoints(cloud, "Beta")),
    ),
)

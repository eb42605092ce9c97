"""The `google-genai` package, 1.x to 3.x, for the Gemini API and Vertex AI.

Content is patched at `_generate_content` and `_generate_content_stream`, not at the public methods: those, and chats
above them, may ask the provider several times in one call, with the application's functions run in between (automatic
function calling) or a long answer continued. Each of these requests is a model call of its own, with tokens of its own.
"""

import importlib
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from ...guards.messages import Message
from ..adapter import Adapter, Endpoint, Kwargs, always
from ..call import ModelCall
from ..semconv import COUNT_TOKENS
from . import counting
from . import google_genai_generate as generate
from . import google_genai_interactions as interactions
from .google_genai_content import at, get, leaves, messages, parts
from .google_genai_stream import Reader
from .stainless import is_async

_MODULE = "google.genai.models"


def opened(operation: str, models: Any, kwargs: Kwargs) -> ModelCall:
    """A call as far as all methods tell it."""
    client = models._api_client  # noqa: SLF001  the way from a resource to its client
    options = get(kwargs.get("config"), "http_options")
    url = urlsplit(str(get(options, "base_url") or get(client._http_options, "base_url") or ""))  # noqa: SLF001  it has no getter
    return ModelCall(
        operation,
        "gcp.vertex_ai" if client.vertexai else "gcp.gemini",
        request_model=named(kwargs.get("model")),
        server_address=url.hostname or "",
        server_port=url.port or (80 if url.scheme == "http" else 443),
    )


def named(model: Any) -> str:
    """The model without the path that may lead to it."""
    return str(model or "").rpartition("models/")[2]


def _generated(models: Any, kwargs: Kwargs) -> ModelCall:
    call = opened("generate_content", models, kwargs)
    generate.request(call, models._api_client, kwargs)  # noqa: SLF001  as above
    return call


def _embedded(models: Any, kwargs: Kwargs) -> ModelCall:
    call = opened("embeddings", models, kwargs)
    told = list(messages(kwargs.get("contents"), ("contents",)))
    name, title = at(kwargs.get("config"), "title")
    told += [Message("user", tuple(parts(title, ("config", name))))] if title else []
    call.messages = tuple(told)
    return call


def _embeddings(call: ModelCall, answer: Any) -> None:
    """Older versions tell how much each text counted, newer ones the sum."""
    told = generate.counted(getattr(answer, "usage_metadata", None))
    if not told.get("prompt_token_count"):
        each = [get(get(found, "statistics"), "token_count") or 0 for found in answer.embeddings or []]
        told = {"prompt_token_count": int(sum(each))} if any(each) else told
    call.usage = generate.usage(told)


def _counted(models: Any, kwargs: Kwargs) -> ModelCall:
    """A prompt with its instruction and tools; what else a configuration of it holds is judged text by text."""
    call = opened(COUNT_TOKENS, models, kwargs)
    generate.request(call, models._api_client, kwargs)  # noqa: SLF001  as above
    return call


def _drawn(models: Any, kwargs: Kwargs) -> ModelCall:
    """A picture to make, or to change."""
    call = opened("image_generation", models, kwargs)
    told = list(parts(kwargs.get("prompt"), ("prompt",)))
    for i, reference in enumerate(kwargs.get("reference_images") or []):
        told += _picture(get(reference, "reference_image"))
        told += leaves(get(reference, "config"), ("reference_images", i, "config"))
    told += _picture(kwargs.get("image"))
    name, unwanted = at(kwargs.get("config"), "negative_prompt")
    told += parts(unwanted, ("config", name))
    call.messages = (Message("user", tuple(told)),)
    return call


def _filmed(call: ModelCall, answer: Any) -> None:
    """A video is a job: what comes back is its name."""


def _picture(image: Any) -> Iterator[Any]:
    if image is not None:
        mime = get(image, "mime_type") or "image/png"
        blob = {"data": get(image, "image_bytes") or b"", "mime_type": mime}
        stored = {"file_uri": get(image, "gcs_uri"), "mime_type": mime}
        yield from parts({"file_data": stored} if get(image, "gcs_uri") else {"inline_data": blob}, ())


def _pictures(call: ModelCall, answer: Any) -> None:
    said = []
    for i, made in enumerate(answer.generated_images or []):
        found = [*_picture(made.image), *parts(getattr(made, "enhanced_prompt", None), ("generated_images", i, "enhanced_prompt"))]  # noqa: E501  # fmt: skip
        filtered = getattr(made, "rai_filtered_reason", None) or ""
        said.append(Message("assistant", tuple(found), "content_filter" if filtered else "stop"))
    call.output = tuple(said)
    call.finish_reasons = tuple(message.finish_reason for message in said)


def _reply(call: ModelCall, text: str) -> Any:
    types = importlib.import_module("google.genai.types")
    return types.GenerateContentResponse.model_validate(generate.reply(call, text))


def _reply_stream(models: Any, call: ModelCall, text: str) -> Any:
    return _later(call, text) if is_async(models) else _now(call, text)


def _now(call: ModelCall, text: str) -> Iterator[Any]:
    yield _reply(call, text)


async def _later(call: ModelCall, text: str) -> AsyncIterator[Any]:
    yield _reply(call, text)


def _content(method: str, sync: str, asynchronous: str, **more: Any) -> Endpoint:
    return Endpoint(
        _MODULE,
        f"{sync}.{method}" if sync else "",
        f"{asynchronous}.{method}" if asynchronous else "",
        _generated,
        generate.response,
        **more,
    )


def _simple(method: str, fill: Callable[[Any, Kwargs], ModelCall], read: Callable[[ModelCall, Any], None]) -> Endpoint:
    return Endpoint(_MODULE, f"Models.{method}", f"AsyncModels.{method}", fill, read)


_STREAM: dict[str, Any] = {"reader": Reader, "streams": always, "reply_stream": _reply_stream}

ADAPTER = Adapter(
    library="google.genai",
    distribution="google-genai",
    oldest="3.0",
    below="4",
    apart=frozenset({"extra_headers", "extra_query", "timeout", "server_url", "http_headers", "retries"}),
    endpoints=(
        _content("_generate_content", "Models", "AsyncModels", reply=_reply, edited=generate.edited),
        _content("_generate_content_stream", "Models", "", lazy=True, **_STREAM),
        _content("_generate_content_stream", "", "AsyncModels", **_STREAM),
        _simple("embed_content", _embedded, _embeddings),
        _simple("generate_images", _drawn, _pictures),
        _simple("edit_image", _drawn, _pictures),
        _simple("upscale_image", _drawn, _pictures),
        _simple("generate_videos", _drawn, _filmed),
        _simple("recontext_image", _drawn, _pictures),
        _simple("count_tokens", _counted, counting.response),
        _simple("compute_tokens", _counted, counting.response),
        interactions.ENDPOINT,
    ),
)

"""The `huggingface_hub` package's InferenceClient: chat, text generation, embeddings, images, speech and small tasks.

`client.chat.completions.create` is `chat_completion`. Who runs the model (an inference provider, a dedicated endpoint,
a server of one's own) is told by the address where it can be known before the request: a URL given as the model, or
Hugging Face's router. Not covered: tasks whose input is only an image or audio that is classified or segmented.
"""

from functools import partial
from typing import Any
from urllib.parse import urlsplit

from ..adapter import Adapter, Endpoint, Kwargs
from ..call import ModelCall
from . import huggingface_chat as chat
from . import huggingface_tasks as tasks
from . import huggingface_text as text

_SYNC = "huggingface_hub.inference._client"
_ASYNC = "huggingface_hub.inference._generated._async_client"
_ROUTER = ("router.huggingface.co", 443)


def _request(operation: str, fill: Any, client: Any, kwargs: Kwargs) -> ModelCall:
    named = chat.named(client, kwargs)
    url = chat.url(named)
    host, port = _address(url) if url else _hub(client)
    call = ModelCall(
        operation,
        "huggingface",
        request_model=next((name for name in named if name != url), ""),
        stream=streams(kwargs),
        server_address=host,
        server_port=port,
    )
    fill(call, kwargs)
    return call


def _address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or (80 if parts.scheme == "http" else 443)


def _hub(client: Any) -> tuple[str, int]:
    """With another provider's own key the request goes there, and where that is the helper of the provider knows."""
    token = getattr(client, "token", None)
    return _ROUTER if token is None or str(token).startswith("hf_") else ("", 0)


def streams(kwargs: Kwargs) -> bool:
    return bool(kwargs.get("stream"))


def _both(method: str, operation: str, fill: Any, response: Any, **rest: Any) -> tuple[Endpoint, Endpoint]:
    """A method of the sync client, and its namesake in another module."""
    request = partial(_request, operation, fill)
    return (
        Endpoint(_SYNC, f"InferenceClient.{method}", "", request, response, **rest),
        Endpoint(_ASYNC, "", f"AsyncInferenceClient.{method}", request, response, **rest),
    )


ADAPTER = Adapter(
    library="huggingface_hub",
    distribution="huggingface_hub",
    oldest="0.28",
    below="3",
    apart=frozenset({"model", "extra_headers"}),
    endpoints=(
        *_both(
            "chat_completion", "chat", chat.request, chat.response, reader=chat.Reader, reply=chat.reply,
            reply_stream=chat.reply_stream, streams=streams, extra_usage=chat.Usage(_address, _ROUTER[0]),
        ),
        *_both(
            "text_generation", "text_completion", text.request, text.response, reader=text.Reader, reply=text.reply,
            reply_stream=text.reply_stream, streams=streams, codec=text.Strings(), whole_codec=text.Strings(),
        ),
        *(
            endpoint
            for method, task in tasks.TASKS.items()
            for endpoint in _both(method, task.operation, partial(tasks.request, task), partial(tasks.response, task))
        ),
    ),
)  # fmt: skip

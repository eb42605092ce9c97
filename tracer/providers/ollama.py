"""The `ollama` package, 0.4 and newer: chat, generate, embed, embeddings and systemone.

All of them, and the functions of the module (bound to a default client when it is imported), ask by one method of the
client, which gets the finished JSON: tools are no Python functions any more, and images no paths. So that is where a
call is seen, whoever bound what before. Not covered: `web_search` and `web_fetch`, which are no calls to a model.
"""

from typing import Any

from ...guards.messages import Message, Part, Path
from ..adapter import Adapter, Endpoint, Kwargs
from ..call import ModelCall
from . import ollama_answers as answers
from .fields import given, media, whole
from .stainless import address

_OPERATIONS = {
    "/api/chat": "chat",
    "/api/generate": "text_completion",
    "/api/embed": "embeddings",
    "/api/embeddings": "embeddings",
    "/v1/systemone": "moderation",
}
_BODY: Path = ("json",)
_OPTIONS = (
    "temperature", "top_p", "top_k", "min_p", "seed", "frequency_penalty", "presence_penalty", "repeat_penalty",
    "num_ctx", "num_predict",
)  # fmt: skip
_TEXTS = ("prompt", "suffix", "template", "input", "state", "questions")
_ROLES = {"system": "system", "assistant": "assistant", "tool": "tool"}


def applies(_: Any, kwargs: Kwargs) -> bool:
    return kwargs.get("url") in _OPERATIONS and isinstance(kwargs.get("json"), dict)


def streams(kwargs: Kwargs) -> bool:
    return bool(kwargs.get("stream"))


def request(client: Any, kwargs: Kwargs) -> ModelCall:
    body = kwargs["json"]
    host, port = address(client._client)  # noqa: SLF001  the HTTP client has the address, and no getter
    call = ModelCall(
        _OPERATIONS[kwargs["url"]],
        "ollama",
        request_model=str(body.get("model") or ""),
        stream=streams(kwargs),
        server_address=host,
        server_port=port,
    )
    if kwargs["url"] == "/api/generate" and (body.get("width") or body.get("height")):
        call.operation = "image_generation"
    options = body.get("options") or {}
    call.params = given(options, _OPTIONS) | given(body, ("think", "dimensions"))
    if "num_predict" in call.params:
        call.params["max_tokens"] = call.params.pop("num_predict")
    form = body.get("format")
    if form:
        call.params["response_format"] = form if isinstance(form, str) else "json_schema"
    system = whole(body["system"], (*_BODY, "system")) if body.get("system") else None
    call.messages = (
        *((Message("system", (system,)),) if system else ()),
        *(_turn(turn, (*_BODY, "messages", i)) for i, turn in enumerate(body.get("messages") or ())),
        *_alone(body),
    )
    call.tools = _tools(body, form)
    stop = options.get("stop")
    call.beside = (Message("user", (whole(stop, (*_BODY, "options", "stop"), name="stop"),)),) if stop else ()
    return call


def _alone(body: dict[str, Any]) -> tuple[Message, ...]:
    """The texts of a request that is no conversation."""
    parts = [part for name in _TEXTS if body.get(name) for part in _words(body[name], (*_BODY, name))]
    parts += _images(body)
    return (Message("user", tuple(parts)),) if parts else ()


def _words(value: Any, where: Path) -> list[Part]:
    if isinstance(value, list):
        return [whole(item, (*where, i)) for i, item in enumerate(value) if item]
    return [whole(value, where)]


def _images(holder: dict[str, Any]) -> list[Part]:
    return [media(data=image, mime=_mime(image), name="image") for image in holder.get("images") or ()]


def _mime(image: Any) -> str:
    """By the first bytes, in base64."""
    known = {"iVBOR": "image/png", "/9j/": "image/jpeg", "R0lG": "image/gif", "UklGR": "image/webp"}
    return next((mime for start, mime in known.items() if str(image).startswith(start)), "image/")


def _turn(turn: dict[str, Any], where: Path) -> Message:
    role = _ROLES.get(turn.get("role", ""), "user")
    parts = []
    if turn.get("thinking"):
        parts.append(Part("reasoning", turn["thinking"], where=(*where, "thinking")))
    if content := turn.get("content"):
        kind = "tool_result" if role == "tool" else "text"
        parts.append(whole(content, (*where, "content"), kind=kind, name=turn.get("tool_name") or ""))
    parts += _images(turn)
    for i, called in enumerate(turn.get("tool_calls") or ()):
        parts.append(answers.tool_call(called, (*where, "tool_calls", i)))
    return Message(role, tuple(parts))


def _tools(body: dict[str, Any], form: Any) -> tuple[Message, ...]:
    parts = [
        whole(tool, (*_BODY, "tools", i), kind="tool_definition", name=(tool.get("function") or {}).get("name") or "")
        for i, tool in enumerate(body.get("tools") or ())
    ]
    if isinstance(form, dict):
        parts.append(whole(form, (*_BODY, "format"), kind="tool_definition", name="response_format"))
    return (Message("system", tuple(parts)),) if parts else ()


ADAPTER = Adapter(
    library="ollama",
    distribution="ollama",
    oldest="0.5.0",
    below="1",
    apart=frozenset({"cls", "method", "url", "headers", "stream"}),
    endpoints=(
        Endpoint(
            module="ollama._client",
            sync_method="Client._request",
            async_method="AsyncClient._request",
            names=("cls", "method", "url"),
            request=request,
            response=answers.response,
            reader=answers.Reader,
            reply=answers.reply,
            reply_stream=answers.reply_stream,
            streams=streams,
            applies=applies,
        ),
    ),
)

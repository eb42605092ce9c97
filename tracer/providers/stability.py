"""Stability's REST API, which people call by `requests` or `httpx` themselves: there is no package to trace.

The HTTP client's method is asked about for every request of the application: any other passes by after a look at its
address. Not covered: the old gRPC package (`stability-sdk`), and requests built by hand and given to `send`.
"""

from functools import partial
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

from ...guards.messages import Message, Part, Path
from ..adapter import Adapter, Endpoint, Kwargs
from ..call import ModelCall
from .fields import is_json, media, whole

HOST = "api.stability.ai"
_SETTINGS = {
    "model", "mode", "output_format", "aspect_ratio", "style_preset", "sampler", "clip_guidance_preset",
    "init_image_mode", "mask_source",
}  # fmt: skip
"""Fields that say one of a few words."""
_PARAMS = {"seed": "seed", "samples": "choice.count", "cfg_scale": "cfg_scale", "steps": "steps", "width": "width",
           "height": "height", "strength": "strength", "output_format": "output_format"}  # fmt: skip
_NAMES = {"core": "stable-image-core", "ultra": "stable-image-ultra"}


def applies(client: Any, kwargs: Kwargs) -> bool:
    url = kwargs.get("url")
    if HOST not in (url if isinstance(url, str) else str(url)):
        base = getattr(client, "base_url", None)  # of httpx
        if base is None or base.host != HOST:
            return False
    return _asks(_url(client, kwargs), str(kwargs.get("method")))


def _url(client: Any, kwargs: Kwargs) -> SplitResult:
    return urlsplit(urljoin(str(getattr(client, "base_url", "")), str(kwargs["url"])))


def _asks(url: SplitResult, method: str) -> bool:
    """Whether this is a request for something to be made, rather than for a result or an account."""
    return url.hostname == HOST and method.upper() == "POST" and url.path.startswith(("/v1/generation/", "/v2beta/"))


def request(client: Any, kwargs: Kwargs) -> ModelCall:
    url = _url(client, kwargs)
    fields = _fields(kwargs)
    call = ModelCall(
        "image_generation",
        "stability_ai",
        request_model=_model(url.path, fields),
        server_address=url.hostname or "",
        server_port=url.port or (80 if url.scheme == "http" else 443),
    )
    call.params = {_PARAMS[name]: value for name, value in fields.items() if name in _PARAMS}
    parts = [part for name in ("data", "json", "content", "files") for part in _parts(kwargs, name)]
    call.messages = (Message("user", tuple(parts)),) if parts else ()
    return call


def _fields(kwargs: Kwargs) -> dict[str, Any]:
    """What is set by words and numbers, in whatever form it is sent."""
    found: dict[str, Any] = {}
    for name in ("data", "json"):
        value = kwargs.get(name)
        pairs = value.items() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
        found |= {str(pair[0]): pair[1] for pair in pairs if isinstance(pair[1], str | int | float)}
    return found


def _model(path: str, fields: dict[str, Any]) -> str:
    """`/v1/generation/ENGINE/…`, or the last step of `/v2beta/stable-image/generate/…` unless a field says more."""
    steps = path.strip("/").split("/")
    if steps[0] == "v1":
        return steps[2] if len(steps) > 2 else ""
    return str(fields.get("model") or _NAMES.get(steps[-1], steps[-1]))


def _parts(kwargs: Kwargs, name: str) -> list[Part]:
    value = kwargs.get(name)
    where: Path = (name,)
    pairs: list[tuple[Path, str, Any]]
    if value is None:
        return []
    if isinstance(value, str):
        return [Part("text", value, json=is_json(value), where=where)] if value else []
    if isinstance(value, bytes):
        text = value.decode()
        return [Part("text", text, json=is_json(text), where=where)]
    if isinstance(value, dict):
        pairs = [((*where, key), str(key), item) for key, item in value.items()]
    elif isinstance(value, list | tuple):
        pairs = [((*where, i, 1), str(pair[0]), pair[1]) for i, pair in enumerate(value)]
    else:
        raise TypeError(f"a body that is a {type(value).__name__} cannot be read")
    return [part for place, key, item in pairs if key not in _SETTINGS for part in _item(item, place, name)]


def _item(item: Any, where: Path, name: str) -> list[Part]:
    """A field, or a file: a tuple of its name, its content and so on, whose text is a field if it has no name."""
    if name != "files":
        return [whole(item, where, name=str(where[-1]))] if isinstance(item, str | list | dict) and item else []
    if isinstance(item, list | tuple) and len(item) > 1:
        if item[0] is None and isinstance(item[1], str | bytes):
            text = item[1] if isinstance(item[1], str) else item[1].decode()
            return [Part("text", text, where=(*where, 1))]
        item = item[1]
    if isinstance(item, str):
        return [Part("text", item, where=where)] if item else []
    return [media(data=item if isinstance(item, bytes) else b"", mime="image/", name="file")]


def response(call: ModelCall, answer: Any) -> None:
    """Fill the record from an HTTP response: an image, or JSON with some. One that is still to be read is not read."""
    status, headers = answer.status_code, answer.headers
    if status >= 400:
        call.error_type = str(status)
        return
    if getattr(answer, "_content", False) is False:
        return
    mime = headers.get("content-type", "").partition(";")[0]
    if mime == "application/json":
        _told(call, answer.json())
        return
    reason = headers.get("finish-reason", "")
    call.finish_reasons = (reason,) if reason else ()
    call.output = (Message("assistant", (media(data=answer.content, mime=mime, name="image"),), reason),)


def _told(call: ModelCall, said: Any) -> None:
    """`{"image": …, "finish_reason": …}` or `{"artifacts": [{"base64": …, "finishReason": …}]}`."""
    artifacts = said.get("artifacts") if isinstance(said, dict) else None
    found = artifacts if isinstance(artifacts, list) else [said] if isinstance(said, dict) else []
    output = []
    for one in found:
        reason = str(one.get("finishReason") or one.get("finish_reason") or "")
        data = one.get("base64") or one.get("image") or one.get("video") or ""
        parts = (media(data=data, mime="image/", name="image"),) if data else ()
        output.append(Message("assistant", parts, reason))
    call.output = tuple(message for message in output if message.parts)
    call.finish_reasons = tuple(message.finish_reason for message in output if message.finish_reason)


_endpoint = partial(Endpoint, request=request, response=response, applies=applies)

REQUESTS = Adapter(
    library="requests",
    distribution="requests",
    oldest="2.28",
    below="3",
    endpoints=(_endpoint("requests.sessions", "Session.request", ""),),
)
HTTPX = Adapter(
    library="httpx",
    distribution="httpx",
    oldest="0.26",
    below="1",
    endpoints=(_endpoint("httpx", "Client.request", "AsyncClient.request"),),
)
HTTPX2 = Adapter(
    library="httpx2",
    distribution="httpx2",
    oldest="2",
    below="3",
    endpoints=(_endpoint("httpx2", "Client.request", "AsyncClient.request"),),
)

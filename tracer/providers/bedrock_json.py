"""JSON that botocore hands on as bytes: bodies of `InvokeModel`, and the chunks of its streams."""

import json
from typing import Any

from ..adapter import CallersError, Kwargs
from .fields import dumps

Json = dict[str, Any]


class Said(Json):
    """A JSON object whose members are attributes too, as the readers of other libraries' events want them."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def model_copy(self, update: Json) -> "Said":
        return Said({**self, **update})

    @classmethod
    def construct(cls, **members: Any) -> "Said":
        return cls(members)


class Sent(Said):
    """The body of a request, and the bytes it came in: these are sent if nobody edits it (a copy is no `Sent`)."""

    original: Any = b""


def decoded(text: bytes | str) -> Any:
    return json.loads(text, object_hook=Said)


def encoded(value: Any) -> bytes:
    return dumps(value).encode()


def open_body(parameters: Json) -> Json:
    """The parameters with the body decoded: an object where it is one, else its text. Raises ValueError.

    A file is read here, so that what was read has to be sent in its place. Raises CallersError.
    """
    body = parameters.get("body")
    if body is None:
        return parameters
    raw = body
    if hasattr(body, "read"):
        # in the caller's own dictionary too, which botocore makes for each call: a file can be read once
        raw = parameters["body"] = _read(body)
    text = raw if isinstance(raw, str) else bytes(raw).decode()
    try:
        value = decoded(text)
    except (ValueError, RecursionError):
        return {**parameters, "body": text}
    if not isinstance(value, dict):
        return {**parameters, "body": text}
    sent = Sent(value)
    sent.original = raw
    return {**parameters, "body": sent}


def _read(file: Any) -> Any:
    try:
        return file.read()
    except Exception as error:  # noqa: BLE001  whatever it is, it is the application's
        raise CallersError(error) from None


def close_body(kwargs: Kwargs) -> Kwargs:
    """The arguments with the body as the API takes it: the very bytes that came, unless it was edited."""
    parameters = kwargs["api_params"]
    body = parameters.get("body")
    if not isinstance(body, dict):
        return kwargs
    sent = body.original if isinstance(body, Sent) else encoded(body)
    return {**kwargs, "api_params": {**parameters, "body": sent}}


class Chunks:
    """The chunks of streams: those of `InvokeModel` hold JSON in bytes, those of `Converse` are what they say."""

    def open(self, chunk: Any) -> Any:
        return decoded(chunk["chunk"]["bytes"]) if "chunk" in chunk else chunk

    def put(self, chunk: Any, opened: Any) -> Any:
        if "chunk" in chunk:
            chunk["chunk"]["bytes"] = encoded(opened)
        return chunk


def sealed(said: Json) -> Json:
    """A chunk that says this."""
    return {"chunk": {"bytes": encoded(said)}}

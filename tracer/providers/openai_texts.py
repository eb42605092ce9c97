"""What requests beside the chats have in common: a text or a list of texts, files, and a body of one's own."""

from collections.abc import Iterator
from os import PathLike
from pathlib import PurePath
from typing import Any

from ...guards.messages import Part, Path
from ..adapter import Kwargs
from .fields import media, plain, whole

_TYPES = {"jpg": "jpeg", "mp3": "mpeg", "mpga": "mpeg", "m4a": "mp4", "oga": "ogg", "svg": "svg+xml"}
"""Suffixes that are not the second half of a media type by themselves."""


def readable(kwargs: Kwargs, name: str) -> Any:
    """The argument, if it is given, in the dicts and lists that paths can lead through."""
    if kwargs.get(name):
        kwargs[name] = plain(kwargs[name])
    return kwargs.get(name)


def texts(value: Any, where: Path, *, name: str = "") -> Iterator[Part]:
    """A string, or the strings of a list. Arrays of tokens are no text."""
    if isinstance(value, str):
        yield Part("text", value, name=name, where=where)
    elif isinstance(value, list):
        for i, item in enumerate(value):
            if isinstance(item, str):
                yield Part("text", item, name=name, where=(*where, i))


def extra(kwargs: Kwargs) -> Iterator[Part]:
    """What the application puts into the body past the SDK's own arguments."""
    if kwargs.get("extra_body"):
        kwargs["extra_body"] = plain(kwargs["extra_body"])
        yield whole(kwargs["extra_body"], ("extra_body",), name="extra_body")


def files(value: Any, kind: str) -> Iterator[Part]:
    """References to uploads of `kind` ('image', 'audio', …): what is not in memory already is not opened or read.

    The SDKs take bytes, an open file, a path, and (name, content, content type); a list of such for images. The name
    of a file goes out as it is, and is not told.
    """
    if isinstance(value, list):
        for item in value:
            yield from files(item, kind)
    elif isinstance(value, str):  # an address, where the SDK takes one
        yield reference(value, kind)
    elif isinstance(value, bytes):
        yield media(data=value, mime=kind, name=kind)
    elif isinstance(value, tuple):
        file_name, content, mime = (*value, None, None)[:3]
        data = content if isinstance(content, bytes) else b""
        yield media(data=data, mime=str(mime or _type(kind, file_name)), name=kind)
    elif hasattr(value, "read") or isinstance(value, PathLike):
        yield media(mime=_type(kind, getattr(value, "name", value)), name=kind)


def reference(url: str, kind: str, mime: str = "") -> Part:
    """Media at an address, without its query and fragment: those of signed addresses let anyone in."""
    uri = url if url.startswith("data:") else url.partition("?")[0].partition("#")[0]
    return media(uri, mime="" if uri is url and not mime else mime or kind, name=kind)


def _type(kind: str, file_name: Any) -> str:
    """The media type that the name's suffix says; the name itself is not told."""
    suffix = PurePath(file_name).suffix[1:].lower() if isinstance(file_name, str | PathLike) else ""
    return f"{kind}/{_TYPES.get(suffix, suffix)}" if suffix.isalnum() else kind

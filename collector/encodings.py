"""Content encodings of request bodies, unpacked within a bound: a small body may be a bomb."""

import zlib
from collections.abc import Callable, Mapping

from backports.zstd import ZstdDecompressor, ZstdError


class TooLarge(Exception):  # noqa: N818  what the body is
    """Unpacked, the body exceeds the limit."""


class Unpackable(Exception):  # noqa: N818  what the body is
    """The body is not what its encoding says; the text says why."""


def gunzip(data: bytes, limit: int) -> bytes:
    """Every member of a gzip body; no more than `limit` bytes are ever made. Raises `TooLarge`, `Unpackable`."""
    out = bytearray()
    try:
        while data:
            member = zlib.decompressobj(zlib.MAX_WBITS | 16)
            out += member.decompress(data, limit - len(out) + 1)
            data = _rest(out, limit, whole=member.eof, unused=member.unused_data)
    except zlib.error as failure:
        raise Unpackable(f"the body is not gzip: {failure}") from None
    return bytes(out)


def unzstd(data: bytes, limit: int) -> bytes:
    """Every frame of a zstd body; no more than `limit` bytes are ever made. Raises `TooLarge`, `Unpackable`."""
    out = bytearray()
    try:
        while data:
            frame = ZstdDecompressor()
            out += frame.decompress(data, limit - len(out) + 1)
            data = _rest(out, limit, whole=frame.eof, unused=frame.unused_data)
    except ZstdError as failure:
        raise Unpackable(f"the body is not zstd: {failure}") from None
    return bytes(out)


UNPACK: Mapping[str, Callable[[bytes, int], bytes]] = {"gzip": gunzip, "zstd": unzstd}


def _rest(out: bytearray, limit: int, *, whole: bool, unused: bytes) -> bytes:
    if len(out) > limit:
        raise TooLarge
    if not whole:
        raise Unpackable("the compressed body ends early")
    return unused

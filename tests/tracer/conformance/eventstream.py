"""Frames of AWS's binary event stream, written from their description: prelude, headers, payload, two checksums."""

import base64
import json
import struct
from binascii import crc32
from typing import Any

_STRING = 7


def frame(headers: dict[str, str], payload: bytes) -> bytes:
    """One message: total length, length of the headers, checksum of these two, headers, payload, checksum of all."""
    packed = b"".join(
        struct.pack("!B", len(name)) + name.encode() + struct.pack("!BH", _STRING, len(value.encode())) + value.encode()
        for name, value in headers.items()
    )
    prelude = struct.pack("!II", 16 + len(packed) + len(payload), len(packed))
    whole = prelude + struct.pack("!I", crc32(prelude)) + packed + payload
    return whole + struct.pack("!I", crc32(whole))


def event(kind: str, said: Any) -> bytes:
    """An event of Converse, or any other whose payload is JSON."""
    headers = {":event-type": kind, ":content-type": "application/json", ":message-type": "event"}
    return frame(headers, json.dumps(said).encode())


def chunk(said: Any) -> bytes:
    """A chunk of `InvokeModelWithResponseStream`: JSON in base64 in JSON, padded so that its length tells nothing."""
    return event("chunk", {"bytes": base64.b64encode(json.dumps(said).encode()).decode(), "p": "abcdefgh"})


def exception(kind: str, message: str) -> bytes:
    """An error in the middle of a stream."""
    headers = {":exception-type": kind, ":content-type": "application/json", ":message-type": "exception"}
    return frame(headers, json.dumps({"message": message}).encode())

"""The one durable format: `[varint length][ExportTraceServiceRequest]…`.

The application's spool, the sidecar's write-ahead log and the file that ClickHouse reads are these same bytes.
"""

from collections.abc import Iterator


def frame(body: bytes) -> bytes:
    """A body with its length in front, as protobuf's delimited streams write it."""
    return varint(len(body)) + body


def varint(number: int) -> bytes:
    """A number from 0 up as protobuf writes it: seven bits a byte, the lowest first."""
    if number < 0x80:
        return bytes((number,))
    if number < 0x4000:
        return bytes((number & 0x7F | 0x80, number >> 7))
    head = []
    while number > 0x7F:
        head.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*head, number))


def bodies(data: bytes) -> Iterator[bytes]:
    """The bodies of all whole frames; a torn tail (a write cut short by a crash) is left out."""
    for start, end in _spans(data):
        yield data[start:end]


def whole(data: bytes) -> int:
    """The number of bytes up to which `data` is whole frames."""
    return max((end for _, end in _spans(data)), default=0)


def _spans(data: bytes) -> Iterator[tuple[int, int]]:
    at, size = 0, len(data)
    while at < size:
        length = shift = 0
        while True:
            if at >= size or shift > 63:
                return
            byte = data[at]
            at += 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        if at + length > size:
            return
        yield at, at + length
        at += length

"""What a span holds, read from the span itself: exported by a peer's SDK, or spooled by us."""

import base64
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from cases import ANSWER, ANSWER_TOKENS, ARGUMENT, CACHED_TOKENS, PROMPT, PROMPT_TOKENS

FIRST = ("first_chunk", "first_token", "ttft", "completion_start_time")
"""Parts of the names of attributes that say when the first chunk came."""

Pair = tuple[str, Any]


def of_pairs(pairs: Iterable[Pair]) -> set[str]:
    """Which of the things that people look for are among these attributes."""
    found = set()
    for name, value in pairs:
        text = value if isinstance(value, str) else json.dumps(value, default=str)
        for what, marker in (("prompt", PROMPT), ("output", ANSWER), ("tool arguments", ARGUMENT)):
            if marker in text:
                found.add(what)
        if _says(value, PROMPT_TOKENS) or _says(value, PROMPT_TOKENS - CACHED_TOKENS):
            found.add("input tokens")
        if _says(value, ANSWER_TOKENS):
            found.add("output tokens")
        if _says(value, CACHED_TOKENS):
            found.add("cached tokens")
        if "cost" in name and isinstance(value, int | float) and value > 0:
            found.add("cost")
        if any(part in name for part in FIRST) and value:
            found.add("time to first chunk")
    if {"input tokens", "output tokens"} <= found:
        found.add("tokens")
    return found - {"input tokens", "output tokens"}


def _says(value: Any, number: int) -> bool:
    if isinstance(value, str) and value[:1] in "{[":
        try:
            return _within(json.loads(value), number)
        except ValueError:
            return False
    return not isinstance(value, bool) and value == number


def _within(value: Any, number: int) -> bool:
    if isinstance(value, dict):
        return any(_within(item, number) for item in value.values())
    if isinstance(value, list):
        return any(_within(item, number) for item in value)
    return value == number


def of_spans(spans: Iterable[Any]) -> set[str]:
    pairs: list[Pair] = []
    for span in spans:
        pairs += (span.attributes or {}).items()
        for event in span.events:
            pairs += (event.attributes or {}).items()
    return of_pairs(pairs)


def spooled() -> bytes:
    """Everything that waits in our spool."""
    folder = os.environ.get("SPANWARD_SPOOL", "")
    while True:
        files = sorted(Path(folder).glob("*-*.*"), key=_turn) if folder else []
        try:
            return b"".join(path.read_bytes() for path in files if path.suffix in {".open", ".seg"})
        except FileNotFoundError:  # it was closed meanwhile, and has another name
            continue


def _turn(path: Path) -> list[int]:
    """Process, start and number of a file, as numbers: the tenth comes after the ninth."""
    return [int(number) for number in path.stem.split("-")] if path.suffix in {".open", ".seg"} else []


def empty_spool() -> None:
    """Of what a shipper would have sent and removed by now: the kernel writes to the disk what piles up, in somebody's
    turn.
    """
    for path in Path(os.environ.get("SPANWARD_SPOOL", "/nonexistent")).glob("*.seg"):
        path.unlink(missing_ok=True)


def of_spool(before: bytes) -> set[str]:
    """What the frames hold that came since, for the parent to look into: it has what reads them."""
    now = spooled()
    return {"spool:" + base64.b64encode(now[len(before) :]).decode()} if now[len(before) :] else set()


def of_frames(frames: bytes) -> set[str]:
    """The same of our frames, once the sidecar's pricing saw them: cost is not computed in the application."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    from spanward.collector.pricing import Pricing, price
    from spanward.tracer import segment

    pairs: list[Pair] = []
    for body in segment.bodies(frames):
        request = ExportTraceServiceRequest.FromString(body)
        price(request, Pricing())
        for span in _spans(request):
            pairs += ((attribute.key, _value(attribute.value)) for attribute in span.attributes)
    return of_pairs(pairs)


def _spans(request: Any) -> Iterator[Any]:
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            yield from scope.spans


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    return [_value(item) for item in value.array_value.values] if kind == "array_value" else getattr(value, kind)

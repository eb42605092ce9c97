"""What real providers answered, served again over loopback to the real SDKs: the span says what the body says."""

import importlib
import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import StatusCode

from spanward.tracer import estimate, semconv

from ..conformance.collected import ONLY
from ..inmemory import Spans
from .player import Player, playing
from .replay import Part, Replay, Said
from .tape import CASSETTES, Exchange, exchanges, folders

NO_ADAPTER = {
    "replicate": "Replicate's own client: no adapter, seen as an unknown client",
    "voyage": "Voyage's own client: no adapter, seen as an unknown client",
    "writer": "Writer's own client: no adapter, seen as an unknown client",
}
REPLAYS: dict[str, Replay] = {
    file.stem: importlib.import_module(f".replays.{file.stem}", __package__).REPLAY
    for file in sorted((Path(__file__).parent / "replays").glob("*.py"))
}


def _cases() -> Iterator[Any]:
    for folder in folders():
        if ONLY and (folder not in REPLAYS or REPLAYS[folder].library != ONLY):
            continue
        for said in exchanges(folder):
            why = NO_ADAPTER.get(folder) or (REPLAYS[folder].skip(said) if folder in REPLAYS else "")
            marks = [pytest.mark.skip(f"{said.method} {said.path}: {why}")] if why else []
            if said.method == "POST" or not why:
                yield pytest.param(said, id=f"{folder}-{said.name}", marks=marks)


CASES = list(_cases())


@pytest.fixture(scope="module")
def player() -> Iterator[Player]:
    with playing() as player:
        yield player


@pytest.mark.skipif(bool(ONLY), reason="only one library is asked about")
@pytest.mark.skipif(not CASES, reason=f"no recorded traffic at {CASSETTES}")
def test_there_is_traffic() -> None:
    replayed = [case.values[0] for case in CASES if not case.marks]
    assert len(replayed) > 100
    assert {said.folder for said in replayed} == set(folders()) - set(NO_ADAPTER)


@pytest.mark.filterwarnings("ignore:.*is deprecated and will reach end-of-life:DeprecationWarning")  # so old they are
@pytest.mark.filterwarnings("ignore:The 'output_format' parameter is deprecated:DeprecationWarning")
@pytest.mark.parametrize("said", CASES)
def test_the_span_says_what_the_body_says(said: Exchange, player: Player, instrumented: Spans) -> None:
    replay = REPLAYS[said.folder]
    if importlib.util.find_spec(replay.library) is None:
        pytest.skip(f"{replay.library} is not installed")
    player.next = said
    instrumented.clear()
    if said.status >= 400:
        with pytest.raises(Exception) as failed:  # noqa: PT011  each library has its own
            replay.call(said, player.address)
        assert type(failed.value).__name__ == replay.errors[said.status]
        return check_error(instrumented.one(), said, replay)
    replay.call(said, player.address)
    check(instrumented.one(), instrumented, replay.asked_model(said), replay.said(said))
    return None


def check_error(span: ReadableSpan, said: Exchange, replay: Replay) -> None:
    told = dict(span.attributes or {})
    assert told[semconv.ERROR_TYPE] == replay.errors[said.status]
    assert told[semconv.REQUEST_MODEL] == replay.asked_model(said)
    assert span.status.status_code == StatusCode.ERROR
    assert str(said.status) in str(span.status.description)
    message = said.json.get("message") or said.json["error"]["message"]
    assert message not in span.to_json()


def check(span: ReadableSpan, spans: Spans, asked_model: str, said: Said) -> None:
    told = dict(span.attributes or {})
    assert told[semconv.REQUEST_MODEL] == asked_model
    assert told.get(semconv.RESPONSE_MODEL, "") == said.model
    assert told.get(semconv.RESPONSE_ID, "") == said.id
    assert tuple(told.get(semconv.FINISH_REASONS, ())) == said.reasons  # type: ignore[arg-type]  # a sequence of words
    unsaid = "estimated" if told[semconv.OPERATION] in estimate.OPERATIONS else None
    assert told.get(semconv.USAGE_SOURCE) == ("provider" if said.tokens is not None else unsaid)
    for name, count in (said.tokens or {}).items():
        assert told.get(name, 0) == count, name
    assert recorded(told) == said.parts


def recorded(told: dict[str, Any]) -> list[Part]:
    """What the model said. What a guardrail of the provider's said beside it is a system message."""
    messages = json.loads(told.get(semconv.OUTPUT_MESSAGES, "[]"))
    return [_part(part) for message in messages if message["role"] == "assistant" for part in message["parts"]]


def _part(part: dict[str, Any]) -> Part:
    match part["type"]:
        case "tool_call":
            return "tool_call", (part["name"], part["arguments"])
        case "uri":
            return "uri", part["uri"]
        case kind:
            return kind, part["content"]

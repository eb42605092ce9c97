"""Raw responses of OpenAI's other methods, and rules that change or replace what comes back from them."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

import spanward
from spanward.tracer import semconv

from ..conformance.serving import Fake, served
from ..inmemory import traced
from .driving import WAYS, drive
from .test_openai_beyond_chats import MAIL, MASKED, MP3, PNG, RESTORED, ROUTES, clean, parts


@pytest.fixture(scope="module")
def fake() -> Iterator[Fake]:
    with served(ROUTES, "m") as serving:
        yield serving


def maker(address: str) -> Any:
    def make(way: str) -> Any:
        kind = openai.OpenAI if way == "sync" else openai.AsyncOpenAI
        return kind(base_url=f"{address}/v1", api_key="k", max_retries=0)

    return make


TEXT = {"model": "whisper-1", "file": MP3, "prompt": MAIL}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", ["json", "text", "srt", "verbose_json"])
def test_a_raw_transcript(way: str, kind: str, fake: Fake, spans: Any) -> None:
    """The text, the JSON and the parsed object agree."""
    raw = drive(maker(fake.address), way, "audio.transcriptions.with_raw_response.create", response_format=kind, **TEXT)
    assert RESTORED in raw.text
    parsed = raw.parse()
    assert RESTORED in (parsed if isinstance(parsed, str) else parsed.text)
    assert isinstance(parsed, str) is (kind in {"text", "srt"})
    clean(spans.one())
    assert MASKED in parts(spans.one(), semconv.OUTPUT_MESSAGES)[0]


def test_a_raw_transcript_that_is_read_later(fake: Fake, spans: Any) -> None:
    with openai.OpenAI(base_url=f"{fake.address}/v1", api_key="k") as client:
        transcripts: Any = client.audio.transcriptions.with_streaming_response
        with transcripts.create(response_format="text", **TEXT) as raw:
            assert raw.parse() == RESTORED
    clean(spans.one())


@pytest.mark.parametrize("way", WAYS)
def test_a_raw_image(way: str, fake: Fake, spans: Any) -> None:
    raw = drive(maker(fake.address), way, "images.with_raw_response.generate", model="gpt-image-1", prompt=MAIL)
    assert raw.http_response.json()["data"][0] == {"b64_json": PNG, "revised_prompt": f"A picture for {MAIL}"}
    assert raw.parse().data[0].revised_prompt == f"A picture for {MAIL}"
    clean(spans.one())


@pytest.mark.parametrize("way", WAYS)
def test_a_raw_completion(way: str, fake: Fake, spans: Any) -> None:
    raw = drive(maker(fake.address), way, "completions.with_raw_response.create", model="m", prompt=MAIL)
    assert raw.parse().choices[0].text == f"You said {MAIL}."
    clean(spans.one())


def test_a_raw_stream(fake: Fake, spans: Any) -> None:
    with openai.OpenAI(base_url=f"{fake.address}/v1", api_key="k") as client:
        raw = client.completions.with_raw_response.create(model="m", prompt=MAIL, stream=True)
        assert "".join(chunk.choices[0].text for chunk in raw.parse()) == f"You said {MAIL}."
    clean(spans.one())
    assert spans.one().attributes[semconv.STREAM_END] == "complete"


REDACT = """
version: 1
name: out
rules:
  - name: pii-in-answers
    when: { stage: output }
    detect: { pii: { entities: { EMAIL_ADDRESS: 0.4 } } }
    action: redact
"""
BLOCK = """
version: 1
name: out
rules:
  - name: pii-in-answers
    when: { stage: output }
    detect: { pii: { entities: { EMAIL_ADDRESS: 0.4 } } }
    action: block
    reply: Nothing to hear.
"""


def ruled(policy: str, tmp_path: Path) -> Any:
    """Instrumented by this policy alone."""
    spanward.uninstrument()
    file = tmp_path / "policy.yaml"
    file.write_text(policy)
    return traced(tmp_path / "spool", policy=file)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # an old SDK says so of its own logger
def test_personal_data_in_transcripts(fake: Fake, tmp_path: Path) -> None:
    """Taken out of every place where it stands, in the library's own types. (Loading the guards takes longer.)"""
    kinds = ("json", "text", "srt", "verbose_json", "diarized_json")
    with ruled(REDACT, tmp_path) as spans:
        for way, kind in itertools.product(WAYS, kinds):
            spans.clear()
            answer = drive(maker(fake.address), way, "audio.transcriptions.create", response_format=kind, **TEXT)
            assert isinstance(answer, str) is (kind in {"text", "srt"})
            assert MAIL not in (answer if isinstance(answer, str) else answer.to_json())
            assert MAIL not in str(spans.one().attributes[semconv.OUTPUT_MESSAGES])
            if kind == "verbose_json":
                assert len([word.word for word in answer.words]) == len(RESTORED.split())
        for way in WAYS:
            spans.clear()
            events = drive(maker(fake.address), way, "audio.transcriptions.create", stream=True, **TEXT)
            assert not any(MAIL in event.to_json() for event in events)
            assert events[-1].type == "transcript.text.done"
            assert MAIL not in str(spans.one().attributes[semconv.OUTPUT_MESSAGES])


def test_a_reply_in_the_place_of_what_came_back(fake: Fake, tmp_path: Path) -> None:
    make = maker(fake.address)
    with ruled(BLOCK, tmp_path):
        for way, kind in itertools.product(WAYS, ("json", "text")):
            answer = drive(make, way, "audio.transcriptions.create", response_format=kind, **TEXT)
            assert (answer if kind == "text" else answer.text) == "Nothing to hear."


def test_a_reply_in_the_place_of_a_completion(fake: Fake, tmp_path: Path) -> None:
    make = maker(fake.address)
    fake.clear()
    with ruled(BLOCK.replace("output", "input"), tmp_path):
        for way in WAYS:
            assert drive(make, way, "completions.create", model="m", prompt=MAIL).choices[0].text == "Nothing to hear."
            chunks = drive(make, way, "completions.create", model="m", prompt=MAIL, stream=True)
            assert "".join(chunk.choices[0].text for chunk in chunks) == "Nothing to hear."
            assert chunks[-1].choices[0].finish_reason == "stop"
    assert fake.received == []

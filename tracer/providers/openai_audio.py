"""Speech from text, and text from speech: recordings are told by reference only, and never read."""

from collections.abc import Iterator, Mapping
from typing import Any

from ...guards.messages import Message, Part, Path
from ..adapter import ChunkView, Delta, Endpoint, Kwargs
from ..call import ModelCall, Usage
from .fields import as_json, beside, counts, field, given, number, whole
from .openai_texts import extra, files, readable, texts
from .stainless import RawResponse, Sdk

SPEECH_PARAMS = ("voice", "response_format", "response_encoding", "speed", "stream_format", "sample_rate", "bit_rate", "language")  # noqa: E501  # fmt: skip
PARAMS = ("language", "languages", "response_format", "temperature", "timestamp_granularities", "diarize")
_LISTS = ("segments", "speaker_segments")
"""What verbose answers hold beside the text: the same once more, with times."""


class Unread(RawResponse):
    """A binary answer belongs to the application alone: whichever way it asks for it, it is not decoded."""

    def asked(self, kwargs: Kwargs) -> str:
        return super().asked(kwargs) if kwargs.get("stream") is True else ""


def speech(call: ModelCall, kwargs: Kwargs) -> None:
    """Fill the record from the keyword arguments of speech.create."""
    call.params = given(kwargs, SPEECH_PARAMS)
    call.messages = (
        *_message("system", texts(kwargs.get("instructions"), ("instructions",))),
        *_message("user", (*texts(kwargs.get("input"), ("input",)), *extra(kwargs))),
    )
    call.beside = beside(kwargs, ("extra_params",))


def spoken(call: ModelCall, answer: Any) -> None:
    """Nothing of a recording is read."""


def request(call: ModelCall, kwargs: Kwargs) -> None:
    """Fill the record from the keyword arguments of transcriptions.create and translations.create."""
    call.params = given(kwargs, PARAMS)
    hints = [*texts(kwargs.get("prompt"), ("prompt",))]
    hints += texts(readable(kwargs, "keywords"), ("keywords",), name="keyword")
    given_files = [
        part for name in ("file", "url", "known_speaker_references") for part in files(kwargs.get(name), "audio")
    ]
    call.messages = _message("user", (*given_files, *hints, *extra(kwargs)))
    call.beside = beside(kwargs, ("known_speaker_names", "chunking_strategy"))


def _message(role: str, parts: Any) -> tuple[Message, ...]:
    found = tuple(parts)
    return (Message(role, found),) if found else ()


def response(call: ModelCall, answer: Any) -> None:
    """Fill the record from a transcript: an object, decoded JSON, or (srt, vtt, text) nothing but its text."""
    text = answer if isinstance(answer, str) else field(answer, "text", "")
    parts = [Part("text", text, where=("text",))] if text else []
    for name in _LISTS:
        for i, item in enumerate(() if isinstance(answer, str) else field(answer, name, [])):
            parts += _segment(item, (name, i))
    if words := field(answer, "words"):
        parts.append(whole(as_json(words), ("words",), name="words"))
    call.output = _message("assistant", parts)
    call.usage = usage(field(answer, "usage"))


def _segment(item: Any, where: Path) -> Iterator[Part]:
    """Who speaks, and what; words with times are one part, since a person's name is more than one of them."""
    for name in ("speaker", "text"):
        if isinstance(text := field(item, name), str) and text:
            yield Part("text", text, name=name, where=(*where, name))
    if words := field(item, "words"):
        yield whole(as_json(words), (*where, "words"), name="words")


def usage(raw: Any) -> Usage:
    """Disjoint counts. What is billed by the second tells no tokens."""
    if raw is None or field(raw, "input_tokens") is None:
        return Usage(raw=counts(raw))
    found = Usage(
        input_audio=number(raw, "input_token_details", "audio_tokens"),
        source="provider",
        raw=counts(raw),
    )
    return found.of_totals(number(raw, "input_tokens"), number(raw, "output_tokens"))


class Reader:
    """Follows the events of a transcript. A channel is ("text", segment) or ("speaker", segment); '' is no segment."""

    def __init__(self, call: ModelCall) -> None:  # noqa: ARG002  the face of a reader
        self._samples: dict[Any, Any] = {}
        self._open: list[Any] = []
        self._usage: Any = None

    def read(self, event: Any) -> ChunkView:
        match field(event, "type", ""):
            case "transcript.text.delta":
                channel = ("text", field(event, "segment_id", ""))
                if channel not in self._samples:
                    self._samples[channel] = event
                    self._open.append(channel)
                return ChunkView((Delta(channel, field(event, "delta", ""), ("delta",)),))
            case "transcript.text.segment":
                segment = field(event, "id", "")
                return self._whole(event, {("text", segment): "text", ("speaker", segment): "speaker"})
            case "transcript.text.done":
                self._usage = field(event, "usage", self._usage)
                single = set(self._samples) <= {("text", "")}
                held = [channel for channel in self._open if not single]
                return self._whole(event, {("text", "") if single else ("done", ""): "text"}, held)
        return ChunkView()

    def _whole(self, event: Any, places: dict[Any, str], closes: Any = ()) -> ChunkView:
        """Full texts, of channels that end with this event. One of which nothing came before is no repetition."""
        deltas = []
        for channel, name in places.items():
            if text := field(event, name, ""):
                deltas.append(Delta(channel, text, (name,), whole=channel in self._samples))
                self._samples.setdefault(channel, event)
        ended = (*closes, *(delta.channel for delta in deltas))
        self._open = [channel for channel in self._open if channel not in ended]
        return ChunkView(tuple(deltas), ended)

    def filler(self, channel: Any, text: str) -> Any:
        return self._samples[channel].model_copy(update={"delta": text, "logprobs": None})

    def finish(self, call: ModelCall, texts: Mapping[Any, str]) -> None:
        """The whole text at the end of a transcript in segments says the same again."""
        call.usage = usage(self._usage)
        parts = [Part("text", texts[channel], name=channel[0]) for channel in self._samples if channel in texts]
        told = [part for part in parts if part.name != "done"] or parts
        call.output = _message("assistant", told)


class Silent:
    """Follows a streamed recording, which says nothing that can be read."""

    def __init__(self, call: ModelCall) -> None:
        pass

    def read(self, chunk: Any) -> ChunkView:  # noqa: ARG002  the face of a reader
        return ChunkView()

    def filler(self, channel: Any, text: str) -> Any:  # noqa: ARG002  as above
        raise LookupError("a recording has no text")

    def finish(self, call: ModelCall, texts: Mapping[Any, str]) -> None:
        pass


def transcripts(sdk: Sdk, module: str, owner: str, **more: Any) -> Endpoint:
    """Validated, so that an answer that is one string is edited before the library makes that of it."""
    return sdk.endpoint(
        f"audio.{module}", f"{owner}.create", "transcription", request, response, validates=True, **more
    )

"""The `groq` package: chats, embeddings, speech and transcripts, much like OpenAI's.

Tools that run at Groq (compound systems) carry their results along; streams always tell their tokens, in `x_groq`.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ...guards.messages import Message, Part, Path
from ..adapter import Adapter, ChunkView, Delta, Kwargs
from ..call import ModelCall
from ..leftover import HTTP
from . import openai_audio as audio
from . import openai_chat as chat
from . import openai_chat_kin
from . import openai_embeddings as embeddings
from .fields import arguments, as_json, beside, field, whole
from .openai_texts import readable
from .stainless import RawResponse, Sdk

SDK = Sdk("groq", "groq")
_BESIDE = ("compound_custom", "search_settings", "include_domains", "exclude_domains")
_NO_TEXT = {"type", "index", "png", "live_view_url"}


def _request(call: ModelCall, kwargs: Kwargs) -> None:
    chat.request(call, kwargs)
    if documents := readable(kwargs, "documents"):
        parts = (whole(document, ("documents", i), name="document") for i, document in enumerate(documents))
        call.messages = (*call.messages, Message("user", tuple(parts)))
    call.beside = (*call.beside, *beside(kwargs, _BESIDE))


def _response(call: ModelCall, answer: Any) -> None:
    chat.response(call, answer)
    call.output = tuple(
        replace(message, parts=(*_executed(field(choice, "message"), ("choices", i, "message")), *message.parts))
        for i, (message, choice) in enumerate(zip(call.output, field(answer, "choices", []), strict=True))
    )


def _executed(said: Any, where: Path) -> Iterator[Part]:
    """What tools that ran at Groq were asked, and what they found."""
    for i, tool in enumerate(field(said, "executed_tools", [])):
        place = (*where, "executed_tools", i)
        name = field(tool, "type", "")
        asked = field(tool, "arguments", "")
        yield Part("tool_call", asked, json=arguments(asked), name=name, where=(*place, "arguments"))
        found = {key: value for key, value in as_json(tool).items() if key not in {"arguments", *_NO_TEXT}}
        for path, text in _leaves(found, place):
            yield Part("tool_result", text, name=name, where=path)


def _leaves(value: Any, where: Path) -> Iterator[tuple[Path, str]]:
    """Every text in dicts and lists, so that the library's objects around it stay what they are."""
    if isinstance(value, str) and value:
        yield where, value
    elif isinstance(value, list | dict):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for step, item in items:
            if step not in _NO_TEXT:
                yield from _leaves(item, (*where, step))


class Reader(openai_chat_kin.Reader):
    """Follows chunks. What a tool at Groq was asked and found comes whole, each text a channel of its own."""

    def read(self, chunk: Any) -> ChunkView:
        view = super().read(chunk)
        self._usage = field(field(chunk, "x_groq"), "usage", self._usage)
        deltas: list[Delta] = []
        for i, choice in enumerate(field(chunk, "choices", [])):
            index = field(choice, "index", 0)
            for part in _executed(field(choice, "delta"), ("choices", i, "delta")):
                channel = (index, "found" if part.kind == "tool_result" else "executed", len(self._seen))
                self._seen[channel] = ("", part.name)
                deltas.append(Delta(channel, part.text, part.where, part.kind, json=part.json))
        if not deltas:
            return view
        return ChunkView((*deltas, *view.deltas), (*view.closes, *(delta.channel for delta in deltas)))


ADAPTER = Adapter(
    library="groq",
    distribution="groq",
    oldest="0.37",
    below="2",
    raw=RawResponse("raw"),
    apart=HTTP,
    endpoints=(
        chat.endpoint(SDK, "chat.completions", Reader, request=_request, response=_response),
        SDK.endpoint("embeddings", "Embeddings.create", "embeddings", embeddings.request, embeddings.response),
        SDK.endpoint("audio.speech", "Speech.create", "speech", audio.speech, audio.spoken, raw=audio.Unread("raw")),
        audio.transcripts(SDK, "transcriptions", "Transcriptions"),
        audio.transcripts(SDK, "translations", "Translations"),
    ),
)

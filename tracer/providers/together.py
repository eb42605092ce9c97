"""The `together` package, 2.x and 3.x: chats, completions, embeddings, rerank, images, videos, speech, transcripts."""

from typing import Any

from ...guards.messages import Message, Part
from ..adapter import Adapter, Kwargs
from ..call import ModelCall
from ..leftover import HTTP
from . import openai_audio as audio
from . import openai_chat as chat
from . import openai_chat_kin
from . import openai_completions as completions
from . import openai_embeddings as embeddings
from . import openai_images as images
from .fields import beside, field, given, whole
from .openai_texts import extra, readable, texts
from .stainless import RawResponse, Sdk, streams

SDK = Sdk("together", "together", suffix="Resource")
PARAMS = ("top_k", "min_p", "repetition_penalty", "echo", "context_length_exceeded_behavior", "safety_model")


def _chat_request(call: ModelCall, kwargs: Kwargs) -> None:
    chat.request(call, kwargs)
    call.params |= given(kwargs, PARAMS)
    call.beside = (*call.beside, *beside(kwargs, ("chat_template_kwargs",)))


def _chat_response(call: ModelCall, answer: Any) -> None:
    chat.response(call, answer)
    call.output = (*call.output, *_echoed(answer))


def _text_response(call: ModelCall, answer: Any) -> None:
    completions.response(call, answer)
    call.output = (*call.output, *_echoed(answer))


def _echoed(answer: Any) -> tuple[Message, ...]:
    """The prompt once more, where `echo` asked for it."""
    told = enumerate(field(answer, "prompt", []))
    parts = [Part("text", text, where=("prompt", i, "text")) for i, item in told if (text := field(item, "text"))]
    return (Message("user", tuple(parts)),) if parts else ()


def _rerank_request(call: ModelCall, kwargs: Kwargs) -> None:
    """The query, and the documents that it orders."""
    documents = readable(kwargs, "documents")
    call.params = given(kwargs, ("top_n", "return_documents", "rank_fields"))
    found = enumerate(documents if isinstance(documents, list) else [])
    parts = (whole(document, ("documents", i), kind="document", name="document") for i, document in found)
    call.messages = (
        Message("user", (*texts(kwargs.get("query"), ("query",)), *extra(kwargs))),
        Message("tool", tuple(parts)),
    )


def _rerank_response(call: ModelCall, answer: Any) -> None:
    """The documents' order; their texts only where they were asked for."""
    call.response_id = field(answer, "id", "")
    call.response_model = field(answer, "model", "")
    call.usage = chat.usage(field(answer, "usage"))
    parts = [
        Part("text", text, name="document", where=("results", i, "document", "text"))
        for i, result in enumerate(field(answer, "results", []))
        if (text := field(field(result, "document"), "text"))
    ]
    call.output = (Message("assistant", tuple(parts)),) if parts else ()


def _video_request(call: ModelCall, kwargs: Kwargs) -> None:
    images.request(call, kwargs)
    call.beside = (*call.beside, *beside(kwargs, ("media",)))


ADAPTER = Adapter(
    library="together",
    distribution="together",
    oldest="2.0",
    below="4",
    raw=RawResponse("raw"),
    apart=HTTP,
    endpoints=(
        chat.endpoint(SDK, "chat.completions", openai_chat_kin.Reader, request=_chat_request, response=_chat_response),
        SDK.endpoint(
            "completions",
            "Completions.create",
            "text_completion",
            completions.request,
            _text_response,
            reader=completions.Reader,
            reply=SDK.reply("completion", "Completion", completions.reply),
            reply_stream=SDK.reply_stream("completion_chunk", "CompletionChunk", completions.frames),
            streams=streams,
        ),
        SDK.endpoint("embeddings", "Embeddings.create", "embeddings", embeddings.request, embeddings.response),
        SDK.endpoint("rerank", "Rerank.create", "rerank", _rerank_request, _rerank_response),
        SDK.endpoint("images", "Images.generate", "image_generation", images.request, images.response),
        SDK.endpoint("videos", "Videos.create", "image_generation", _video_request, images.video),
        SDK.endpoint(
            "audio.speech",
            "Speech.create",
            "speech",
            audio.speech,
            audio.spoken,
            reader=audio.Silent,
            streams=streams,
            raw=audio.Unread("raw"),
        ),
        audio.transcripts(SDK, "transcriptions", "Transcriptions"),
        audio.transcripts(SDK, "translations", "Translations"),
    ),
)

"""Hugging Face's other tasks, by one table: which arguments are texts, and where the answer has some."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ...guards.messages import Message, Part, Path
from ..adapter import Kwargs
from ..call import ModelCall
from .fields import given, media, plain, whole

_PARAMS = ("seed", "temperature", "top_k", "top_p", "dimensions", "encoding_format", "width", "height")
_BESIDE = ("extra_body", "generate_parameters", "prompt_name", "targets", "ignore_labels", "hypothesis_template")


@dataclass(frozen=True, slots=True)
class Task:
    """`texts` and `files` are arguments; `said` are the members of the answer (or its items) that hold text."""

    operation: str
    texts: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    mime: str = ""
    """Of an answer that is bytes or an image."""


TASKS = {
    "feature_extraction": Task("embeddings", ("text",)),
    "sentence_similarity": Task("embeddings", ("sentence", "other_sentences")),
    "summarization": Task("text_completion", ("text",), said=("summary_text",)),
    "translation": Task("text_completion", ("text",), said=("translation_text",)),
    "question_answering": Task("text_completion", ("question", "context"), said=("answer",)),
    "table_question_answering": Task("text_completion", ("query", "table"), said=("answer", "cells")),
    "document_question_answering": Task("text_completion", ("question", "word_boxes"), ("image",), ("answer",)),
    "visual_question_answering": Task("text_completion", ("question",), ("image",), ("answer",)),
    "fill_mask": Task("text_completion", ("text",), said=("sequence", "token_str")),
    "text_classification": Task("text_completion", ("text",), said=("label",)),
    "token_classification": Task("text_completion", ("text",), said=("word", "entity_group")),
    "zero_shot_classification": Task("text_completion", ("text", "candidate_labels"), said=("label",)),
    "image_to_text": Task("text_completion", files=("image",), said=("generated_text",)),
    "text_to_image": Task("image_generation", ("prompt", "negative_prompt"), mime="image/png"),
    "image_to_image": Task("image_generation", ("prompt", "negative_prompt"), ("image",), mime="image/png"),
    "text_to_video": Task("image_generation", ("prompt", "negative_prompt"), mime="video/mp4"),
    "text_to_speech": Task("speech", ("text",), mime="audio/flac"),
    "automatic_speech_recognition": Task("transcription", files=("audio",), said=("text",)),
}  # fmt: skip
"""Method -> task. None of them has a place for a canned answer: a block raises."""


def request(task: Task, call: ModelCall, kwargs: Kwargs) -> None:
    call.params = given(kwargs, _PARAMS)
    parts = []
    for name in task.texts:
        if kwargs.get(name):
            kwargs[name] = plain(kwargs[name])
            parts += list(_words(kwargs[name], (name,)))
    parts += [_file(kwargs[name]) for name in task.files if kwargs.get(name) is not None]
    call.messages = (Message("user", tuple(parts)),) if parts else ()
    extra = []
    for name in _BESIDE:
        if kwargs.get(name):
            kwargs[name] = plain(kwargs[name])
            extra.append(whole(kwargs[name], (name,), name=name))
    call.beside = (Message("user", tuple(extra)),) if extra else ()


def _words(value: Any, where: Path) -> Iterator[Part]:
    if isinstance(value, list):
        yield from (whole(item, (*where, i)) for i, item in enumerate(value) if item)
    else:
        yield whole(value, where)


def _file(file: Any) -> Part:
    """A URL is told; a path is not, and an open file is not read."""
    if isinstance(file, bytes):
        return media(data=file, name="file")
    shown = file if isinstance(file, str) and file.startswith(("http:", "https:")) else ""
    return media(shown, name="file")


def response(task: Task, call: ModelCall, answer: Any) -> None:
    if task.mime:
        data, mime = _bytes(answer, task.mime)
        if data:
            call.output = (Message("assistant", (media(data=data, mime=mime, name="answer"),)),)
        return
    items = enumerate(answer) if isinstance(answer, list) else [(None, answer)]
    parts = tuple(
        Part("text", item[name], where=(name,) if i is None else (i, name))
        for i, item in items if isinstance(item, dict)
        for name in task.said if isinstance(item.get(name), str) and item[name]
    )  # fmt: skip
    call.output = (Message("assistant", parts),) if parts else ()


def _bytes(answer: Any, mime: str) -> tuple[bytes, str]:
    """(bytes, type) of what came: bytes, or an image by Pillow, whose pixels stand for it."""
    if isinstance(answer, bytes | bytearray | io.BytesIO):
        return bytes(answer if not isinstance(answer, io.BytesIO) else answer.getvalue()), mime
    if not hasattr(answer, "tobytes"):
        return b"", mime
    kind = str(getattr(answer, "format", None) or "").lower()
    return answer.tobytes(), f"image/{kind}" if kind else mime

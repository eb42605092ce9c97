"""Images and videos that a model makes: the prompt goes out as text, pictures are told by reference only."""

from collections.abc import Iterator, Mapping
from typing import Any

from ...guards.messages import Message, Part
from ..adapter import ChunkView, Kwargs
from ..call import ModelCall, Usage
from .fields import beside, counts, field, given, media, number
from .openai_texts import extra, files, reference, texts

PARAMS = (
    "n", "size", "quality", "style", "background", "moderation", "output_format", "output_compression",
    "response_format", "partial_images", "input_fidelity", "seconds", "complexity", "frame_count",
    "width", "height", "steps", "seed", "guidance_scale",
)  # fmt: skip
PROMPTS = ("prompt", "negative_prompt")
FILES = ("image", "mask", "markup", "input_reference", "image_url", "reference_images")


def request(call: ModelCall, kwargs: Kwargs) -> None:
    """Fill the record from the keyword arguments of generate, edit, create_variation and of videos."""
    call.params = given(kwargs, PARAMS)
    parts: list[Part] = []
    for name in PROMPTS:
        parts += texts(kwargs.get(name), (name,), name="" if name == "prompt" else name)
    for name in FILES:
        parts += _given(kwargs.get(name))
    parts += extra(kwargs)
    call.messages = (Message("user", tuple(parts)),)
    call.beside = beside(kwargs, ("user", "safety_identifier", "image_loras", "svg"))


def _given(value: Any) -> Iterator[Part]:
    if isinstance(value, dict):  # {"file_id": …} or {"image_url": …}
        yield reference(str(value.get("image_url") or value.get("file_id") or ""), "image")
    else:
        yield from files(value, "image")


def response(call: ModelCall, answer: Any) -> None:
    """Fill the record from an images response, an object or decoded JSON."""
    call.response_id = field(answer, "id", "")
    call.response_model = field(answer, "model", "")
    call.usage = usage(field(answer, "usage"))
    mime = f"image/{field(answer, 'output_format', call.params.get('output_format', 'png'))}"
    parts = [part for i, image in enumerate(field(answer, "data", [])) for part in _image(image, i, mime)]
    call.output = (Message("assistant", tuple(parts)),) if parts else ()


def _image(image: Any, index: int, mime: str) -> Iterator[Part]:
    """Reading an image costs the digest of its text; the bytes go nowhere."""
    if data := field(image, "b64_json"):
        yield media(data=data, mime=mime, name="image")
    elif url := field(image, "url"):
        yield reference(url, "image", mime)
    if revised := field(image, "revised_prompt"):
        yield Part("text", revised, name="revised_prompt", where=("data", index, "revised_prompt"))


def usage(raw: Any) -> Usage:
    """Disjoint counts: image tokens are counted into the input; the output's are not told apart."""
    if raw is None:
        return Usage()
    found = Usage(
        input_image=number(raw, "input_tokens_details", "image_tokens"),
        cache_read=number(raw, "input_tokens_details", "cached_tokens"),
        source="provider",
        raw=counts(raw),
    )
    return found.of_totals(number(raw, "input_tokens"), number(raw, "output_tokens"))


def video(call: ModelCall, answer: Any) -> None:
    """A video is a job: what comes back is its name and the prompt, the pictures come later."""
    call.response_id = field(answer, "id", "")
    call.response_model = field(answer, "model", "")
    status = field(answer, "status", "")
    call.finish_reasons = (status,) if status else ()
    if prompt := field(answer, "prompt"):
        call.output = (Message("assistant", (Part("text", prompt, where=("prompt",)),)),)


class Reader:
    """Follows the events of a streamed image: pictures that are not done yet, and the one that is."""

    def __init__(self, call: ModelCall) -> None:  # noqa: ARG002  the face of a reader
        self._images: list[Part] = []
        self._usage: Any = None

    def read(self, event: Any) -> ChunkView:
        if str(field(event, "type", "")).endswith(".completed"):
            mime = f"image/{field(event, 'output_format', 'png')}"
            self._images.append(media(data=field(event, "b64_json", ""), mime=mime, name="image"))
            self._usage = field(event, "usage", self._usage)
        return ChunkView()

    def filler(self, channel: Any, text: str) -> Any:  # noqa: ARG002  as above
        raise LookupError("a streamed image has no text")

    def finish(self, call: ModelCall, texts: Mapping[Any, str]) -> None:  # noqa: ARG002  as above
        call.usage = usage(self._usage)
        call.output = (Message("assistant", tuple(self._images)),) if self._images else ()

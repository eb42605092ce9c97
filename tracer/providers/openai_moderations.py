"""Moderations: what may be harmful goes in, verdicts come back. There is no text in them."""

from typing import Any

from ...guards.messages import Message, Part, Path
from ..adapter import Kwargs
from ..call import ModelCall
from .fields import as_json, field, whole
from .openai_texts import extra, readable, reference, texts


def request(call: ModelCall, kwargs: Kwargs) -> None:
    asked = readable(kwargs, "input")
    parts = [*texts(asked, ("input",))]
    for i, item in enumerate(asked if isinstance(asked, list) else []):
        if not isinstance(item, str):
            parts.append(_item(item, ("input", i)))
    parts += extra(kwargs)
    call.messages = (Message("user", tuple(parts)),) if parts else ()


def _item(item: Any, where: Path) -> Part:
    match item:
        case {"type": "text", "text": str(text)}:
            return Part("text", text, where=(*where, "text"))
        case {"type": "image_url", "image_url": {"url": str(url)}}:
            return reference(url, "image")
    return whole(item, where)


def response(call: ModelCall, answer: Any) -> None:
    """The verdict in parameters: whether anything was flagged, and as what."""
    call.response_id = field(answer, "id", "")
    call.response_model = field(answer, "model", "")
    results = field(answer, "results", [])
    found = {name: None for result in results for name, said in _categories(result).items() if said is True}
    call.params["moderation.flagged"] = any(field(result, "flagged") is True for result in results)
    if found:
        call.params["moderation.categories"] = tuple(found)


def _categories(result: Any) -> dict[str, Any]:
    """By the API's own names, which the library's fields are aliases of."""
    categories = field(result, "categories", {})
    if hasattr(categories, "model_dump"):
        named: dict[str, Any] = categories.model_dump(by_alias=True)
        return named
    return dict(as_json(categories))

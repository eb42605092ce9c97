"""Mistral's chat, agents and fill-in-the-middle completions: what goes in, what comes back."""

from collections.abc import Iterator
from typing import Any

from ...guards.messages import Message, Part, PartKind, Path
from ..adapter import Kwargs
from ..call import ModelCall, Usage
from .fields import arguments, beside, counts, dumps, field, given, media, number, plain, whole

PARAMS = (
    "temperature", "top_p", "top_k", "max_tokens", "min_tokens", "frequency_penalty", "presence_penalty", "n",
    "reasoning_effort", "prompt_mode", "parallel_tool_calls", "safe_prompt", "service_tier", "agent_id",
)  # fmt: skip
_HOLDS_TEXT = ("messages", "tools", "response_format", "prediction", "guardrails")
_BESIDE = ("stop", "metadata", "prompt_cache_key", "guardrails")
_ROLES = {"system": "system", "assistant": "assistant", "tool": "tool"}
_URLS = {"image_url": "image", "document_url": "document", "input_audio": "audio", "file": "file"}
"""Types of a chunk that refer to what is not text; all but `file` carry it in the field of their name."""


def sent(model: Any) -> Any:
    """An object of the library as it goes out: its types leave out by themselves what is not set."""
    return model.model_dump(mode="json")


def request(call: ModelCall, kwargs: Kwargs) -> None:
    """Fill the record from the keyword arguments of chat and agents completions."""
    for name in _HOLDS_TEXT:
        if kwargs.get(name):
            kwargs[name] = plain(kwargs[name], sent)
    settings(call, kwargs)
    shape = kwargs.get("response_format")
    if isinstance(shape, dict):
        call.params["response_format"] = str(shape.get("type", "text"))
    turns = kwargs.get("messages")
    call.messages = tuple(
        _turn(turn, ("messages", i)) for i, turn in enumerate(turns if isinstance(turns, list) else [])
    )
    if predicted := field(kwargs.get("prediction"), "content"):
        call.messages += (Message("assistant", (whole(predicted, ("prediction", "content")),)),)
    call.tools = _definitions(kwargs, shape)


def settings(call: ModelCall, kwargs: Kwargs) -> None:
    """What all completions have: parameters, and texts beside the conversation."""
    call.params = given(kwargs, PARAMS)
    call.params |= {"seed": kwargs["random_seed"]} if given(kwargs, ("random_seed",)) else {}
    call.beside = beside(kwargs, _BESIDE)


def middle(call: ModelCall, kwargs: Kwargs) -> None:
    """The same for a completion between a prompt and a suffix."""
    settings(call, kwargs)
    texts = [Part("text", kwargs[name], where=(name,)) for name in ("prompt", "suffix") if is_text(kwargs.get(name))]
    call.messages = (Message("user", tuple(texts)),) if texts else ()


def is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _definitions(kwargs: Kwargs, shape: Any) -> tuple[Message, ...]:
    tools = kwargs.get("tools")
    parts = [
        whole(tool, ("tools", i), kind="tool_definition", name=field(field(tool, "function", tool), "name", ""))
        for i, tool in enumerate(tools if isinstance(tools, list) else [])
    ]
    if isinstance(shape, dict) and len(shape) > 1:
        parts.append(whole(shape, ("response_format",), kind="tool_definition", name="response_format"))
    return (Message("system", tuple(parts)),) if parts else ()


def _turn(turn: Any, where: Path) -> Message:
    if not isinstance(turn, dict):
        return Message("user", (whole(turn, where),))
    role = _ROLES.get(str(turn.get("role")), "user")
    kind: PartKind = "tool_result" if role == "tool" else "text"
    parts = list(content(turn.get("content"), (*where, "content"), kind, turn.get("tool_call_id") or ""))
    return Message(role, (*parts, *calls(turn, where)))


def content(said: Any, where: Path, kind: PartKind = "text", part_id: str = "") -> Iterator[Part]:
    """A message's content: text, or chunks of several kinds, as dicts or objects."""
    if isinstance(said, str):
        if said:
            yield Part(kind, said, id=part_id, where=where)
    elif isinstance(said, list):
        for i, chunk in enumerate(said):
            yield from _chunk(chunk, (*where, i), kind, part_id)
    elif said:
        yield whole(said, where, kind=kind, part_id=part_id)


def _chunk(chunk: Any, where: Path, kind: PartKind, part_id: str) -> Iterator[Part]:
    chunk_type = str(field(chunk, "type", ""))
    if chunk_type == "text" and isinstance(field(chunk, "text"), str):
        yield from content(field(chunk, "text"), (*where, "text"), kind, part_id)
    elif chunk_type == "thinking":
        inner: PartKind = "reasoning" if kind == "text" else kind
        yield from content(field(chunk, "thinking"), (*where, "thinking"), inner, part_id)
    elif chunk_type in _URLS:
        yield _reference(chunk, chunk_type)
        if is_text(name := field(chunk, "document_name")):
            yield Part(kind, name, id=part_id, where=(*where, "document_name"))
    elif chunk_type == "resource" and isinstance(field(chunk, "content"), dict):
        yield from content(field(chunk, "uri"), (*where, "uri"), kind, part_id)
        yield from _chunk(field(chunk, "content"), (*where, "content"), kind, part_id)
    else:
        yield whole(chunk if isinstance(chunk, dict | str) else sent(chunk), where, kind=kind, part_id=part_id)


def _reference(chunk: Any, chunk_type: str) -> Part:
    place = field(chunk, chunk_type if chunk_type != "file" else "file_id", "")
    at = str(field(place, "url", "") if not isinstance(place, str) else place)
    inline = chunk_type == "input_audio" and "://" not in at and not at.startswith("data:")
    return media("" if inline else at, data=at if inline else "", name=_URLS[chunk_type])


def calls(message: Any, where: Path) -> Iterator[Part]:
    """The tool calls of a message; their arguments are JSON text or an object."""
    for i, tool_call in enumerate(field(message, "tool_calls") or []):
        function = field(tool_call, "function", {})
        asked = field(function, "arguments", "")
        text = asked if isinstance(asked, str) else dumps(asked)
        yield Part(
            "tool_call",
            text,
            json=arguments(text),
            name=str(field(function, "name", "")),
            id=str(field(tool_call, "id", "")),
            where=(*where, "tool_calls", i, "function", "arguments"),
        )


def response(call: ModelCall, answer: Any) -> None:
    """Fill the record from a completion of any kind."""
    call.response_id = field(answer, "id", "")
    call.response_model = field(answer, "model", "")
    call.usage = usage(field(answer, "usage"))
    choices = field(answer, "choices", [])
    call.output = tuple(found for i, choice in enumerate(choices) for found in _choice(call, choice, ("choices", i)))
    call.finish_reasons = tuple(str(field(choice, "finish_reason", "")) for choice in choices)


def _choice(call: ModelCall, choice: Any, where: Path) -> Iterator[Message]:
    """The message of a choice, or several, where the agent said several."""
    several = [(message, (*where, "messages", i)) for i, message in enumerate(field(choice, "messages") or [])]
    if (one := field(choice, "message")) is not None:
        several.insert(0, (one, (*where, "message")))
    for message, place in several:
        said = field(message, "content")
        parts = tuple(content(said, (*place, "content")))
        if is_text(said) and structured(call, said):
            parts = (Part("text", said, json=True, where=(*place, "content")),)
        yield Message("assistant", (*parts, *calls(message, place)), str(field(choice, "finish_reason", "")))


def structured(call: ModelCall, text: str) -> bool:
    """Whether the answer was asked for as JSON and is JSON."""
    return str(call.params.get("response_format", "")).startswith("json") and arguments(text)


def usage(told: Any) -> Usage:
    """Disjoint counts: Mistral counts what was cached into the prompt."""
    if not told:
        return Usage()
    raw = counts(told)
    cached = number(raw, "prompt_tokens_details", "cached_tokens") or number(raw, "num_cached_tokens")
    return Usage(
        input=max(0, number(raw, "prompt_tokens") - cached),
        cache_read=cached,
        output=number(raw, "completion_tokens"),
        source="provider",
        raw=raw,
    )


def reply(call: ModelCall, text: str) -> dict[str, Any]:
    """The canned answer as the JSON of a completion: of a structured one without content, which parses to None."""
    said = None if call.params.get("response_format") == "json_schema" else text
    message = {"role": "assistant", "content": said}
    return {
        "id": "spanward",
        "object": "chat.completion",
        "created": 0,
        "model": call.request_model,
        "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
    }


def reply_frames(call: ModelCall, text: str) -> Iterator[str]:
    """The canned answer as server-sent events, the way completions send them."""
    head = {"id": "spanward", "object": "chat.completion.chunk", "created": 0, "model": call.request_model}
    for delta, reason in (({"role": "assistant", "content": text}, None), ({"content": ""}, "stop")):
        yield f"data: {dumps({**head, 'choices': [{'index': 0, 'delta': delta, 'finish_reason': reason}]})}\n\n"
    yield "data: [DONE]\n\n"

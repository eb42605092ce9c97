"""OpenAI responses: items in, items out, and the events between."""

from collections.abc import Iterable, Iterator
from typing import Any

from ...guards.messages import Message, Part, PartKind, Path
from ..adapter import Kwargs
from ..call import ModelCall, Usage
from .fields import arguments, as_json, beside, counts, dumps, field, given, media, number, plain, whole
from .openai_chat import ROLES, definitions, structured

PARAMS = (
    "temperature", "top_p", "max_output_tokens", "max_tool_calls", "parallel_tool_calls", "top_logprobs", "truncation",
    "service_tier", "background", "store",
)  # fmt: skip
_HOLDS_TEXT = ("input", "instructions", "tools", "prompt", "text", "extra_body")
TEXT_TYPES = {"input_text": "text", "output_text": "text", "text": "text", "summary_text": "text",
               "reasoning_text": "text", "refusal": "refusal"}  # fmt: skip
"""Types of a content entry whose text is in one field."""
CALLS = {"function_call": "arguments", "custom_tool_call": "input", "mcp_call": "arguments",
          "code_interpreter_call": "code"}  # fmt: skip
"""Types of an item by which the model asks for something, and the field that says what."""
BESIDE = ("user", "safety_identifier", "prompt_cache_key", "metadata")
_JSON_FIELDS = {"arguments"}
_NOTHING = {"item_reference", "compaction", "compaction_trigger"}
"""Types of an item that hold nothing readable."""


def request(call: ModelCall, kwargs: Kwargs) -> None:
    """Fill the record from the keyword arguments of create, parse and stream."""
    for name in _HOLDS_TEXT:
        if kwargs.get(name):
            kwargs[name] = plain(kwargs[name])
    call.params = given(kwargs, PARAMS)
    schema = field(kwargs["text"], "format") if isinstance(kwargs.get("text"), dict) else None
    if schema or kwargs.get("text_format"):
        call.params["response_format"] = str(field(schema, "type", "json_schema"))
    call.messages = tuple(_messages(kwargs))
    call.beside = beside(kwargs, BESIDE)
    call.tools = definitions(kwargs, ("tools",), schema, ("text", "format"))


def _messages(kwargs: Kwargs) -> Iterator[Message]:
    if isinstance(instructions := kwargs.get("instructions"), str) and instructions:
        yield Message("system", (Part("text", instructions, where=("instructions",)),))
    if isinstance(asked := kwargs.get("input"), str):
        yield Message("user", (Part("text", asked, where=("input",)),))
    elif isinstance(asked, list):
        yield from (_item(item, ("input", i)) for i, item in enumerate(asked))
    prompt = kwargs.get("prompt")
    if isinstance(prompt, dict) and prompt.get("variables"):
        values = prompt["variables"].items()
        yield Message("user", tuple(_entry(v, ("prompt", "variables", k), "text", "") for k, v in values))
    if kwargs.get("extra_body"):
        yield Message("user", (whole(kwargs["extra_body"], ("extra_body",), name="extra_body"),))


def _item(item: Any, where: Path) -> Message:  # noqa: PLR0911  one kind of item a return
    """One item, of the request or of the answer: a turn, a tool call, its result, reasoning, or what we do not know."""
    kind = str(field(item, "type", "message"))
    part_id = str(field(item, "call_id") or field(item, "id") or "")
    status = str(field(item, "status", ""))
    if kind == "message":
        role = ROLES.get(str(field(item, "role", "")), "user")
        return Message(role, tuple(_content(field(item, "content"), (*where, "content"), "text", "")), status)
    if kind in CALLS:
        return Message("assistant", tuple(_call(item, kind, where, part_id)), status)
    if kind.endswith("_output"):
        return Message("tool", tuple(_content(field(item, "output"), (*where, "output"), "tool_result", part_id)))
    if kind == "reasoning":
        found = [
            part
            for name in ("summary", "content")
            for part in _content(field(item, name), (*where, name), "reasoning", "")
        ]
        return Message("assistant", tuple(found))
    if kind == "image_generation_call":
        return Message("assistant", (media(data=field(item, "result", ""), mime="image/png", name="image"),))
    if kind in _NOTHING:
        return Message("user", ())
    return Message("assistant", (whole(as_json(item), where, kind="tool_call", name=kind, part_id=part_id),))


def _call(item: Any, kind: str, where: Path, part_id: str) -> Iterator[Part]:
    name = CALLS[kind]
    text = field(item, name, "")
    told_as_json = name in _JSON_FIELDS and arguments(text)
    yield Part("tool_call", text, json=told_as_json, name=field(item, "name", kind), id=part_id, where=(*where, name))
    for extra in ("output", "outputs"):  # tools that run at the provider carry their result along
        if value := field(item, extra):
            yield whole(as_json(value), (*where, extra), kind="tool_result", part_id=part_id)


def _content(content: Any, where: Path, kind: PartKind, part_id: str) -> Iterator[Part]:
    if isinstance(content, str):
        if content:
            yield Part(kind, content, id=part_id, where=where)
    elif isinstance(content, list):
        yield from (_entry(entry, (*where, i), kind, part_id) for i, entry in enumerate(content))
    elif content:
        yield _entry(content, where, kind, part_id)


def _entry(entry: Any, where: Path, kind: PartKind, part_id: str) -> Part:
    """One entry of a content list, by its type."""
    entry_type = "" if isinstance(entry, str) else field(entry, "type", "")
    name = TEXT_TYPES.get(entry_type)
    if name and isinstance(text := field(entry, name), str):
        return Part(kind, text, id=part_id, where=(*where, name))
    if entry_type in {"input_image", "computer_screenshot"}:
        return media(field(entry, "image_url") or field(entry, "file_id", ""), name="image")
    if entry_type == "input_audio":
        audio = field(entry, "input_audio", {})
        return media(data=field(audio, "data", ""), mime=f"audio/{field(audio, 'format', '')}", name="audio")
    if entry_type == "input_file":
        data = field(entry, "file_data", "")
        uri = data if data.startswith("data:") else field(entry, "file_url") or field(entry, "file_id", "")
        return media(uri, data=data, name="file")
    return whole(as_json(entry), where, kind=kind, part_id=part_id)


def response(call: ModelCall, answer: Any) -> None:
    """Fill the record from a response, an object or decoded JSON."""
    head(call, answer)
    items = field(answer, "output", [])
    call.output = tuple(_structured(call, _item(item, ("output", i))) for i, item in enumerate(items))


def head(call: ModelCall, answer: Any) -> None:
    call.response_id = field(answer, "id", "")
    call.response_model = field(answer, "model", "")
    call.usage = usage(field(answer, "usage"))
    reason = field(field(answer, "incomplete_details"), "reason") or field(answer, "status")
    call.finish_reasons = (reason,) if reason else ()


def _structured(call: ModelCall, message: Message) -> Message:
    """Mark an answer that was asked for as JSON."""
    if not call.params.get("response_format"):
        return message
    parts = tuple(
        Part("text", part.text, json=True, where=part.where)
        if part.kind == "text" and structured(call, part.text)
        else part
        for part in message.parts
    )
    return Message(message.role, parts, message.finish_reason)


def usage(raw: Any) -> Usage:
    """Disjoint counts: cached tokens are counted into the input, reasoning into the output."""
    if raw is None:
        return Usage()
    found = Usage(
        cache_read=number(raw, "input_tokens_details", "cached_tokens"),
        cache_write=number(raw, "input_tokens_details", "cache_write_tokens"),
        reasoning=number(raw, "output_tokens_details", "reasoning_tokens"),
        source="provider",
        raw=counts(raw),
    )
    return found.of_totals(number(raw, "input_tokens"), number(raw, "output_tokens"))


def reply(call: ModelCall, text: str) -> dict[str, Any]:
    """The canned answer as the JSON of a response: of a structured one as a refusal, which parses to None."""
    content = {"type": "output_text", "text": text, "annotations": []}
    if call.params.get("response_format"):
        content = {"type": "refusal", "refusal": text}
    item = {"id": "msg-spanward", "type": "message", "role": "assistant", "status": "completed", "content": [content]}
    return {
        "id": "resp-spanward", "object": "response", "created_at": 0, "status": "completed", "error": None,
        "incomplete_details": None, "instructions": None, "metadata": {}, "model": call.request_model,
        "output": [item], "parallel_tool_calls": True, "temperature": None, "tool_choice": "auto", "tools": [],
        "top_p": None,
    }  # fmt: skip


def reply_chunks(call: ModelCall, text: str) -> Iterator[dict[str, Any]]:
    """The canned answer as the JSON of its events, in the order in which the API sends them."""
    answer = reply(call, text)
    item = answer["output"][0]
    content = item["content"][0]
    said = "refusal" if content["type"] == "refusal" else "output_text"
    place = TEXT_TYPES[said]
    at = {"item_id": item["id"], "output_index": 0, "content_index": 0}
    empty = {**answer, "status": "in_progress", "output": []}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": empty},
        {"type": "response.in_progress", "response": empty},
        {
            "type": "response.output_item.added",
            "output_index": 0,
            "item": {**item, "status": "in_progress", "content": []},
        },
        {"type": "response.content_part.added", **at, "part": {**content, place: ""}},
        {"type": f"response.{said}.delta", **at, "delta": text, "logprobs": []},
        {"type": f"response.{said}.done", **at, place: text, "logprobs": []},
        {"type": "response.content_part.done", **at, "part": content},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": answer},
    ]
    yield from ({**event, "sequence_number": i} for i, event in enumerate(events))


def frames(chunks: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Events as server-sent events, the way responses send them."""
    yield from (f"event: {chunk['type']}\ndata: {dumps(chunk)}\n\n" for chunk in chunks)

"""OpenAI chat completions: what goes in, what comes back, whole and in chunks."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ...guards.messages import Message, Part, PartKind, Path
from ..adapter import Endpoint, Kwargs, StreamReader
from ..call import ModelCall, Usage
from .fields import arguments, beside, count, counts, dumps, field, figures, given, media, members, plain, whole
from .stainless import Sdk, streams

PARAMS = frozenset({
    "temperature", "top_p", "max_tokens", "max_completion_tokens", "frequency_penalty", "presence_penalty", "n",
    "seed", "logprobs", "top_logprobs", "parallel_tool_calls", "reasoning_effort", "service_tier", "verbosity",
})  # fmt: skip
ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant", "tool": "tool", "function": "tool"}  # noqa: E501  # fmt: skip
_SAYS = {name: role for name, role in ROLES.items() if role != "tool"}
"""Roles whose messages are nothing but texts, where they have two keys."""
TEXTS: dict[str, PartKind] = {"content": "text", "refusal": "text", "reasoning_content": "reasoning", "reasoning": "reasoning"}  # noqa: E501  # fmt: skip
"""Fields of a message or a delta that hold text; the reasoning ones come from compatible servers."""
KINDS = {
    "prompt_tokens_details": {
        "cached_tokens": "cache_read",
        "cache_write_tokens": "cache_write",
        "audio_tokens": "input_audio",
        "image_tokens": "input_image",
    },
    "completion_tokens_details": {"reasoning_tokens": "reasoning", "audio_tokens": "output_audio"},
}
"""Kinds of tokens that a total holds: the fields of `Usage` by their names."""
_NO_TEXT = {"role", "content", "name", "tool_call_id", "tool_calls", "function_call", "audio", "annotations"}
_BESIDE_TALK = frozenset({"tools", "functions", "prediction", "response_format", "extra_body"})
_HOLDS_TEXT = ("messages", *_BESIDE_TALK)


BESIDE = ("user", "safety_identifier", "prompt_cache_key", "metadata", "stop", "web_search_options")
"""Arguments with texts of the application's own beside the conversation."""


def request(call: ModelCall, kwargs: Kwargs) -> None:
    """Fill the record from the keyword arguments of create, parse and stream."""
    turns = _talk(kwargs.get("messages"))
    if turns is not None:
        call.whole = ("messages",)
    if turns is None or not _BESIDE_TALK.isdisjoint(kwargs):
        for name in _HOLDS_TEXT if turns is None else _BESIDE_TALK:
            if kwargs.get(name):
                kwargs[name] = plain(kwargs[name])
    call.params = given(kwargs, PARAMS)
    response_format = kwargs.get("response_format")
    if response_format:
        call.params["response_format"] = str(field(response_format, "type", "json_schema"))
    if turns is None:
        turns = [_turn(message, ("messages", i)) for i, message in enumerate(_list(kwargs.get("messages")))]
    if "prediction" in kwargs or "extra_body" in kwargs:
        turns += _others(kwargs)
    call.messages = tuple(turns)
    call.beside = beside(kwargs, BESIDE)
    if response_format or "tools" in kwargs or "functions" in kwargs:
        call.tools = definitions(kwargs, ("tools", "functions"), response_format, ("response_format",))


def _talk(messages: Any) -> list[Message] | None:
    """The turns of a conversation that is nothing but texts, as nearly all are: read in a third of the time. None for
    any other, which has to be made plain first.
    """
    if type(messages) is not list:
        return None
    turns: list[Message] = []
    for i, message in enumerate(messages):
        if type(message) is not dict or len(message) != 2:
            return None
        try:
            role, content = _SAYS[message["role"]], message["content"]
        except (KeyError, TypeError):  # a role that nobody knows, or none
            return None
        if type(content) is not str or not content:
            return None
        turns += (Message(role, (Part("text", content, where=("messages", i, "content")),)),)
    return turns


def definitions(kwargs: Kwargs, names: Iterable[str], schema: Any, where: Path) -> tuple[Message, ...]:
    """Every tool and the schema of the answer as one JSON part each: descriptions go to the provider like any text."""
    parts = [
        whole(tool, (name, i), kind="tool_definition", name=field(field(tool, "function", tool), "name", ""))
        for name in names
        for i, tool in enumerate(_list(kwargs.get(name)))
    ]
    if isinstance(schema, dict) and len(schema) > 1:
        parts.append(whole(schema, where, kind="tool_definition", name="response_format"))
    return (Message("system", tuple(parts)),) if parts else ()


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _others(kwargs: Kwargs) -> Iterator[Message]:
    """Text that goes out beside the messages: a predicted answer, and what the SDK has no argument for."""
    content = field(kwargs.get("prediction"), "content") if isinstance(kwargs.get("prediction"), dict) else None
    if content:
        yield Message("assistant", tuple(_content(content, ("prediction", "content"), "text", "")))
    if kwargs.get("extra_body"):
        yield Message("user", (whole(kwargs["extra_body"], ("extra_body",), name="extra_body"),))


def _turn(message: Any, where: Path) -> Message:
    if not isinstance(message, dict):
        return Message("user", (whole(message, where),))
    named = message.get("role")
    role = ROLES.get(named, "user") if isinstance(named, str) else "user"
    content = message.get("content")
    kind: PartKind = "tool_result" if role == "tool" else "text"
    part_id = message.get("tool_call_id") or ""
    parts = list(_content(content, (*where, "content"), kind, part_id))
    for name, value in message.items():
        if value and name not in _NO_TEXT:
            parts.append(whole(value, (*where, name), kind=TEXTS.get(name, "text")))
    for i, tool_call in enumerate(_list(message.get("tool_calls"))):
        parts.append(_tool_call(tool_call, (*where, "tool_calls", i)))
    if message.get("function_call"):
        parts.append(_function(message["function_call"], (*where, "function_call"), ""))
    return Message(role, tuple(parts))


def _content(content: Any, where: Path, kind: PartKind, part_id: str) -> Iterator[Part]:
    if isinstance(content, str):
        if content:
            yield Part(kind, content, id=part_id, where=where)
    elif isinstance(content, list):
        for i, item in enumerate(content):
            yield _item(item, (*where, i), kind, part_id)
    elif content:
        yield whole(content, where, kind=kind, part_id=part_id)


def _item(item: Any, where: Path, kind: PartKind, part_id: str) -> Part:
    """One entry of a content list, by its type."""
    match item:
        case {"type": "text" | "refusal" as name, **rest} if isinstance(rest.get(name), str):
            return Part(kind, str(rest[name]), id=part_id, where=(*where, name))
        case {"type": "image_url", "image_url": {"url": str(url)}}:
            return media(url, name="image")
        case {"type": "input_audio", "input_audio": {"data": data, **rest}}:
            return media(data=data, mime=f"audio/{rest.get('format', '')}", name="audio")
        case {"type": "file", "file": {"file_data": str(data)}}:
            return media(data if data.startswith("data:") else "", data=data, name="file")
        case {"type": "file", "file": {"file_id": str(file_id)}}:
            return media(file_id, name="file")
    return whole(item, where, kind=kind, part_id=part_id)


def _tool_call(tool_call: Any, where: Path) -> Part:
    part_id = field(tool_call, "id", "")
    if custom := field(tool_call, "custom"):
        return Part("tool_call", field(custom, "input", ""), name=field(custom, "name", ""), id=part_id,
                    where=(*where, "custom", "input"))  # fmt: skip
    if function := field(tool_call, "function"):
        return _function(function, (*where, "function"), part_id)
    return whole(tool_call if isinstance(tool_call, dict) else counts(tool_call), where, kind="tool_call")


def _function(function: Any, where: Path, part_id: str) -> Part:
    text = field(function, "arguments", "")
    return Part("tool_call", text, json=arguments(text), name=field(function, "name", ""), id=part_id,
                where=(*where, "arguments"))  # fmt: skip


def response(call: ModelCall, answer: Any) -> None:
    """Fill the record from a chat completion, an object or decoded JSON."""
    said = members(answer)
    call.response_id = said.get("id") or ""
    call.response_model = said.get("model") or ""
    call.usage = usage(said.get("usage"))
    call.output = tuple([_choice(call, choice, ("choices", i)) for i, choice in enumerate(said.get("choices") or ())])
    call.finish_reasons = tuple([message.finish_reason for message in call.output])


def _choice(call: ModelCall, choice: Any, where: Path) -> Message:
    told = members(choice)
    message = members(told.get("message") or {})
    where = (*where, "message")
    parts = []
    for name, kind in TEXTS.items():
        text = message.get(name)
        if text and isinstance(text, str):
            as_json = name == "content" and "response_format" in call.params and structured(call, text)
            parts.append(Part(kind, text, json=as_json, where=(*where, name)))
    if (audio := message.get("audio")) and (transcript := field(audio, "transcript")):
        parts.append(Part("text", transcript, where=(*where, "audio", "transcript")))
    if tool_calls := message.get("tool_calls"):
        parts += [_tool_call(tool_call, (*where, "tool_calls", i)) for i, tool_call in enumerate(tool_calls)]
    if function := message.get("function_call"):
        parts.append(_function(function, (*where, "function_call"), ""))
    return Message("assistant", tuple(parts), told.get("finish_reason") or "")


def structured(call: ModelCall, text: str) -> bool:
    """Whether the answer was asked for as JSON and is JSON."""
    return str(call.params.get("response_format", "")).startswith("json") and arguments(text)


def usage(raw: Any) -> Usage:
    """Disjoint counts: OpenAI counts cached and audio tokens into the prompt, reasoning and audio into the answer."""
    if raw is None:
        return Usage()
    told = figures(raw)
    found = Usage(source="provider", raw=told)
    for details, kinds in KINDS.items():
        if isinstance(counted := told.get(details), dict):
            for name, number in counted.items():
                if number and name in kinds and isinstance(number, int):
                    setattr(found, kinds[name], number)
    return found.of_totals(count(told, "prompt_tokens"), count(told, "completion_tokens"))


def reply_chunks(call: ModelCall, text: str) -> Iterator[dict[str, Any]]:
    """The canned answer as the JSON of its chunks."""
    head = {"id": "chatcmpl-spanward", "object": "chat.completion.chunk", "created": 0, "model": call.request_model}
    yield {**head, "choices": [{"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": None}]}
    yield {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


def reply(call: ModelCall, text: str) -> dict[str, Any]:
    """The canned answer as the JSON of a completion: of a structured one as a refusal, which parses to None."""
    said = "refusal" if call.params.get("response_format") else "content"
    message = {"role": "assistant", "content": None, "refusal": None, said: text}
    return {
        "id": "chatcmpl-spanward",
        "object": "chat.completion",
        "created": 0,
        "model": call.request_model,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
    }


def frames(chunks: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Chunks as server-sent events, the way chat completions send them."""
    yield from (f"data: {dumps(chunk)}\n\n" for chunk in chunks)
    yield "data: [DONE]\n\n"


def endpoint(
    sdk: Sdk,
    module: str,
    reader: Callable[[ModelCall], StreamReader],
    *,
    method: str = "create",
    reply_type: str = "ChatCompletion",
    request: Callable[[ModelCall, Kwargs], None] = request,
    response: Callable[[ModelCall, Any], None] = response,
    **more: Any,
) -> Endpoint:
    """Chat completions of a library that is made like OpenAI's."""
    return sdk.endpoint(
        module,
        f"Completions.{method}",
        "chat",
        request,
        response,
        reader=reader,
        reply=sdk.reply("chat", reply_type, reply),
        reply_stream=sdk.reply_stream(
            "chat", "ChatCompletionChunk", lambda call, text: frames(reply_chunks(call, text))
        ),
        streams=streams,
        **more,
    )

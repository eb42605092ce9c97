"""Requests to generate content, and their answers."""

from collections.abc import Iterator
from typing import Any

from ...guards.messages import Message, Part, Path
from ..adapter import CallersError, Kwargs
from ..call import ModelCall, Usage
from .fields import arguments, counts
from .google_genai_content import at, definition, get, leaves, messages, parts

_PARAMS = {
    "temperature": "temperature", "top_p": "top_p", "top_k": "top_k", "max_output_tokens": "max_tokens", "seed": "seed",
    "candidate_count": "n", "presence_penalty": "presence_penalty", "frequency_penalty": "frequency_penalty",
}  # fmt: skip
_BESIDE = ("stop_sequences", "labels")
_SEARCHES = ("retrieval", "mcp_servers", "file_search", "google_search", "exa_ai_search", "parallel_ai_search")
_SCHEMAS = ("response_schema", "response_json_schema")
_AROUND = ("grounding_metadata", "citation_metadata", "url_context_metadata", "finish_message")
"""Fields of a candidate that repeat what it says, and what that is drawn from."""


def request(call: ModelCall, client: Any, kwargs: Kwargs) -> None:
    """Fill the record from the keyword arguments of one request."""
    told = list(messages(kwargs.get("contents"), ("contents",)))
    config = _declared(client, kwargs)
    if config is None:
        call.messages = tuple(told)
        return
    call.params = {new: get(config, old) for old, new in _PARAMS.items() if get(config, old) is not None}
    if str(get(config, "response_mime_type")) == "application/json" or _schema(config) is not None:
        call.params["response_format"] = "json"
    name, system = at(config, "system_instruction")
    if found := tuple(parts(system, ("config", name))):
        told.insert(0, Message("system", found))
    call.messages = tuple(told)
    call.tools = tuple(_definitions(config))
    call.beside = tuple(_beside(config))


def _declared(client: Any, kwargs: Kwargs) -> Any:
    """The configuration, with declarations in the place of Python functions: whoever calls those has them already."""
    config: Any = kwargs.get("config")
    tools = get(config, "tools")
    if not isinstance(tools, list) or not any(callable(tool) for tool in tools):
        return config
    from google.genai import _transformers as transformers

    try:
        declared = [transformers.t_tool(client, tool) if callable(tool) else tool for tool in tools]
    except Exception as error:  # noqa: BLE001  a function that cannot be declared: the library would say the same
        raise CallersError(error) from None
    if isinstance(config, dict):
        kwargs["config"] = {**config, "tools": declared}
    else:
        kwargs["config"] = config.model_copy(update={"tools": declared})
    return kwargs["config"]


def _schema(config: Any) -> Any:
    return next((value for name in _SCHEMAS if (value := get(config, name)) is not None), None)


def _definitions(config: Any) -> Iterator[Message]:
    found = []
    for i, tool in enumerate(get(config, "tools") or []):
        name, declared = at(tool, "function_declarations")
        for j, declaration in enumerate(declared or []):
            where = ("config", "tools", i, name, j)
            found.append(definition(declaration, where, str(get(declaration, "name") or "")))
    for schema_name in _SCHEMAS:
        name, schema = at(config, schema_name)
        if schema is not None:
            found.append(definition(_as_json(schema), ("config", name), "response_format"))
    if found:
        yield Message("system", tuple(found))


def _as_json(schema: Any) -> Any:
    """The JSON schema of a class or a type; what is none is a schema already."""
    if isinstance(schema, (str, dict)) or (hasattr(schema, "model_dump") and not isinstance(schema, type)):
        return schema
    from pydantic import TypeAdapter

    return TypeAdapter(schema).json_schema()


def _beside(config: Any) -> Iterator[Message]:
    found: list[Part] = []
    for asked in _BESIDE:
        name, value = at(config, asked)
        found += leaves(value, ("config", name), name=asked)
    for i, tool in enumerate(get(config, "tools") or []):
        for asked in _SEARCHES:
            name, value = at(tool, asked)
            found += leaves(value, ("config", "tools", i, name), name=name)
    name, options = at(config, "http_options")
    extra_name, extra = at(options, "extra_body")
    found += leaves(extra, ("config", name, extra_name), name="extra_body")
    if found:
        yield Message("user", tuple(found))


def response(call: ModelCall, answer: Any) -> None:
    """Fill the record from an answer."""
    call.response_id = get(answer, "response_id") or ""
    call.response_model = answer.model_version or ""
    call.usage = usage(counted(answer.usage_metadata))
    candidates = answer.candidates or []
    call.output = tuple(_candidate(call, c, ("candidates", i)) for i, c in enumerate(candidates))
    call.finish_reasons = reasons(answer)
    echoed = [part for i, c in enumerate(candidates) for part in around(c, ("candidates", i))]
    call.echoes = (Message("assistant", tuple(echoed)),) if echoed else ()


def _candidate(call: ModelCall, candidate: Any, where: Path) -> Message:
    said = tuple(_shaped(call, part) for part in parts(candidate.content, (*where, "content")))
    return Message("assistant", said, reason(candidate))


def _shaped(call: ModelCall, part: Part) -> Part:
    if part.kind != "text" or not structured(call, part.text):
        return part
    return Part("text", part.text, json=True, where=part.where)


def structured(call: ModelCall, text: str) -> bool:
    """Whether the answer was asked for as JSON and is JSON."""
    return "response_format" in call.params and arguments(text)


def around(candidate: Any, where: Path) -> Iterator[Part]:
    for name in _AROUND:
        if (value := getattr(candidate, name, None)) is not None:
            yield from leaves(value, (*where, name), name=name)


def reason(candidate: Any) -> str:
    return str(getattr(candidate.finish_reason, "value", candidate.finish_reason or ""))


def reasons(answer: Any) -> tuple[str, ...]:
    """Why each candidate ended; without any, why there is none."""
    found = tuple(reason(candidate) for candidate in answer.candidates or [])
    blocked = getattr(answer.prompt_feedback, "block_reason", None)
    if not found and blocked is not None:
        return (str(getattr(blocked, "value", blocked)),)
    return tuple(each for each in found if each)


def counted(told: Any) -> dict[str, Any]:
    """The usage object as plain JSON."""
    return {} if told is None else counts(told.model_dump(mode="json", exclude_none=True, warnings=False))


def usage(raw: dict[str, Any]) -> Usage:
    """Disjoint counts: what was cached or is no text stands within the prompt, what tools said beside it."""
    if not raw.get("prompt_token_count") and not raw.get("candidates_token_count"):
        return Usage(raw=raw)
    cached = raw.get("cached_content_token_count", 0)
    audio = max(0, _of(raw, "prompt_tokens_details", "AUDIO") - _of(raw, "cache_tokens_details", "AUDIO"))
    image = max(0, _of(raw, "prompt_tokens_details", "IMAGE") - _of(raw, "cache_tokens_details", "IMAGE"))
    prompt = max(0, raw.get("prompt_token_count", 0) - cached - audio - image)
    spoken = _of(raw, "candidates_tokens_details", "AUDIO")
    return Usage(
        input=prompt + raw.get("tool_use_prompt_token_count", 0),
        cache_read=cached,
        input_audio=audio,
        input_image=image,
        output=max(0, raw.get("candidates_token_count", 0) - spoken),
        output_audio=spoken,
        reasoning=raw.get("thoughts_token_count", 0),
        source="provider",
        raw=raw,
    )


def _of(raw: dict[str, Any], name: str, modality: str) -> int:
    found = raw.get(name) or []
    return sum(each.get("token_count", 0) for each in found if each.get("modality") == modality)


def edited(kwargs: Kwargs, answer: Any) -> None:
    """`parsed` was made of the text as it came: make it of what that is now."""
    config = kwargs.get("config")
    if config is None or _schema(config) is None or not answer.candidates:
        return
    said = get(answer.candidates[0].content, "parts") or []
    text = "".join(part.text for part in said if part.text and not part.thought)
    told: dict[str, object] = {"candidates": [{"content": {"parts": [{"text": text}]}}]}
    schemas: dict[str, object] = {name: get(config, name) for name in _SCHEMAS}
    answer.parsed = type(answer)._from_response(response=told, kwargs={"config": schemas}).parsed  # noqa: SLF001  there is no other


def reply(call: ModelCall, text: str) -> dict[str, Any]:
    """The canned answer as JSON."""
    content = {"role": "model", "parts": [{"text": text}]}
    candidate = {"index": 0, "content": content, "finishReason": "STOP"}
    return {"candidates": [candidate], "modelVersion": call.request_model, "responseId": "spanward"}

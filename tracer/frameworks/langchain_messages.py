"""What LangChain's objects say: messages, answers, tool results, documents, in the shape that guards judge."""

from collections.abc import Iterable, Mapping
from typing import Any

from ...guards.messages import Message, Part, PartKind
from ..call import ModelCall, Usage
from ..providers.fields import dumps, field, media, number, whole

ROLES = {"human": "user", "ai": "assistant", "function": "tool", "developer": "system"}
"""LangChain's message types by the conventions' names; any other is the same in both."""
PROVIDERS = {
    "amazon_bedrock": "aws.bedrock",
    "anthropic_bedrock": "aws.bedrock",
    "azure": "azure.ai.openai",
    "azure_openai": "azure.ai.openai",
    "google_genai": "gcp.gemini",
    "google_vertexai": "gcp.vertex_ai",
    "google_anthropic_vertex": "gcp.vertex_ai",
    "mistral": "mistral_ai",
    "mistralai": "mistral_ai",
    "xai": "x_ai",
}
"""LangChain's names of providers by the conventions'; any other is the same in both."""
PARAMS = {"ls_temperature": "temperature", "ls_max_tokens": "max_tokens", "ls_stop": "stop_sequences"}
REASONING = {"reasoning": "reasoning", "thinking": "thinking"}
"""Type of a content block -> where its text is."""
MEDIA = {"image", "image_url", "audio", "input_audio", "video", "file"}


def model_call(operation: str, metadata: Mapping[str, Any], params: Mapping[str, Any]) -> ModelCall:
    """The call of a model as far as LangChain tells it before it is made."""
    provider = str(metadata.get("ls_provider") or "langchain")
    name = metadata.get("ls_model_name") or params.get("model") or params.get("model_name") or params.get("_type")
    given = {ours: metadata[theirs] for theirs, ours in PARAMS.items() if metadata.get(theirs) is not None}
    return ModelCall(operation, PROVIDERS.get(provider, provider), request_model=str(name or ""), params=given)


def conversation(messages: Iterable[Any]) -> tuple[Message, ...]:
    return tuple(_message(message) for message in messages)


def texts(prompts: Iterable[str]) -> tuple[Message, ...]:
    return tuple(Message("user", (Part("text", prompt),)) for prompt in prompts)


def _message(message: Any, finish_reason: str = "") -> Message:
    kind = str(field(message, "type", ""))
    role = str(field(message, "role", "")) or ROLES.get(kind, kind) or "user"
    result: PartKind = "tool_result" if role == "tool" else "text"
    part_id = str(field(message, "tool_call_id", ""))
    parts = list(_content(field(message, "content"), result, part_id))
    for call in field(message, "tool_calls", []):
        arguments = dumps(call.get("args"))
        parts.append(Part("tool_call", arguments, json=True, name=call.get("name") or "", id=call.get("id") or ""))
    return Message(role, tuple(parts), finish_reason)


def _content(content: Any, kind: PartKind, part_id: str) -> Iterable[Part]:
    if isinstance(content, str):
        return [Part(kind, content, id=part_id)] if content else []
    blocks = content if isinstance(content, list) else [content] if content else []
    return [_block(block, kind, part_id) for block in blocks if not _is_call(block)]


def _is_call(block: Any) -> bool:
    """A tool call that the message has in its `tool_calls`, too."""
    return isinstance(block, dict) and block.get("type") in {"tool_use", "tool_call", "function_call"}


def _block(block: Any, kind: PartKind, part_id: str) -> Part:
    name = block.get("type", "") if isinstance(block, dict) else ""
    if name == "text" and isinstance(block.get("text"), str):
        return Part(kind, block["text"], id=part_id)
    if name in REASONING and isinstance(block.get(REASONING[name]), str):
        return Part("reasoning", block[REASONING[name]])
    if name in MEDIA:
        return _reference(block)
    return whole(block, (), kind=kind, part_id=part_id)


def _reference(block: Mapping[str, Any]) -> Part:
    inner = block.get(block["type"]) or block.get("source") or block
    url = inner if isinstance(inner, str) else inner.get("url") or inner.get("file_id") or block.get("url") or ""
    data = "" if isinstance(inner, str) else inner.get("data") or inner.get("base64") or inner.get("file_data") or ""
    mime = block.get("mime_type") or (inner.get("media_type") if isinstance(inner, Mapping) else "") or ""
    return media(str(url), data=data, mime=str(mime), name=str(block["type"]).partition("_")[0])


def answer(call: ModelCall, result: Any) -> bool:
    """Fill the record from an `LLMResult`. False if it came out of LangChain's cache: then no model was called."""
    generations = [generation for batch in field(result, "generations", []) for generation in batch]
    output = []
    for generation in generations:
        message = field(generation, "message")
        told = {**(field(generation, "generation_info", {})), **field(message, "response_metadata", {})}
        reason = str(told.get("finish_reason") or told.get("stop_reason") or told.get("done_reason") or "")
        output.append(
            _message(message, reason)
            if message is not None
            else Message("assistant", (Part("text", str(field(generation, "text", ""))),), reason)
        )
        usage = field(message, "usage_metadata")
        if usage is not None and usage.get("total_cost") == 0:
            return False
        call.usage = _usage(usage) if usage else call.usage
        call.response_model = call.response_model or str(told.get("model_name") or told.get("model") or "")
        call.response_id = call.response_id or str(told.get("id") or "")
    if call.usage.source == "none":
        call.usage = _token_usage((field(result, "llm_output", {}) or {}).get("token_usage"))
    call.output = tuple(output)
    call.finish_reasons = tuple(message.finish_reason for message in output if message.finish_reason)
    return True


def _usage(told: Mapping[str, Any]) -> Usage:
    """LangChain counts cached and audio tokens into the input, reasoning and audio into the output."""
    usage = Usage(
        cache_read=number(told, "input_token_details", "cache_read"),
        cache_write=number(told, "input_token_details", "cache_creation"),
        input_audio=number(told, "input_token_details", "audio"),
        reasoning=number(told, "output_token_details", "reasoning"),
        output_audio=number(told, "output_token_details", "audio"),
        source="provider",
        raw=dict(told),
    )
    return usage.of_totals(number(told, "input_tokens"), number(told, "output_tokens"))


def _token_usage(told: Any) -> Usage:
    """The older form, in the words of OpenAI."""
    if not isinstance(told, Mapping) or not told:
        return Usage()
    tokens = number(told, "prompt_tokens"), number(told, "completion_tokens")
    return Usage(input=tokens[0], output=tokens[1], source="provider", raw=dict(told))


def arguments(inputs: Any, text: str, name: str, call_id: str) -> tuple[Message, ...]:
    """What a tool is given."""
    said = whole(inputs if inputs is not None else text, (), kind="tool_call", name=name, part_id=call_id)
    return (Message("assistant", (said,)),)


def result(output: Any, name: str) -> tuple[Message, ...]:
    """What a tool gave: a message, text, or any object."""
    content = field(output, "content") if hasattr(output, "tool_call_id") or hasattr(output, "content") else output
    parts = list(_content(content, "tool_result", "")) if isinstance(content, str | list) else []
    if not parts and content is not None:
        parts = [whole(content, (), kind="tool_result", name=name)]
    return (Message("tool", tuple(parts)),) if parts else ()


def documents(found: Iterable[Any]) -> tuple[Message, ...]:
    """One part each, with the id and the source that its metadata names."""
    parts = tuple(
        Part(
            "document",
            str(field(document, "page_content", "")),
            id=str(field(document, "id", "")),
            name=str(field(document, "metadata", {}).get("source", "")),
        )
        for document in found
    )
    return (Message("tool", parts),) if parts else ()

"""The bodies of `InvokeModel`: each family of models has its own, and a model's ARN does not tell which.

So a body is told by its members. Members that no reader takes are judged as JSON, and so is a whole unknown body.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from ...guards.messages import Message, Part, Path
from ..adapter import Kwargs
from ..call import ModelCall
from . import anthropic_messages, bedrock_converse, openai_chat
from .bedrock_json import Json
from .fields import given, media, whole

BODY: Path = ("api_params", "body")
PARAMS = {
    **bedrock_converse.PARAMS,
    "max_tokens": "max_tokens", "max_tokens_to_sample": "max_tokens", "max_gen_len": "max_tokens",
    "maxTokenCount": "max_tokens", "max_completion_tokens": "max_tokens", "p": "top_p", "k": "top_k", "seed": "seed",
    "frequency_penalty": "frequency_penalty", "presence_penalty": "presence_penalty", "dimensions": "dimensions",
    "output_dimension": "dimensions", "num_generations": "choice.count", "numResults": "choice.count",
    "n": "choice.count",
}  # fmt: skip
_CONFIGS = ("inferenceConfig", "textGenerationConfig", "imageGenerationConfig", "embeddingConfig")
_SETTINGS = {
    "anthropic_version", "anthropic_beta", "schemaVersion", "taskType", "mode", "model", "aspect_ratio", "role",
    "output_format", "style_preset", "truncate", "input_type", "embedding_types", "embeddingTypes", "type", "quality",
    "return_likelihoods", "api_version", "clip_guidance_preset", "sampler", "service_tier", "reasoning_effort",
}  # fmt: skip
"""Members that say one of a few words."""
IMAGES = {"image", "images", "inputImage", "maskImage", "init_image", "mask", "mask_image", "referenceImage", "base64"}
"""Members whose texts are images: base64, or an address."""
_PROMPTS = ("prompt", "inputText", "message", "suffix", "negative_prompt", "query")
"""Members that hold a whole text to the model."""
_CHAT = ("messages", "system", "tools", "stop_sequences", "metadata", "output_config", "output_format", "mcp_servers")
_OPENAI = (
    "messages", "tools", "functions", "response_format", "prediction", "user", "safety_identifier",
    "prompt_cache_key", "metadata", "stop", "web_search_options",
)  # fmt: skip
_CONVERSE = ("messages", "system", "toolConfig", "outputConfig")


@dataclass(slots=True)
class BedrockCall(ModelCall):
    """The record, with the operation and the form of the body that was sent: a canned answer has to fit them."""

    asked: str = ""
    form: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """One shape of bodies. `fits` tells it; `request` reads it, with paths from the body itself; `takes` are the
    members it reads.
    """

    name: str
    fits: Callable[[Json], bool]
    request: Callable[[ModelCall, Json], None]
    takes: tuple[str, ...]


def request(call: BedrockCall, kwargs: Kwargs) -> None:
    """Fill the record from the decoded body in the keyword arguments."""
    body = kwargs["api_params"].get("body")
    if not isinstance(body, dict):
        call.messages = (Message("user", (whole(body or "", BODY),)),)
        return
    form = next((form for form in FORMS if form.fits(body)), None)
    if form is None:
        call.messages = (Message("user", (whole(body, BODY),)),)
        return
    form.request(call, body)
    call.form = form.name
    call.params |= params(body)
    call.beside += _rest(body, form)
    call.messages, call.tools, call.beside = (_moved(found) for found in (call.messages, call.tools, call.beside))


def _moved(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """With paths from the keyword arguments."""
    return tuple(
        replace(message, parts=tuple(
            replace(part, where=(*BODY, *part.where)) if part.where else part for part in message.parts
        ))
        for message in messages
    )  # fmt: skip


def params(body: Json) -> Json:
    """What is set in the body, or in a configuration of its own within it."""
    configs = [body.get(name) for name in _CONFIGS]
    return {
        PARAMS[name]: value
        for config in (body, *configs)
        if isinstance(config, dict)
        for name, value in given(config, PARAMS).items()
    }


def _rest(body: Json, form: Form) -> tuple[Message, ...]:
    """Whatever else of the body may hold text."""
    if form.takes == EVERYTHING:
        return ()
    parts = tuple(
        whole(value, (name,), name=name)
        for name, value in body.items()
        if name not in form.takes and name not in _SETTINGS and name not in IMAGES
        and isinstance(value, str | list | dict) and _speaks(value)
    )  # fmt: skip
    return (Message("user", parts),) if parts else ()


def _speaks(value: Any) -> bool:
    """Whether there is any text in it."""
    if isinstance(value, dict):
        return any(_speaks(item) for item in value.values())
    return any(_speaks(item) for item in value) if isinstance(value, list) else isinstance(value, str) and value != ""


def leaves(value: Any, where: Path, skip: set[str]) -> Iterator[Part]:
    """Every text below `value` as a part of its own, images as references."""
    if isinstance(value, str):
        if value:
            yield Part("text", value, where=where)
    elif isinstance(value, dict):
        for name, item in value.items():
            if name in IMAGES:
                yield from _pictures(item)
            elif name not in skip:
                yield from leaves(item, (*where, name), skip)
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from leaves(item, (*where, i), skip)


def _pictures(value: Any) -> Iterator[Part]:
    if isinstance(value, str) and value:
        inline = not value.startswith(("data:", "http:", "https:", "s3:"))
        yield media("" if inline else value, value if inline else "", "image/", "image")
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _pictures(item)


def _anthropic(call: ModelCall, body: Json) -> None:
    anthropic_messages.request(call, body)


def _openai(call: ModelCall, body: Json) -> None:
    openai_chat.request(call, body)


def _converse(call: ModelCall, body: Json) -> None:
    bedrock_converse.request(call, body, ())


def _prompt(call: ModelCall, body: Json) -> None:
    """One text, what goes with it, and images."""
    call.operation = "text_completion"
    texts = [whole(body[name], (name,)) for name in _PROMPTS if body.get(name)]
    pictures = [part for name in sorted(IMAGES & set(body)) for part in _pictures(body[name])]
    call.messages = (Message("user", (*texts, *pictures)),)


def _image(call: ModelCall, body: Json) -> None:
    call.operation = "image_generation"
    call.messages = (Message("user", tuple(leaves(body, (), _SETTINGS))),)


def _embedding(call: ModelCall, body: Json) -> None:
    call.operation = "embeddings"
    call.messages = (Message("user", tuple(leaves(body, (), _SETTINGS))),)


def _rerank(call: ModelCall, body: Json) -> None:
    call.operation = "rerank"
    call.messages = (Message("user", tuple(leaves(body, (), _SETTINGS))),)


def _cohere_chat(call: ModelCall, body: Json) -> None:
    turns = [
        Message(
            "assistant" if turn.get("role") == "CHATBOT" else "user",
            tuple(leaves(turn, ("chat_history", i), _SETTINGS)),
        )
        for i, turn in enumerate(body.get("chat_history") or ())
    ]
    preamble = tuple(leaves(body.get("preamble"), ("preamble",), set()))
    documents = tuple(leaves(body.get("documents"), ("documents",), {"id"}))
    said = (whole(body["message"], ("message",)), *documents)
    call.messages = (*((Message("system", preamble),) if preamble else ()), *turns, Message("user", said))
    tools = body.get("tools") or ()
    parts = [whole(tool, ("tools", i), kind="tool_definition", name=tool.get("name", "")) for i, tool in enumerate(tools)]  # noqa: E501  # fmt: skip
    call.tools = (Message("system", tuple(parts)),) if parts else ()


def _is_converse(body: Json) -> bool:
    """Nova's messages have blocks without a type, and its settings are in a configuration."""
    if "messages" not in body or "anthropic_version" in body:
        return False
    if any(name in body for name in ("inferenceConfig", "schemaVersion", "toolConfig")):
        return True
    contents = [turn.get("content") for turn in body["messages"] if isinstance(turn, dict)]
    blocks = [block for content in contents if isinstance(content, list) for block in content]
    return bool(blocks) and all(isinstance(block, dict) and "type" not in block for block in blocks)


def _is_embedding(body: Json) -> bool:
    if "textGenerationConfig" in body:
        return False
    told = {
        "embeddingTypes",
        "embedding_types",
        "embeddingConfig",
        "normalize",
        "dimensions",
        "input_type",
        "inputImage",
    }
    return bool(told & set(body)) or set(body) == {"inputText"} or set(body) == {"texts"}


EVERYTHING = ("*",)
FORMS = (
    Form("anthropic", lambda body: "messages" in body and "anthropic_version" in body, _anthropic, _CHAT),
    Form("converse", _is_converse, _converse, _CONVERSE),
    Form("openai", lambda body: "messages" in body, _openai, _OPENAI),
    Form("cohere", lambda body: "message" in body, _cohere_chat,
         ("message", "chat_history", "preamble", "documents", "tools")),
    Form("image", lambda body: "taskType" in body or "text_prompts" in body or "aspect_ratio" in body, _image,
         EVERYTHING),
    Form("rerank", lambda body: "query" in body and "documents" in body, _rerank, EVERYTHING),
    Form("embedding", _is_embedding, _embedding, EVERYTHING),
    Form("prompt", lambda body: "prompt" in body or "inputText" in body, _prompt, _PROMPTS),
)  # fmt: skip

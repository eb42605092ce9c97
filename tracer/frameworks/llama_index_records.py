"""What LlamaIndex's objects say: which method of which class is what, what it was given and what it gave."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from ...guards.messages import Message, Part
from .. import semconv
from ..call import ModelCall
from ..operation import Operation
from ..providers.fields import arguments, dumps, field, media, whole
from ..stores.retrieval import Hit, found, texts_of

Given = Mapping[str, Any]
"""Arguments of the method, by the names of its own signature."""
Record = Operation | ModelCall

EMBEDDINGS = "embeddings"


class Told(NamedTuple):
    """How to read one kind of method. Calls beneath of the same `family` on the same object are steps of this one."""

    family: str
    begin: Callable[[Any, Given], Record]
    end: Callable[[Record, Given, Any], None]


def kind_of(owner: type, method: str) -> Told | None:
    """None for a method that is only a step of others."""
    bases = {cls.__name__ for cls in owner.__mro__}
    return next((told for base, methods, told in _KINDS if method in methods and base in bases), None)


kind_of = lru_cache(maxsize=1000)(kind_of)


def _workflow(instance: Any, given: Given) -> Operation:
    asked = _first(given, "str_or_query_bundle", "message")
    return Operation("invoke_workflow", type(instance).__name__, _said("user", _query_texts(asked)))


def _retrieval(instance: Any, given: Given) -> Operation:
    name = type(instance).__name__
    k = next((k for k in (getattr(instance, field, None) for field in _TOP_K) if isinstance(k, int)), None)
    attributes = {semconv.REQUEST_TOP_K: k, semconv.RETRIEVAL_FILTERED: getattr(instance, "_filters", None) is not None}
    told = {key: value for key, value in attributes.items() if value}
    return Operation(
        "retrieval", name, _said("user", _query_texts(_first(given, "str_or_query_bundle"))), attributes=told
    )


def _tool(instance: Any, given: Given) -> Operation:
    name = str(field(instance.metadata, "name", "") or type(instance).__name__)
    handed = {
        **{key: value for key, value in given.items() if key not in {"args", "kwargs"}},
        **given.get("kwargs", {}),
    }
    hidden = getattr(instance, "ctx_param_name", None)
    positional = list(given.get("args", ()))
    named = {key: value for key, value in handed.items() if key != hidden}
    part = Part("tool_call", dumps([*positional, named] if positional else named), json=True, name=name)
    return Operation(
        "execute_tool",
        name,
        (Message("assistant", (part,)),) if positional or named else (),
        attributes={semconv.TOOL_TYPE: "function"},
    )


def _run(instance: Any, given: Given) -> Operation:
    bases = {cls.__name__ for cls in type(instance).__mro__}
    is_agent = bool(bases & {"BaseWorkflowAgent", "AgentWorkflow"})
    name = str(getattr(instance, "name", "") or "") if "BaseWorkflowAgent" in bases else ""
    asked = field(given.get("start_event"), "user_msg") if given.get("start_event") is not None else None
    parts = _query_texts(asked) if isinstance(asked, str) else ()
    told = (_message(asked),) if asked is not None and not isinstance(asked, str) else _said("user", parts)
    return Operation("invoke_agent" if is_agent else "invoke_workflow", name or type(instance).__name__, told)


def _chat(instance: Any, given: Given) -> ModelCall:  # noqa: ARG001  the face of the others
    return _call("chat", instance)


def _completion(instance: Any, given: Given) -> ModelCall:  # noqa: ARG001  as above
    return _call("text_completion", instance)


def _embedding(instance: Any, given: Given) -> ModelCall:  # noqa: ARG001  as above
    return _call(EMBEDDINGS, instance)


def _call(operation: str, instance: Any) -> ModelCall:
    """The provider is known from the package of the integration alone."""
    where = type(instance).__module__.split(".")
    known = len(where) > 2 and where[0] == "llama_index" and where[1] in {"llms", "embeddings"}
    metadata = getattr(instance, "metadata", None)
    name = field(metadata, "model_name") or field(instance, "model_name") or field(instance, "model")
    return ModelCall(operation, where[2] if known else "llama_index", request_model=str(name or ""))


def _answered(operation: Record, given: Given, result: Any) -> None:  # noqa: ARG001  the face of the others
    """Nothing of a stream, which is not to be read here."""
    text = getattr(result, "response", None)
    if isinstance(text, str) and isinstance(operation, Operation):
        operation.found = _said("assistant", (text,))


def _retrieved(operation: Record, given: Given, nodes: Any) -> None:  # noqa: ARG001  as above
    if isinstance(operation, Operation):
        found(operation, map(_hit, nodes), len(nodes))


def _hit(scored: Any) -> Hit:
    node = scored.node
    text = getattr(node, "text", None)
    return Hit(node.node_id, scored.score, text if isinstance(text, str) else None, node.metadata)


def _called(operation: Record, given: Given, output: Any) -> None:  # noqa: ARG001  as above
    if not isinstance(operation, Operation):
        return
    text = getattr(output, "content", None)
    if isinstance(text, str) and text:
        part = Part("tool_result", text, json=arguments(text), name=operation.name)
        operation.found = (Message("tool", (part,)),)
    if getattr(output, "is_error", False):
        operation.error_type = "tool_error"


def _ran(operation: Record, given: Given, stop: Any) -> None:  # noqa: ARG001  as above
    """The result of a workflow is the application's own object; only what says its text itself is told."""
    result = getattr(stop, "result", None)
    response = getattr(result, "response", None) if result is not None else getattr(stop, "response", None)
    if isinstance(operation, Operation):
        if hasattr(response, "blocks"):
            operation.found = (_message(response),)
        elif isinstance(result, str):
            operation.found = _said("assistant", (result,))


def _chatted(call: Record, given: Given, response: Any) -> None:
    asked = _first(given, "messages")
    if isinstance(call, ModelCall):
        call.messages = tuple(_message(one) for one in asked or ())
        message = getattr(response, "message", None)
        call.output = (_message(message),) if message is not None else ()


def _completed(call: Record, given: Given, response: Any) -> None:
    if isinstance(call, ModelCall):
        call.messages = _said("user", texts_of(_first(given, "prompt")))
        call.output = _said("assistant", texts_of(getattr(response, "text", None)))


def _embedded(call: Record, given: Given, vectors: Any) -> None:  # noqa: ARG001  vectors are never told
    if isinstance(call, ModelCall):
        call.messages = _said("user", texts_of(_first(given, "query", "text", "texts")))


def text_of(response: Any) -> str:
    """The whole text of an answer that was streamed, as the last response has it."""
    text = getattr(getattr(response, "message", None), "content", None) or getattr(response, "text", None)
    return text if isinstance(text, str) else ""


def streamed(text: str) -> tuple[Message, ...]:
    return _said("assistant", (text,)) if text else ()


def _said(role: str, texts: Iterable[str]) -> tuple[Message, ...]:
    parts = tuple(Part("text", text) for text in texts if text)
    return (Message(role, parts),) if parts else ()


def _query_texts(asked: Any) -> tuple[str, ...]:
    return texts_of(asked if isinstance(asked, str) else getattr(asked, "query_str", None))


def _first(given: Given, *names: str) -> Any:
    """The argument of one of these names, or the first, where decorators have hidden the signature."""
    for name in names:
        for where in (given, given.get("kwargs", {})):
            if name in where:
                return where[name]
    return next(iter(given.get("args", ())), None)


def _message(message: Any) -> Message:
    role = str(getattr(message.role, "value", message.role))
    return Message(role, tuple(part for block in message.blocks for part in _block(block)))


def _block(block: Any) -> Iterator[Part]:
    """One block of content. One that we do not know is judged as a whole."""
    kind = field(block, "block_type", "")
    if kind == "text":
        yield Part("text", str(block.text))
    elif kind == "thinking":
        yield Part("reasoning", str(block.content or ""))
    elif kind == "tool_call":
        handed = block.tool_kwargs
        text = handed if isinstance(handed, str) else dumps(handed)
        yield Part("tool_call", text, json=arguments(text), name=block.tool_name, id=block.tool_call_id or "")
    elif kind in {"image", "audio", "video", "document"}:
        data = field(block, kind) or field(block, "data", "")
        mime = field(block, f"{kind}_mimetype", "")
        yield media(str(field(block, "url", "")), data=data, mime=str(mime), name=kind)
    else:
        yield whole(block.model_dump(mode="json"), ())


_TOP_K = ("_similarity_top_k", "similarity_top_k")
_CHATS = ("chat", "achat", "stream_chat", "astream_chat")
_KINDS: tuple[tuple[str, tuple[str, ...], Told], ...] = (
    ("BaseQueryEngine", ("query", "aquery"), Told("query", _workflow, _answered)),
    ("BaseRetriever", ("retrieve", "aretrieve"), Told("retrieve", _retrieval, _retrieved)),
    ("BaseChatEngine", _CHATS, Told("chat", _workflow, _answered)),
    ("BaseTool", ("__call__", "call", "acall"), Told("tool", _tool, _called)),
    ("Workflow", ("run",), Told("run", _run, _ran)),
    ("BaseLLM", _CHATS, Told("model", _chat, _chatted)),
    (
        "BaseLLM",
        ("complete", "acomplete", "stream_complete", "astream_complete"),
        Told("model", _completion, _completed),
    ),
    (
        "BaseEmbedding",
        tuple(
            f"{a}get_{what}"
            for what in ("query_embedding", "text_embedding", "text_embedding_batch")
            for a in ("", "a")
        ),
        Told("model", _embedding, _embedded),
    ),
)
"""(base class, its methods, how they are read)"""

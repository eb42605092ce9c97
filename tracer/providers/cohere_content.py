"""What Cohere's requests and answers are made of, in both versions of its API."""

from collections.abc import Iterable, Iterator
from typing import Any

from ...guards.messages import Message, Part, PartKind, Path
from ..adapter import Kwargs
from ..call import ModelCall, Usage
from .fields import arguments, counts, dumps, field, given, media, plain, whole

PARAMS = (
    "temperature", "max_tokens", "k", "p", "seed", "frequency_penalty", "presence_penalty", "safety_mode",
    "tool_choice", "citation_quality", "prompt_truncation", "search_queries_only", "top_n", "input_type", "truncate",
    "embedding_types", "output_dimension", "max_tokens_per_doc", "num_generations",
)  # fmt: skip


def sent(model: Any) -> Any:
    """An object of the library as it goes out; its own `dict` leaves out what is not set and keeps what is constant."""
    return model.dict()


def opened(kwargs: Kwargs, names: Iterable[str]) -> None:
    """Put dicts and lists in the place of the library's objects."""
    for name in names:
        if items(kwargs.get(name)) or field(kwargs, name) is not None:
            kwargs[name] = plain(kwargs[name], sent)


def items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def settings(call: ModelCall, kwargs: Kwargs) -> None:
    call.params = given(kwargs, PARAMS)
    shape = kwargs.get("response_format")
    if isinstance(shape, dict):
        call.params["response_format"] = str(shape.get("type", "text"))


def additional(kwargs: Kwargs) -> Iterator[Message]:
    """What an application adds to the body past the arguments."""
    options = kwargs.get("request_options")
    if isinstance(options, dict) and options.get("additional_body_parameters"):
        kwargs["request_options"] = options = {**options}
        options["additional_body_parameters"] = plain(options["additional_body_parameters"], sent)
        yield Message("user", (whole(options["additional_body_parameters"], ("request_options", "additional_body_parameters")),))  # noqa: E501  # fmt: skip


def definitions(kwargs: Kwargs) -> tuple[Message, ...]:
    parts = [
        whole(tool, ("tools", i), kind="tool_definition", name=str(field(field(tool, "function", tool), "name", "")))
        for i, tool in enumerate(items(kwargs.get("tools")))
    ]
    shape = kwargs.get("response_format")
    if isinstance(shape, dict) and len(shape) > 1:
        parts.append(whole(shape, ("response_format",), kind="tool_definition", name="response_format"))
    return (Message("system", tuple(parts)),) if parts else ()


def documents(kwargs: Kwargs) -> Iterator[Message]:
    """Documents to answer from: what a search found."""
    found = [whole(document, ("documents", i), kind="document", name="document") for i, document in enumerate(items(kwargs.get("documents")))]  # noqa: E501  # fmt: skip
    if found:
        yield Message("tool", tuple(found))


def content(said: Any, where: Path, kind: PartKind = "text", part_id: str = "") -> Iterator[Part]:
    """A message's content: text, or blocks of several kinds, as dicts or objects."""
    if isinstance(said, str):
        if said:
            yield Part(kind, said, id=part_id, where=where)
    elif isinstance(said, list):
        for i, block in enumerate(said):
            yield _block(block, (*where, i), kind, part_id)
    elif isinstance(said, dict):
        yield whole(said, where, kind=kind, part_id=part_id)


def _block(block: Any, where: Path, kind: PartKind, part_id: str) -> Part:
    block_type = str(field(block, "type", ""))
    if block_type == "text" and isinstance(field(block, "text"), str):
        return Part(kind, field(block, "text"), id=part_id, where=(*where, "text"))
    if block_type == "thinking" and isinstance(field(block, "thinking"), str):
        inner: PartKind = "reasoning" if kind == "text" else kind
        return Part(inner, field(block, "thinking"), id=part_id, where=(*where, "thinking"))
    if block_type == "image_url":
        return media(str(field(field(block, "image_url"), "url", "")), name="image")
    return whole(block if isinstance(block, dict | str) else sent(block), where, kind=kind, part_id=part_id)


def tool_call(call: Any, where: Path) -> Part:
    """A call in either version's form: arguments as JSON text, or parameters as an object."""
    function = field(call, "function")
    if function is not None:
        text = field(function, "arguments", "")
        return Part("tool_call", text, json=arguments(text), name=str(field(function, "name", "")),
                    id=str(field(call, "id", "")), where=(*where, "function", "arguments"))  # fmt: skip
    text = dumps(field(call, "parameters", {}))
    return Part("tool_call", text, json=True, name=str(field(call, "name", "")), where=(*where, "parameters"))


def citations(cited: Any, where: Path) -> Iterator[Part]:
    """A citation repeats a piece of the answer, and what it is drawn from."""
    for i, citation in enumerate(cited if isinstance(cited, list) else []):
        yield from citation_parts(citation, (*where, i))


def citation_parts(citation: Any, where: Path) -> Iterator[Part]:
    if is_text(text := field(citation, "text")):
        yield Part("text", text, name="citation", where=(*where, "text"))
    for j, source in enumerate(field(citation, "sources") or []):
        for name in ("document", "tool_output"):
            if found := field(source, name):
                yield whole(found, (*where, "sources", j, name), kind="tool_result", name="citation")


def usage(told: Any) -> Usage:
    """Disjoint counts from what was read and written; what was billed where only that is told (embeddings)."""
    if told is None:
        return Usage()
    raw = counts(told)
    found = raw.get("tokens") or raw.get("billed_units") or {}
    cached = _count(raw, "cached_tokens")
    image = _count(found, "image_tokens")
    return Usage(
        input=max(0, _count(found, "input_tokens") - cached - image),
        cache_read=cached,
        input_image=image,
        output=_count(found, "output_tokens"),
        source="provider" if found else "none",
        raw=raw,
    )


def _count(thing: Any, name: str) -> int:
    """Cohere counts in floats."""
    value = field(thing, name, 0)
    return max(0, int(value)) if isinstance(value, int | float) else 0

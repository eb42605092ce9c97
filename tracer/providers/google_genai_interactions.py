"""The interactions of `google-genai`: an input of contents, turns or steps; an answer of steps, whole or in events."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from ...guards.messages import Message, Part, PartKind, Path
from ..adapter import ChunkView, Delta, Endpoint, Kwargs
from ..call import ModelCall, Usage
from .fields import arguments, beside, counts, dumps, media, number, plain, whole
from .google_genai_content import get, leaves

_MODULE = "google.genai._gaos.interactions"
_HOLDS_TEXT = ("input", "system_instruction", "tools", "response_format", "request", "extra_body", "agent_config")
_BESIDE = ("labels", "agent_config", "extra_body", "request")
_ROLES = {"model": "assistant", "model_output": "assistant", "thought": "assistant", "function_result": "tool"}
_MEDIA = {"image", "audio", "video", "document"}
_SEALED = {"type", "signature", "id", "call_id", "status"}


def sent(model: Any) -> Any:
    """An object of the library as it goes out."""
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)


def request(interactions: Any, kwargs: Kwargs) -> ModelCall:
    """The record of one `create`. A whole `request` object is judged as such, and not told apart."""
    url = urlsplit(interactions.sdk_configuration.get_server_details()[0])
    for name in _HOLDS_TEXT:
        if name in kwargs:
            kwargs[name] = plain(kwargs[name], sent)
    body = get(get(kwargs, "request"), "body") or kwargs
    call = ModelCall(
        "generate_content",
        "gcp.gemini",
        request_model=str(get(body, "model") or get(body, "agent") or ""),
        server_address=url.hostname or "",
        server_port=url.port or (80 if url.scheme == "http" else 443),
    )
    if kwargs.get("response_format"):
        call.params["response_format"] = "json"
    system = kwargs.get("system_instruction")
    told = [Message("system", (whole(system, ("system_instruction",)),))] if system else []
    call.messages = (*told, *_turns(kwargs.get("input")))
    call.beside = beside(kwargs, _BESIDE)
    call.tools = tuple(_definitions(kwargs))
    return call


def streams(kwargs: Kwargs) -> bool:
    return kwargs.get("stream") is True or get(get(kwargs.get("request"), "body"), "stream") is True


def _turns(asked: Any) -> Iterator[Message]:
    if isinstance(asked, list):
        for i, item in enumerate(asked):
            role = str(get(item, "role") or get(item, "type") or "")
            yield Message(_ROLES.get(role, "user"), tuple(items(item, ("input", i))))
    elif asked:
        yield Message("user", tuple(items(asked, ("input",))))


def _definitions(kwargs: Kwargs) -> Iterator[Message]:
    tools = kwargs.get("tools")
    found = [
        whole(tool, ("tools", i), kind="tool_definition", name=str(get(tool, "name") or ""))
        for i, tool in enumerate(tools if isinstance(tools, list) else [])
    ]
    if kwargs.get("response_format"):
        found.append(whole(kwargs["response_format"], ("response_format",), kind="tool_definition"))
    if found:
        yield Message("system", tuple(found))


def items(item: Any, where: Path, kind: PartKind = "text") -> Iterator[Part]:  # noqa: C901  one type a branch
    """A content, a turn or a step, by its type."""
    if item is None or isinstance(item, str):
        if item:
            yield Part(kind, item, where=where)
        return
    if isinstance(item, list):
        for i, each in enumerate(item):
            yield from items(each, (*where, i), kind)
        return
    item_type = str(get(item, "type") or "")
    if item_type in _MEDIA:
        yield media(str(get(item, "uri") or ""), data=get(item, "data") or "", mime=str(get(item, "mime_type") or ""), name=item_type)  # noqa: E501  # fmt: skip
    elif item_type == "function_call":
        yield Part("tool_call", dumps(get(item, "arguments") or {}), json=True, name=str(get(item, "name") or ""),
                   id=str(get(item, "id") or ""), where=(*where, "arguments"))  # fmt: skip
    elif item_type == "function_result":
        yield whole(get(item, "result"), (*where, "result"), kind="tool_result", name=str(get(item, "name") or ""), part_id=str(get(item, "call_id") or ""))  # noqa: E501  # fmt: skip
    elif item_type == "thought":
        yield from items(get(item, "summary"), (*where, "summary"), "reasoning")
    elif get(item, "content") is not None:
        yield from items(get(item, "content"), (*where, "content"), kind)
    elif item_type == "text":
        yield from items(get(item, "text"), (*where, "text"), kind)
    else:  # what tools of the provider's own were asked, and what they gave
        yield from (part for part in leaves(item, where, "tool_result") if part.where[-1] not in _SEALED)


def response(call: ModelCall, answer: Any) -> None:
    """Fill the record from an interaction."""
    _head(call, answer)
    call.output = (Message("assistant", tuple(items(get(answer, "steps"), ("steps",))), str(get(answer, "status") or "")),)  # noqa: E501  # fmt: skip
    echoed = tuple(_echoes(answer, ()))
    call.echoes = (Message("assistant", echoed),) if echoed else ()


def _echoes(answer: Any, where: Path) -> Iterator[Part]:
    yield from items(get(answer, "output_text"), (*where, "output_text"))
    yield from items(get(answer, "input"), (*where, "input"))


def _head(call: ModelCall, answer: Any) -> None:
    call.response_id = str(get(answer, "id") or "")
    call.response_model = str(get(answer, "model") or get(answer, "agent") or "")
    status = str(get(answer, "status") or "")
    call.finish_reasons = (status,) if status else ()
    if told := get(answer, "usage"):
        call.usage = usage(counts(told))


def usage(raw: dict[str, Any]) -> Usage:
    cached = number(raw, "total_cached_tokens")
    by_kind = {each.get("modality"): each.get("tokens") or 0 for each in raw.get("input_tokens_by_modality") or []}
    image, audio = by_kind.get("image", 0), by_kind.get("audio", 0)
    return Usage(
        input=max(0, number(raw, "total_input_tokens") - cached - image - audio) + number(raw, "total_tool_use_tokens"),
        cache_read=cached,
        input_image=image,
        input_audio=audio,
        output=number(raw, "total_output_tokens"),
        reasoning=number(raw, "total_thought_tokens"),
        source="provider",
        raw=raw,
    )


_DELTAS: dict[str, tuple[PartKind, tuple[str, ...]]] = {
    "text": ("text", ("delta", "text")),
    "thought_summary": ("reasoning", ("delta", "content", "text")),
    "arguments_delta": ("tool_call", ("delta", "arguments")),
}


class Reader:
    """Follows events. A channel is (kind, index of the step)."""

    def __init__(self, call: ModelCall) -> None:
        self._json = "response_format" in call.params
        self._answer: Any = None
        self._steps: dict[int, Any] = {}
        self._seen: dict[Any, Any] = {}
        self._open: set[Any] = set()
        self._others = 0

    def read(self, event: Any) -> ChunkView:
        match str(get(event, "event_type") or ""):
            case "step.start":
                self._steps[event.index] = event.step
                return self._whole(items(event.step, ("step",)), ("step", event.index))
            case "step.delta":
                return self._delta(event)
            case "step.stop":
                return self._closed({channel for channel in self._open if channel[1] == event.index})
            case "interaction.created" | "interaction.completed" | "interaction.status_update":
                return self._told(event)
        return ChunkView()

    def _delta(self, event: Any) -> ChunkView:
        delta_type = str(get(event.delta, "type") or "")
        if delta_type not in _DELTAS:
            said = leaves(event.delta, ("delta",), "tool_result")
            return self._whole((p for p in said if p.where[-1] not in _SEALED), ("step", event.index))
        kind, where = _DELTAS[delta_type]
        text: Any = event
        for name in where:
            text = get(text, name)
        channel = (kind, event.index)
        if not text:
            return ChunkView()
        self._seen.setdefault(channel, event)
        self._open.add(channel)
        as_json = kind == "tool_call" or (kind == "text" and self._json)
        return ChunkView((Delta(channel, text, where, kind, json=as_json),))

    def _whole(self, parts: Iterator[Part], of: tuple[str, int]) -> ChunkView:
        """Texts that come whole: those of a step are recorded, those that repeat something are not."""
        deltas = []
        for part in parts:
            if part.text and part.text != "{}":
                self._others += 1
                channel = (part.kind if of[0] == "step" else "echo", of[1], self._others)
                if of[0] == "step":
                    self._seen[channel] = part
                deltas.append(Delta(channel, part.text, part.where, part.kind, json=part.json))
        return ChunkView(tuple(deltas), tuple(delta.channel for delta in deltas))

    def _told(self, event: Any) -> ChunkView:
        answer = get(event, "interaction")
        if answer is None:
            return ChunkView()
        self._answer = answer
        where: Path = ("interaction",)
        repeated = self._whole(_repeated(answer, where), ("echo", 0))
        return ChunkView(repeated.deltas, repeated.closes)

    def _closed(self, channels: set[Any]) -> ChunkView:
        self._open -= channels
        return ChunkView(closes=tuple(channels))

    def filler(self, channel: Any, text: str) -> Any:
        event = self._seen[channel].model_copy(deep=True)
        *way, last = _DELTAS[str(get(event.delta, "type"))][1]
        holder = event
        for name in way:
            holder = getattr(holder, name)
        setattr(holder, last, text)
        return event

    def finish(self, call: ModelCall, texts: Mapping[Any, str]) -> None:
        _head(call, self._answer)
        parts = []
        for channel in self._seen:
            text, kind = texts.get(channel, ""), channel[0]
            step = self._steps.get(channel[1])
            as_json = kind == "tool_call" and arguments(text)
            parts.append(
                Part(kind, text, json=as_json, name=str(get(step, "name") or ""), id=str(get(step, "id") or ""))
            )
        call.output = (Message("assistant", tuple(parts), "".join(call.finish_reasons)),) if parts else ()


def _repeated(answer: Any, where: Path) -> Iterator[Part]:
    yield from items(get(answer, "steps"), (*where, "steps"))
    yield from _echoes(answer, where)


ENDPOINT = Endpoint(
    module=_MODULE,
    sync_method="Interactions.create",
    async_method="AsyncInteractions.create",
    request=request,
    response=response,
    reader=Reader,
    streams=streams,
)

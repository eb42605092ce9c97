"""`spanward.model_call`: a call that a client of the application's own makes, traced and guarded like any other.

>>> with model_call(provider="acme", model="m1", messages=[{"role": "user", "content": text}]) as call:
...     said = acme.ask(call.messages)
...     call.usage(input=said.tokens_in, output=said.tokens_out)
...     answer = call.answer(said.text)

The block stands in the place of the request: the engine's course waits in it.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextvars import Token
from types import TracebackType
from typing import Any, Self

from ..guards.messages import Message, Part
from . import health, semconv
from .adapter import Adapter, ChunkView, Delta, Endpoint, Kwargs
from .call import ModelCall, StreamEnd, Usage
from .course import course
from .providers import openai_chat
from .providers.fields import plain, whole
from .run import Run, ending
from .spans import Inside, inside
from .steps import Ask, Course, Own, run_async, run_sync

Messages = Sequence[Mapping[str, Any] | str] | str
COUNTS = ("input", "cache_read", "cache_write", "output", "reasoning", "input_audio", "output_audio", "input_image")


def model_call(
    *,
    provider: str,
    model: str,
    messages: Messages = (),
    operation: str = "chat",
    tools: Sequence[Mapping[str, Any]] = (),
    params: Mapping[str, Any] | None = None,
    stream: bool = False,
    server_address: str = "",
    server_port: int = 0,
) -> "ManualCall":
    """Trace and guard what a client of your own asks a model, in a `with` or `async with` block around the request.

    `messages` are dicts with `role` and `content` (text, or a list of parts as OpenAI has them), or texts. Send
    `call.messages` (and `call.tools`), which is what the guards made of them. `call.answer(…)` takes the answer and
    gives what may be shown; of a stream (`stream=True`), `call.chunk(text)` takes each piece and gives what may be
    shown so far, and `call.rest()` what was held back. In an `async with` block these three are awaited.
    `call.usage(…)` and `call.response(…)` say what the provider told. An exception that leaves the block is recorded
    and goes on. Calls that a library we trace makes in the block are this call.

    Raises ModelCallBlocked when a policy says so, whatever canned reply it has: on entering (send nothing), from
    `answer`, `chunk` or `rest` (show nothing more). Raises TypeError and ValueError for wrong use. Before
    `instrument()` messages and answers go through as they are.
    """
    if operation not in semconv.MODEL_OPERATIONS:
        raise ValueError(f"model_call(operation={operation!r}): there is {', '.join(semconv.MODEL_OPERATIONS)}")
    listed = [messages] if isinstance(messages, str) else messages
    if not isinstance(listed, Sequence) or not all(isinstance(message, Mapping | str) for message in listed):
        raise TypeError("model_call(messages=…) takes a list of dicts with `role` and `content`, or of texts")
    call = ModelCall(
        operation,
        provider,
        request_model=model,
        params=dict(params or {}),
        server_address=server_address,
        server_port=server_port,
    )
    return ManualCall(call, {"messages": list(listed), "tools": list(tools), "stream": stream})


class ManualCall:
    """One call. What may block is a course of steps, which the shell of the block carries out."""

    def __init__(self, call: ModelCall, asked: Kwargs) -> None:
        self._call = call
        self._kwargs = asked
        self._shell: Callable[[Course], Any] | None = None
        self._run: _Run | None = None
        self._course: Course | None = None
        self._inside: Token[Inside | None] | None = None
        self._stream: Any = None
        self._said = False

    @property
    def messages(self) -> list[Any]:
        """What to send, in the shape that was given."""
        return list(self._sent()["messages"])

    @property
    def tools(self) -> list[Any]:
        """The tool definitions to send."""
        return list(self._sent()["tools"])

    def answer(self, said: Any) -> Any:
        """What may be shown of the whole answer: text, a list of messages (dicts), or any JSON value."""
        return self._in_block()(self._answered(said))

    def chunk(self, text: str) -> Any:
        """What may be shown of a stream now that this piece arrived: often '', while it is held back."""
        return self._in_block()(self._chunked(text))

    def rest(self) -> Any:
        """The stream is over: what was held back and may be shown."""
        return self._in_block()(self._rested())

    def usage(self, *, raw: Mapping[str, Any] | None = None, **counts: int) -> None:
        """Token counts that do not overlap: `input` is without `cache_read`, `output` without `reasoning`.

        Also `cache_write`, `input_audio`, `output_audio`, `input_image`; `raw` is the provider's own object.
        """
        wrong = [name for name, number in counts.items() if name not in COUNTS or not isinstance(number, int)]
        if wrong:
            raise TypeError(f"usage() takes whole numbers by these names: {', '.join(COUNTS)}; not {wrong[0]!r}")
        self._in_block()
        self._call.usage = Usage(**counts, source="provider", raw=dict(raw or {}))

    def response(self, *, id: str = "", model: str = "", finish_reason: str = "") -> None:  # noqa: A002  as the provider calls it
        """What the provider said of its answer."""
        self._in_block()
        call = self._call
        call.response_id, call.response_model = id or call.response_id, model or call.response_model
        call.finish_reasons = (finish_reason,) if finish_reason else call.finish_reasons

    def __enter__(self) -> Self:
        return self._enter(run_sync)  # type: ignore[no-any-return]  # what the course gives

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave(error)

    async def __aenter__(self) -> Self:
        return await self._enter(run_async)  # type: ignore[no-any-return]  # as above

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave(error)

    def _enter(self, shell: Callable[[Course], Any]) -> Any:
        from .instrument import running

        if self._shell is not None:
            raise RuntimeError("a model_call() block is one call: make another one")
        self._shell = shell
        now = running()
        if now is not None and now.engine.active:
            self._run = _Run(now.engine, ADAPTER, ENDPOINT, self, self._kwargs)
            self._course = course(self._run, lambda: None, is_async=shell is run_async)
        return shell(self._entered())

    def _entered(self) -> Course:
        if self._run is not None:
            try:
                yield from self._on(None)
            except BaseException as error:
                self._run.tell(error)
                raise
            self._inside = inside.set(self._run.here)
        return self

    def _leave(self, error: BaseException | None) -> None:
        """Everything that is known is told now; nothing is asked of the guards any more."""
        if self._run is None:
            return
        if self._inside is not None:
            try:
                inside.reset(self._inside)
            except ValueError:
                health.count("internal", "a model_call() block was left in another context")
        health.fenced("model_call", self._ended, error)
        self._run.tell(error)
        if self._course is not None:
            self._course.close()

    def _ended(self, error: BaseException | None) -> None:
        if self._stream is not None:  # only the first end counts
            self._stream._self_passage.end("closed" if error is None else ending(error), error)  # noqa: SLF001  ours

    def _answered(self, said: Any) -> Course:
        if self._kwargs["stream"]:
            raise RuntimeError("of a stream each piece is told: call.chunk(text), and call.rest() at its end")
        self._once()
        name = "messages" if _are_messages(said) else "said"
        answer = {name: plain(said)}
        if self._run is not None:
            yield from self._on(answer)
        return answer[name]

    def _chunked(self, text: str) -> Course:
        if not self._kwargs["stream"] or self._said:
            raise RuntimeError("call.chunk() is for model_call(stream=True), before call.rest()")
        if not isinstance(text, str):
            raise TypeError(f"call.chunk() takes text, not a {type(text).__name__}")
        if self._run is None:
            return text
        passage = (yield from self._passage())._self_passage  # noqa: SLF001  ours
        chunk = {"text": text}
        chunks = (yield Own(lambda: passage.take(chunk))) if passage.blocks else passage.take(chunk)
        return "".join(chunk["text"] for chunk in chunks)

    def _rested(self) -> Course:
        if not self._kwargs["stream"]:
            raise RuntimeError("call.rest() is for model_call(stream=True)")
        self._once()
        if self._run is None:
            return ""
        passage = (yield from self._passage())._self_passage  # noqa: SLF001  ours
        chunks = (yield Own(passage.last)) if passage.blocks else passage.last()
        passage.end("complete")
        return "".join(chunk["text"] for chunk in chunks)

    def _passage(self) -> Course:
        """The engine's own proxy of a stream, of which only what it does with chunks is used."""
        if self._stream is None:
            self._stream = yield from self._on(_Feed())
        return self._stream

    def _on(self, value: Any) -> Course:
        """Let the engine go on until the request is to be made, or to its end; gives the end's value."""
        assert self._course is not None
        send: Callable[[], Any] = lambda: self._course.send(value)  # type: ignore[union-attr]  # noqa: E731  the first of some
        while True:
            try:
                step = send()
            except StopIteration as end:
                return end.value
            if isinstance(step, Ask):
                return None
            send = yield from self._stepped(step)

    def _stepped(self, step: Own) -> Generator[Ask | Own, Any, Callable[[], Any]]:
        going = self._course
        assert going is not None
        try:
            value = yield step
        except BaseException as error:  # noqa: BLE001  the engine decides
            raised = error
            return lambda: going.throw(raised)
        return lambda: going.send(value)

    def _sent(self) -> Kwargs:
        self._in_block()
        return self._kwargs if self._run is None else self._run.kwargs

    def _once(self) -> None:
        if self._said:
            raise RuntimeError("the answer was told already")
        self._said = True

    def _in_block(self) -> Callable[[Course], Any]:
        if self._shell is None:
            raise RuntimeError("use it as a block: `with spanward.model_call(…) as call:`")
        return self._shell


class _Run(Run):
    """Its end is told when the block is left, with all that was said until then."""

    how: tuple[StreamEnd, BaseException | None] | None = None

    def end(self, stream_end: StreamEnd = "", error: BaseException | None = None) -> None:
        self.how = self.how or (stream_end, error)

    def tell(self, error: BaseException | None) -> None:
        stream_end, known = self.how or ("", None)
        super().end(stream_end, known or error)


class _Feed:
    """In the place of a library's stream: we are handed the chunks."""


class _Reader:
    def __init__(self, call: ModelCall) -> None:
        pass

    def read(self, chunk: Any) -> ChunkView:
        return ChunkView((Delta("text", chunk["text"], ("text",)),))

    def filler(self, channel: Any, text: str) -> Any:  # noqa: ARG002  there is one
        return {"text": text}

    def finish(self, call: ModelCall, texts: Mapping[Any, str]) -> None:
        call.output = (Message("assistant", (Part("text", texts.get("text", "")),)),)


def _request(instance: "ManualCall", kwargs: Kwargs) -> ModelCall:
    call = instance._call  # noqa: SLF001  of this module
    call.messages = _conversation(kwargs)
    call.tools = openai_chat.definitions(kwargs, ("tools",), None, ())
    return call


def _response(call: ModelCall, answer: Any) -> None:
    if "messages" in answer:
        call.output = _conversation(answer)
    elif answer["said"] not in (None, ""):
        call.output = (Message("assistant", (whole(answer["said"], ("said",)),)),)


def _are_messages(said: Any) -> bool:
    return isinstance(said, list) and bool(said) and all(isinstance(one, Mapping) and "role" in one for one in said)


def _conversation(holder: Kwargs) -> tuple[Message, ...]:
    """`holder["messages"]`, in the form of OpenAI's or texts, made readable in place."""
    read = ModelCall("chat", "")
    asked = {"messages": holder["messages"]}
    openai_chat.request(read, asked)
    holder["messages"] = asked["messages"]
    return read.messages


def _streams(kwargs: Kwargs) -> bool:
    return bool(kwargs["stream"])


ENDPOINT = Endpoint("", "", "", _request, _response, reader=_Reader, streams=_streams, outermost=True)
ADAPTER = Adapter("model_call", "", "", "")

"""`spanward.trace`: a span of the application's own, around every kind of function, that it never notices."""

import asyncio
import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

import pytest
from opentelemetry import context as otel_context

import spanward
from spanward.tracer.context import current

from .conftest import Sidecar, Spooled
from .test_operations import masks, parents

Trace = Callable[..., Any]
RAISED = LookupError("my secret is hunter2")


@pytest.fixture
def tiny_traced(trace: Trace, sidecar: Sidecar) -> Any:
    sidecar.decide = masks
    return trace(guards="sidecar", endpoint=sidecar.url)


def ask(tiny: Any, model: str = "m") -> str:
    text: str = tiny.Chat().ask(model=model, messages=[]).text
    return text


BARE = {"spanward.guard.verdict": "none", "spanward.guard.action": "none"}


def test_a_function(tiny_traced: Any, spooled: Spooled) -> None:
    @spanward.trace
    def answer(question: str) -> str:
        """Answers."""
        return ask(tiny_traced) + question

    before = otel_context.get_current()
    with spanward.session("s1"):
        assert answer("?") == "Hello <EMAIL_ADDRESS_1>?"
    assert otel_context.get_current() == before
    assert parents(spooled) == {"invoke_workflow answer": "", "chat m": "invoke_workflow answer"}
    (span,) = [span for span in spooled.all if span.name == "invoke_workflow answer"]
    assert span.attributes == {
        "gen_ai.operation.name": "invoke_workflow",
        "gen_ai.workflow.name": "answer",
        "gen_ai.conversation.id": "s1",
        **BARE,
    }
    assert (answer.__name__, answer.__doc__) == ("answer", "Answers.")


@pytest.mark.parametrize(
    ("kind", "name", "given", "found"),
    [
        ("workflow", "invoke_workflow", "gen_ai.input.messages", "gen_ai.output.messages"),
        ("agent", "invoke_agent", "gen_ai.input.messages", "gen_ai.output.messages"),
        ("tool", "execute_tool", "gen_ai.tool.call.arguments", "gen_ai.tool.call.result"),
    ],
)
def test_what_goes_in_and_out_is_guarded_and_only_when_asked_for(
    tiny_traced: Any, spooled: Spooled, kind: Any, name: str, given: str, found: str
) -> None:
    def write(to: str, *rest: int, **more: Any) -> dict[str, Any]:
        return {"sent": to, "more": [*rest, *more]}

    traced = spanward.trace("loud", kind=kind, capture=True)(write)
    assert traced("ada@example.com", 1, urgent=True) == {"sent": "ada@example.com", "more": [1, "urgent"]}
    spanward.trace("quiet", kind=kind)(write)("ada@example.com")
    loud, quiet = [span for span in spooled.all if span.name != "run_guardrail"]
    assert (loud.name, quiet.name) == (f"{name} loud", f"{name} quiet")
    assert "<EMAIL_1>" in loud.attributes[given]
    assert "urgent" in loud.attributes[given]
    assert "<EMAIL_1>" in loud.attributes[found]
    assert not {given, found} & set(quiet.attributes)
    assert b"ada@example.com" not in spooled.bytes


def test_every_kind_of_function_stays_what_it_is(tiny_traced: Any, spooled: Spooled) -> None:
    async def coroutine() -> None: ...
    def generator() -> Generator[int, None, None]:
        yield 1

    async def async_generator() -> AsyncGenerator[int, None]:
        yield 1

    kinds = inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction
    for function in (coroutine, generator, async_generator):
        for decorate in (spanward.trace, spanward.trace("x"), spanward.session("s")):
            assert [is_it(decorate(function)) for is_it in kinds] == [is_it(function) for is_it in kinds]


class Desk:
    def __init__(self, tiny: Any) -> None:
        self.tiny = tiny

    @spanward.trace(capture=True)
    def method(self, x: int) -> str:
        return ask(self.tiny, f"method{x}")

    @spanward.trace
    @classmethod
    def above(cls, tiny: Any) -> str:
        return ask(tiny, "above")

    @classmethod
    @spanward.trace
    def below(cls, tiny: Any) -> str:
        return ask(tiny, "below")

    @spanward.trace
    @staticmethod
    def static(tiny: Any) -> str:
        return ask(tiny, "static")


def test_methods(tiny_traced: Any, spooled: Spooled) -> None:
    Desk(tiny_traced).method(1)
    Desk.above(tiny_traced)
    Desk.below(tiny_traced)
    Desk.static(tiny_traced)
    assert parents(spooled) == {
        "invoke_workflow Desk.method": "",
        "chat method1": "invoke_workflow Desk.method",
        "invoke_workflow Desk.above": "",
        "chat above": "invoke_workflow Desk.above",
        "invoke_workflow Desk.below": "",
        "chat below": "invoke_workflow Desk.below",
        "invoke_workflow Desk.static": "",
        "chat static": "invoke_workflow Desk.static",
    }
    (method,) = [span for span in spooled.all if span.name.endswith("method")]
    assert method.attributes["gen_ai.input.messages"] == (
        '[{"role":"user","parts":[{"type":"text","content":"{\\"x\\": 1}"}]}]'
    )


def test_coroutines_run_at_the_same_time(tiny_traced: Any, spooled: Spooled) -> None:
    async def inner(n: int) -> None:
        await asyncio.sleep(0)
        await tiny_traced.AsyncChat().ask(model=f"m{n}", messages=[])

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            for n in range(3):
                group.create_task(spanward.trace(f"t{n}")(inner)(n))

    asyncio.run(main())
    assert parents(spooled) == {
        **{f"invoke_workflow t{n}": "" for n in range(3)},
        **{f"chat m{n}": f"invoke_workflow t{n}" for n in range(3)},
    }


def test_blocks_and_threads(tiny_traced: Any, spooled: Spooled) -> None:
    shared = spanward.trace("block")

    def work(n: int) -> None:
        ask(tiny_traced, f"m{n}")

    with shared, ThreadPoolExecutor(2) as pool:
        with spanward.trace("inner", kind="agent"):
            list(pool.map(copy_context().run, [work], [1]))
        asyncio.run(asyncio.to_thread(work, 2))
        pool.submit(work, 3).result()
    assert parents(spooled) == {
        "invoke_workflow block": "",
        "invoke_agent inner": "invoke_workflow block",
        "chat m1": "invoke_agent inner",
        "chat m2": "invoke_workflow block",
        "chat m3": "",
    }


@pytest.mark.parametrize("way", ["function", "coroutine", "generator", "async generator", "block"])
def test_the_error_is_the_applications_own(tiny_traced: Any, spooled: Spooled, way: str) -> None:
    @spanward.trace("x")
    def function() -> None:
        raise RAISED

    @spanward.trace("x")
    async def coroutine() -> None:
        raise RAISED

    @spanward.trace("x")
    def generator() -> Generator[int, None, None]:
        yield 1
        raise RAISED

    @spanward.trace("x")
    async def async_generator() -> AsyncGenerator[int, None]:
        yield 1
        raise RAISED

    async def read() -> None:
        async for _ in async_generator():
            pass

    def block() -> None:
        with spanward.trace("x"):
            raise RAISED

    run: dict[str, Callable[[], Any]] = {
        "function": function,
        "coroutine": lambda: asyncio.run(coroutine()),
        "generator": lambda: list(generator()),
        "async generator": lambda: asyncio.run(read()),
        "block": block,
    }
    with pytest.raises(LookupError) as caught:
        run[way]()
    assert caught.value is RAISED
    (span,) = spooled.all
    assert (span.status, span.said, span.attributes["error.type"]) == (2, "LookupError", "LookupError")
    assert b"hunter2" not in spooled.bytes


def test_a_generator_is_current_in_its_steps_only(tiny_traced: Any, spooled: Spooled) -> None:
    @spanward.session("theirs")
    @spanward.trace(capture=True)
    def letters() -> Generator[str, str, str]:
        got = yield ask(tiny_traced, "first")
        try:
            yield got + ask(tiny_traced, "second") + current().session_id
        except KeyError as error:
            yield f"caught {error}"
        return "returned"

    def reader() -> Generator[str, Any, str]:
        return (yield from letters())

    reading = reader()
    before = otel_context.get_current()
    next(reading)
    assert (current().session_id, otel_context.get_current() == before) == ("", True)
    ask(tiny_traced, "between")
    assert reading.send("got ") == "got Hello <EMAIL_ADDRESS_1>theirs"
    assert reading.throw(KeyError("k")) == "caught 'k'"
    with pytest.raises(StopIteration) as end:
        next(reading)
    assert end.value.value == "returned"
    name = next(name for name in parents(spooled) if name.startswith("invoke"))
    assert parents(spooled) == {name: "", "chat first": name, "chat second": name, "chat between": ""}


def test_an_async_generator_is_current_in_its_steps_only(tiny_traced: Any, spooled: Spooled) -> None:
    cleaned: list[str] = []

    @spanward.session("theirs")
    @spanward.trace("letters")
    async def letters() -> AsyncGenerator[str, str]:
        try:
            await asyncio.sleep(0)
            got = yield (await tiny_traced.AsyncChat().ask(model="first", messages=[])).text
            await asyncio.sleep(0)
            yield got + current().session_id
        finally:
            cleaned.append(current().session_id)

    async def main() -> None:
        reading = letters()
        await anext(reading)
        assert current().session_id == ""
        await tiny_traced.AsyncChat().ask(model="between", messages=[])
        assert await reading.asend("got ") == "got theirs"
        await reading.aclose()

    asyncio.run(main())
    assert cleaned == ["theirs"]
    assert parents(spooled) == {
        "invoke_workflow letters": "",
        "chat first": "invoke_workflow letters",
        "chat between": "",
    }
    (span,) = [span for span in spooled.all if span.name == "invoke_workflow letters"]
    assert (span.status, span.attributes["gen_ai.conversation.id"]) == (0, "theirs")


def test_a_generator_that_is_dropped_is_told(tiny_traced: Any, spooled: Spooled) -> None:
    @spanward.trace("letters")
    def letters() -> Generator[int, None, None]:
        yield 1
        yield 2

    for letter in letters():
        assert letter == 1
        break
    (span,) = spooled.all
    assert (span.name, span.status) == ("invoke_workflow letters", 0)


def test_nobody_traces_and_it_is_as_if_we_were_not_there(spooled: Spooled) -> None:
    @spanward.trace
    def answer(x: int) -> int:
        return x

    @spanward.trace
    def letters() -> Generator[int, None, int]:
        yield 1
        return 2

    with spanward.trace("x"):
        assert answer(1) == 1
        assert list(letters()) == [1]


def test_what_cannot_be_written_down_is_left_out_and_counted(
    tiny_traced: Any, sidecar: Sidecar, spooled: Spooled
) -> None:
    loop: list[Any] = []
    loop.append(loop)
    assert spanward.trace("x", capture=True)(lambda value: value)(loop) is loop
    spanward.uninstrument()
    (span,) = [span for span in spooled.all if span.name == "invoke_workflow x"]
    assert not [key for key in span.attributes if "messages" in key]
    assert [kind for kind, _ in spooled.reports] == ["internal", "internal"]


def test_a_rule_that_blocks_stops_no_function(tiny_traced: Any, spooled: Spooled) -> None:
    assert spanward.trace("x", capture=True)(lambda said: said)("hunter2") == "hunter2"
    (span,) = [span for span in spooled.all if span.name == "invoke_workflow x"]
    assert span.attributes["spanward.guard.action"] == "block"
    assert b"hunter2" not in spooled.bytes


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: spanward.trace("x", kind="chat"), "'workflow', 'agent', 'tool'"),  # type: ignore[call-overload]  # wrong
        (lambda: spanward.trace(Desk), "functions and methods, not a type"),
        (lambda: spanward.trace(7), "functions and methods, not a int"),  # type: ignore[call-overload]  # wrong
        (lambda: spanward.trace().__enter__(), "a block needs a name"),
        (lambda: spanward.trace("x", capture=True).__enter__(), "a block has no arguments"),
    ],
)
def test_wrong_use_is_said_at_once(wrong: Callable[[], Any], says: str) -> None:
    with pytest.raises((TypeError, ValueError), match=says):
        wrong()

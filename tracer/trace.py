"""`spanward.trace`: a span of the application's own around its model calls, as a decorator or a `with` block.

>>> @trace
... def answer(question): ...
>>> @trace("triage", kind="agent", capture=True)
... async def triage(letter): ...
>>> with trace("import"): ...

What runs beneath is its child, in threads and tasks that start within it as `contextvars` has it: tasks and
`asyncio.to_thread` take the context along by themselves; for a thread pool, say
`pool.submit(contextvars.copy_context().run, function, …)`. So do `session`, `user`, `prompt` and `tags`.
"""

import functools
import inspect
from collections.abc import Callable
from contextvars import ContextVar, copy_context
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar, overload

from ..guards.messages import Message, Part
from . import around, generators, health
from .operation import Operation, OperationKind
from .providers.fields import whole

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from .engine import Engine
    from .operations import Open

F = TypeVar("F", bound=Callable[..., Any])
Kind = Literal["workflow", "agent", "tool"]
KINDS: dict[str, OperationKind] = {"workflow": "invoke_workflow", "agent": "invoke_agent", "tool": "execute_tool"}
MOST_ITEMS = 1_000
"""Of what a generator gives, so many items are recorded."""

_entered: ContextVar[tuple[tuple["Tracing", "_Block | None"], ...]] = ContextVar("spanward_traced", default=())


class Tracing:
    """A span for a block or a function; one object may be used many times, at the same time too."""

    def __init__(self, name: str, kind: Kind, *, capture: bool) -> None:
        if kind not in KINDS:
            raise ValueError(f"trace(kind={kind!r}): there is {', '.join(map(repr, KINDS))}")
        self._name = name
        self._kind = KINDS[kind]
        self._capture = capture

    def __call__(self, function: F) -> F:
        """Decorate a function, a method, a coroutine function or a generator function of either kind."""
        if isinstance(function, (classmethod, staticmethod)):
            return type(function)(self(function.__func__))
        if inspect.isclass(function) or not callable(function):
            raise TypeError(f"trace() decorates functions and methods, not a {type(function).__name__}")
        return functools.wraps(function)(_wrapper(self, function))  # type: ignore[return-value]  # called as F is

    def __enter__(self) -> Self:
        if not self._name:
            raise TypeError('a block needs a name: `with spanward.trace("name"):`')
        if self._capture:
            raise TypeError("capture=True is for functions: a block has no arguments and no result")
        begun = self.begin(None, (), {})
        block = None if begun is None else _Block(*begun)
        if block is not None:
            block.current.__enter__()
        _entered.set((*_entered.get(), (self, block)))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        entered = _entered.get()
        if not entered or entered[-1][0] is not self:
            health.count("internal", "a trace() block was left in another context")
            return
        _entered.set(entered[:-1])
        block = entered[-1][1]
        if block is not None:
            block.current.__exit__(None, None, None)
            around.end(block.engine, block.opened, _failure(error))

    def begin(
        self, function: Callable[..., Any] | None, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> "tuple[Engine, Open] | None":
        """None where nobody traces."""
        from .instrument import running

        now = running()
        if now is None or not now.engine.active:
            return None
        opened = health.fenced("trace", self._opened, now.engine, function, args, kwargs)
        return None if opened is None else (now.engine, opened)

    def _opened(self, engine: "Engine", function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> "Open":
        name = self._name or _name(function)
        given = health.fenced("trace.arguments", self._given, function, args, kwargs) if self._capture else ()
        return engine.operations.begin(Operation(self._kind, name, given or ()))

    def _given(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Message, ...]:
        said = inspect.signature(function).bind(*args, **kwargs).arguments
        if said and next(iter(said)) in {"self", "cls"}:
            said = dict(list(said.items())[1:])
        tool = self._kind == "execute_tool"
        return (Message("user", (whole(said, (), kind="tool_call" if tool else "text"),)),) if said else ()

    def found(self, opened: "Open", result: Any) -> None:
        if self._capture and result is not None and isinstance(opened.record, Operation):
            part: Part = whole(result, (), kind="tool_result" if self._kind == "execute_tool" else "text")
            opened.record.found = (Message("assistant", (part,)),)

    def visit(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> generators.Visit:
        """One run of a generator function."""
        begun, inner = self.begin(function, args, kwargs), copy_context()
        if begun is None:
            return generators.Visit(inner)
        engine, opened = begun
        inner.run(around.current(opened).__enter__)  # the context is the generator's own: nobody has to leave it
        items: list[Any] = []

        def seen(item: Any) -> None:
            if self._capture and len(items) < MOST_ITEMS:
                items.append(item)

        def ended(error: BaseException | None) -> None:
            health.fenced("trace.result", self.found, opened, items or None)
            around.end(engine, opened, _failure(error))

        return generators.Visit(inner, seen, ended)


class _Block:
    """A `with` block in progress."""

    def __init__(self, engine: "Engine", opened: "Open") -> None:
        self.engine = engine
        self.opened = opened
        self.current: AbstractContextManager[None] = around.current(opened)


def _wrapper(tracing: Tracing, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function in a span, as the same kind of function."""
    if generators.is_one(function):
        return generators.visited(function, functools.partial(tracing.visit, function))
    if inspect.iscoroutinefunction(function):

        async def run_async(*args: Any, **kwargs: Any) -> Any:
            begun = tracing.begin(function, args, kwargs)
            if begun is None:
                return await function(*args, **kwargs)
            found = functools.partial(tracing.found, begun[1])
            return await around.run_async(*begun, lambda: function(*args, **kwargs), found)

        return run_async

    def run(*args: Any, **kwargs: Any) -> Any:
        begun = tracing.begin(function, args, kwargs)
        if begun is None:
            return function(*args, **kwargs)
        found = functools.partial(tracing.found, begun[1])
        return around.run_sync(*begun, lambda: function(*args, **kwargs), found)

    return run


def _name(function: Callable[..., Any]) -> str:
    return function.__qualname__.rpartition("<locals>.")[2]


def _failure(error: BaseException | None) -> BaseException | None:
    """A generator that is closed early has not failed."""
    return None if isinstance(error, GeneratorExit) else error


@overload
def trace(target: F) -> F: ...


@overload
def trace(target: str = "", *, name: str = "", kind: Kind = "workflow", capture: bool = False) -> Tracing: ...


def trace(target: Any = "", *, name: str = "", kind: Kind = "workflow", capture: bool = False) -> Any:
    """Put a span around a function, as a decorator with or without arguments, or around a `with` block.

    The name is the function's own unless given. `kind` is what the span tells: 'workflow', 'agent' or 'tool'. With
    `capture` the arguments and the result of a function are recorded, guarded like everything else; without it
    nothing of them is. Before `instrument()` a call goes through as if we were not there.
    """
    if isinstance(target, str):
        return Tracing(name or target, kind, capture=capture)
    return Tracing(name, kind, capture=capture)(target)

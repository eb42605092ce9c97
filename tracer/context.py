"""Who is asking and on whose behalf: `session`, `user`, `prompt` and `tags`, around a block or a function.

They hold in tasks and in `asyncio.to_thread`, which take the context along by themselves. A thread of a pool does not:
hand it `contextvars.copy_context().run` and the function.

>>> with session("chat-17"), user("ada", group="staff"):
...     current().session_id
'chat-17'
"""

import functools
import inspect
from collections.abc import Callable
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from . import generators

if TYPE_CHECKING:
    from .call import ModelCall

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Scope:
    """What the model calls made in this context belong to."""

    session_id: str = ""
    user_id: str = ""
    user_group: str = ""
    prompt_name: str = ""
    prompt_version: str = ""
    tags: tuple[str, ...] = ()
    outer: "Scope | None" = None

    def onto(self, call: "ModelCall") -> None:
        """Say it of a call. A conversation that the request itself names stays."""
        call.session_id = call.session_id or self.session_id
        call.user_id, call.user_group = self.user_id, self.user_group
        call.prompt_name, call.prompt_version = self.prompt_name, self.prompt_version
        call.tags = self.tags


NOBODY = Scope()
_scope: ContextVar[Scope] = ContextVar("spanward_scope", default=NOBODY)


def current() -> Scope:
    return _scope.get()


class _Setting:
    """A change of the scope: a context manager that can be entered many times, and a decorator."""

    def __init__(self, change: Callable[[Scope], Scope]) -> None:
        self._change = change

    def __enter__(self) -> Self:
        outer = _scope.get()
        _scope.set(replace(self._change(outer), outer=outer))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _scope.set(_scope.get().outer or NOBODY)

    def _visit(self, _args: Any, _kwargs: Any) -> generators.Visit:
        inner = copy_context()
        inner.run(self.__enter__)  # the context is the generator's own: nobody has to leave it
        return generators.Visit(inner)

    def __call__(self, function: F) -> F:
        """Decorate a function, a coroutine function or a generator function of either kind."""
        if generators.is_one(function):
            return generators.visited(function, self._visit)  # type: ignore[return-value]  # same call signature
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def run_async(*args: Any, **kwargs: Any) -> Any:
                with self:
                    return await function(*args, **kwargs)

            return run_async  # type: ignore[return-value]  # same call signature, which F cannot say

        @functools.wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            with self:
                return function(*args, **kwargs)

        return run  # type: ignore[return-value]  # same call signature, which F cannot say


def session(id: str) -> _Setting:  # noqa: A002  reads best at the call: session("chat-17")
    """Model calls in here belong to this conversation; pseudonyms are stable within it."""
    return _Setting(lambda scope: replace(scope, session_id=str(id)))


def user(id: str, group: str | None = None) -> _Setting:  # noqa: A002  as above
    """Model calls in here are made for this user (and group, which rules can match on)."""
    return _Setting(
        lambda scope: replace(scope, user_id=str(id), user_group=scope.user_group if group is None else group)
    )


def prompt(name: str, version: str | None = None) -> _Setting:
    """Model calls in here use this prompt (template)."""
    return _Setting(lambda scope: replace(scope, prompt_name=name, prompt_version=str(version or "")))


def tags(*names: str) -> _Setting:
    """Model calls in here carry these tags, besides those of the blocks around."""
    return _Setting(lambda scope: replace(scope, tags=tuple(dict.fromkeys((*scope.tags, *names)))))

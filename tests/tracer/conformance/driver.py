"""One program for sync and async clients: each test is a coroutine, which for a sync client never waits."""

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from .serving import Fake
from .subject import Ask, Subject

T = TypeVar("T")


@dataclass
class Stage:
    """What lasts longer than one test: making a client takes longer than most calls, and real ones live long."""

    loop: asyncio.Runner = field(default_factory=asyncio.Runner)
    clients: dict[tuple[Any, ...], tuple[Subject, Any]] = field(default_factory=dict)

    def close(self) -> None:
        for (_, way, *_), (subject, client) in self.clients.items():
            is_async = way == "async"
            closing = settled(_close(subject, client, is_async=is_async))
            self.loop.run(closing) if is_async else at_once(closing)
        self.loop.close()


@dataclass(frozen=True)
class App:
    """An application that uses a subject's library, in one of the two ways."""

    subject: Subject
    fake: Fake
    is_async: bool
    stage: Stage

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """The result of `main`: in an event loop, or with none at all."""
        return self.stage.loop.run(main) if self.is_async else at_once(main)

    def client(self, retries: int = 0, timeout_s: float = 30) -> Any:
        """One for every test that asks for the same; call it within `run`."""
        key = (self.subject.name, "async" if self.is_async else "sync", retries, timeout_s)
        if key not in self.stage.clients:
            make = self.subject.async_client if self.is_async else self.subject.client
            assert make is not None
            self.stage.clients[key] = self.subject, make(self.fake.address, retries, timeout_s)
        return self.stage.clients[key][1]

    def model(self, *words: str) -> str:
        """The subject's model with words that steer the fake."""
        return "-".join([self.subject.model, *words])

    async def ask(self, client: Any, ask: Ask) -> Any:
        return await settled(self.subject.ask(client, ask))

    async def open(self, client: Any, ask: Ask) -> Any:
        """The stream; of a manager, what it gives on entering."""
        assert self.subject.stream is not None
        opened = await settled(self.subject.stream(client, ask))
        if not self.subject.managed:
            return opened
        return await opened.__aenter__() if self.is_async else opened.__enter__()

    async def say(self, *words: str, text: str, retries: int = 0, timeout_s: float = 30, **asked: Any) -> Any:
        """One whole answer."""
        return await self.ask(self.client(retries, timeout_s), Ask(self.model(*words), text, **asked))

    async def hear(self, *words: str, text: str, heard: list[Any] | None = None, **asked: Any) -> list[Any]:
        """All chunks of one stream; `heard` has those before an error, too."""
        heard = [] if heard is None else heard
        stream = await self.open(self.client(), Ask(self.model(*words), text, **asked))
        await walk(stream, heard.append)
        return heard

    def text_of(self, heard: list[Any]) -> str:
        return "".join(self.subject.chunk_text(chunk) for chunk in heard)


def at_once(main: Coroutine[Any, Any, T]) -> T:
    """What a coroutine gives that never waits. Raises AssertionError for one that does."""
    try:
        main.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    main.close()
    raise AssertionError("a sync client waited for an event loop")


async def settled(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


async def walk(stream: Any, see: Callable[[Any], bool | None]) -> None:
    """Give every chunk to `see`, until it says True: then the loop is left by `break`."""
    if hasattr(stream, "__aiter__"):
        async for chunk in stream:
            if see(chunk):
                break
    else:
        for chunk in stream:
            if see(chunk):
                break


def closer(thing: Any, *, is_async: bool) -> Any:
    """The method that closes a stream or a client; None if it has none."""
    for name in ("aclose", "close") if is_async else ("close",):
        if hasattr(thing, name):
            return getattr(thing, name)
    return None


def _close(subject: Subject, client: Any, *, is_async: bool) -> Any:
    if subject.close is not None:
        return subject.close(client)
    if (close := closer(client, is_async=is_async)) is not None:
        return close()
    leave = getattr(client, "__aexit__" if is_async else "__exit__", None)
    return leave(None, None, None) if leave else None

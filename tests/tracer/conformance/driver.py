"""One program for sync and async clients: each test is a coroutine, which for a sync client never waits."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from .serving import Fake
from .subject import Ask, Subject

T = TypeVar("T")


@dataclass(frozen=True)
class App:
    """An application that uses a subject's library, in one of the two ways."""

    subject: Subject
    fake: Fake
    is_async: bool

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """The result of `main`: in an event loop, or with none at all."""
        if self.is_async:
            return asyncio.run(main)
        try:
            main.send(None)
        except StopIteration as done:
            result: T = done.value
            return result
        main.close()
        raise AssertionError("a sync client waited for an event loop")

    @asynccontextmanager
    async def client(self, retries: int = 0, timeout_s: float = 30) -> AsyncIterator[Any]:
        make = self.subject.async_client if self.is_async else self.subject.client
        assert make is not None
        made = make(self.fake.address, retries, timeout_s)
        try:
            yield made
        finally:
            await settled(_close(self.subject, made, is_async=self.is_async))

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
        """One whole answer, by a client of its own."""
        async with self.client(retries, timeout_s) as client:
            return await self.ask(client, Ask(self.model(*words), text, **asked))

    async def hear(self, *words: str, text: str, heard: list[Any] | None = None, **asked: Any) -> list[Any]:
        """All chunks of one stream, by a client of its own; `heard` has those before an error, too."""
        heard = [] if heard is None else heard
        async with self.client() as client:
            stream = await self.open(client, Ask(self.model(*words), text, **asked))
            async for chunk in chunks(stream):
                heard.append(chunk)
        return heard

    def text_of(self, heard: list[Any]) -> str:
        return "".join(self.subject.chunk_text(chunk) for chunk in heard)


async def settled(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


async def chunks(stream: Any) -> AsyncIterator[Any]:
    if hasattr(stream, "__aiter__"):
        async for chunk in stream:
            yield chunk
    else:
        for chunk in stream:
            yield chunk


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

"""A made-up provider library, with everything that real ones do to a tracer: sync, async, streams, a helper that
calls its own patched method, a response that can be closed past the stream. Its `model` says how it behaves."""

# ruff: noqa: ANN001, ANN002, ANN003, ANN201, ANN202, ANN204  a library without types
# mypy: ignore-errors

import asyncio
import threading
from types import SimpleNamespace

calls = []
"""Keyword arguments of every request that reached the provider."""
PIECES = ["Hel", "lo ", "<EMAIL", "_ADDRESS_1>", " and", " bye"]


class TinyError(Exception):
    def __init__(self, message, status_code):
        super().__init__(message)
        self.status_code = status_code


RAISED = TinyError("the prompt was: my secret is hunter2", 500)


class Response:
    closed = False

    def close(self):
        self.closed = True

    async def aclose(self):
        self.closed = True


def _provide(kwargs):
    calls.append(kwargs)
    if kwargs["model"] == "error":
        raise RAISED
    return SimpleNamespace(text="Hello <EMAIL_ADDRESS_1>", args={"to": "<EMAIL_ADDRESS_1>", "n": 1}, id="r1")


class Stream:
    def __init__(self, model):
        self.model = model
        self.response = Response()
        self._source = self._read()

    def _read(self):
        try:
            for n, piece in enumerate(PIECES):
                if self.model == "midstream" and n == 3:
                    raise RAISED
                yield SimpleNamespace(piece=piece, done=False)
            yield SimpleNamespace(piece="", done=True)
        finally:
            self.response.close()

    def __iter__(self):
        yield from self._source

    def __next__(self):
        return next(self._source)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.response.close()


class AsyncStream:
    def __init__(self, model):
        self.model = model
        self.response = Response()
        self._source = self._read()

    async def _read(self):
        try:
            for n, piece in enumerate(PIECES):
                if self.model == "midstream" and n == 3:
                    raise RAISED
                if self.model == "hangs" and n == 3:
                    await asyncio.Event().wait()
                yield SimpleNamespace(piece=piece, done=False)
            yield SimpleNamespace(piece="", done=True)
        finally:
            await self.response.aclose()

    async def __aiter__(self):
        async for item in self._source:
            yield item

    async def __anext__(self):
        return await self._source.__anext__()

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        await self.close()

    async def close(self):
        await self.response.aclose()


class Chat:
    def ask(self, *, model, messages, stream=False, **extra):
        answer = _provide({"model": model, "messages": list(messages), "stream": stream, **extra})
        return Stream(model) if stream else answer

    def asked_twice(self, **kwargs):
        """The same endpoint through another one: still one call."""
        return self.ask(**kwargs)


class AsyncChat:
    async def ask(self, *, model, messages, stream=False, **extra):
        if model == "hangs" and not stream:
            await asyncio.Event().wait()
        answer = _provide({"model": model, "messages": list(messages), "stream": stream, **extra})
        answer.thread = threading.get_ident()
        return AsyncStream(model) if stream else answer

    async def asked_twice(self, **kwargs):
        return await self.ask(**kwargs)

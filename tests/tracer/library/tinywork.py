"""A made-up store to search, and a made-up framework that tells its listeners what it runs. Both may call tinylib."""

# ruff: noqa: ANN001, ANN201, ANN204  a library without types
# mypy: ignore-errors

import contextvars
from types import SimpleNamespace

import tinylib

DOCUMENTS = [("d1", "write to ada@example.com"), ("d2", "nothing personal")]
RAISED = LookupError("no index for: my secret is hunter2")


class Store:
    def search(self, query, *, k=2):
        if query == "error":
            raise RAISED
        if query == "embeds":
            tinylib.Chat().ask(model="embed", messages=[])
        return [SimpleNamespace(id=name, text=text) for name, text in DOCUMENTS[:k]]


class AsyncStore:
    async def search(self, query, *, k=2):
        if query == "error":
            raise RAISED
        if query == "embeds":
            await tinylib.AsyncChat().ask(model="embed", messages=[])
        return [SimpleNamespace(id=name, text=text) for name, text in DOCUMENTS[:k]]


listeners = []
running = contextvars.ContextVar("tinywork_running", default=None)
_numbers = iter(range(1, 1 << 30))


class Tool:
    """Runs a function as a tool of the framework, and tells what it does."""

    def __init__(self, name, function):
        self.name, self.function = name, function

    def run(self, argument):
        key, parent = next(_numbers), running.get()
        for listener in listeners:
            listener.began(key, parent, self.name, argument)
        token = running.set(key)
        try:
            result = self.function(argument)
        except BaseException as error:
            for listener in listeners:
                listener.failed(key, error)
            raise
        finally:
            running.reset(token)
        for listener in listeners:
            listener.ended(key, result)
        return result

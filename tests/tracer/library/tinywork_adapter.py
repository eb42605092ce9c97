"""The adapter of the made-up store and framework. `broken` names what raises in it, as a bug of ours would."""

# ruff: noqa: ANN001, ANN201, ANN202, ANN204  a library without types
# mypy: ignore-errors

import json

from spanward.guards.messages import Message, Part
from spanward.tracer.adapter import Adapter, Around
from spanward.tracer.operation import Operation

broken = set()


def _may_break(name):
    if name in broken:
        raise ZeroDivisionError(f"{name}: my secret is hunter2")


def begin(instance, kwargs):
    _may_break("begin")
    return Operation(
        "retrieval",
        "tinystore",
        given=(Message("user", (Part("text", kwargs["query"]),)),),
        attributes={"gen_ai.request.top_k": kwargs.get("k", 2)},
        server_address="store.example",
        server_port=99,
    )


def done(operation, found):
    _may_break("done")
    operation.found = (Message("tool", tuple(Part("tool_result", d.text, id=d.id, name="notes") for d in found)),)


class Listener:
    def __init__(self, narrator):
        self.narrator = narrator

    def began(self, key, parent, name, argument):
        given = Message("assistant", (Part("tool_call", json.dumps(argument), json=True, name=name),))
        self.narrator.begin(
            key, Operation("execute_tool", name, (given,), attributes={"gen_ai.tool.type": "function"}), parent
        )

    def ended(self, key, result):
        self.narrator.end(key, (Message("tool", (Part("text", str(result)),)),))

    def failed(self, key, error):
        self.narrator.end(key, error=error)


def listen(narrator):
    import tinywork

    listener = Listener(narrator)
    tinywork.listeners.append(listener)
    unfollow = narrator.follow(tinywork.running.get)

    def undo():
        tinywork.listeners.remove(listener)
        unfollow()

    return undo


ADAPTER = Adapter(
    "tinywork",
    "wrapt",  # any installed distribution
    "0",
    "99",
    around=(Around("tinywork", "Store.search", "AsyncStore.search", begin, done),),
    listen=listen,
)

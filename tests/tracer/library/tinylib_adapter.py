"""The adapter of the made-up library. `broken` names what raises in it, as a bug of ours would."""

# ruff: noqa: ANN001, ANN201, ANN202, ANN204  a library without types
# mypy: ignore-errors

import json
from types import SimpleNamespace

from spanward.guards.messages import Message, Part
from spanward.tracer.adapter import Adapter, ChunkView, Delta, Endpoint
from spanward.tracer.call import ModelCall, Usage

broken = set()


def _may_break(name):
    if name in broken:
        raise ZeroDivisionError(f"{name}: my secret is hunter2")


def request(instance, kwargs):
    _may_break("request")
    if "messages" in kwargs:
        kwargs["messages"] = list(kwargs["messages"])
    messages = tuple(
        Message(m["role"], (Part("text", m["content"], where=("messages", i, "content")),))
        for i, m in enumerate(kwargs.get("messages", ()))
    )
    return ModelCall("chat", "tiny", request_model=kwargs["model"], messages=messages, params={"temperature": 0})


def response(call, answer):
    _may_break("response")
    call.response_id = answer.id
    call.usage = Usage(input=10, cache_read=5, output=3, source="provider", raw={"in": 15})
    call.finish_reasons = ("stop",)
    call.output = (
        Message(
            "assistant",
            (
                Part("text", answer.text, where=("text",)),
                Part("tool_call", json.dumps(answer.args), json=True, name="send", id="t1", where=("args",)),
            ),
            "stop",
        ),
    )


class Reader:
    def __init__(self, call):
        _may_break("reader")

    def read(self, chunk):
        _may_break("read")
        if chunk.done:
            return ChunkView((), ("text",))
        return ChunkView((Delta("text", chunk.piece, ("piece",)),))

    def filler(self, channel, text):
        return SimpleNamespace(piece=text, done=False)

    def finish(self, call, texts):
        _may_break("finish")
        call.usage = Usage(input=10, output=3, source="provider")
        call.output = (Message("assistant", (Part("text", texts.get("text", "")),)),)


def reply(call, text):
    return SimpleNamespace(text=text, args={}, id="canned")


def reply_stream(instance, call, text):
    return iter([SimpleNamespace(piece=text, done=False)])


def _endpoint(method):
    return Endpoint(
        module="tinylib",
        sync_method=f"Chat.{method}",
        async_method=f"AsyncChat.{method}",
        request=request,
        response=response,
        reader=Reader,
        reply=reply,
        reply_stream=reply_stream,
        streams=lambda kwargs: bool(kwargs.get("stream")),
    )


ADAPTER = Adapter(
    "tinylib", "wrapt", "0", "99", (_endpoint("ask"), _endpoint("asked_twice"))
)  # any installed distribution

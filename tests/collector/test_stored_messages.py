"""What the tracer writes of messages is read back as what guards judged."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanward.collector.otlp_values import to_value, value_of
from spanward.collector.stored_messages import messages_of, system_of
from spanward.guards.messages import Message, Part
from spanward.tracer.record import messages_json

TEXT = st.text(max_size=40)
OBJECTS = st.dictionaries(
    TEXT, st.none() | st.booleans() | st.integers() | TEXT | st.lists(TEXT, max_size=3), max_size=3
)
PARTS = st.one_of(
    st.builds(Part, st.sampled_from(["text", "reasoning"]), TEXT),
    st.builds(Part, st.just("tool_call"), TEXT, name=TEXT, id=TEXT),
    st.builds(Part, st.just("tool_result"), TEXT, id=TEXT),
    st.builds(
        lambda kind, value, id_: Part(kind, json.dumps(value, ensure_ascii=False), json=True, id=id_),
        st.sampled_from(["tool_call", "tool_result"]),
        OBJECTS,
        TEXT,
    ),
)
MESSAGES = st.lists(
    st.builds(Message, st.sampled_from(["user", "assistant", "tool"]), st.lists(PARTS, max_size=4).map(tuple), TEXT),
    max_size=4,
).map(tuple)


@given(MESSAGES)
def test_what_the_tracer_writes_is_read_back(messages: tuple[Message, ...]) -> None:
    assert messages_of(messages_json(messages)) == messages


@given(MESSAGES)
def test_structured_attributes_are_read_like_json_text(messages: tuple[Message, ...]) -> None:
    text = messages_json(messages)
    assert messages_of(json.loads(text)) == messages_of(text)


def test_media_is_known_to_be_there_and_never_judged() -> None:
    part = Part("media", mime="image/png", uri="https://example.com/cat.png")
    [message] = messages_of(messages_json([Message("user", (part,))]))
    assert message.parts == (replace(part, mime="", uri=""),)


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        ([{"role": "user", "content": "hello"}], (Part("text", "hello"),)),
        ([{"role": "user", "content": [{"type": "text", "text": "hello"}]}], (Part("text", "hello"),)),
        ([{"role": "user", "parts": ["hello"]}], (Part("text", "hello"),)),
        (
            [{"role": "user", "parts": [{"type": "tool_call_response", "result": {"a": 1}}]}],
            (Part("tool_result", '{"a": 1}', json=True),),
        ),
        (
            [{"role": "user", "parts": [{"type": "document", "id": None, "name": "shelf", "content": "figs"}]}],
            (Part("document", "figs", name="shelf"),),
        ),
        ([{"role": "user", "parts": [{"type": "blob", "content": "AAAA"}]}], (Part("media"),)),
        ([{"role": "user"}], ()),
        ([{"role": "user", "parts": None}], ()),
    ],
)
def test_what_others_write_is_read_too(value: Any, parts: tuple[Part, ...]) -> None:
    assert messages_of(json.dumps(value)) == (Message("user", parts),)


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        ("", ()),
        ("[]", ()),
        ('[{"type": "text", "content": "be kind"}]', (Part("text", "be kind"),)),
        ('["be kind"]', (Part("text", "be kind"),)),
    ],
)
def test_system_instructions(value: str, parts: tuple[Part, ...]) -> None:
    assert system_of(value) == ((Message("system", parts),) if parts else ())


VALUES = st.recursive(
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3),
)


@given(VALUES)
def test_attribute_values_survive_otlp(value: Any) -> None:
    assert value_of(to_value(value)) == value

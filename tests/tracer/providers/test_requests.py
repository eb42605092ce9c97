"""Every place of a request that can hold text becomes a part whose path leads to that very text."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest
from openai.types.chat import ChatCompletionMessage

from spanward.guards.messages import Part, parts_of
from spanward.tracer import paths
from spanward.tracer.adapter import Endpoint
from spanward.tracer.call import ModelCall
from spanward.tracer.providers import openai_chat
from spanward.tracer.providers.anthropic import ADAPTER as ANTHROPIC
from spanward.tracer.providers.openai import ADAPTER as OPENAI

PNG = "data:image/png;base64,iVBORw0KGgo="
TOOL = {
    "type": "function",
    "function": {"name": "find", "description": "D", "parameters": {"type": "object", "properties": {}}},
}
CHAT: list[tuple[dict[str, Any], list[tuple[str, str, str, tuple[Any, ...]]]]] = [
    ({"messages": [{"role": "system", "content": "S"}]}, [("system", "text", "S", ("messages", 0, "content"))]),
    ({"messages": [{"role": "developer", "content": "S"}]}, [("system", "text", "S", ("messages", 0, "content"))]),
    (
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "U"}]}]},
        [("user", "text", "U", ("messages", 0, "content", 0, "text"))],
    ),
    (
        {"messages": ({"role": "user", "content": "U"},)},
        [("user", "text", "U", ("messages", 0, "content"))],
    ),
    (
        {"messages": [{"role": "assistant", "content": None, "refusal": "R"}]},
        [("assistant", "text", "R", ("messages", 0, "refusal"))],
    ),
    (
        {"messages": [{"role": "assistant", "content": "", "reasoning_content": "T"}]},
        [("assistant", "reasoning", "T", ("messages", 0, "reasoning_content"))],
    ),
    (
        {
            "messages": [
                {
                    "role": "assistant",
                    "tool_calls": [
                        {"id": "c1", "type": "function", "function": {"name": "find", "arguments": '{"q": "A"}'}},
                        {"id": "c2", "type": "custom", "custom": {"name": "say", "input": "free"}},
                    ],
                },
                {"role": "tool", "tool_call_id": "c1", "content": "R"},
            ]
        },
        [
            ("assistant", "tool_call", '{"q": "A"}', ("messages", 0, "tool_calls", 0, "function", "arguments")),
            ("assistant", "tool_call", "free", ("messages", 0, "tool_calls", 1, "custom", "input")),
            ("tool", "tool_result", "R", ("messages", 1, "content")),
        ],
    ),
    (
        {"messages": [{"role": "user", "content": [{"type": "mystery", "words": "M"}]}]},
        [("user", "text", '{"type": "mystery", "words": "M"}', ("messages", 0, "content", 0))],
    ),
    (
        {"messages": [], "prediction": {"type": "content", "content": "P"}},
        [("assistant", "text", "P", ("prediction", "content"))],
    ),
    (
        {"messages": [], "extra_body": {"note": "E"}},
        [("user", "text", '{"note": "E"}', ("extra_body",))],
    ),
]
RESPONSES: list[tuple[dict[str, Any], list[tuple[str, str, str, tuple[Any, ...]]]]] = [
    ({"input": "U"}, [("user", "text", "U", ("input",))]),
    (
        {"instructions": "S", "input": [{"role": "user", "content": "U"}]},
        [("system", "text", "S", ("instructions",)), ("user", "text", "U", ("input", 0, "content"))],
    ),
    (
        {"input": [{"role": "user", "content": [{"type": "input_text", "text": "U"}]}]},
        [("user", "text", "U", ("input", 0, "content", 0, "text"))],
    ),
    (
        {
            "input": [
                {"type": "function_call", "call_id": "c", "name": "find", "arguments": '{"q": "A"}'},
                {"type": "function_call_output", "call_id": "c", "output": "R"},
                {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_text", "text": "L"}]},
            ]
        },
        [
            ("assistant", "tool_call", '{"q": "A"}', ("input", 0, "arguments")),
            ("tool", "tool_result", "R", ("input", 1, "output")),
            ("tool", "tool_result", "L", ("input", 2, "output", 0, "text")),
        ],
    ),
    (
        {"input": [{"type": "reasoning", "id": "r", "summary": [{"type": "summary_text", "text": "T"}]}]},
        [("assistant", "reasoning", "T", ("input", 0, "summary", 0, "text"))],
    ),
    (
        {"input": [{"type": "mystery", "words": "M"}]},
        [("assistant", "tool_call", '{"type": "mystery", "words": "M"}', ("input", 0))],
    ),
    (
        {"prompt": {"id": "p", "variables": {"who": "V", "part": {"type": "input_text", "text": "W"}}}},
        [
            ("user", "text", "V", ("prompt", "variables", "who")),
            ("user", "text", "W", ("prompt", "variables", "part", "text")),
        ],
    ),
]
MESSAGES: list[tuple[dict[str, Any], list[tuple[str, str, str, tuple[Any, ...]]]]] = [
    (
        {"system": "S", "messages": [{"role": "user", "content": "U"}]},
        [("system", "text", "S", ("system",)), ("user", "text", "U", ("messages", 0, "content"))],
    ),
    (
        {"system": [{"type": "text", "text": "S", "cache_control": {"type": "ephemeral"}}]},
        [("system", "text", "S", ("system", 0, "text"))],
    ),
    (
        {
            "messages": [
                {
                    "role": "assistant",
                    "content": [
                        {"type": "thinking", "thinking": "T", "signature": "x"},
                        {"type": "tool_use", "id": "t", "name": "find", "input": {"q": "Ä"}},
                    ],
                },
                {
                    "role": "user",
                    "content": [
                        {"type": "tool_result", "tool_use_id": "t", "content": "R"},
                        {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "L"}]},
                    ],
                },
            ]
        },
        [
            ("assistant", "reasoning", "T", ("messages", 0, "content", 0, "thinking")),
            ("assistant", "tool_call", '{"q": "Ä"}', ("messages", 0, "content", 1, "input")),
            ("user", "tool_result", "R", ("messages", 1, "content", 0, "content")),
            ("user", "tool_result", "L", ("messages", 1, "content", 1, "content", 0, "text")),
        ],
    ),
    (
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "document", "title": "N", "source": {"type": "text", "data": "D"}},
                        {
                            "type": "search_result",
                            "title": "N",
                            "source": "s",
                            "content": [{"type": "text", "text": "C"}],
                        },
                        {"type": "mystery", "words": "M"},
                    ],
                }
            ]
        },
        [
            ("user", "text", "N", ("messages", 0, "content", 0, "title")),
            ("user", "text", "D", ("messages", 0, "content", 0, "source", "data")),
            ("user", "text", "N", ("messages", 0, "content", 1, "title")),
            ("user", "text", "s", ("messages", 0, "content", 1, "source")),
            ("user", "text", "C", ("messages", 0, "content", 1, "content", 0, "text")),
            ("user", "text", '{"type": "mystery", "words": "M"}', ("messages", 0, "content", 2)),
        ],
    ),
]
EMBEDDINGS: list[tuple[dict[str, Any], list[tuple[str, str, str, tuple[Any, ...]]]]] = [
    ({"input": "U"}, [("user", "text", "U", ("input",))]),
    ({"input": ["A", "B"]}, [("user", "text", "A", ("input", 0)), ("user", "text", "B", ("input", 1))]),
    ({"input": [1, 2]}, []),
    ({"input": [[1, 2], [3]]}, []),
]


def endpoint(adapter: Any, module: str, method: str) -> Endpoint:
    found: Endpoint = next(
        e for e in adapter.endpoints if e.module.endswith(module) and e.sync_method.endswith(f".{method}")
    )
    return found


CHAT_CREATE = endpoint(OPENAI, "completions", "create")
RESPONSES_CREATE = endpoint(OPENAI, "responses", "create")
EMBEDDINGS_CREATE = endpoint(OPENAI, "embeddings", "create")
MESSAGES_CREATE = endpoint(ANTHROPIC, "messages", "create")
CASES = [
    *((CHAT_CREATE, *case) for case in CHAT),
    *((RESPONSES_CREATE, *case) for case in RESPONSES),
    *((EMBEDDINGS_CREATE, *case) for case in EMBEDDINGS),
    *((MESSAGES_CREATE, *case) for case in MESSAGES),
]


def resource(asked: Endpoint, client: Any = None) -> Any:
    if asked.module.startswith("anthropic"):
        return (client or anthropic.Anthropic(api_key="k", base_url="http://localhost:9")).messages
    client = client or openai.OpenAI(api_key="k", base_url="http://localhost:9/v1")
    if asked.module.endswith("embeddings"):
        return client.embeddings
    return client.responses if asked.module.endswith("responses") else client.chat.completions


def read(asked: Endpoint, kwargs: dict[str, Any]) -> ModelCall:
    return asked.request(resource(asked), kwargs)


def judged(call: ModelCall) -> list[tuple[str, Part]]:
    return [(call.messages[m].role, part) for m, _, part in parts_of(call.messages)]


@pytest.mark.parametrize(("asked", "kwargs", "expected"), CASES, ids=range(len(CASES)))
def test_every_text_is_a_part_with_its_path(
    asked: Endpoint, kwargs: dict[str, Any], expected: list[tuple[str, str, str, tuple[Any, ...]]]
) -> None:
    given = copy.deepcopy(kwargs)
    call = read(asked, given)
    assert [(role, part.kind, part.text, part.where) for role, part in judged(call)] == expected
    for _, part in judged(call):
        there = paths.get(given, part.where)
        assert part.text == there if isinstance(there, str) else json.loads(part.text) == there


@pytest.mark.parametrize(("asked", "kwargs", "expected"), CASES, ids=range(len(CASES)))
def test_an_edit_reaches_the_request_and_not_what_the_caller_owns(
    asked: Endpoint, kwargs: dict[str, Any], expected: list[Any]
) -> None:
    given = dict(kwargs)
    untouched = copy.deepcopy(kwargs)
    call = read(asked, given)
    edits = {
        part.where: '{"edited": true}' if part.json else f"{part.text} edited" for _, part in judged(call) if part.where
    }
    sent = paths.edited(given, edits)
    assert json.dumps(sent).count("edited") == len(edits)
    assert kwargs == untouched


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from leaves(item, (*path, i))


EVERYTHING: list[tuple[Endpoint, dict[str, Any]]] = [
    (CHAT_CREATE, {"messages": [m for kwargs, _ in CHAT for m in kwargs["messages"]], "tools": [TOOL]}),
    (
        RESPONSES_CREATE,
        {
            "input": [i for kwargs, _ in RESPONSES for i in kwargs.get("input", ()) if isinstance(i, dict)],
            "tools": [{"type": "function", "name": "find", "description": "D", "parameters": {}}],
        },
    ),
    (
        MESSAGES_CREATE,
        {
            "messages": [m for kwargs, _ in MESSAGES for m in kwargs.get("messages", ())],
            "tools": [{"name": "find", "description": "D", "input_schema": {}}],
        },
    ),
]
NO_TEXT = {"type", "role", "id", "call_id", "tool_call_id", "tool_use_id", "name", "signature"}


@pytest.mark.parametrize(("asked", "kwargs"), EVERYTHING, ids=["chat", "responses", "messages"])
def test_a_canary_in_any_text_is_judged(asked: Endpoint, kwargs: dict[str, Any]) -> None:
    places = [path for path, _ in leaves(kwargs) if path[-1] not in NO_TEXT]
    assert len(places) > 5
    for place in places:
        planted = paths.edited(kwargs, {place: '{"q": "canary"}' if place[-1] == "arguments" else "canary"})
        call = read(asked, planted)
        texts = [part.text for _, _, part in parts_of((*call.messages, *call.tools))]
        assert any("canary" in text for text in texts), place


@pytest.mark.parametrize(
    ("asked", "content"),
    [
        (CHAT_CREATE, {"type": "image_url", "image_url": {"url": PNG}}),
        (CHAT_CREATE, {"type": "input_audio", "input_audio": {"data": "iVBORw0KGgo=", "format": "wav"}}),
        (CHAT_CREATE, {"type": "file", "file": {"file_data": PNG, "filename": "a.png"}}),
        (MESSAGES_CREATE, {"type": "image", "source": {"type": "base64", "data": "iVBORw0KGgo="}}),
    ],
)
def test_bytes_are_never_carried(asked: Endpoint, content: dict[str, Any]) -> None:
    call = read(asked, {"messages": [{"role": "user", "content": [content]}]})
    ((part,),) = [message.parts for message in call.messages]
    assert (part.kind, part.text, part.uri[:7]) == ("media", "", "sha256:")
    assert "iVBOR" not in repr(call)


def test_an_image_of_the_web_keeps_its_address() -> None:
    image = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    call = read(CHAT_CREATE, {"messages": [{"role": "user", "content": [image]}]})
    assert call.messages[0].parts == (Part("media", name="image", uri="https://example.com/a.png"),)


def test_an_earlier_answer_put_back_is_read_and_sent_as_the_sdk_would() -> None:
    answer = ChatCompletionMessage.model_validate(
        {
            "role": "assistant",
            "content": "A",
            "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        }
    )
    kwargs: dict[str, Any] = {"messages": [{"role": "user", "content": "U"}, answer]}
    call = read(CHAT_CREATE, kwargs)
    assert [(role, part.text) for role, part in judged(call)] == [
        ("user", "U"),
        ("assistant", "A"),
        ("assistant", "{}"),
    ]
    assert kwargs["messages"][1] == {
        "role": "assistant",
        "content": "A",
        "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
    }


def test_an_iterator_is_read_once_and_still_sent() -> None:
    kwargs: dict[str, Any] = {"messages": ({"role": "user", "content": text} for text in "AB")}
    call = read(CHAT_CREATE, kwargs)
    assert [part.text for _, part in judged(call)] == ["A", "B"]
    assert kwargs["messages"] == [{"role": "user", "content": "A"}, {"role": "user", "content": "B"}]


def test_params_hold_settings_and_no_free_text() -> None:
    kwargs = {
        "model": "gpt-4o-mini", "messages": [], "temperature": 0.2, "stop": ["X"], "seed": 7, "stream": True,
        "metadata": {"who": "someone"}, "user": "someone", "logit_bias": {"1": 2}, "top_p": openai.omit,
    }  # fmt: skip
    call = read(CHAT_CREATE, kwargs)
    assert call.params == {"temperature": 0.2, "seed": 7}
    assert (call.operation, call.provider, call.request_model, call.stream) == ("chat", "openai", "gpt-4o-mini", True)
    assert (call.server_address, call.server_port) == ("localhost", 9)


def test_the_provider_is_named_by_the_client() -> None:
    azure = openai.AzureOpenAI(api_key="k", azure_endpoint="https://it.openai.azure.com", api_version="2024-10-21")
    call = CHAT_CREATE.request(azure.chat.completions, {"model": "gpt-4o", "messages": []})
    assert (call.provider, call.server_address, call.server_port) == ("azure.ai.openai", "it.openai.azure.com", 443)
    other = openai.OpenAI(api_key="k", base_url="https://llm.example.com/v1")
    assert CHAT_CREATE.request(other.chat.completions, {"messages": []}).provider == "openai"


def test_tools_are_judged_whole() -> None:
    call = read(CHAT_CREATE, {"messages": [], "tools": [TOOL]})
    (part,) = call.tools[0].parts
    assert (part.kind, part.name, part.where, json.loads(part.text)) == ("tool_definition", "find", ("tools", 0), TOOL)


PLAIN = {"role": "user", "content": "U"}


@pytest.mark.parametrize(
    ("messages", "whole"),
    [
        ([PLAIN], True),
        ([{"role": "developer", "content": "S"}, PLAIN, {"role": "assistant", "content": "A"}], True),
        ([PLAIN, {**PLAIN, "name": "Ann"}], False),
        ([PLAIN, {"content": "U", "secret": "another one"}], False),
        ([PLAIN, {"role": "tool", "content": "found"}], False),
        ([PLAIN, {"role": "a role of its own", "content": "U"}], False),
        ([PLAIN, {"role": ["user"], "content": "U"}], False),
        ([PLAIN, {"role": "user", "content": [{"type": "text", "text": "U"}]}], False),
        ([PLAIN, {"role": "user", "content": None}], False),
        ((PLAIN,), False),
        (None, False),
    ],
)
def test_what_is_nothing_but_a_conversation_needs_no_second_look(messages: Any, whole: bool) -> None:
    """All that it says is in the record; of any other what nobody read is looked for."""
    call = ModelCall("chat", "openai")
    openai_chat.request(call, {"messages": messages})
    assert call.whole == (("messages",) if whole else ())

"""From the record to attributes, as whole dicts; and every name against the conventions that are installed."""

import importlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import opentelemetry.semconv
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from spanward.guards.judgement import Decision
from spanward.guards.messages import Message, Part
from spanward.tracer import record, semconv, usual
from spanward.tracer.blocked import ModelCallBlocked
from spanward.tracer.call import ModelCall, Usage

AHEAD = {
    "gen_ai.usage.cache_write.input_tokens",
    "gen_ai.prompt.version",
    *(name for name in vars(semconv).values() if isinstance(name, str) and name.startswith("gen_ai.guardrail.")),
}
"""Names of the conventions' own repository (and its guardrail draft) that the installed package does not have yet."""

NAMES = {
    name
    for key, name in vars(semconv).items()
    if key.isupper() and isinstance(name, str) and not key.endswith("_PREFIX") and "." in name
}


def installed() -> set[str]:
    (root,) = opentelemetry.semconv.__path__
    files = [path.relative_to(root).with_suffix("") for path in Path(root).rglob("*_attributes.py")]
    modules = [importlib.import_module(".".join(("opentelemetry.semconv", *path.parts))) for path in files]
    return {value for module in modules for value in vars(module).values() if isinstance(value, str)}


def test_every_name_of_the_conventions_is_one_of_the_conventions() -> None:
    theirs = {name for name in NAMES if not name.startswith("spanward.")}
    assert theirs - installed() == AHEAD & NAMES


CALL = ModelCall("chat", "openai", "gpt-4o", started_ns=1_000_000_000, ended_ns=3_000_000_000)
JUDGED = Decision((), "modify", "modify", policy_name="p", policy_hash="abc", degraded=("pii: no NER",), latency_ms=2.0)
BASE = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o"}
NONE = {"spanward.guard.verdict": "none", "spanward.guard.action": "none"}


@pytest.mark.parametrize(
    ("filled", "attributes"),
    [
        ({}, {**BASE, **NONE}),
        (
            {"params": {"temperature": 0, "top_p": 0.5, "stop_sequences": ["a"], "odd": {"x": 1}, "none": None}},
            {
                **BASE,
                **NONE,
                "gen_ai.request.temperature": 0,
                "gen_ai.request.top_p": 0.5,
                "gen_ai.request.stop_sequences": ["a"],
            },
        ),
        (
            {"usage": Usage(input=1, cache_read=2, cache_write=3, output=4, reasoning=5, source="provider")},
            {
                **BASE,
                **NONE,
                "gen_ai.usage.input_tokens": 6,
                "gen_ai.usage.output_tokens": 9,
                "gen_ai.usage.cache_read.input_tokens": 2,
                "gen_ai.usage.cache_write.input_tokens": 3,
                "gen_ai.usage.reasoning.output_tokens": 5,
                "spanward.usage.source": "provider",
            },
        ),
        (
            {"usage": Usage(source="provider")},
            {
                **BASE,
                **NONE,
                "gen_ai.usage.input_tokens": 0,
                "gen_ai.usage.output_tokens": 0,
                "spanward.usage.source": "provider",
            },
        ),
        (
            {
                "stream": True,
                "first_chunk_ns": 1_500_000_000,
                "chunks": 3,
                "longest_gap_ns": 2_000_000,
                "stream_end": "closed",
            },
            {
                **BASE,
                **NONE,
                "gen_ai.request.stream": True,
                "gen_ai.response.time_to_first_chunk": 0.5,
                "spanward.stream.chunks": 3,
                "spanward.stream.longest_gap_ms": 2.0,
                "spanward.stream.end": "closed",
            },
        ),
        (
            {
                "guarded_input": JUDGED,
                "guarded_output": replace(JUDGED, verdict="fail_open", action="allow", latency_ms=1.0),
            },
            {
                **BASE,
                "spanward.guard.verdict": "fail_open",
                "spanward.guard.action": "modify",
                "spanward.guard.latency_ms": 3.0,
                "spanward.guard.policy.name": "p",
                "spanward.guard.policy.hash": "abc",
                "spanward.guard.degraded": ("pii: no NER",),
            },
        ),
        (
            {"messages": (Message("user", (Part("text", "hi"),)),), "content_withheld": "guards_off"},
            {**BASE, **NONE, "spanward.content.withheld": "guards_off"},
        ),
    ],
)
def test_attributes(filled: dict[str, Any], attributes: dict[str, Any]) -> None:
    call = replace(CALL, **filled)
    assert {**record.opening(call), **record.usual(call), **record.closing(call)} == attributes


def test_what_many_calls_say_alike_is_made_once_and_never_of_another_call() -> None:
    one, two = (replace(CALL, response_id=name, guarded_input=JUDGED, guarded_output=JUDGED) for name in ("a", "b"))
    assert record.usual(one) is record.usual(two)
    assert record.opening(one) is record.opening(two)
    for other in (
        {"request_model": "m"},
        {"response_model": "m"},
        {"finish_reasons": ("stop",)},
        {"error_type": "E"},
        {"guarded_output": replace(JUDGED, verdict="deny")},
        {"guarded_input": replace(JUDGED, action="block")},
        {"usage": Usage(source="provider")},
        {"content_withheld": "guards_off"},
    ):
        changed = replace(one, **other)
        assert {**record.opening(changed), **record.usual(changed)} != {**record.opening(one), **record.usual(one)}


def test_what_a_provider_gives_in_the_place_of_a_word_has_a_record_too() -> None:
    reasons: Any = (["stop"],)
    odd = replace(CALL, finish_reasons=reasons)
    assert record.usual(odd) == record.usual(odd) == {**NONE, semconv.FINISH_REASONS: reasons}


def test_calls_that_differ_take_no_more_memory_than_a_few() -> None:
    for number in range(3 * usual.MOST):
        record.opening(replace(CALL, request_model=f"m{number}"))
    assert len(record._openings) <= usual.MOST


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (Part("text", "hi"), {"type": "text", "content": "hi"}),
        (Part("reasoning", "hm"), {"type": "reasoning", "content": "hm"}),
        (
            Part("tool_call", '{"a": 1}', json=True, name="f", id="t"),
            {"type": "tool_call", "id": "t", "name": "f", "arguments": {"a": 1}},
        ),
        (
            Part("tool_call", '{"a": ', json=True, name="f"),
            {"type": "tool_call", "id": None, "name": "f", "arguments": '{"a": '},
        ),
        (Part("tool_result", "sunny", id="t"), {"type": "tool_call_response", "id": "t", "response": "sunny"}),
        (
            Part("document", "figs", name="shelf"),
            {"type": "document", "id": None, "name": "shelf", "content": "figs"},
        ),
        (
            Part("document", '{"a": 1}', json=True, id="d"),
            {"type": "document", "id": "d", "name": None, "content": {"a": 1}},
        ),
        (
            Part("media", mime="image/png", uri="https://x/y.png"),
            {"type": "uri", "modality": "image", "mime_type": "image/png", "uri": "https://x/y.png"},
        ),
    ],
)
def test_parts_are_those_of_the_conventions(part: Part, said: dict[str, Any]) -> None:
    assert json.loads(record.messages_json([Message("user", (part,))])) == [{"role": "user", "parts": [said]}]


def test_system_and_tools_have_attributes_of_their_own() -> None:
    call = replace(
        CALL,
        messages=(Message("system", (Part("text", "be kind"),)), Message("user", (Part("text", "hi"),))),
        tools=(Message("system", (Part("tool_definition", '{"name":"f"}', json=True),)),),
    )
    attributes = record.closing(call)
    assert attributes[semconv.SYSTEM_INSTRUCTIONS] == '[{"type":"text","content":"be kind"}]'
    assert attributes[semconv.INPUT_MESSAGES] == '[{"role":"user","parts":[{"type":"text","content":"hi"}]}]'
    assert attributes[semconv.TOOL_DEFINITIONS] == '[{"name":"f"}]'


@given(st.text(st.characters(), max_size=40), st.integers(0, 20))
@example('say "hi" ' * 100, 1)
@example("one \\" * 2 + "plain text \n" * 100, 1)
@example("\x00" + "plain text \t" * 100, 1)
@example("half a pair \ud800" * 100, 1)
def test_a_text_is_quoted_as_json_has_it(text: str, times: int) -> None:
    """Long ones by another way than short ones."""
    for said in (text, text * times, "some plain words\r\n " * times + text):
        assert record.quoted(said) == json.dumps(said, ensure_ascii=False)


@pytest.mark.parametrize("at", [0, 1, record.PIECE - 1, record.PIECE, record.PIECE + 1, 2 * record.PIECE, -1])
def test_a_rare_character_is_found_wherever_a_long_text_has_it(at: int) -> None:
    characters = ["x"] * (2 * record.PIECE + 7)
    characters[at] = "\x0b"
    said = "".join(characters)
    assert record.quoted(said) == json.dumps(said)


class _Refused(Exception):  # noqa: N818  stands for a provider's, named as they like
    def __init__(self, code: object, status_code: object) -> None:
        super().__init__("you said: hunter2")
        self.code, self.status_code = code, status_code


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (_Refused("rate_limit_exceeded", 429), "_Refused HTTP 429 rate_limit_exceeded"),
        (_Refused("you said: hunter2", 400), "_Refused HTTP 400"),
        (_Refused(None, "400"), "_Refused"),
        (ValueError("hunter2"), "ValueError"),
        (ModelCallBlocked(Decision((), blocked_by="no-secrets"), "input"), "ModelCallBlocked rule no-secrets"),
    ],
)
def test_a_failure_says_its_type_and_codes_and_quotes_nothing(error: BaseException, said: str) -> None:
    assert record.failure(replace(CALL, error=error, error_type=type(error).__qualname__)) == said

"""Content that people and models make up to get past us, through the real SDKs: nothing leaks, nothing breaks."""

import json
from collections import UserDict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import anthropic
import openai
import pytest

from spanward.collector.demo.provider import Provider
from spanward.tracer import semconv

from ..inmemory import Spans

MAIL = "ada.lovelace@example.org"
STAND_IN = "<EMAIL_ADDRESS_1>"


def said(text: Any) -> list[Any]:
    return [{"role": "user", "content": text}]


def called(arguments: str) -> list[Any]:
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": arguments}}
    return [
        *said("hi"),
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": "ok"},
    ]


def nested(depth: int) -> Any:
    deep: Any = {"mail": MAIL}
    for _ in range(depth):
        deep = {"in": deep}
    return deep


class Text(str):
    __slots__ = ()


REQUESTS: dict[str, Callable[[], dict[str, Any]]] = {
    "key of tool arguments": lambda: {"messages": called(json.dumps({MAIL: 1, "deep": [{MAIL: [MAIL]}]}))},
    "unicode escape in tool arguments": lambda: {"messages": called('{"to":"ada.lovelace\\u0040example.org"}')},
    "half a surrogate in tool arguments": lambda: {"messages": called(f'{{"to":"\\ud800 {MAIL} \\ud83d\\ude00"}}')},
    "broken tool arguments": lambda: {"messages": called(f'{{"to":"{MAIL}"')},
    "tool arguments nested 5000 deep": lambda: {"messages": called("[" * 5000 + f'"{MAIL}"' + "]" * 5000)},
    "body nested 900 deep": lambda: {"messages": said("hi"), "extra_body": {"more": nested(900)}},
    "generator": lambda: {"messages": (turn for turn in said(f"to {MAIL}"))},
    "tuple": lambda: {"messages": tuple(said(f"to {MAIL}"))},
    "subclass of str": lambda: {"messages": said(Text(f"to {MAIL}"))},
    "upper case": lambda: {"messages": said(f"to {MAIL} and {MAIL.upper()}")},
    "zero": lambda: {"messages": said(f"a\0b {MAIL}")},
    "no content beside it": lambda: {"messages": [{"role": "assistant", "content": None}, *said(""), *said(MAIL)]},
    "user": lambda: {"messages": said("hi"), "user": MAIL},
    "safety_identifier": lambda: {"messages": said("hi"), "safety_identifier": MAIL},
    "prompt_cache_key": lambda: {"messages": said("hi"), "prompt_cache_key": MAIL},
    "metadata": lambda: {"messages": said("hi"), "metadata": {"for": MAIL, MAIL: "x"}},
    "stop": lambda: {"messages": said("hi"), "stop": (f"From: {MAIL}",)},
}


@pytest.mark.parametrize("name", REQUESTS)
def test_an_address_stays_here(spans: Spans, openai_client: openai.OpenAI, provider: Provider, name: str) -> None:
    provider.clear()
    openai_client.chat.completions.create(model="gpt-4o-echo", **REQUESTS[name]())
    (sent,) = provider.record
    body = sent.body.decode()
    assert "lovelace" not in body.lower()
    assert STAND_IN in body
    span = spans.one()
    assert span.attributes is not None
    assert semconv.CONTENT_WITHHELD not in span.attributes
    assert "lovelace" not in repr(dict(span.attributes)).lower()


def test_ids_and_stop_sequences_of_the_other_apis(
    spans: Spans, openai_client: openai.OpenAI, anthropic_client: anthropic.Anthropic, provider: Provider
) -> None:
    provider.clear()
    beside: Any = {"user": MAIL, "safety_identifier": MAIL, "metadata": {"for": MAIL}}
    openai_client.responses.create(model="gpt-4o-echo", input="hi", **beside)
    openai_client.embeddings.create(model="text-embedding-3-small", input="hi", user=MAIL)
    anthropic_client.messages.create(
        model="claude-echo",
        max_tokens=9,
        messages=said("hi"),
        metadata={"user_id": MAIL},
        stop_sequences=[MAIL],
    )
    assert [MAIL.encode() in sent.body for sent in provider.record] == [False] * 3
    assert all(STAND_IN.encode() in sent.body for sent in provider.record)
    assert MAIL not in repr([dict(span.attributes or {}) for span in spans.all()])


def test_what_an_iterator_of_the_application_raises_is_raised(spans: Spans, openai_client: openai.OpenAI) -> None:
    failure = ZeroDivisionError("the application's own")

    def turns() -> Iterator[Any]:
        yield said("hi")[0]
        raise failure

    with pytest.raises(ZeroDivisionError) as raised:
        openai_client.chat.completions.create(model="gpt-4o-echo", messages=turns())
    assert raised.value is failure
    assert (failure.__cause__, failure.__context__) == (None, None)


def test_arguments_that_no_sdk_can_send_fail_as_ever(spans: Spans, openai_client: openai.OpenAI) -> None:
    round_and_round: list[Any] = []
    round_and_round.append(round_and_round)
    wrong: list[tuple[type[Exception], dict[str, Any]]] = [
        (ValueError, {"messages": said("hi"), "temperature": float("nan")}),
        (ValueError, {"messages": said(round_and_round)}),
        (TypeError, {"messages": said(object())}),
    ]
    for expected, arguments in wrong:
        with pytest.raises(expected):
            openai_client.chat.completions.create(model="gpt-4o-echo", **arguments)


@pytest.mark.parametrize("content", [object(), [object()], UserDict(a=object())], ids=["alone", "in a list", "deeper"])
def test_an_object_that_no_sdk_can_send_is_refused_beside_what_is_edited(
    spans: Spans, openai_client: openai.OpenAI, content: Any
) -> None:
    """Its text is no more than an address, which now and then a detector takes for a licence and edits."""
    with pytest.raises(TypeError):
        openai_client.chat.completions.create(model="gpt-4o-echo", messages=[*said(content), *said(MAIL)])


def test_a_time_beside_an_address_goes_out_as_the_sdk_writes_times(
    spans: Spans, openai_client: openai.OpenAI, provider: Provider
) -> None:
    provider.clear()
    profile = {"seen": datetime(2026, 11, 21, tzinfo=UTC), "mail": MAIL}
    openai_client.chat.completions.create(model="gpt-4o-echo", messages=said("hi"), extra_body={"profile": profile})
    (sent,) = provider.record
    assert json.loads(sent.body)["profile"] == {"seen": "2026-11-21T00:00:00+00:00", "mail": STAND_IN}


def test_a_placeholder_that_was_typed_is_nobody_s_address(openai_client: openai.OpenAI, spans: Spans) -> None:
    typed = f"{STAND_IN} is not {MAIL}, nor is <EMAIL_ADDRESS_2>"
    answer = openai_client.chat.completions.create(model="gpt-4o-echo", messages=[*said(STAND_IN), *said(typed)])
    assert answer.choices[0].message.content == typed


def test_half_a_surrogate_pair_costs_one_character_and_no_span(spans: Spans, openai_client: openai.OpenAI) -> None:
    openai_client.chat.completions.create(model="gpt-4o-echo", messages=called('{"to":"\\ud800 there"}'))
    assert "there" in spans.said(spans.one(), semconv.INPUT_MESSAGES)

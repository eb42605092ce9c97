"""What is recorded has a bound and says so; what is sent, judged and delivered has none."""

import json
from pathlib import Path
from typing import Any

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

import spanward
from spanward.collector.demo.provider import serve_in_thread
from spanward.guards.judgement import Check, Decision
from spanward.guards.messages import Message, Part
from spanward.tracer import bound, record, semconv, settings
from spanward.tracer.call import ModelCall, Usage
from spanward.tracer.operation import Operation

from .conftest import Sidecar, Spooled

SMALL = bound.bound(100)


def said(attributes: Any, name: str = semconv.INPUT_MESSAGES) -> list[Any]:
    return [part for message in json.loads(attributes[name]) for part in message["parts"]]


def chat(*texts: str, **also: Any) -> ModelCall:
    return ModelCall("chat", "p", messages=tuple(Message("user", (Part("text", text),)) for text in texts), **also)


def test_what_is_within_the_bound_is_as_it_was() -> None:
    call = chat("a" * 100, "b" * 100, tools=(Message("system", (Part("tool_definition", '{"a":1}', json=True),)),))
    assert SMALL.closing(call) == record.closing(call)
    assert semconv.CONTENT_CUT not in SMALL.closing(call)


def test_a_long_part_is_cut_and_marked() -> None:
    attributes = SMALL.closing(chat("x" * 1000, "short"))
    assert [part["content"] for part in said(attributes)] == ["x" * 100 + "…[spanward: 900 characters cut]", "short"]
    assert attributes[semconv.CONTENT_CUT] == 900


def test_json_that_was_cut_is_text() -> None:
    arguments = json.dumps({"a": "y" * 500})
    answer = Message("assistant", (Part("tool_call", arguments, json=True, name="f", id="1"),), "stop")
    (part,) = said(SMALL.closing(chat(output=(answer,))), semconv.OUTPUT_MESSAGES)
    assert (part["type"], part["name"], part["id"]) == ("tool_call", "f", "1")
    assert part["arguments"] == arguments[:100] + f"…[spanward: {len(arguments) - 100} characters cut]"


def test_the_newest_of_a_conversation_and_the_answer_are_kept() -> None:
    call = chat(*(f"{n}" + "z" * 99 for n in range(20)), output=(Message("assistant", (Part("text", "answer"),)),))
    system = Message("system", (Part("text", "be kind"),))
    call.messages = (system, *call.messages)
    attributes = SMALL.closing(call)
    texts = [part["content"] for part in said(attributes)]
    assert texts[0].startswith("…[spanward: ")
    assert "messages" in texts[0]
    assert [text[:2] for text in texts[-1:]] == ["19"]
    assert said(attributes, semconv.OUTPUT_MESSAGES)[0]["content"] == "answer"
    assert json.loads(str(attributes[semconv.SYSTEM_INSTRUCTIONS]))[0]["content"] == "be kind"
    kept = sum(len(text.partition("…")[0]) for text in texts)
    assert attributes[semconv.CONTENT_CUT] == sum(len(m.parts[0].text) for m in call.messages[1:]) - kept


def test_tools_names_and_raw_usage_are_bounded_too() -> None:
    tools = tuple(Part("tool_definition", json.dumps({"n": n, "d": "d" * 50}), json=True) for n in range(50))
    call = chat(
        "hi",
        tools=(Message("system", tools),),
        usage=Usage(input=1, output=1, source="provider", raw={"x": "r" * 10_000}),
        output=(Message("assistant", (Part("media", mime="image/png", uri="u" * 10_000),)),),
    )
    attributes = SMALL.closing(call)
    definitions = json.loads(str(attributes[semconv.TOOL_DEFINITIONS]))
    assert definitions[0] == {"n": 0, "d": "d" * 50}
    assert definitions[-1].startswith("…[spanward: ")
    assert json.loads(str(attributes[semconv.USAGE_RAW])) == {"spanward.cut": 10_008}
    assert attributes[semconv.INPUT_TOKENS] == 1
    assert len(said(attributes, semconv.OUTPUT_MESSAGES)[0]["uri"]) == 1024


def test_an_operation_has_the_same_bound() -> None:
    found = tuple(Part("tool_result", "d" * 300, id=str(n)) for n in range(9))
    operation = Operation("retrieval", "store", (Message("user", (Part("text", "q"),)),), (Message("tool", found),))
    attributes = SMALL.told(operation)
    documents = json.loads(str(attributes[semconv.DOCUMENTS]))
    assert (attributes[semconv.QUERY], documents[0]["id"]) == ("q", "0")
    assert sum(len(document["content"]) for document in documents) < 400 + 64 * len(documents)
    assert int(str(attributes[semconv.CONTENT_CUT])) > 2000


@given(text=st.text(st.characters(codec=None), max_size=60), most=st.integers(1, 80))
def test_a_cut_splits_no_character(text: str, most: int) -> None:
    head = bound.first(text, most)
    assert text.startswith(head)
    assert bound.bytes_of(head) <= most
    if head != text:
        grown = text[: len(head) + 1]
        pair = "\ud800" <= grown[-1:] <= "\udbff" and len(grown) < len(text)
        assert bound.bytes_of(grown) > most or pair or bound.bytes_of(text[: len(head) + 2]) > most
    assert not ("\ud800" <= head[-1:] <= "\udbff" and head != text)


@given(st.lists(st.lists(st.text(max_size=400), max_size=6), max_size=12), st.integers(100, 300))
def test_whatever_is_said_the_bound_holds_and_nothing_is_lost_in_silence(texts: list[list[str]], most: int) -> None:
    messages = tuple(Message("user", tuple(Part("text", text) for text in parts)) for parts in texts)
    limits = bound.bound(most)
    attributes = limits.closing(ModelCall("chat", "p", messages=messages))
    kept = [part["content"] for part in said(attributes)] if semconv.INPUT_MESSAGES in attributes else []
    cut = int(str(attributes.get(semconv.CONTENT_CUT, 0)))
    assert sum(bound.bytes_of(text) for text in kept) <= limits.whole + most + bound.ROOM * (len(kept) + 1)
    marked = any("[spanward:" in text for text in kept)
    if not cut:
        assert marked or kept == [text for parts in texts for text in parts] or not any(map(any, texts))
    else:
        assert marked


class Huge:
    """A conversation larger than what is recorded, with something at its end that the guards have to see."""

    text = "lorem ipsum " * 4000 + "mail ada@example.com"


@pytest.fixture
def client(spooled: Spooled) -> Any:
    with (
        serve_in_thread(keep=5) as provider,
        openai.OpenAI(base_url=f"{provider.address}/v1", api_key="demo", max_retries=0) as asking,
    ):
        yield asking, provider


def test_the_guards_judge_and_the_provider_gets_all_of_it(spooled: Spooled, sidecar: Sidecar, client: Any) -> None:
    asking, provider = client
    spanward.instrument(endpoint=sidecar.url, spool=spooled.folder, content_bytes=1000)
    asking.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": Huge.text}])
    (judged,) = [check for check in sidecar.checks if check.side == "input"]
    assert judged.messages[0].parts[0].text == Huge.text
    assert json.loads(provider.record[-1].body)["messages"][0]["content"] == Huge.text
    call = spooled.one().attributes
    (part,) = said(call)
    assert part["content"] == Huge.text[:1000] + f"…[spanward: {len(Huge.text) - 1000} characters cut]"
    assert call[semconv.CONTENT_CUT] == len(Huge.text) - 1000


def test_pii_behind_the_cut_is_still_taken_out(spooled: Spooled, client: Any) -> None:
    asking, provider = client
    spanward.instrument(endpoint="http://127.0.0.1:9", guards="local", spool=spooled.folder, content_bytes=1000)
    asking.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": Huge.text}])
    sent = json.loads(provider.record[-1].body)["messages"][0]["content"]
    assert sent.startswith(Huge.text[:40_000])
    assert "ada@example.com" not in sent


def judged(check: Check) -> Decision:
    """Lets everything through, and looks at answers too."""
    return Decision(check.messages)


@pytest.mark.parametrize("number", [3000])
def test_a_long_stream_is_kept_only_up_to_the_bound(
    spooled: Spooled, sidecar: Sidecar, client: Any, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    from spanward.tracer.passage import Passage

    most_kept = [0]
    ended = Passage.end

    def end(self: Passage, *args: Any) -> None:
        most_kept[0] = max(len("".join(pieces)) for pieces in self._recorded.values())
        ended(self, *args)

    monkeypatch.setattr(Passage, "end", end)
    asking, _ = client
    sidecar.decide = judged
    spanward.instrument(endpoint=sidecar.url, spool=spooled.folder, content_bytes=1000)
    text = "word " * number
    answer = ""
    for chunk in asking.chat.completions.create(
        model=f"gpt-4o-mini-echo-chunks{number}", messages=[{"role": "user", "content": text}], stream=True
    ):
        answer += chunk.choices[0].delta.content or "" if chunk.choices else ""
    assert len(answer) > 10_000
    call = spooled.one().attributes
    (part,) = said(call, semconv.OUTPUT_MESSAGES)
    assert part["content"] == answer[:1000] + f"…[spanward: {len(answer) - 1000} characters cut]"
    assert call[semconv.CONTENT_CUT] == len(answer) - 1000 + len(text) - 1000
    assert most_kept[0] < 1000 + 256 * len(answer) / number + 100, "while it ran"


@pytest.mark.parametrize(
    ("given_", "environ", "chosen"),
    [
        ({}, {}, 256 * 1024),
        ({"content_bytes": 5000}, {"SPANWARD_CONTENT_BYTES": "6000"}, 5000),
        ({}, {"SPANWARD_CONTENT_BYTES": "6000"}, 6000),
        ({}, {"SPANWARD_CONTENT_BYTES": "much"}, 256 * 1024),
        ({}, {"SPANWARD_CONTENT_BYTES": "0"}, 256 * 1024),
    ],
)
def test_the_bound_is_a_setting(given_: dict[str, Any], environ: dict[str, str], chosen: int, tmp_path: Path) -> None:
    assert settings.read({"spool": tmp_path, **given_}, environ).content_bytes == chosen


def test_a_bound_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 100"):
        spanward.instrument(content_bytes=0)

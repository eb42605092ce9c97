"""What nobody should send: nothing, far too much, and what only looks like text. Judged, or told that it was not."""

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanward.guards import policy
from spanward.guards.detectors.pii import Pii
from spanward.guards.detectors.secrets import Secrets
from spanward.guards.edits import Values
from spanward.guards.judgement import Check, Decision
from spanward.guards.messages import Message, Part
from spanward.guards.pipeline import Pipeline
from spanward.guards.wire import WireError, check_from_json

EMAIL = "canary@leaks.example.com"


@pytest.fixture(scope="module")
def default(pii: Pii, secrets: Secrets) -> Iterator[Pipeline]:
    pipeline = Pipeline(policy.load("default"), {"pii": pii, "secrets": secrets})
    yield pipeline
    pipeline.close()


def texts(decision: Decision) -> list[str]:
    return [part.text for message in decision.messages for part in message.parts]


@pytest.mark.parametrize(
    "messages",
    [
        (),
        (Message("user", ()),),
        (Message("", (Part("text"),)),),
        (Message("user", (Part("text", ""), Part("tool_call", "", json=True), Part("media", uri="x"))),),
        (Message("user", (Part("text", " \n\t\u200b\ufeff\u202e"),)),),
        (Message("user", (Part("tool_result", "null", json=True), Part("tool_call", "[]", json=True))),),
        (Message("user", (Part("text", "\x00\x01\ud83d\udfff"),)),),
    ],
)
def test_nothing_to_find_in_nothing(default: Pipeline, messages: tuple[Message, ...]) -> None:
    check = Check("input", messages)
    decision = default.check(check)
    assert decision.messages is check.messages
    assert (decision.verdict, decision.action, decision.events, decision.withhold) == ("allow", "allow", (), "")


@pytest.mark.parametrize(
    "text",
    [
        f"\x00{EMAIL}\x00", f"\ud83d {EMAIL} \udfff", "\n" * 5000 + EMAIL, f"{'a' * 5000} {EMAIL}",
        f"\u202e{EMAIL}\u202c", "\u200b".join(EMAIL), f"{'(' * 3000}{EMAIL}", "e\u0301" * 1000 + f" {EMAIL}",
    ],
)  # fmt: skip
def test_what_hides_an_address_does_not(default: Pipeline, text: str) -> None:
    decision = default.check(Check("input", (Message("user", (Part("text", text),)),)))
    assert (decision.action, list(decision.pseudonyms)) == ("modify", ["<EMAIL_ADDRESS_1>"])
    assert "canary" not in texts(decision)[0].replace("\u200b", "")


@pytest.mark.parametrize(
    ("part", "problem"),
    [
        ({"kind": "text", "text": None}, "check.messages[0].parts[0].text: cannot be of type NoneType"),
        (None, "check.messages[0].parts[0]: cannot be of type NoneType"),
        ({"kind": "texts"}, "check.messages[0].parts[0].kind: 'texts' is none of text, "),
        ({"text": "x"}, "check.messages[0].parts[0]: missing 1 required positional argument: 'kind'"),
    ],
)
def test_null_parts_are_refused_on_the_wire_and_say_where(part: object, problem: str) -> None:
    with pytest.raises(WireError) as refused:
        check_from_json({"side": "input", "messages": [{"role": "user", "parts": [part]}]})
    assert str(refused.value).startswith(problem)


def test_many_small_parts_are_all_judged(default: Pipeline) -> None:
    parts = tuple(Part("text", f"{n} to user{n}@x.com") for n in range(1000))
    decision = default.check(Check("input", (Message("user", parts),)))
    assert len(decision.pseudonyms) == 1000
    assert not any("@" in text for text in texts(decision))


TEN_MEGABYTES = """
import json, os
from spanward.guards import policy
from spanward.guards.judgement import Check
from spanward.guards.messages import Message, Part
from spanward.guards.pipeline import Pipeline

said = policy.load("default")
quick = said.model_copy(update={"defaults": said.defaults.model_copy(update={"timeout_ms": 300})})
text = "The committee met on a cold morning and left the matter for another week. " * 140_000 + "canary@x.example.com"
decision = Pipeline(quick).check(Check("input", (Message("user", (Part("text", text),)),)))
print(json.dumps({
    "length": len(text),
    "reasons": [[event.rule, event.verdict, event.reason] for event in decision.events],
    "verdict": decision.verdict, "action": decision.action, "withhold": decision.withhold,
    "unchanged": decision.messages[0].parts[0].text == text,
}), flush=True)
os._exit(0)  # its detectors are still reading
"""


def test_ten_megabytes_under_default_are_no_clean_pass() -> None:
    """More than fits into the time limit: the call goes on as `on_timeout` says, marked, and is not recorded."""
    done = subprocess.run(
        [sys.executable, "-c", TEN_MEGABYTES], capture_output=True, text=True, timeout=250, check=False
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["length"] > 10_000_000
    assert told["reasons"][0] == ["pii-out", "fail_open", "pii gave no answer within 300 ms"]
    assert (told["verdict"], told["action"], told["unchanged"]) == ("fail_open", "allow", True)
    assert told["withhold"].startswith("guard failed: pii-out")


def test_fifty_thousand_numbers_are_looked_for_in_one_pass() -> None:
    """One by one that is fifty thousand times through a megabyte: minutes."""
    numbers = [f"+1 {n % 900 + 100} {n % 899 + 100} {n:06d}" for n in range(50_000)]
    assert sum(1 for _ in Values(numbers).standing_in(", ".join(numbers))) == 50_000


PIECES = st.sampled_from(["ab", "abc", "1", "12", " ", "-", "_", "+", "é", "."])
TEXTS = st.lists(PIECES, max_size=30).map("".join)


@given(st.lists(st.lists(PIECES, min_size=1, max_size=5).map("".join), max_size=4, unique=True), TEXTS)
def test_one_pass_finds_what_looking_for_each_value_finds(values: list[str], text: str) -> None:
    def one_by_one(value: str) -> Iterator[int]:
        at = text.find(value)
        end = 0
        while at >= 0:
            after = text[at + len(value) : at + len(value) + 1]
            if at >= end and not (at and text[at - 1].isalnum()) and not after.isalnum():
                yield at
                end = at + len(value)
            at = text.find(value, at + 1)

    worded = [value for value in values if any(char.isalnum() for char in value)]
    expected = {(at, value) for value in worded for at in one_by_one(value)}
    assert set(Values(values).standing_in(text)) == expected

"""Streams: the same comes out however the text was cut, in time, and with the originals back."""

import json
import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanward.guards.holdback import HoldBack, Released, StreamBlocked, restore
from spanward.guards.judgement import Decision, Edit, StreamPlan
from spanward.guards.messages import Message, Part

KNOWN = {"<EMAIL_ADDRESS_1>": "bob@x.com", "<EMAIL_ADDRESS_10>": "alice@x.com", "<NAME_1>": 'a "quoted" \\ name'}
PLANS = [
    StreamPlan(),
    StreamPlan("observe"),
    StreamPlan("buffer"),
    StreamPlan("window", 64),
    StreamPlan("window", 16),
]


class Judge:
    """Masks `bad`, gives runs of digits a pseudonym, stops at `STOP`; notes what it was shown."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    def __call__(self, text: str) -> Decision:
        self.shown.append(text)
        edits: list[Edit] = []
        pseudonyms: dict[str, str] = {}
        for found in re.finditer(r"bad+|(?<!\d)\d{3,}(?!\d)|STOP", text):
            word = found.group()
            name = f"<NUMBER_{len(pseudonyms) + 1}>" if word.isdigit() else "[BAD]"
            if word.isdigit():
                pseudonyms[name] = word
            edits.append(Edit(0, 0, found.start(), found.end(), name))
        blocked = "STOP" in text
        return Decision(
            (Message("assistant", (Part("text", text),)),),
            action="block" if blocked else "modify" if edits else "allow",
            edits=tuple(edits),
            pseudonyms={} if blocked else pseudonyms,
            blocked_by="stop" if blocked else "",
        )


def stream(chunks: list[str], plan: StreamPlan, *, is_json: bool = False) -> Released:
    held = HoldBack(KNOWN, plan, Judge(), json=is_json)
    out = Released()
    for chunk in chunks:
        out += held.feed(chunk)
    return out + held.close()


PIECES = st.sampled_from(
    ["<EMAIL_ADDRESS_1>", "<EMAIL_ADDRESS_10>", "<NAME_1>", "<EMAIL_ADDRESS_2>", "<EMAIL_", "<<", ">", "bad", "baddd",
     "ba", "d", "12345", "99", " ", " the quick brown fox ", "x", "\n", "é😀"]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=25).map("".join)


def cut(text: str, borders: list[int]) -> list[str]:
    places = sorted({0, len(text), *(b % (len(text) + 1) for b in borders)})
    return [text[a:b] for a, b in pairwise(places)]


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: f"{plan.mode}-{plan.window}")
@given(text=TEXTS, borders=st.lists(st.integers(0, 400), max_size=12))
def test_any_split_gives_the_same(plan: StreamPlan, text: str, borders: list[int]) -> None:
    assert stream(cut(text, borders), plan) == stream(list(text), plan) == stream([text], plan)


@given(text=TEXTS, borders=st.lists(st.integers(0, 400), max_size=12))
def test_originals_come_back_whatever_the_split(text: str, borders: list[int]) -> None:
    out = stream(cut(text, borders), StreamPlan())
    expected = re.sub("|".join(map(re.escape, KNOWN)), lambda found: KNOWN[found.group()], text)
    assert out == Released(expected, text)


@given(text=TEXTS)
def test_without_a_judge_only_the_beginning_of_a_placeholder_waits(text: str) -> None:
    """The smallest delay there can be: after each character, what is held is a proper prefix of a placeholder."""
    held = HoldBack(KNOWN, StreamPlan())
    recorded = ""
    for n, char in enumerate(text, 1):
        recorded += held.feed(char).recorded
        waiting = text[len(recorded) : n]
        assert waiting == "" or any(known.startswith(waiting) and known != waiting for known in KNOWN)


@pytest.mark.parametrize("window", [16, 64, 400])
@given(text=TEXTS, borders=st.lists(st.integers(0, 400), max_size=12))
def test_a_window_never_holds_as_much_as_its_size(window: int, text: str, borders: list[int]) -> None:
    """The worst-case delay: fewer than `window` characters, and the beginning of one placeholder."""
    longest = max(map(len, KNOWN)) - 1
    held = HoldBack(KNOWN, StreamPlan("window", window), Judge())
    for chunk in cut(text, borders):
        held.feed(chunk)
        assert len(held._held) < window
        assert len(held._restorer._carry) <= longest


@given(st.text(alphabet="ab d1 ", max_size=600), st.lists(st.integers(0, 600), max_size=12))
def test_no_character_is_judged_more_than_twice(text: str, borders: list[int]) -> None:
    judge = Judge()
    held = HoldBack({}, StreamPlan("window", 64), judge)
    for chunk in cut(text, borders):
        held.feed(chunk)
    held.close()
    assert sum(map(len, judge.shown)) <= 2 * len(text)
    assert "".join(dict.fromkeys(text)) == "" or judge.shown


@given(st.integers(0, 300), st.integers(0, 300))
def test_no_finding_slips_through_between_two_windows(before: int, after: int) -> None:
    text = ("go " * 100)[:before] + " baddddddd " + ("on " * 100)[:after]
    out = stream(list(text), StreamPlan("window", 64))
    assert out.delivered == text.replace("baddddddd", "[BAD]")
    assert out.recorded == out.delivered


@pytest.mark.parametrize("plan", PLANS[1:], ids=lambda plan: f"{plan.mode}-{plan.window}")
def test_restorable_findings_are_recorded_not_delivered_as_placeholders(plan: StreamPlan) -> None:
    """Two judgements number from one each; over the stream a name stands for one value."""
    text = "call 12345 " + "and then go on " * 12 + "call 67890 or 12345 <EMAIL_ADDRESS_1>"
    out = stream(list(text), plan)
    assert out.delivered == text.replace("<EMAIL_ADDRESS_1>", "bob@x.com")
    assert out.recorded == text.replace("12345", "<NUMBER_1>").replace("67890", "<NUMBER_2>")


def test_a_name_that_the_call_uses_already_is_not_given_again() -> None:
    held = HoldBack({"<NUMBER_1>": "777"}, StreamPlan("buffer"), Judge())
    held.feed("12345 and 777 and <NUMBER_1>")
    assert held.close() == Released("12345 and 777 and 777", "<NUMBER_2> and <NUMBER_1> and <NUMBER_1>")


@pytest.mark.parametrize("plan", [StreamPlan("window", 64), StreamPlan("buffer")], ids=lambda plan: plan.mode)
def test_block_stops_before_anything_of_it_is_delivered(plan: StreamPlan) -> None:
    text = "words " * 30 + "12345 STOP " + "words " * 30
    held, out = HoldBack(KNOWN, plan, Judge()), Released()
    with pytest.raises(StreamBlocked) as stopped:  # noqa: PT012  whichever step it is that stops
        for char in text:
            out += held.feed(char)
        held.close()
    assert "STOP" not in out.delivered
    assert "12345" not in out.recorded + stopped.value.recorded
    assert "[BAD]" in stopped.value.recorded
    assert stopped.value.decision.blocked_by == "stop"
    assert held.close() == Released()


def test_observe_delivers_at_once_and_never_stops() -> None:
    held = HoldBack(KNOWN, StreamPlan("observe"), Judge())
    assert held.feed("a STOP <NAME") == Released(delivered="a STOP ")
    assert held.close() == Released("<NAME", "a [BAD] <NAME")


@pytest.mark.parametrize("spelled", ["<NAME_1>", "\\u003cNAME_1\\u003e", "\\u003CNAME_1\\u003E"])
def test_json_gets_escaped_originals_however_it_spells_the_placeholder(spelled: str) -> None:
    text = f'{{"who": "{spelled}"}}'
    out = stream(list(text), StreamPlan(), is_json=True)
    assert json.loads(out.delivered) == {"who": KNOWN["<NAME_1>"]}
    assert out.recorded == text
    assert restore(text, KNOWN, json=True) == out.delivered


@pytest.mark.parametrize(
    ("plan", "shown"),
    [
        (StreamPlan(), []),
        (StreamPlan("window", 16), ['{"a": "a long enough text", "n": 1}']),
        (StreamPlan(tool_call="buffer"), ['{"a": "a long enough text", "n": 1}']),
        (StreamPlan("observe"), ['{"a": "a long enough text", "n": 1}']),
    ],
)
def test_json_is_judged_whole_or_not_at_all(plan: StreamPlan, shown: list[str]) -> None:
    judge = Judge()
    held = HoldBack({}, plan, judge, json=True)
    for char in '{"a": "a long enough text", "n": 1}':
        held.feed(char)
    held.close()
    assert judge.shown == shown


def test_text_takes_no_notice_of_the_tool_call_mode() -> None:
    held = HoldBack({}, StreamPlan(tool_call="buffer"), Judge())
    assert held.feed("now") == Released("now", "now")


def test_what_the_judge_raises_passes_through() -> None:
    def failing(text: str) -> Decision:
        raise KeyError("x")

    held = HoldBack({}, StreamPlan("buffer"), failing)
    held.feed("a")
    with pytest.raises(KeyError):
        held.close()


@pytest.mark.parametrize("plan", [StreamPlan("buffer"), StreamPlan("window", 64), StreamPlan("window", 16)])
@pytest.mark.parametrize("before", ["", "so ", "it was said that " * 9])
@given(sizes=st.lists(st.integers(1, 90), min_size=1))
def test_a_masked_finding_that_is_longer_than_the_window_stays_masked_to_its_end(
    plan: StreamPlan, before: str, sizes: list[int]
) -> None:
    """As a private key is, of which a judge knows only the first line."""
    text = f"{before}ba{'d' * 500} and good"
    chunks: list[str] = []
    at = 0
    while at < len(text):
        chunks.append(text[at : at + sizes[len(chunks) % len(sizes)]])
        at += len(chunks[-1])
    if len(before) > plan.window or plan.mode == "buffer":
        assert stream(chunks, plan) == Released(f"{before}[BAD] and good", f"{before}[BAD] and good")
    assert "d" * 9 not in stream(chunks, plan).delivered
    assert stream(chunks, plan).delivered.endswith(" and good")


def test_what_is_judged_as_a_whole_does_not_mask_what_comes_after() -> None:
    def rude(text: str) -> Decision:
        edits = (Edit(0, 0, 0, len(text), "[RUDE]"),) if "fool" in text else ()
        return Decision((), action="modify" if edits else "allow", edits=edits)

    held = HoldBack({}, StreamPlan("window", 64), rude)
    out = held.feed("You fool, " + "that is what you are today and to" + "morrow. " + "And fine words follow. " * 20)
    assert (out + held.close()).delivered.endswith("And fine words follow. " * 18)

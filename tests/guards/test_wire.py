"""What goes over the wire comes back the same, and what does not belong there is refused."""

import json
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanward.guards.judgement import Check, Context, Decision, Edit, GuardEvent, StreamPlan
from spanward.guards.messages import Message, Part, PartKind
from spanward.guards.wire import WireError, check_from_json, check_to_json, decision_from_json, decision_to_json

PART = st.builds(
    Part,
    kind=st.sampled_from(["text", "reasoning", "tool_call", "tool_result", "tool_definition", "media"]),
    text=st.text(),
    json=st.booleans(),
    where=st.lists(st.text(max_size=4) | st.integers(0, 9), max_size=3).map(tuple),
)
MESSAGES = st.lists(
    st.builds(Message, role=st.text(max_size=5), parts=st.lists(PART, max_size=3).map(tuple)), max_size=3
).map(tuple)


@given(st.builds(Check, side=st.sampled_from(["input", "output"]), messages=MESSAGES))
def test_checks_come_back(check: Check) -> None:
    assert check_from_json(json.loads(json.dumps(check_to_json(check)))) == check


@given(MESSAGES)
def test_decisions_come_back(messages: tuple[Message, ...]) -> None:
    decision = Decision(
        messages,
        verdict="modify",
        action="modify",
        events=(GuardEvent("r", "input", "pii", "X", "modify", "modify", score=0.5, degraded=True, reason="why"),),
        pseudonyms={"<X_1>": "x"},
        reply=None,
        policy_name="p",
        stream=StreamPlan("window", 400, "buffer"),
        degraded=("pii: no model",),
        latency_ms=1,
        edits=(Edit(0, 0, 1, 2, "<X_1>"),),
        withhold="w",
    )
    assert decision_from_json(json.loads(json.dumps(decision_to_json(decision)))) == decision


def test_context_comes_back() -> None:
    check = Check("input", (), Context(app="a", session_id="s", tags=("x", "y")))
    assert check_from_json(json.loads(json.dumps(check_to_json(check)))) == check


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "check: cannot be of type list"),
        ({"messages": []}, "check: missing 1 required positional argument: 'side'"),
        ({"side": "inputs", "messages": []}, "check.side: 'inputs' is none of input, output"),
        ({"side": "input", "messages": [], "sides": 1}, "check: unknown key 'sides'"),
        ({"side": "input", "messages": {}}, "check.messages: cannot be of type dict"),
        ({"side": "input", "messages": [{"role": 1, "parts": []}]}, "check.messages[0].role: cannot be of type int"),
        ({"side": "input", "messages": [{"role": "u", "parts": [{"kind": "txt"}]}]},
         f"check.messages[0].parts[0].kind: 'txt' is none of {', '.join(get_args(PartKind))}"),
        ({"side": "input", "messages": [{"role": "u", "parts": [{"kind": "text", "json": 1}]}]},
         "check.messages[0].parts[0].json: cannot be of type int"),
        ({"side": "input", "messages": [{"role": "u", "parts": [{"kind": "text", "where": [[]]}]}]},
         "check.messages[0].parts[0].where: cannot be of type list"),
        ({"side": "input", "messages": [], "context": {"apps": "x"}}, "check.context: unknown key 'apps'"),
    ],
)  # fmt: skip
def test_wrong_checks_are_refused_by_place(data: object, message: str) -> None:
    with pytest.raises(WireError) as refused:
        check_from_json(data)
    assert str(refused.value) == message


def test_wrong_decisions_are_refused() -> None:
    with pytest.raises(WireError, match=r"decision\.pseudonyms: originals are strings"):
        decision_from_json({"messages": [], "pseudonyms": {"<X_1>": 1}})
    with pytest.raises(WireError, match=r"decision\.stream\.window: cannot be of type str"):
        decision_from_json({"messages": [], "stream": {"window": "4"}})

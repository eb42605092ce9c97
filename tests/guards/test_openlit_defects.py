"""Each way in which a rival's guard was measured to fail is impossible here, by name."""

import pytest

from spanward.guards import policy
from spanward.guards.detectors.pii import Pii
from spanward.guards.detectors.secrets import Secrets
from spanward.guards.holdback import HoldBack, Released
from spanward.guards.judgement import Check, Decision
from spanward.guards.messages import Message, Part
from spanward.guards.pipeline import Pipeline
from spanward.guards.policy_trial import patient

EMAIL = "canary@leaks.example.com"


@pytest.fixture(scope="module")
def strict(pii: Pii, secrets: Secrets) -> Pipeline:
    return Pipeline(patient(policy.load("strict")), {"pii": pii, "secrets": secrets})


def check(*messages: tuple[str, ...]) -> Check:
    return Check("input", tuple(Message("user", tuple(Part("text", text) for text in parts)) for parts in messages))


def shape(decision: Decision) -> list[list[str]]:
    return [[part.text for part in message.parts] for message in decision.messages]


def test_1_every_message_is_rewritten_in_its_own_place(strict: Pipeline) -> None:
    decision = strict.check(check((f"I am {EMAIL}",), ("Hello",), ("What was my address?",)))
    assert shape(decision) == [["I am <EMAIL_ADDRESS_1>"], ["Hello"], ["What was my address?"]]


def test_2_a_list_of_parts_is_guarded_part_by_part(strict: Pipeline) -> None:
    decision = strict.check(check(("look:", f"at {EMAIL}", "please")))
    assert shape(decision) == [["look:", "at <EMAIL_ADDRESS_1>", "please"]]


def test_3_a_streamed_answer_is_judged_before_it_is_delivered(strict: Pipeline) -> None:
    def judge(text: str) -> Decision:
        return strict.check(Check("output", (Message("assistant", (Part("text", text),)),)))

    plan = strict.check(check(("hi",))).stream
    assert plan.mode == "window"
    held, out = HoldBack({}, plan, judge), Released()
    answer = f"Well. {'So it goes. ' * 60} Write to {EMAIL} then. {'And on. ' * 60}"
    for char in answer:
        out += held.feed(char)
    out += held.close()
    assert out == Released(*[answer.replace(EMAIL, "[EMAIL_ADDRESS]")] * 2)


def test_4_what_is_recorded_is_what_was_guarded(strict: Pipeline) -> None:
    decision = strict.check(Check("output", (Message("assistant", (Part("text", f"it is {EMAIL}"),)),)))
    assert shape(decision) == [["it is [EMAIL_ADDRESS]"]]


def test_5_a_block_leaves_events_and_a_masked_record(strict: Pipeline) -> None:
    decision = strict.check(check((f"password: hunter2x {EMAIL}",)))
    assert decision.action == "block"
    assert {event.rule for event in decision.events} == {"pii-out", "no-secrets"}
    assert shape(decision) == [["password: [PASSWORD] [EMAIL_ADDRESS]"]]


def test_9_text_over_100k_is_seen_to_its_end_and_keeps_its_tail(strict: Pipeline) -> None:
    filler = "and so on, " * 9400
    assert len(filler) > 102_400
    decision = strict.check(check((f"{EMAIL} {filler} {EMAIL} the end",)))
    assert shape(decision) == [[f"<EMAIL_ADDRESS_1> {filler} <EMAIL_ADDRESS_1> the end"]]


@pytest.mark.parametrize(
    "text",
    ["d41d8cd98f00b204e9800998ecf8427e", "550e8400-e29b-41d4-a716-446655440000", "0af7651916cd43dd8448eb211c80319c"],
)
def test_10a_digests_and_ids_are_no_keys(strict: Pipeline, text: str) -> None:
    assert strict.check(check((f"id {text} ok",))).events == ()


def test_10b_overlapping_findings_delete_nothing_between_them(strict: Pipeline) -> None:
    decision = strict.check(check((f"password=zq81xTTv0 email {EMAIL}",)))
    assert shape(decision) == [["password=[PASSWORD] email [EMAIL_ADDRESS]"]]


def test_11_choices_stay_apart(strict: Pipeline) -> None:
    answers = tuple(Message("assistant", (Part("text", text),)) for text in (f"one {EMAIL}", "two", "three"))
    assert shape(strict.check(Check("output", answers))) == [["one [EMAIL_ADDRESS]"], ["two"], ["three"]]

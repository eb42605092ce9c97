"""Labels of one rule with actions of their own: what each finding leads to, in texts, events and streams."""

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

import pytest

from spanward.guards.detectors.detector import Hit
from spanward.guards.judgement import Check, Decision, GuardEvent, Side, StreamPlan
from spanward.guards.messages import Message, Part
from spanward.guards.pipeline import Pipeline

Build = Callable[..., Pipeline]
EMAIL, SSN, CARD = "canary@leaks.example.com", "078-05-1121", "4111 1111 1111 1111"
MIXED = (
    "  - name: mixed\n"
    "    detect:\n"
    "      pii:\n"
    "        entities:\n"
    "          EMAIL_ADDRESS: 0.4\n"
    "          CREDIT_CARD: {action: redact}\n"
    "          IP_ADDRESS: {threshold: 0.6, action: flag}\n"
    "          US_SSN: {threshold: 0.4, action: block}\n"
    "    action: pseudonymise\n"
    "    restore: true\n"
    "    reply: No numbers, please.\n"
)


class Blunt:
    """Finds each of its labels, in capitals, wherever it is named."""

    name: ClassVar[str] = "pii"
    noun: ClassVar[str] = "entities"
    labels: ClassVar[Mapping[str, float]] = dict.fromkeys(("EMAIL_ADDRESS", "CREDIT_CARD", "US_SSN", "IP_ADDRESS"), 0.5)
    engine = "blunt"
    degraded = ""

    def detect(self, texts: Sequence[str], labels: frozenset[str]) -> list[list[Hit]]:
        return [
            [Hit(each, text.index(each), text.index(each) + len(each), 1.0) for each in sorted(labels) if each in text]
            for text in texts
        ]


def said(*texts: str, side: Side = "input") -> Check:
    return Check(side, (Message("user", tuple(Part("text", text) for text in texts)),))


def texts(decision: Decision) -> list[str]:
    return [part.text for message in decision.messages for part in message.parts]


def told(events: Sequence[GuardEvent]) -> list[tuple[str, str, str, str, int]]:
    return [(event.rule, event.label, event.verdict, event.action, event.findings) for event in events]


def test_each_label_is_treated_by_its_own_action(build: Build) -> None:
    decision = build(MIXED).check(said(f"{EMAIL} {CARD}", f"from 203.0.113.7 {EMAIL}"))
    assert texts(decision) == ["<EMAIL_ADDRESS_1> [CREDIT_CARD]", "from 203.0.113.7 <EMAIL_ADDRESS_1>"]
    assert dict(decision.pseudonyms) == {"<EMAIL_ADDRESS_1>": EMAIL}
    assert (decision.verdict, decision.action, decision.reply, decision.blocked_by) == ("modify", "modify", None, "")
    assert told(decision.events) == [
        ("mixed", "CREDIT_CARD", "modify", "modify", 1),
        ("mixed", "EMAIL_ADDRESS", "modify", "modify", 2),
        ("mixed", "IP_ADDRESS", "warn", "allow", 1),
    ]


def test_a_label_that_blocks_blocks_and_the_record_is_masked(build: Build) -> None:
    decision = build(MIXED).check(said(f"ssn {SSN} of {EMAIL} at 203.0.113.7"))
    assert (decision.action, decision.verdict, decision.blocked_by) == ("block", "deny", "mixed")
    assert (decision.reply, decision.pseudonyms) == ("No numbers, please.", {})
    assert texts(decision) == ["ssn [US_SSN] of [EMAIL_ADDRESS] at 203.0.113.7"]
    assert told(decision.events) == [
        ("mixed", "EMAIL_ADDRESS", "modify", "modify", 1),
        ("mixed", "IP_ADDRESS", "warn", "allow", 1),
        ("mixed", "US_SSN", "deny", "block", 1),
    ]


@pytest.mark.parametrize("text", ["nothing here", "ssn 078-05-112", "from 203.0.113.7"])
def test_near_misses_change_nothing(build: Build, text: str) -> None:
    decision = build(MIXED).check(said(text))
    assert (texts(decision), decision.action) == ([text], "allow")


def test_shadow_of_mixed_labels_is_judged_off_the_path(build: Build) -> None:
    pipeline = build(MIXED + "    mode: shadow\n")
    check = said(f"ssn {SSN} of {EMAIL}")
    assert (pipeline.check(check).events, pipeline.check(check).action) == ((), "allow")
    assert told(pipeline.review(check)) == [
        ("mixed", "EMAIL_ADDRESS", "modify", "none", 1),
        ("mixed", "US_SSN", "deny", "none", 1),
    ]


def test_detectors_of_a_rule_that_only_flag_are_not_waited_for(build: Build) -> None:
    rule = (
        "  - name: a\n    detect:\n      pii: {entities: {EMAIL_ADDRESS: {action: redact}}}\n"
        "      secrets: {labels: [AWS_ACCESS_KEY]}\n    action: flag\n"
    )
    pipeline = build(rule)
    check = said(f"{EMAIL} AKIAIOSFODNN7EXAMPLE")
    assert told(pipeline.check(check).events) == [("a", "EMAIL_ADDRESS", "modify", "modify", 1)]
    assert told(pipeline.review(check)) == [("a", "AWS_ACCESS_KEY", "warn", "allow", 1)]


def test_a_rule_whose_every_label_flags_stands_in_nobodys_way(build: Build) -> None:
    pipeline = build("  - {name: a, detect: {pii: {entities: {US_SSN: {action: flag}}}}, action: block}\n")
    check = said(f"ssn {SSN}")
    assert pipeline.check(check).events == ()
    assert told(pipeline.review(check)) == [("a", "US_SSN", "warn", "allow", 1)]
    assert pipeline.summary["on_error"] == "allow"


@pytest.mark.parametrize(
    ("labels", "action", "plan"),
    [
        ("{EMAIL_ADDRESS: 0.4}", "pseudonymise", StreamPlan("observe")),
        ("{EMAIL_ADDRESS: 0.4, US_SSN: {action: flag}}", "pseudonymise", StreamPlan("observe")),
        ("{EMAIL_ADDRESS: 0.4, US_SSN: {action: block}}", "pseudonymise", StreamPlan("window", 400)),
        ("{EMAIL_ADDRESS: 0.4, US_SSN: {action: redact}}", "pseudonymise", StreamPlan("window", 400)),
        ("{EMAIL_ADDRESS: {action: pseudonymise}}", "flag", StreamPlan("observe")),
        ("{EMAIL_ADDRESS: {action: pseudonymise}}", "block", StreamPlan("observe")),
        ("{EMAIL_ADDRESS: {action: pseudonymise}, US_SSN: 0.5}", "block", StreamPlan("window", 400)),
    ],
)
def test_a_stream_waits_for_what_changes_it(build: Build, labels: str, action: str, plan: StreamPlan) -> None:
    rule = f"  - {{name: a, when: {{stage: output}}, detect: {{pii: {{entities: {labels}}}}}, action: {action}, "
    assert build(f"{rule}restore: true}}\n").check(said("x")).stream == plan


def test_overlap_of_a_mask_and_a_pseudonym_is_masked(build: Build) -> None:
    rules = (
        "  - {name: a, detect: {pii: {entities: {EMAIL_ADDRESS: 0.5}}}, action: pseudonymise}\n"
        "  - {name: b, detect: {pii: {entities: {EMAIL_ADDRESS: {threshold: 0.5, action: redact}}}}, action: flag}\n"
    )
    decision = build(rules, detectors={"pii": Blunt()}).check(said("an EMAIL_ADDRESS."))
    assert texts(decision) == ["an [EMAIL_ADDRESS]."]

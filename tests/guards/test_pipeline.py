"""Checks from question to answer, with the real detectors, and what happens when one fails."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from threading import Event
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spanward.guards import policy
from spanward.guards.detectors.detector import Hit
from spanward.guards.detectors.pii import Pii
from spanward.guards.detectors.pii_options import PiiOptions
from spanward.guards.detectors.secrets import Secrets
from spanward.guards.holdback import restore
from spanward.guards.judgement import Check, Context, Decision, Side, StreamPlan
from spanward.guards.messages import Message, Part, PartKind
from spanward.guards.pipeline import Pipeline

EMAIL, CARD, KEY = "canary@leaks.example.com", "4111 1111 1111 1111", "AKIAIOSFODNN7EXAMPLE"


def user(*texts: str, side: Side = "input", context: Context | None = None) -> Check:
    return Check(side, tuple(Message("user", (Part("text", text),)) for text in texts), context or Context())


def texts(decision: Decision) -> list[str]:
    return [part.text for message in decision.messages for part in message.parts]


@pytest.fixture(scope="session")
def default(pii: Pii, secrets: Secrets) -> Pipeline:
    return Pipeline(policy.load("default"), {"pii": pii, "secrets": secrets})


class Broken:
    """A detector that fails, with content in its message, or that waits until it is let go."""

    name: ClassVar[str] = "pii"
    noun: ClassVar[str] = "entities"
    labels: ClassVar[Mapping[str, float]] = Pii.labels
    engine = "broken"
    degraded = ""

    def __init__(self, until: Event | None = None) -> None:
        self._until = until

    def detect(self, texts: Sequence[str], labels: frozenset[str]) -> Sequence[Sequence[Hit]]:
        if self._until:
            self._until.wait(30)
        raise ValueError(f"cannot read {texts[0]!r}")


def test_pseudonyms_by_first_appearance_the_same_value_the_same_name(default: Pipeline) -> None:
    check = Check(
        "input",
        (
            Message("system", (Part("text", f"Our user is {EMAIL}."),)),
            Message("user", (Part("text", f"Write to z@x.com and {EMAIL},"), Part("text", f"card {CARD}"))),
            Message("assistant", (Part("tool_call", json.dumps({"to": [EMAIL], "n": 4012888888881881}), json=True),)),
            Message("tool", (Part("tool_result", "sent to z@x.com"),)),
        ),
    )
    decision = default.check(check)
    assert texts(decision) == [
        "Our user is <EMAIL_ADDRESS_1>.",
        "Write to <EMAIL_ADDRESS_2> and <EMAIL_ADDRESS_1>,",
        "card <CREDIT_CARD_1>",
        '{"to": ["<EMAIL_ADDRESS_1>"], "n": "<CREDIT_CARD_2>"}',
        "sent to <EMAIL_ADDRESS_2>",
    ]
    assert dict(decision.pseudonyms) == {
        "<EMAIL_ADDRESS_1>": EMAIL,
        "<EMAIL_ADDRESS_2>": "z@x.com",
        "<CREDIT_CARD_1>": CARD,
        "<CREDIT_CARD_2>": "4012888888881881",
    }
    assert (decision.verdict, decision.action, decision.withhold) == ("modify", "modify", "")
    assert [restore(text, decision.pseudonyms) for text in texts(decision)[:3]] == [
        f"Our user is {EMAIL}.", f"Write to z@x.com and {EMAIL},", f"card {CARD}",
    ]  # fmt: skip


def test_clean_check_is_the_same_object(default: Pipeline) -> None:
    check = user("What is the capital of France?")
    decision = default.check(check)
    assert decision.messages is check.messages
    assert (decision.verdict, decision.action, decision.events, decision.edits) == ("allow", "allow", (), ())
    assert decision.policy_hash == policy.load("default").hash


def test_a_placeholder_in_the_prompt_is_left_alone_and_not_given_again(default: Pipeline) -> None:
    decision = default.check(user(f"<EMAIL_ADDRESS_1> is not {EMAIL}"))
    assert texts(decision) == ["<EMAIL_ADDRESS_1> is not <EMAIL_ADDRESS_2>"]
    assert dict(decision.pseudonyms) == {"<EMAIL_ADDRESS_2>": EMAIL}


def test_a_value_found_once_is_replaced_wherever_it_stands(default: Pipeline) -> None:
    """Nine bare digits are nobody's passport; beside the right word they are, and then everywhere."""
    assert default.check(user("912803456 alone")).edits == ()
    decision = default.check(user("912803456 again, x912803456", "my passport is 912803456"))
    assert texts(decision) == ["<US_PASSPORT_1> again, x912803456", "my passport is <US_PASSPORT_1>"]


def test_within_a_session_names_stay_from_turn_to_turn(default: Pipeline) -> None:
    context = Context(app="shop", session_id="s-1")
    first = default.check(user("a@x.com and b@x.com", context=context))
    second = default.check(user("now b@x.com, then c@x.com", context=context))
    other = default.check(user("b@x.com", context=Context(app="shop", session_id="s-2")))
    assert texts(first) == ["<EMAIL_ADDRESS_1> and <EMAIL_ADDRESS_2>"]
    assert texts(second) == ["now <EMAIL_ADDRESS_2>, then <EMAIL_ADDRESS_3>"]
    assert texts(other) == ["<EMAIL_ADDRESS_1>"]


def test_blocked_check_is_masked_throughout(default: Pipeline) -> None:
    decision = default.check(user(f"mail {EMAIL}", f"key {KEY} of {EMAIL}"))
    assert (decision.verdict, decision.action, decision.blocked_by, decision.reply) == (
        "deny",
        "block",
        "no-secrets",
        None,
    )
    assert texts(decision) == ["mail [EMAIL_ADDRESS]", "key [AWS_ACCESS_KEY] of [EMAIL_ADDRESS]"]
    assert decision.pseudonyms == {}
    assert [(e.rule, e.verdict, e.action, e.label, e.findings) for e in decision.events] == [
        ("pii-out", "modify", "modify", "EMAIL_ADDRESS", 2),
        ("no-secrets", "deny", "block", "AWS_ACCESS_KEY", 1),
    ]


def test_reply_of_the_rule_that_blocks(build: Callable[..., Pipeline]) -> None:
    pipeline = build("  - {name: a, detect: {secrets: {}}, action: block, reply: 'No keys, please.'}\n")
    assert pipeline.check(user(KEY)).reply == "No keys, please."
    assert pipeline.check(user("fine")).reply is None


def test_redact_is_a_mask_without_a_way_back(build: Callable[..., Pipeline]) -> None:
    decision = build("  - {name: a, detect: {pii: {}}, action: redact}\n").check(user(f"to {EMAIL}"))
    assert (texts(decision), decision.pseudonyms) == (["to [EMAIL_ADDRESS]"], {})


def test_pseudonyms_without_restore_are_not_told(build: Callable[..., Pipeline]) -> None:
    decision = build("  - {name: a, detect: {pii: {}}, action: pseudonymise}\n").check(user(f"to {EMAIL}"))
    assert (texts(decision), decision.pseudonyms) == (["to <EMAIL_ADDRESS_1>"], {})


def test_shadow_and_flag_are_reviewed_and_change_nothing(build: Callable[..., Pipeline]) -> None:
    pipeline = build(
        "  - {name: shadow, detect: {pii: {}}, action: block, mode: shadow}\n"
        "  - {name: flag, detect: {pii: {}}, action: flag}\n"
    )
    check = user(f"to {EMAIL}")
    decision = pipeline.check(check)
    assert (decision.messages, decision.verdict, decision.action, decision.events) == (
        check.messages,
        "allow",
        "allow",
        (),
    )
    assert [(e.rule, e.verdict, e.action, e.mode) for e in pipeline.review(check)] == [
        ("shadow", "deny", "none", "shadow"),
        ("flag", "warn", "allow", "enforce"),
    ]
    assert pipeline.summary["on_error"] == "allow"


def test_thresholds_decide(build: Callable[..., Pipeline]) -> None:
    rule = "  - {{name: a, detect: {{pii: {{entities: {{PHONE_NUMBER: {}}}}}}}, action: redact}}\n"
    assert texts(build(rule.format(0.6)).check(user("202-555-0123"))) == ["[PHONE_NUMBER]"]
    assert texts(build(rule.format(0.61)).check(user("202-555-0123"))) == ["202-555-0123"]


@pytest.mark.parametrize(
    ("when", "context", "applies"),
    [
        ("{}", Context(), True),
        ("{app: 'shop-*'}", Context(app="shop-web"), True),
        ("{app: 'shop-*'}", Context(app="Shop-web"), False),
        ("{app: [a, b]}", Context(app="b"), True),
        ("{model: 'gpt-4*', provider: openai}", Context(model="gpt-4o", provider="openai"), True),
        ("{model: 'gpt-4*', provider: openai}", Context(model="gpt-4o", provider="azure"), False),
        ("{prompt: greet}", Context(prompt_name="greet"), True),
        ("{user_group: '*'}", Context(), True),
        ("{environment: prod}", Context(environment="production"), False),
        ("{tags: [x, 'y*']}", Context(tags=("a", "yes")), True),
        ("{tags: x}", Context(), False),
        ("{stage: output}", Context(), False),
    ],
)
def test_rules_apply_by_context(build: Callable[..., Pipeline], when: str, context: Context, applies: bool) -> None:
    pipeline = build(f"  - {{name: a, when: {when}, detect: {{pii: {{}}}}, action: redact}}\n")
    changed = texts(pipeline.check(user(EMAIL, context=context))) == ["[EMAIL_ADDRESS]"]
    assert changed is applies


@pytest.mark.parametrize(
    ("kind", "side", "stage"),
    [
        ("text", "input", "input"),
        ("text", "output", "output"),
        ("reasoning", "output", "output"),
        ("tool_definition", "input", "input"),
        ("tool_call", "input", "tool_call"),
        ("tool_call", "output", "tool_call"),
        ("tool_result", "input", "tool_result"),
    ],
)
def test_stages(build: Callable[..., Pipeline], kind: PartKind, side: Side, stage: str) -> None:
    for asked in ("input", "output", "tool_call", "tool_result"):
        pipeline = build(f"  - {{name: a, when: {{stage: {asked}}}, detect: {{pii: {{}}}}, action: redact}}\n")
        decision = pipeline.check(Check(side, (Message("user", (Part(kind, EMAIL),)),)))
        assert (texts(decision) == ["[EMAIL_ADDRESS]"]) is (asked == stage)
        assert [event.stage for event in decision.events] == ([stage] if asked == stage else [])


ONE = "  - {name: a, when: {stage: output}, detect: {pii: {}}"
TWO = "  - {name: b, when: {stage: output}, detect: {secrets: {}}"


@pytest.mark.parametrize(
    ("rules", "plan"),
    [
        ("  - {name: a, when: {stage: input}, detect: {pii: {}}, action: redact}\n", StreamPlan()),
        ("  - {name: a, when: {stage: output}, detect: {pii: {}}, action: flag}\n", StreamPlan()),
        ("  - {name: a, when: {stage: output}, detect: {pii: {}}, action: redact}\n", StreamPlan("window", 400)),
        (ONE + ", action: block, stream: {window: 99}}\n" + TWO + ", action: block, stream: {window: 200}}\n",
         StreamPlan("window", 200)),
        (ONE + ", action: block, stream: {mode: buffer}}\n" + TWO + ", action: block}\n", StreamPlan("buffer")),
        ("  - {name: a, when: {stage: output}, detect: {pii: {}}, action: pseudonymise, restore: true}\n",
         StreamPlan("observe")),
        ("  - {name: a, when: {stage: tool_call}, detect: {pii: {}}, action: redact}\n",
         StreamPlan(tool_call="buffer")),
        ("  - {name: a, when: {stage: tool_call}, detect: {pii: {}}, action: pseudonymise, restore: true}\n",
         StreamPlan(tool_call="observe")),
        ("  - {name: a, when: {stage: output, app: other}, detect: {pii: {}}, action: redact}\n", StreamPlan()),
    ],
)  # fmt: skip
def test_stream_plan(build: Callable[..., Pipeline], rules: str, plan: StreamPlan) -> None:
    pipeline = build(rules)
    assert pipeline.check(user("hi")).stream == plan
    assert pipeline.check(user("hi", side="output")).stream == StreamPlan()


FAILING = (
    "  - {{name: p, detect: {{pii: {{}}}}, action: redact{}}}\n"
    "  - {{name: s, detect: {{secrets: {{}}}}, action: redact}}\n"
)


@pytest.mark.parametrize(
    ("on_error", "action", "verdict", "withheld"),
    [
        ("block", "block", "deny", ""),
        ("flag", "modify", "fail_open", "guard failed: p"),
        ("allow", "modify", "fail_open", ""),
    ],
)
def test_a_detector_that_fails(
    build: Callable[..., Pipeline], secrets: Secrets, on_error: str, action: str, verdict: str, withheld: str
) -> None:
    """Never taken for a clean pass, and the text of the exception, which quotes the prompt, goes nowhere."""
    pipeline = build(FAILING.format(f", on_error: {on_error}"), detectors={"pii": Broken(), "secrets": secrets})
    decision = pipeline.check(user(f"{EMAIL} {KEY}"))
    assert (decision.action, decision.verdict, decision.withhold) == (action, verdict, withheld)
    assert decision.blocked_by == ("p" if on_error == "block" else "")
    assert texts(decision) == (["[WITHHELD]"] if on_error == "block" else [f"{EMAIL} [AWS_ACCESS_KEY]"])
    failed = decision.events[0]
    assert (failed.rule, failed.verdict, failed.reason) == (
        "p", "deny" if on_error == "block" else "fail_open", "pii failed: ValueError",
    )  # fmt: skip
    assert EMAIL not in repr(decision.events)


def test_a_detector_that_runs_late(build: Callable[..., Pipeline], secrets: Secrets) -> None:
    let_go = Event()
    pipeline = build(
        FAILING.format(", on_error: block, on_timeout: flag"), "{timeout_ms: 50}",
        {"pii": Broken(let_go), "secrets": secrets},
    )  # fmt: skip
    try:
        decision = pipeline.check(user(f"{EMAIL} {KEY}"))
    finally:
        let_go.set()
    assert (decision.action, decision.verdict, decision.withhold) == ("modify", "fail_open", "guard failed: p")
    assert decision.events[0].reason == "pii gave no answer within 50 ms"
    assert texts(decision) == [f"{EMAIL} [AWS_ACCESS_KEY]"]


def test_a_rule_that_only_watches_never_blocks_by_failing(build: Callable[..., Pipeline]) -> None:
    pipeline = build(
        "  - {name: a, detect: {pii: {}}, action: block, mode: shadow, on_error: block}\n", detectors={"pii": Broken()}
    )
    assert pipeline.check(user("x")).action == "allow"
    assert [(e.verdict, e.action) for e in pipeline.review(user("x"))] == [("fail_open", "none")]


def test_a_reply_is_for_findings_not_for_failures(build: Callable[..., Pipeline]) -> None:
    pipeline = build(
        "  - {name: a, detect: {pii: {}}, action: block, reply: 'No addresses.', on_error: block}\n",
        detectors={"pii": Broken()},
    )
    assert (pipeline.check(user("x")).action, pipeline.check(user("x")).reply) == ("block", None)


def test_blocked_json_stays_json_even_if_it_could_not_be_judged(build: Callable[..., Pipeline]) -> None:
    pipeline = build("  - {name: a, detect: {pii: {}}, action: redact, on_error: block}\n", detectors={"pii": Broken()})
    check = Check("input", (Message("user", (Part("tool_call", '{"a": 1}', json=True),)),))
    assert texts(pipeline.check(check)) == ['"[WITHHELD]"']


def test_summary_tells_the_strictest(build: Callable[..., Pipeline]) -> None:
    rules = (
        "  - {name: a, detect: {pii: {}}, action: redact, on_error: flag}\n"
        "  - {name: b, detect: {secrets: {}}, action: block}\n"
    )
    summary = build(rules, "{on_error: allow, timeout_ms: 70}").summary
    assert (summary["on_error"], summary["timeout_ms"], summary["name"]) == ("flag", 70, "policy")
    assert build(rules, "{on_error: block}").summary["on_error"] == "block"


def test_degraded_is_told(secrets: Secrets) -> None:
    """An engine for names that is off says so in every result."""
    lesser = Pii(PiiOptions(ner="off"))
    pipeline = Pipeline(policy.load("default"), {"pii": lesser, "secrets": secrets})
    decision = pipeline.check(user(EMAIL))
    assert lesser.degraded
    assert decision.degraded == pipeline.degraded == (f"pii: {lesser.degraded}",)
    assert decision.events[0].degraded


def test_restored_findings_of_an_answer_are_recorded_as_placeholders(default: Pipeline) -> None:
    """What the application's tool needs it gets; the span does not."""
    part = Part("tool_call", f'{{"to": "{EMAIL}"}}', json=True)
    decision = default.check(Check("output", (Message("assistant", (part,)),)))
    assert texts(decision) == ['{"to": "<EMAIL_ADDRESS_1>"}']
    assert restore(texts(decision)[0], decision.pseudonyms, json=True) == part.text


WORDS = st.sampled_from(["hello", "the quick", "42", "naïve", "\n", "(", ")", "<b>", "it's", "…", "日本"])


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    before=st.lists(WORDS, max_size=5).map(" ".join),
    after=st.lists(WORDS, max_size=5).map(" ".join),
    canary=st.sampled_from([EMAIL, CARD, KEY, "hunter2x!"]),
    kind=st.sampled_from(["text", "json", "escaped"]),
    role=st.sampled_from(["system", "user", "assistant", "tool"]),
)
def test_no_canary_survives(default: Pipeline, before: str, after: str, canary: str, kind: str, role: str) -> None:
    said = f"{before} {'password: ' if canary == 'hunter2x!' else ''}{canary} {after}"
    text = said if kind == "text" else json.dumps({"k": [said]}, ensure_ascii=kind == "escaped")
    part = Part("text" if kind == "text" else "tool_call", text, json=kind != "text")
    decision = default.check(Check("input", (Message(role, (part,)),)))
    assert canary not in texts(decision)[0]
    assert canary not in repr(decision.events) + repr(decision.edits)
    if kind != "text":
        json.loads(texts(decision)[0])
    if decision.action == "modify":
        assert restore(texts(decision)[0], decision.pseudonyms, json=kind != "text") == text


TOOL, RESULT = Part("tool_call", '{"a": 1}', json=True), Part("tool_result", "Hi")
AT_ONCE: list[tuple[str, Side, Part, bool]] = [
    ("[input]", "input", Part("text", "Hi"), False),
    ("[input]", "input", Part("text", ""), True),
    ("[input]", "input", Part("media", uri="https://x.test/a.png"), True),
    ("[input]", "output", Part("text", "Hi"), True),
    ("[input]", "input", TOOL, True),
    ("[output]", "input", Part("text", "Hi"), True),
    ("[output]", "output", Part("text", "Hi"), False),
    ("[output]", "output", Part("reasoning", "Hi"), False),
    ("[output]", "output", TOOL, True),
    ("[output, tool_call]", "output", TOOL, False),
    ("[tool_call]", "input", RESULT, True),
    ("[tool_result]", "input", RESULT, False),
    ("[tool_result]", "input", Part("tool_definition", "{}", json=True), True),
]
"""Stages of the only rule, what is asked, and whether nobody has to look."""


@pytest.mark.parametrize(("stages", "side", "part", "at_once"), AT_ONCE)
def test_what_nobody_has_to_look_at_is_answered_at_once(
    build: Callable[..., Pipeline], stages: str, side: Side, part: Part, *, at_once: bool
) -> None:
    """With the answer that looking gives; with a rule for it, and beside one for another application, likewise."""
    rule = f"{{name: a, when: {{stage: {stages}}}, detect: {{secrets: {{}}}}, action: block}}"
    other = "{name: b, when: {app: other}, detect: {secrets: {}}, action: block}"
    pipeline = build(f"  - {rule}\n  - {other}\n")
    check = Check(side, (Message("user", (part,)),))
    found = pipeline.at_once(check)
    assert (found is not None) is at_once
    if found is not None:
        assert replace(found, latency_ms=0) == replace(pipeline.check(check), latency_ms=0)

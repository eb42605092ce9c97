"""Whatever a policy says and whatever is asked: what holds of every decision."""

import json
from collections.abc import Mapping
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spanward.guards.detectors import registry
from spanward.guards.detectors.detector import Detector
from spanward.guards.detectors.pii import Pii
from spanward.guards.detectors.secrets import Secrets
from spanward.guards.edits import edited
from spanward.guards.judgement import Check, Context, Decision, Edit, Side, Stage
from spanward.guards.messages import Message, Part, PartKind
from spanward.guards.pipeline import Pipeline
from spanward.guards.rules import Policy
from spanward.guards.wire import check_from_json, check_to_json, decision_from_json, decision_to_json

MADE: Mapping[str, tuple[str, dict[str, Any]]] = {
    "tickets": ("regex", {"patterns": {"ANY": "[a-z]{3,}", "NUMBER": r"\d+"}}),
    "words": ("keywords", {"words": {"BAD": ["alpha", "beta gamma"], "OTHER": ["gamma", "alice"]}}),
    "hosts": ("deny_list", {"of": "url_host", "values": ["*.evil.example"]}),
    "mails": ("allow_list", {"of": "email_domain", "values": ["example.com"]}),
    "shape": ("json_schema", {"schema": {"type": "object", "required": ["to"]}}),
    "size": ("length", {"characters": {"max": 40}}),
    "hidden_text": ("hidden_text", {}),
}
LABELS = {
    "pii": ["EMAIL_ADDRESS", "CREDIT_CARD", "PERSON", "ADDRESS"], "secrets": ["AWS_ACCESS_KEY", "PASSWORD"],
    "tickets": ["ANY", "NUMBER"], "words": ["BAD", "OTHER"], "hosts": ["denied"], "mails": ["not_allowed"],
    "shape": ["not_json", "schema_violation"], "size": ["too_long"], "hidden_text": ["zero_width"],
}  # fmt: skip
ACTIONS = st.sampled_from(["allow", "flag", "redact", "pseudonymise", "block"])
CHOICES = st.fixed_dictionaries({"threshold": st.sampled_from([0, 0.4])}, optional={"action": ACTIONS})
DETECT = st.lists(st.sampled_from(sorted(LABELS)), min_size=1, max_size=3, unique=True).flatmap(
    lambda names: st.fixed_dictionaries(
        {name: st.dictionaries(st.sampled_from(LABELS[name]), CHOICES, min_size=1) for name in names}
    )
)
WHEN = st.fixed_dictionaries({"stage": st.lists(st.sampled_from(get_args(Stage)), min_size=1, unique=True)})
RULES = st.lists(
    st.fixed_dictionaries(
        {"when": WHEN, "detect": DETECT, "action": ACTIONS, "restore": st.booleans()},
        optional={"mode": st.sampled_from(["shadow", "enforce"])},
    ),
    min_size=1,
    max_size=4,
).map(lambda rules: [{"name": f"rule {n}", **rule} for n, rule in enumerate(rules)])
TEXTS = st.lists(
    st.sampled_from(
        ["ann@example.com", "bob@x.io", "4111 1111 1111 1111", "password = 'AKIAIOSFODNN7EXAMPLQ'", "Ann Johnson",
         "12 Main Street, Springfield 62704", "alpha", "beta  gamma", "http://a.evil.example/x", "\u200b", "\U000e0041",
         "\u0430nn@ex\u0430mple.com", "e\u0301", "\ud83d", "😀", "\\u0061", "\\", '"', "{", "]", ",", " ", "\n",
         "<PERSON_1>", "<EMAIL_ADDRESS_1>", "[EMAIL_ADDRESS]", "12", "-3.5e7", "true", "\x00", "ﬁ", "²³"]
    ),
    max_size=7,
).map("".join)  # fmt: skip
JSON = st.builds(
    lambda value, plain: json.dumps(value, ensure_ascii=plain),
    st.recursive(
        TEXTS | st.integers() | st.booleans() | st.none(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
        max_leaves=6,
    ),
    st.booleans(),
)
PARTS = st.builds(lambda kind, text, js: Part(kind, text, json=js), st.sampled_from(get_args(PartKind)), TEXTS | JSON,
                  st.booleans())  # fmt: skip
MESSAGES = st.lists(
    st.lists(PARTS, max_size=3).map(lambda parts: Message("user", tuple(parts))), min_size=1, max_size=3
)


@pytest.fixture(scope="module")
def detectors(pii: Pii, secrets: Secrets) -> dict[str, Detector]:
    made: dict[str, Detector] = {name: registry.make(*options) for name, options in MADE.items()}
    return {**made, "pii": pii, "secrets": secrets}


def is_json(text: str) -> bool:
    try:
        json.loads(text, strict=False)
    except ValueError:
        return False
    return True


def edits_of(decision: Decision, message: int, part: int) -> list[Edit]:
    return [edit for edit in decision.edits if (edit.message, edit.part) == (message, part)]


@settings(deadline=None, max_examples=120, suppress_health_check=list(HealthCheck))
@given(RULES, MESSAGES, st.sampled_from(get_args(Side)), st.sampled_from(["", "one"]))
def test_what_holds_of_every_decision(
    detectors: dict[str, Detector], rules: list[dict[str, Any]], messages: list[Message], side: Side, session: str
) -> None:
    said = Policy.model_validate({"version": 1, "defaults": {"timeout_ms": 60_000}, "rules": rules})
    check = Check(side, tuple(messages), Context(session_id=session))
    pipeline = Pipeline(said, detectors)
    decision = pipeline.check(check)
    assert check_from_json(json.loads(json.dumps(check_to_json(check)))) == check
    assert decision_from_json(json.loads(json.dumps(decision_to_json(decision)))) == decision
    assert decision.action == "block" or not any(event.action == "block" for event in decision.events)
    assert not (decision.action == "block" and decision.pseudonyms)
    assert "fail_open" not in {event.verdict for event in decision.events}
    for m, message in enumerate(messages):
        for p, part in enumerate(message.parts):
            edits, after = edits_of(decision, m, p), decision.messages[m].parts[p]
            places = [place for edit in edits for place in (edit.start, edit.end)]
            assert places == sorted(places)
            assert all(0 <= edit.start < edit.end <= len(part.text) for edit in edits)
            assert after.text == edited(part.text, edits)
            assert is_json(after.text) or not (part.json and is_json(part.text))
    pipeline.review(check)
    pipeline.close()

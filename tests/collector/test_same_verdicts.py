"""The same check gets the same decision in this process and through a sidecar: every field, times aside."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spanward.guards import policy as policies
from spanward.guards.judgement import Check, Context, Decision, Side
from spanward.guards.messages import Message, Part
from spanward.guards.pipeline import Pipeline
from spanward.guards.wire import check_from_json, check_to_json, decision_from_json, decision_to_json

from .sidecar_process import Running, serving

KEY = "AKIAIOSFODNN7EXAMPLE"
POLICY = r"""
version: 1
name: everything
extends: default
detectors:
  tickets: { kind: regex, patterns: { TICKET: 'ACME-\d{6}', DRAFT: 'DRAFT-\d+' } }
rules:
  - name: pii-out
    detect:
      pii:
        entities:
          EMAIL_ADDRESS: 0.4
          PERSON: 0.6
          CREDIT_CARD: { action: redact }
          IP_ADDRESS: { threshold: 0.6, action: flag }
          US_SSN: { threshold: 0.4, action: block }
    action: pseudonymise
    restore: true
    reply: No numbers, please.
  - name: tickets
    when: { app: 'shop-*', user_group: [staff, guests], tags: eu }
    detect: { tickets: { labels: { TICKET: 0.5, DRAFT: { action: flag } } } }
    action: redact
    stream: { mode: window, window: 128 }
  - name: shop-only
    when: { app: shop-web, stage: retrieval }
    detect: { tickets: { labels: [TICKET] } }
    action: block
  - name: watched
    detect: { pii: { entities: { PHONE_NUMBER: 0.4 } } }
    action: block
    mode: shadow
"""
SHOP = Context("shop-web", "production", "openai", "gpt-4o-mini", user_group="staff", tags=("beta", "eu"))


def said(*parts: Part, side: Side = "input", context: Context = SHOP) -> Check:
    return Check(side, (Message("system", ()), Message("user", parts)), context)


CHECKS = {
    "nothing at all": Check("input", ()),
    "empty parts": said(Part("text"), Part("media", uri="https://x.example/y.png"), Part("text", " ")),
    "each label by its action": said(Part("text", "ada@x.com, 4111 1111 1111 1111, 203.0.113.7, DRAFT-1, ACME-123456")),
    "a label that blocks": said(Part("text", "ssn 078-05-1121 of ada@x.com")),
    "a rule that blocks": said(Part("text", f"key {KEY} of ada@x.com")),
    "a document": said(Part("document", "see ACME-123456", name="notes")),
    "another app": said(Part("document", "see ACME-123456"), context=replace(SHOP, app="desk")),
    "another group": said(Part("text", "see ACME-123456"), context=replace(SHOP, user_group="Staff")),
    "JSON": said(Part("tool_call", '{"to": "ada\\u0040x.com", "n": 4111111111111111}', json=True, name="send", id="7")),
    "JSON that is none": said(Part("tool_result", '{"to": "ada@x.com"', json=True)),
    "an answer": said(Part("text", "ask ada@x.com"), Part("reasoning", "hm, ACME-123456"), side="output"),
    "a shadow": said(Part("text", "call 202-555-0123")),
    "a name": said(Part("text", "Please write to Margaret Thompson about the invoice.")),
    "half a character": said(Part("text", "\ud83d ada@x.com")),
    "tricks": said(Part("text", "ad\u200ba@x.com \u202eevil <EMAIL_ADDRESS_1> \U0001f600 ada@x.com")),
}


@pytest.fixture(scope="module")
def policy_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("policy") / "everything.yaml"
    path.write_text(POLICY)
    return path


@pytest.fixture(scope="module")
def here(policy_path: Path) -> Iterator[Pipeline]:
    pipeline = Pipeline(policies.load(policy_path))
    yield pipeline
    pipeline.close()


@pytest.fixture(scope="module")
def there(policy_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with serving(tmp_path_factory.mktemp("same") / "data", "--policy", policy_path) as running:
        yield running


def timeless(decision: Decision) -> Decision:
    events = tuple(replace(event, latency_ms=0.0) for event in decision.events)
    return replace(decision, latency_ms=0.0, events=events, pseudonyms=dict(decision.pseudonyms))


def asked(there: Running, check: Check) -> Decision:
    answer = there.http.post("/v1/guard/check", content=json.dumps(check_to_json(check)))
    assert answer.status_code == 200, answer.text
    return decision_from_json(answer.json())


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_a_sidecar_decides_as_the_pipeline_does(here: Pipeline, there: Running, check: Check) -> None:
    assert timeless(asked(there, check)) == timeless(here.check(check))


PIECES = st.sampled_from(
    ["ada@x.com", "4111 1111 1111 1111", "ssn 078-05-1121", KEY, "ACME-123456", "DRAFT-9", "203.0.113.7",
     "202-555-0123", "Margaret Thompson", "<EMAIL_ADDRESS_1>", "\u200b", "\n",
     '"', "\\", "日本", "\U0001f600", "e\u0301"]
) | st.text(max_size=8)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=6).map(" ".join)
PARTS = st.one_of(
    st.builds(Part, st.sampled_from(["text", "reasoning", "tool_result", "document", "tool_definition"]), TEXTS),
    TEXTS.map(lambda text: Part("tool_call", json.dumps({"k": [text, 1]}), json=True, name="f")),
)
CONTEXTS = st.builds(
    Context,
    app=st.sampled_from(["shop-web", "shop-", "desk", ""]),
    user_group=st.sampled_from(["staff", "guests", ""]),
    tags=st.sampled_from([(), ("eu",), ("EU", "eu")]),
)
MESSAGES = st.builds(Message, st.sampled_from(["user", "tool"]), st.lists(PARTS, max_size=3).map(tuple))
ALL = st.builds(Check, st.sampled_from(["input", "output"]), st.lists(MESSAGES, max_size=3).map(tuple), CONTEXTS)


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(check=ALL)
def test_whatever_is_asked_a_sidecar_decides_as_the_pipeline_does(here: Pipeline, there: Running, check: Check) -> None:
    assert timeless(asked(there, check)) == timeless(here.check(check))


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(check=ALL)
def test_nothing_is_lost_on_the_wire(here: Pipeline, check: Check) -> None:
    assert check_from_json(json.loads(json.dumps(check_to_json(check)))) == check
    decision = here.check(check)
    again = decision_from_json(json.loads(json.dumps(decision_to_json(decision))))
    assert replace(again, pseudonyms=dict(again.pseudonyms)) == replace(decision, pseudonyms=dict(decision.pseudonyms))

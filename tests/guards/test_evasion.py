# ruff: noqa: RUF001  look-alikes are the subject
"""Ways around a guard that somebody may try: each is found, and none of them keeps the guards busy."""

import json
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanward.guards import look_alikes, policy
from spanward.guards.detectors.pii import Pii
from spanward.guards.detectors.secrets import Secrets
from spanward.guards.jsontext import literals
from spanward.guards.judgement import Check
from spanward.guards.messages import Message, Part
from spanward.guards.pipeline import Pipeline

EMAIL = "canary@leaks.example.com"
ESCAPED = "".join(f"\\u{ord(char):04x}" for char in EMAIL)
DEEP = 1500
"""Deeper than Python's parser goes."""


@pytest.fixture(scope="module")
def default(pii: Pii, secrets: Secrets) -> Iterator[Pipeline]:
    pipeline = Pipeline(policy.load("default"), {"pii": pii, "secrets": secrets})
    yield pipeline
    pipeline.close()


def guarded(pipeline: Pipeline, part: Part) -> str:
    return pipeline.check(Check("input", (Message("tool", (part,)),))).messages[0].parts[0].text


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (f'{{"to": "{ESCAPED}"}}', '{"to": "<EMAIL_ADDRESS_1>"}'),
        (f'{{"n": {"7" * 5000}, "to": "{ESCAPED}"}}', f'{{"n": {"7" * 5000}, "to": "<EMAIL_ADDRESS_1>"}}'),
        (f'{"[" * DEEP}"{ESCAPED}"{"]" * DEEP}', f'{"[" * DEEP}"<EMAIL_ADDRESS_1>"{"]" * DEEP}'),
        (f'{{"a": {{"to": "{ESCAPED}"', '{"a": {"to": "<EMAIL_ADDRESS_1>"'),
        (f'{{"to": "{ESCAPED}",}}', '{"to": "<EMAIL_ADDRESS_1>",}'),
    ],
    ids=["plain", "an integer of 5000 digits", "nested deeply", "cut off", "a comma too many"],
)
def test_escapes_in_tool_arguments_hide_nothing(default: Pipeline, said: str, expected: str) -> None:
    assert guarded(default, Part("tool_call", said, json=True)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "mailto:ann@x.example.org?cc={}",
        "ann@x.example.org/{}",
        "https://ann@x.example.org/y?to={}",
        "ann@x.org?to={}&b",
    ],
)
def test_an_address_right_behind_another_is_found(default: Pipeline, text: str) -> None:
    assert EMAIL not in guarded(default, Part("text", text.format(EMAIL)))


@pytest.mark.parametrize("others", ["flag", "redact", "pseudonymise"])
@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("password = 'AKIAIOSFODNN7EXAMPLQ'", "PASSWORD"),
        ("https://user:AKIAIOSFODNN7EXAMPLQ@host.example.com/x", "BASIC_AUTH"),
        ("Authorization: Bearer ghp_aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789", "BEARER_TOKEN"),
    ],
)
def test_another_rule_for_the_same_place_takes_nothing_from_the_one_that_blocks(
    build: Callable[..., Pipeline], text: str, label: str, others: str
) -> None:
    rules = f"  - {{name: a, detect: {{secrets: {{}}}}, action: {others}}}\n"
    rules += f"  - {{name: b, detect: {{secrets: {{labels: [{label}]}}}}, action: block}}\n"
    decision = build(rules).check(Check("input", (Message("user", (Part("text", text),)),)))
    assert (decision.action, decision.blocked_by) == ("block", "b")


def test_results_of_tools_are_read_as_the_json_that_they_are(default: Pipeline) -> None:
    told = json.dumps({"who": "José", "note": f"Hi\n{EMAIL}", "path": "C:\\temp"})
    cleaned = json.loads(guarded(default, Part("tool_result", told)))
    assert cleaned["note"] == "Hi\n<EMAIL_ADDRESS_1>"
    assert cleaned["path"] == "C:\\temp"
    assert guarded(default, Part("tool_result", f'{{"to": "{ESCAPED}"}}')) == '{"to": "<EMAIL_ADDRESS_1>"}'


def test_braces_around_a_text_with_backslashes_make_no_json_of_it(default: Pipeline) -> None:
    assert guarded(default, Part("text", rf"{{\section to {EMAIL} }}")) == r"{\section to <EMAIL_ADDRESS_1> }"


@given(st.text(alphabet='[]{},:"0 a\\n-.e', max_size=14) | st.text(alphabet='[]{},:"0', max_size=14))
def test_deep_json_is_json_exactly_where_it_would_be_one_if_it_were_not_so_deep(inside: str) -> None:
    try:
        json.loads(f"[{inside}]", strict=False)
    except ValueError:
        expected = False
    else:
        expected = True
    assert (literals("[" * DEEP + inside + "]" * DEEP) is not None) is expected


def test_a_long_word_beside_another_script_is_read_once() -> None:
    """Folding is on no clock: with a square in it this took hours."""
    assert look_alikes.folded("a" * 500_000 + " я cаnary") == "a" * 500_000 + " я canary"

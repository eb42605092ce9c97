# ruff: noqa: RUF001  look-alikes are the subject
"""Ways around a guard that somebody may try: each is found, and none of them keeps the guards busy."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanward.guards import look_alikes, policy
from spanward.guards.detectors.detector import Hit
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


@pytest.mark.parametrize("said", ["{}", "[]", '{"admin": true}', "null"])
def test_arguments_without_a_word_in_them_are_judged_too(tmp_path: Path, said: str) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(
        "version: 1\n"
        "detectors: { shape: { kind: json_schema, schema: { type: object, required: [to] } } }\n"
        "rules:\n  - { name: shaped, detect: { shape: {} }, action: block }\n",
        encoding="utf-8",
    )
    pipeline = Pipeline(policy.load(path))
    decision = pipeline.check(Check("output", (Message("assistant", (Part("tool_call", said, json=True),)),)))
    pipeline.close()
    assert (decision.action, decision.blocked_by) == ("block", "shaped")
    json.loads(decision.messages[0].parts[0].text)


class Miscounting:
    """Says that it found something where there is no text."""

    name, noun, engine, degraded = "pii", "entities", "miscounting", ""
    labels: ClassVar[Mapping[str, float]] = Pii.labels

    def __init__(self, start: int, end: int) -> None:
        self._place = start, end

    def detect(self, texts: Sequence[str], labels: frozenset[str]) -> list[list[Hit]]:
        return [[Hit("EMAIL_ADDRESS", *self._place, 1.0)] for _ in texts]


@pytest.mark.parametrize("place", [(-3, 2), (2, 1), (1, 4), (50, 60)])
@pytest.mark.parametrize("part", [Part("text", "abc"), Part("tool_call", "123", json=True)], ids=["text", "JSON"])
def test_a_detector_that_counts_wrongly_has_failed(
    build: Callable[..., Pipeline], part: Part, place: tuple[int, int]
) -> None:
    rules = "  - {name: a, detect: {pii: {entities: [EMAIL_ADDRESS]}}, action: redact}\n"
    pipeline = build(rules, "{on_error: flag}", {"pii": Miscounting(*place)})
    decision = pipeline.check(Check("input", (Message("user", (part,)),)))
    assert (decision.verdict, decision.edits, bool(decision.withhold)) == ("fail_open", (), True)

"""Names are guessed from prose: what is written for machines keeps its words. Patterns count there as anywhere."""

from collections.abc import Iterator

import pytest

from spanward.guards.judgement import Check
from spanward.guards.messages import Message, Part, PartKind
from spanward.guards.pipeline import Pipeline
from spanward.guards.policy import load

SCHEMA = (
    '{"type": "json_schema", "json_schema": {"name": "Parcel", "schema": {"title": "Maria Schmidt", "type": "object", '
    '"properties": {"Jane Miller": {"type": "string", "description": "ask ada.lovelace@example.org"}}}}}'
)


@pytest.fixture(scope="module")
def pipeline() -> Iterator[Pipeline]:
    running = Pipeline(load("default"))
    yield running
    running.close()


def guarded(pipeline: Pipeline, kind: PartKind, text: str, *, json: bool = True) -> str:
    decision = pipeline.check(Check("input", (Message("user", (Part(kind, text, json=json),)),)))
    return decision.messages[0].parts[0].text


def test_a_definition_keeps_every_name_and_no_address(pipeline: Pipeline) -> None:
    assert guarded(pipeline, "tool_definition", SCHEMA) == SCHEMA.replace(
        "ada.lovelace@example.org", "<EMAIL_ADDRESS_1>"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"Jane Miller": "was here", "from": "Jane Smith"}', '{"Jane Miller": "was here", "from": "<PERSON_1>"}'),
        ('{"json_schema": "x", "kind": "max_mustermann"}', '{"json_schema": "x", "kind": "max_mustermann"}'),
        ('{"said": "Please call Jane Smith back."}', '{"said": "Please call <PERSON_1> back."}'),
    ],
)  # fmt: skip
def test_arguments_keep_their_keys_and_identifiers(pipeline: Pipeline, text: str, expected: str) -> None:
    assert guarded(pipeline, "tool_call", text) == expected


def test_a_key_in_text_that_is_no_json(pipeline: Pipeline) -> None:
    said = 'a log line: {"Jane Miller": 3} and user_Jane_Miller'
    assert guarded(pipeline, "text", said, json=False) == said

"""A blocked call of Bedrock answers as the model that was asked would have, whole and streamed, or raises."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.eventstream import EventStream
from botocore.response import StreamingBody

import spanward

from ..conftest import NOWHERE
from .test_bedrock import FAMILIES, MAIL, STREAMS

REPLY = "That message held an address and was not sent."
POLICY = f"""
version: 1
name: test
rules:
  - name: no-addresses
    when: {{ stage: [input] }}
    detect: {{ pii: {{ entities: {{ EMAIL_ADDRESS: 0.4 }} }} }}
    action: block
    reply: "{REPLY}"
"""
ASKED: Any = {"modelId": "us.amazon.nova-lite-v1:0", "messages": [{"role": "user", "content": [{"text": MAIL}]}]}
NO_FAMILY = {"llama", "nobody knows"}
"""Here: an ARN, which does not tell what the answer would look like, and a body that nobody knows."""


@pytest.fixture(scope="module", autouse=True)
def blocking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder: Path = tmp_path_factory.mktemp("blocking")
    (folder / "policy.yaml").write_text(POLICY)
    spanward.instrument(endpoint=NOWHERE, guards="local", policy=folder / "policy.yaml", spool=folder / "spool")
    yield
    spanward.uninstrument()


@pytest.fixture(scope="module")
def client() -> Any:
    """Nobody listens there: whoever asks gets an error."""
    return boto3.client(
        "bedrock-runtime", endpoint_url=NOWHERE, region_name="us-east-1", aws_access_key_id="k",
        aws_secret_access_key="s",
    )  # fmt: skip


def test_converse(client: Any) -> None:
    answer = client.converse(**ASKED)
    assert answer["output"]["message"]["content"] == [{"text": REPLY}]
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_converse_streamed(client: Any) -> None:
    stream = client.converse_stream(**ASKED)["stream"]
    assert isinstance(stream, EventStream)
    heard = list(stream)
    stream.close()
    texts = [one["contentBlockDelta"]["delta"]["text"] for one in heard if "contentBlockDelta" in one]
    assert texts == [REPLY]


@pytest.mark.parametrize("name", sorted(set(FAMILIES) - NO_FAMILY))
def test_a_body_of_each_family(name: str, client: Any) -> None:
    family = FAMILIES[name]
    body = client.invoke_model(modelId=family.model, body=json.dumps(family.body))["body"]
    assert isinstance(body, StreamingBody)
    assert family.said(json.loads(body.read())) == REPLY


@pytest.mark.parametrize("name", sorted(set(STREAMS) - NO_FAMILY))
def test_a_stream_of_each_family(name: str, client: Any) -> None:
    family, (_, said) = FAMILIES[name], STREAMS[name]
    answer = client.invoke_model_with_response_stream(modelId=family.model, body=json.dumps(family.body))
    assert isinstance(answer["body"], EventStream)
    assert "".join(said(json.loads(one["chunk"]["bytes"])) for one in answer["body"]) == REPLY


@pytest.mark.parametrize(
    "body", [{"inputText": MAIL}, {"taskType": "TEXT_IMAGE", "textToImageParams": {"text": MAIL}}, {"strange": MAIL}]
)
def test_what_has_no_place_for_words_raises(body: dict[str, Any], client: Any) -> None:
    with pytest.raises(spanward.ModelCallBlocked):
        client.invoke_model(modelId="m", body=json.dumps(body))


@pytest.mark.parametrize("name", sorted(NO_FAMILY))
def test_a_model_that_nobody_knows_raises(name: str, client: Any) -> None:
    family = FAMILIES[name]
    with pytest.raises(spanward.ModelCallBlocked):
        client.invoke_model_with_response_stream(modelId=family.model, body=json.dumps(family.body))

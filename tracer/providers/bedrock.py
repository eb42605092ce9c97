"""Amazon Bedrock through boto3: Converse and InvokeModel, whole and streamed.

Every method of every boto3 client is one method of botocore, so there is one endpoint, which any other AWS call passes
by. A model is named as the application names it: an id, an id of a cross-region profile, or an ARN.

Not covered: aiobotocore (and aioboto3), whose client has a method of its own; `InvokeModelWithBidirectionalStream`,
which boto3 does not have; `StartAsyncInvoke`, `ApplyGuardrail` and `CountTokens`; and the `bedrock-agent-runtime`
service. The bytes of documents are judged where they are text (txt, md, csv, html) and given to Converse.
"""

import functools
import io
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from ...guards.messages import Message
from ..adapter import Adapter, Endpoint, Kwargs, StreamReader
from ..call import ModelCall
from . import anthropic_messages, bedrock_answers, bedrock_bodies, bedrock_converse, openai_chat
from .bedrock_bodies import BedrockCall
from .bedrock_converse_stream import Reader
from .bedrock_json import Chunks, Json, close_body, decoded, encoded, open_body, sealed

_STREAMS = {"ConverseStream": "stream", "InvokeModelWithResponseStream": "body"}
"""Operation -> the member of its answer that is the stream."""
_OPERATIONS = {"Converse", "InvokeModel", *_STREAMS}
_SETTINGS = {
    "guardrailIdentifier": "guardrail.id", "guardrailVersion": "guardrail.version", "trace": "guardrail.trace",
    "streamProcessingMode": "guardrail.stream_mode", "performanceConfigLatency": "performance.latency",
    "latency": "performance.latency", "serviceTier": "service_tier", "type": "service_tier",
}  # fmt: skip
_FLAT: dict[str, tuple[Json, ...]] = {
    "anthropic": ({"completion": "", "stop_reason": "stop_sequence", "stop": None},),
    "titan": ({"results": [{"outputText": "", "completionReason": "CONTENT_FILTERED"}]},
              {"outputText": "", "completionReason": "CONTENT_FILTERED", "index": 0}),
    "llama": ({"generation": "", "stop_reason": "stop", "prompt_token_count": 0, "generation_token_count": 0},),
    "mistral": ({"outputs": [{"text": "", "stop_reason": "stop"}]},),
    "cohere": ({"generations": [{"id": "spanward", "text": "", "finish_reason": "COMPLETE"}]},
               {"text": "", "is_finished": True, "finish_reason": "COMPLETE"}),
    "ai21": ({"id": "spanward", "completions": [{"data": {"text": ""}, "finishReason": {"reason": "endoftext"}}]},),
}  # fmt: skip
"""Word in a model's name -> its family's answer to one prompt, and a chunk of it where that differs."""
_SAID = {"completion", "outputText", "generation", "text"}


def applies(client: Any, kwargs: Kwargs) -> bool:
    return (
        kwargs.get("operation_name") in _OPERATIONS
        and "api_params" in kwargs
        and client.meta.service_model.service_name == "bedrock-runtime"
    )


def streams(kwargs: Kwargs) -> bool:
    return kwargs["operation_name"] in _STREAMS


def request(client: Any, kwargs: Kwargs) -> ModelCall:
    url = urlsplit(client.meta.endpoint_url)
    parameters = kwargs["api_params"]
    call = BedrockCall(
        "chat",
        "aws.bedrock",
        request_model=str(parameters.get("modelId") or ""),
        server_address=url.hostname or "",
        server_port=url.port or (80 if url.scheme == "http" else 443),
    )
    if kwargs["operation_name"].startswith("Converse"):
        bedrock_converse.request(call, parameters, ("api_params",))
        call.form = "converse"
    else:
        kwargs["api_params"] = open_body(parameters)
        bedrock_bodies.request(call, kwargs)
    call.params |= _settings(parameters)
    return call


def _settings(parameters: Json) -> Json:
    configs = [parameters.get(name) for name in ("guardrailConfig", "performanceConfig", "serviceTier")]
    return {
        _SETTINGS[name]: value
        for config in (parameters, *configs)
        if isinstance(config, dict)
        for name, value in config.items()
        if name in _SETTINGS and isinstance(value, str)
    }


def response(call: ModelCall, answer: Any) -> None:
    if TEXT in answer:
        call.output = (Message("assistant", tuple(bedrock_bodies.leaves(answer, (), set()))),)
    elif isinstance(answer, dict) and "ResponseMetadata" in answer:
        bedrock_converse.response(call, answer)
    else:
        bedrock_answers.response(call, answer)


def reader(call: ModelCall) -> StreamReader:
    converse = isinstance(call, BedrockCall) and call.form == "converse" and not call.response_id
    return Reader(call) if converse else bedrock_answers.Reader(call)


TEXT = "\0text"
"""The member that stands for a body which is no JSON object."""


class Response:
    """What the operations give: a dictionary, in which a body or a stream is still to be read."""

    def asked(self, kwargs: Kwargs) -> str:
        operation = kwargs["operation_name"]
        return "read" if operation in _STREAMS else "unread" if operation == "InvokeModel" else ""

    def ask(self, kwargs: Kwargs) -> Kwargs:
        return kwargs

    def read(self, raw: Any) -> None:
        if hasattr(raw.get("body"), "read"):
            raw["body"] = _body_type()(raw["body"].read())

    def body(self, raw: Any) -> Any:
        said = raw["body"].said
        try:
            value = decoded(said)
        except (ValueError, RecursionError):
            value = said.decode()
        if not isinstance(value, dict):
            return {TEXT: said.decode()}
        return bedrock_answers.with_headers(value, raw.get("ResponseMetadata", {}).get("HTTPHeaders", {}))

    def put(self, raw: Any, body: Any) -> None:
        raw["body"] = _body_type()(body[TEXT].encode() if TEXT in body else encoded(_own(body, raw["body"].said)))

    def parse(self, raw: Any) -> Any:
        return raw["stream"] if "stream" in raw else raw["body"]

    def install(self, raw: Any, parsed: Any) -> None:
        raw["stream" if "stream" in raw else "body"] = parsed


def _own(body: Json, before: bytes) -> Json:
    """Without what we put there from the headers."""
    return {name: value for name, value in body.items() if name != bedrock_answers.METRICS or name.encode() in before}


@functools.cache
def _body_type() -> Any:
    """botocore's body over bytes that were read: everything holds for it but the socket, which it no longer has."""
    from botocore.response import StreamingBody

    class ReadBody(StreamingBody):  # type: ignore[misc]  # botocore has no types
        def __init__(self, said: bytes) -> None:
            super().__init__(io.BytesIO(said), str(len(said)))
            self.said = said

        def set_socket_timeout(self, timeout: float) -> None:
            pass

    return ReadBody


@functools.cache
def _stream_type() -> Any:
    """botocore's stream over events that never crossed a network."""
    from botocore.eventstream import EventStream

    class CannedStream(EventStream):  # type: ignore[misc]  # as above
        def __init__(self, events: Iterator[Json]) -> None:
            self._events = events

        def __iter__(self) -> Iterator[Json]:
            return self._events

        def close(self) -> None:
            pass

    return CannedStream


def reply(call: ModelCall, text: str) -> Any:
    """The canned answer of the operation, None for what has no place for words."""
    form = call.form if isinstance(call, BedrockCall) else ""
    body = _reply_body(form, call, text)
    if body is None:
        return None
    head: Json = {"ResponseMetadata": {"HTTPStatusCode": 200, "HTTPHeaders": {}, "RetryAttempts": 0}}
    if form == "converse" and not call.tags:
        return {**head, **body}
    return {**head, "contentType": "application/json", "body": _body_type()(encoded(body))}


def _reply_body(form: str, call: ModelCall, text: str) -> Json | None:
    return None

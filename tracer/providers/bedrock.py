"""Amazon Bedrock through boto3: Converse and InvokeModel, whole and streamed.

Every method of every boto3 client is one method of botocore, so there is one endpoint, which any other AWS call passes
by. A model is named as the application names it: an id, an id of a cross-region profile, or an ARN.

Not covered: aiobotocore (and aioboto3), whose client has a method of its own; `InvokeModelWithBidirectionalStream`,
which boto3 does not have; `StartAsyncInvoke` and `ApplyGuardrail`; and the `bedrock-agent-runtime`
service. The bytes of a document are judged where they are text (txt, md, csv, html) and given to Converse.
"""

from typing import Any
from urllib.parse import urlsplit

from ...guards.messages import Message
from ..adapter import Adapter, Endpoint, Kwargs, StreamReader
from ..call import ModelCall
from . import bedrock_answers, bedrock_bodies, bedrock_converse, bedrock_count
from .bedrock_bodies import BedrockCall
from .bedrock_converse_stream import Reader
from .bedrock_json import Chunks, Json, close_body, decoded, encoded, open_body
from .bedrock_replies import read_body, reply, reply_stream

_STREAMS = {"ConverseStream": "stream", "InvokeModelWithResponseStream": "body"}
"""Operation -> the member of its answer that is the stream."""
_OPERATIONS = {"Converse", "InvokeModel", *_STREAMS}
_SETTINGS = {
    "guardrailIdentifier": "guardrail.id", "guardrailVersion": "guardrail.version", "trace": "guardrail.trace",
    "streamProcessingMode": "guardrail.stream_mode", "performanceConfigLatency": "performance.latency",
    "latency": "performance.latency", "serviceTier": "service_tier", "type": "service_tier",
}  # fmt: skip
_CONFIGS = ("guardrailConfig", "performanceConfig", "serviceTier")
TEXT = "\0text"
"""The member that stands for a body which is no JSON object."""


def applies(client: Any, kwargs: Kwargs) -> bool:
    return (
        kwargs.get("operation_name") in _OPERATIONS
        and isinstance(kwargs.get("api_params"), dict)
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
        stream=streams(kwargs),
        server_address=url.hostname or "",
        server_port=url.port or (80 if url.scheme == "http" else 443),
        asked=kwargs["operation_name"],
    )
    if call.asked.startswith("Converse"):
        call.form = "converse"
        bedrock_converse.request(call, parameters, ("api_params",))
    else:
        kwargs["api_params"] = open_body(parameters)
        bedrock_bodies.request(call, kwargs)
        call.beside += bedrock_converse.beside(parameters, ("requestMetadata",), ("api_params",))
    call.params |= _settings(parameters)
    return call


def _settings(parameters: Json) -> Json:
    configs = [parameters, *(parameters.get(name) for name in _CONFIGS)]
    return {
        _SETTINGS[name]: value
        for config in configs
        if isinstance(config, dict)
        for name, value in config.items()
        if name in _SETTINGS and isinstance(value, str)
    }


def response(call: ModelCall, answer: Any) -> None:
    if TEXT in answer:
        call.output = (Message("assistant", tuple(bedrock_bodies.leaves(answer, (), set()))),)
    else:
        bedrock_answers.response(call, answer)


def reader(call: ModelCall) -> StreamReader:
    converse = isinstance(call, BedrockCall) and call.asked == "ConverseStream"
    return Reader(call) if converse else bedrock_answers.Reader(call)


class Response:
    """What the operations give: a dictionary, in which a body or a stream is still to be read."""

    def asked(self, kwargs: Kwargs) -> str:
        operation = kwargs["operation_name"]
        return "read" if operation in _STREAMS else "unread" if operation == "InvokeModel" else ""

    def ask(self, kwargs: Kwargs) -> Kwargs:
        return kwargs

    def read(self, raw: Any) -> None:
        if hasattr(raw.get("body"), "read"):
            raw["body"] = read_body(raw["body"].read())

    def body(self, raw: Any) -> Any:
        said = raw["body"].said
        try:
            value = decoded(said)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            return {TEXT: said.decode()}
        return bedrock_answers.with_headers(value, raw.get("ResponseMetadata", {}).get("HTTPHeaders", {}))

    def put(self, raw: Any, body: Any) -> None:
        raw["body"] = read_body(body[TEXT].encode() if TEXT in body else encoded(bedrock_answers.own(body)))

    def parse(self, raw: Any) -> Any:
        return raw[_member(raw)]

    def install(self, raw: Any, parsed: Any) -> None:
        raw[_member(raw)] = parsed


def _member(raw: Any) -> str:
    return next(name for name in _STREAMS.values() if name in raw)


ADAPTER = Adapter(
    library="botocore",
    distribution="botocore",
    oldest="1.34.131",
    below="2",
    apart=frozenset({"operation_name"}),
    endpoints=(
        Endpoint(
            module="botocore.client",
            sync_method="BaseClient._make_api_call",
            async_method="",
            request=request,
            response=response,
            reader=reader,
            reply=reply,
            reply_stream=reply_stream,
            streams=streams,
            applies=applies,
            send=close_body,
            raw=Response(),
            codec=Chunks(),
        ),
        bedrock_count.ENDPOINT,
    ),
)

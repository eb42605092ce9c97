"""Bedrock's CountTokens: the parameters of Converse or a body of InvokeModel, counted and not answered."""

from typing import Any
from urllib.parse import urlsplit

from ...guards.messages import Message, Path
from ..adapter import Endpoint, Kwargs
from ..call import ModelCall
from ..semconv import COUNT_TOKENS
from . import bedrock_bodies, bedrock_converse, counting
from .bedrock_json import close_body, open_body

_CONVERSE: Path = ("api_params", "input", "converse")
_INVOKE: Path = ("api_params", "input", "invokeModel")


def applies(client: Any, kwargs: Kwargs) -> bool:
    return (
        kwargs.get("operation_name") == "CountTokens"
        and isinstance(kwargs.get("api_params"), dict)
        and client.meta.service_model.service_name == "bedrock-runtime"
    )


def request(client: Any, kwargs: Kwargs) -> ModelCall:
    url = urlsplit(client.meta.endpoint_url)
    parameters = kwargs["api_params"]
    call = ModelCall(
        COUNT_TOKENS,
        "aws.bedrock",
        request_model=str(parameters.get("modelId") or ""),
        server_address=url.hostname or "",
        server_port=url.port or (80 if url.scheme == "http" else 443),
    )
    asked = parameters.get("input") or {}
    if asked.get("converse"):
        bedrock_converse.request(call, asked["converse"], _CONVERSE)
    if asked.get("invokeModel"):
        opened = open_body(asked["invokeModel"])
        kwargs["api_params"] = {**parameters, "input": {**asked, "invokeModel": opened}}
        parts = tuple(bedrock_bodies.leaves(opened.get("body"), (*_INVOKE, "body"), set()))
        call.messages += (Message("user", parts),) if parts else ()
    return call


def send(kwargs: Kwargs) -> Kwargs:
    """With the body as the API takes it."""
    parameters = kwargs["api_params"]
    asked = parameters.get("input") or {}
    if not asked.get("invokeModel"):
        return kwargs
    sent = close_body({"api_params": asked["invokeModel"]})["api_params"]
    return {**kwargs, "api_params": {**parameters, "input": {**asked, "invokeModel": sent}}}


ENDPOINT = Endpoint(
    module="botocore.client",
    sync_method="BaseClient._make_api_call",
    async_method="",
    request=request,
    response=counting.response,
    applies=applies,
    send=send,
)

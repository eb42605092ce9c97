"""`AnthropicVertex`: project, region and model in the path."""

from dataclasses import replace
from typing import Any

from spanward.collector.demo import provider_anthropic as fake

from ..subject import Route
from . import anthropic as plain

PLACE: dict[str, Any] = {"region": "europe-west1", "project_id": "a-project", "access_token": "of no use"}
MODELS = "/v1/projects/{project}/locations/{region}/publishers/anthropic/models"


def client(address: str, retries: int, timeout_s: float) -> Any:
    import anthropic

    return anthropic.AnthropicVertex(base_url=f"{address}/v1", max_retries=retries, timeout=timeout_s, **PLACE)


def async_client(address: str, retries: int, timeout_s: float) -> Any:
    import anthropic

    return anthropic.AsyncAnthropicVertex(base_url=f"{address}/v1", max_retries=retries, timeout=timeout_s, **PLACE)


CLOUD: dict[str, Any] = {
    "provider": "gcp.vertex_ai",
    "model": "claude-haiku-4-5@20251001",
    "routes": (
        Route(f"{MODELS}/{{model}}:rawPredict", plain.message, error=fake.error),
        Route(f"{MODELS}/{{model}}:streamRawPredict", plain.message, plain.frames, error=fake.error),
    ),
    "client": client,
    "async_client": async_client,
}

SUBJECTS = (
    replace(plain.MESSAGES, name="anthropic_vertex", **CLOUD),
    replace(plain.HELPER, name="anthropic_vertex_helper", **CLOUD),
)

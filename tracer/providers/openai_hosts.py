"""Who answers an OpenAI-compatible client: the provider's name, by the client's class or the server it talks to."""

from functools import cache, lru_cache
from typing import Any

from ..hosts import ModelHosts

CLASSES = {"BaseAzureClient": "azure.ai.openai", "BedrockOpenAI": "aws.bedrock", "AsyncBedrockOpenAI": "aws.bedrock"}
"""By the client's class, wherever it talks to."""
_KNOWN = ModelHosts()


def provider(client: Any, host: str, port: int) -> str:
    """The provider's name; "openai" for a server that nobody knows, which `server.address` tells apart."""
    kind: Any = type(client)
    return _by_class(kind) or _by_host(host, port)


@cache
def _by_class(kind: Any) -> str:
    return next((CLASSES[cls.__name__] for cls in kind.__mro__ if cls.__name__ in CLASSES), "")


@lru_cache(maxsize=1024)
def _by_host(host: str, port: int) -> str:
    return _KNOWN.provider(host, port) or "openai"

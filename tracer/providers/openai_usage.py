"""Token counts of a streamed chat: OpenAI sends them only when asked, in a chunk of their own at the end."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from ..adapter import Kwargs
from .stainless import address

OPENAI = ("api.openai.com", "*.api.openai.com")
AZURE = ("*.openai.azure.com", "*.services.ai.azure.com", "*.cognitiveservices.azure.com")
AZURE_SINCE = "2024-09-01"
"""The first dated version of Azure's API that knows `stream_options`; those before answer 400."""
AZURE_UNDATED = {"preview", "latest", "v1"}


class ChatUsage:
    """`stream_options.include_usage`, asked of servers that are known to take it."""

    def ask(self, instance: Any, kwargs: Kwargs, hosts: tuple[str, ...]) -> Kwargs | None:
        options = kwargs.get("stream_options")
        known = dict(options) if isinstance(options, Mapping) else {}
        if not known and options is not None and type(options).__name__ not in {"dict", "NotGiven", "Omit"}:
            return None
        beside = kwargs.get("extra_body")
        if isinstance(beside, Mapping) and "stream_options" in beside:
            return None
        if "include_usage" in known or not takes(instance._client, kwargs, hosts):  # noqa: SLF001  its only way
            return None
        return {**kwargs, "stream_options": {**known, "include_usage": True}}

    def hides(self, chunk: Any) -> bool:
        if chunk.usage is None:
            chunk.__pydantic_fields_set__.discard("usage")  # each chunk of a stream that was asked says `usage: null`
            return False
        return not chunk.choices


def takes(client: Any, kwargs: Kwargs, hosts: tuple[str, ...]) -> bool:
    """Whether the server answers the question, rather than with an error. One we do not know is not asked."""
    host, port = address(client)
    if any(fnmatchcase(name, pattern) for name in (host, f"{host}:{port}") for pattern in hosts):
        return True
    if kwargs.get("extra_body"):
        return False  # Azure refuses the question beside `data_sources`, and a body of one's own may hold anything
    if any(fnmatchcase(host, pattern) for pattern in OPENAI):
        return True
    if not any(fnmatchcase(host, pattern) for pattern in AZURE):
        return False
    version = getattr(client, "_api_version", None)
    if version is None:  # a plain client: the API without versions
        return "/v1" in client.base_url.path
    return version in AZURE_UNDATED or (version[:2] == "20" and version[:10] >= AZURE_SINCE)

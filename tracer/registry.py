"""Which libraries we trace, and where the adapter of each is. An adapter is loaded when its library is imported."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .adapter import Adapter  # not at run time: every process that `spanward run` starts reads this file

ADAPTERS = {
    "openai": "spanward.tracer.providers.openai:ADAPTER",
    "anthropic": "spanward.tracer.providers.anthropic:ADAPTER",
}
"""By the library's top-level module."""
HTTP_LIBRARIES = ("aiohttp", "httpx", "httpx2", "urllib3")
"""Where requests to model providers are seen that no adapter knows; `requests` and boto3 use urllib3."""


def load(library: str) -> "Adapter":
    """The adapter of `library`. Raises KeyError for one that we do not know."""
    module, name = ADAPTERS[library].split(":")
    adapter: Adapter = getattr(import_module(module), name)
    return adapter

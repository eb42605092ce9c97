"""Which libraries we trace, and where the adapter of each is. An adapter is loaded when its library is imported."""

from importlib import import_module

from .adapter import Adapter

ADAPTERS = {
    "openai": "spanward.tracer.providers.openai:ADAPTER",
    "anthropic": "spanward.tracer.providers.anthropic:ADAPTER",
}
"""By the library's top-level module."""


def load(library: str) -> Adapter:
    """The adapter of `library`. Raises KeyError for one that we do not know."""
    module, name = ADAPTERS[library].split(":")
    adapter: Adapter = getattr(import_module(module), name)
    return adapter

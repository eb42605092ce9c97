"""Which libraries we trace, and where the adapter of each is. An adapter is loaded when its library is imported."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .adapter import Adapter  # not at run time: every process that `spanward run` starts reads this file

ADAPTERS = {
    "openai": "spanward.tracer.providers.openai:ADAPTER",
    "anthropic": "spanward.tracer.providers.anthropic:ADAPTER",
    "botocore": "spanward.tracer.providers.bedrock:ADAPTER",
    "cohere": "spanward.tracer.providers.cohere:ADAPTER",
    "groq": "spanward.tracer.providers.groq:ADAPTER",
    "google.genai": "spanward.tracer.providers.google_genai:ADAPTER",
    "huggingface_hub": "spanward.tracer.providers.huggingface:ADAPTER",
    "litellm": "spanward.tracer.providers.litellm:ADAPTER",
    "mistralai": "spanward.tracer.providers.mistral:ADAPTER",
    "together": "spanward.tracer.providers.together:ADAPTER",
    "ollama": "spanward.tracer.providers.ollama:ADAPTER",
    "requests": "spanward.tracer.providers.stability:REQUESTS",
    "httpx": "spanward.tracer.providers.stability:HTTPX",
    "httpx2": "spanward.tracer.providers.stability:HTTPX2",
    "agents": "spanward.tracer.frameworks.openai_agents:ADAPTER",
    "langchain_core": "spanward.tracer.frameworks.langchain:ADAPTER",
    "llama_index.core": "spanward.tracer.frameworks.llama_index:ADAPTER",
    "chromadb": "spanward.tracer.stores.chroma:ADAPTER",
    "mcp": "spanward.tracer.frameworks.mcp:ADAPTER",
    "pinecone": "spanward.tracer.stores.pinecone:ADAPTER",
    "qdrant_client": "spanward.tracer.stores.qdrant:ADAPTER",
    "weaviate": "spanward.tracer.stores.weaviate:ADAPTER",
}
"""By the library's top-level module."""
INSIDE_NAMESPACES = {
    "mistralai": ("mistralai.client", "mistralai.azure.client", "mistralai.gcp.client"),
}
"""By library: modules whose import says that it is there too, where the top-level one may be a namespace package.
Nobody hears of the import of such a package."""
HTTP_LIBRARIES = ("aiohttp", "httpx", "httpx2", "urllib3")
"""Where requests to model providers are seen that no adapter knows; `requests` and boto3 use urllib3."""


def load(library: str) -> "Adapter":
    """The adapter of `library`. Raises KeyError for one that we do not know."""
    module, name = ADAPTERS[library].split(":")
    adapter: Adapter = getattr(import_module(module), name)
    return adapter


def roots(library: str) -> tuple[str, ...]:
    """The modules to wait for: at the import of any of them, `library` is there."""
    return (library, *INSIDE_NAMESPACES.get(library, ()))


def library_of(root: str) -> str:
    """The library that is there when `root` was imported."""
    return next((library for library, modules in INSIDE_NAMESPACES.items() if root in modules), root)

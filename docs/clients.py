"""Writes docs/clients.md from the adapters: `python docs/clients.py`. A test says when the page is stale."""

import re
from collections.abc import Iterable
from pathlib import Path

from spanward.tracer import registry
from spanward.tracer.adapter import Adapter, Around, Endpoint, never

DOCS = Path(__file__).resolve().parent
PAGE = DOCS / "clients.md"
PINS = DOCS.parent / "constraints.txt"

TOLD: dict[str, tuple[str, str]] = {
    "openai": (
        """chat completions, responses, completions, embeddings, images, videos, speech, transcripts, moderations;
        `parse`, the stream helpers, raw and streaming responses; Azure OpenAI and any compatible `base_url`""",
        "realtime, live, batches and assistants: counted, and named by `spanward doctor`",
    ),
    "anthropic": (
        "messages and beta messages: `create`, `parse`, `stream`, raw responses; the Bedrock and Vertex clients",
        "batches; text completions, which the library no longer has",
    ),
    "botocore": (
        """Amazon Bedrock: `converse`, `converse_stream`, `invoke_model` and its stream, for the bodies of Anthropic,
        Nova, Titan, Llama, Mistral, Cohere, AI21 and OpenAI's; any other body as one JSON text""",
        "agents and knowledge bases (`bedrock-agent-runtime`); async through aioboto3",
    ),
    "cohere": ("chat, embeddings, ranking and generate, of both versions of the API", "datasets, fine-tuning"),
    "groq": ("chat completions, embeddings, speech, transcripts, translations", "batches and files"),
    "google.genai": (
        "Gemini and Vertex: contents and their streams, chats, embeddings, images",
        "live sessions, interactions, videos, caches",
    ),
    "huggingface_hub": (
        "`InferenceClient`: chat, text generation, embeddings, and its other tasks, whatever provider serves them",
        "the Hub itself",
    ),
    "litellm": (
        """completions, embeddings, responses, images, speech, transcripts, moderation, ranking; what LiteLLM asks
        through another library is told once""",
        "its proxy server, which is an application of its own",
    ),
    "mistralai": (
        "chat, agents, fill-in-the-middle, embeddings, moderation and classification, reading of documents",
        "conversations, batches, fine-tuning",
    ),
    "together": ("chat completions, completions, embeddings, images, videos, ranking, speech", "fine-tuning, batches"),
    "ollama": ("chat, generate, embed, embeddings", "pulling and making models"),
    "requests": ("Stability's REST API, asked with `requests`", "requests to anybody else"),
    "httpx": ("Stability's REST API, asked with `httpx`", "requests to anybody else"),
    "httpx2": ("Stability's REST API, asked with `httpx2`", "requests to anybody else"),
    "agents": ("runs, agents, tools, handoffs, around the provider's calls", "voice and realtime"),
    "langchain_core": (
        "chains, agents, tools, retrievers; a model of LangChain whose library has no adapter is told by LangChain",
        "caches and stores",
    ),
    "llama_index.core": ("query engines, retrievers, agents, workflows, tools", "loading and indexing"),
    "mcp": ("a client's calls of tools, prompts and resources", "the server's side"),
    "chromadb": ("query, search and get", "writes"),
    "pinecone": ("query, search and fetch; its own embeddings and ranking are calls to a model", "writes"),
    "qdrant_client": ("queries, groups, batches, scroll, retrieve", "writes"),
    "weaviate": ("queries of every kind, and generation beside them", "writes, aggregation"),
}
"""By library: what is traced, and what is not."""

HEAD = """# Clients

Which libraries `spanward.instrument()` traces, in which versions, and what of them it does not. A version outside of
those tested is traced where the methods' signatures fit, and `spanward doctor` says so; an unknown client that asks a
known model host is a named span and is listed there as "seen, no adapter". For one of your own there is
`spanward.model_call()`.

This page is written by `python docs/clients.py` from the adapters. `make matrix` runs each library's tests with the
oldest and the latest version; the latest are those of `constraints.txt`. How a call can end, what guards change, and
that nothing else changes is asked of every library by one suite, `tests/tracer/conformance`.

| library | versions | ways | traced | not traced |
|---|---|---|---|---|
"""


def page() -> str:
    """The text of docs/clients.md."""
    return HEAD + "".join(map(_row, registry.ADAPTERS)) + _foot()


def _row(library: str) -> str:
    adapter = registry.load(library)
    traced, untraced = (" ".join(told.split()) for told in TOLD[library])
    name = adapter.distribution
    versions = f"{adapter.oldest} to {pinned(name) or f'below {adapter.below}'}"
    return f"| `{name}` | {versions} | {ways(adapter)} | {traced} | {untraced} |\n"


def ways(adapter: Adapter) -> str:
    """sync, async, stream: those that there are."""
    if adapter.listen is not None and not adapter.endpoints:
        return "all: the framework tells by itself"
    methods: Iterable[Endpoint | Around] = (*adapter.endpoints, *adapter.around)
    found = {
        "sync": any(method.sync_method for method in methods),
        "async": any(method.async_method for method in methods),
        "stream": any(map(_streams, adapter.endpoints)),
    }
    return ", ".join(way for way, there in found.items() if there)


def _streams(endpoint: Endpoint) -> bool:
    return endpoint.reader is not None and (endpoint.streams is not never or endpoint.lazy or bool(endpoint.manager))


def pinned(distribution: str) -> str:
    """The version in constraints.txt, '' if it is not there."""
    wanted = re.sub(r"[-_.]+", "-", distribution).lower()
    for line in PINS.read_text().splitlines():
        name, _, version = line.partition("==")
        if re.sub(r"[-_.]+", "-", name).strip().lower() == wanted:
            return version.split()[0].strip()
    return ""


def _foot() -> str:
    return """
HTTP attempts of a call (its retries, with status and address) are child spans where the library asks through httpx,
httpx2 or botocore. LiteLLM does not fit beside openai 3, so `make matrix` tests it in an environment of its own.
"""


if __name__ == "__main__":
    PAGE.write_text(page())

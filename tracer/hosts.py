"""Servers of models: how to tell from a request's address, without a word of its body, that it is a call to one."""

import re
from fnmatch import fnmatchcase
from functools import lru_cache

HOSTS = {
    "api.openai.com": "openai",
    "*.api.openai.com": "openai",
    "*.openai.azure.com": "azure.ai.openai",
    "*.cognitiveservices.azure.com": "azure.ai.openai",
    "*.services.ai.azure.com": "azure.ai.inference",
    "*.models.ai.azure.com": "azure.ai.inference",
    "models.github.ai": "azure.ai.inference",
    "models.inference.ai.azure.com": "azure.ai.inference",
    "api.anthropic.com": "anthropic",
    "bedrock-runtime.*.amazonaws.com": "aws.bedrock",
    "bedrock-runtime-fips.*.amazonaws.com": "aws.bedrock",
    "bedrock-mantle.*.api.aws": "aws.bedrock",
    "generativelanguage.googleapis.com": "gcp.gemini",
    "aiplatform.googleapis.com": "gcp.vertex_ai",
    "*-aiplatform.googleapis.com": "gcp.vertex_ai",
    "api.cohere.com": "cohere",
    "api.cohere.ai": "cohere",
    "api.mistral.ai": "mistral_ai",
    "codestral.mistral.ai": "mistral_ai",
    "api.groq.com": "groq",
    "api.deepseek.com": "deepseek",
    "api.perplexity.ai": "perplexity",
    "api.x.ai": "x_ai",
    "*.api.x.ai": "x_ai",
    "*.ml.cloud.ibm.com": "ibm.watsonx.ai",
    "api.together.xyz": "together",
    "api.together.ai": "together",
    "api-inference.together.ai": "together",
    "api.fireworks.ai": "fireworks",
    "openrouter.ai": "openrouter",
    "router.huggingface.co": "huggingface",
    "api-inference.huggingface.co": "huggingface",
    "*.endpoints.huggingface.cloud": "huggingface",
    "api.stability.ai": "stability_ai",
    "api.replicate.com": "replicate",
    "api.voyageai.com": "voyageai",
    "api.jina.ai": "jina",
    "api.ai21.com": "ai21",
    "api.writer.com": "writer",
    "api.cerebras.ai": "cerebras",
    "api.sambanova.ai": "sambanova",
    "api.deepinfra.com": "deepinfra",
    "api.hyperbolic.xyz": "hyperbolic",
    "api.novita.ai": "novita",
    "api.studio.nebius.com": "nebius",
    "integrate.api.nvidia.com": "nvidia",
    "api.moonshot.ai": "moonshot",
    "api.moonshot.cn": "moonshot",
    "dashscope.aliyuncs.com": "dashscope",
    "dashscope-intl.aliyuncs.com": "dashscope",
    "open.bigmodel.cn": "zhipu",
    "api.minimax.io": "minimax",
    "api.elevenlabs.io": "elevenlabs",
    "api.deepgram.com": "deepgram",
    "*.databricks.com": "databricks",
    "*.azuredatabricks.net": "databricks",
    "localhost:11434": "ollama",
    "127.0.0.1:11434": "ollama",
    "::1:11434": "ollama",
    "host.docker.internal:11434": "ollama",
    "ollama:11434": "ollama",
    "ollama.com": "ollama",
}
"""Pattern of `NAME` or `NAME:PORT` -> provider, as OpenTelemetry names it where it does. `*` is any text."""

OPERATIONS = (
    (r"/embeddings?$|/embed$|:(e|batchE|asyncBatchE)mbedContents?$|/text-embedding[^/]*:predict$", "embeddings"),
    (r"/rerank$", "rerank"),
    (r"/moderations$", "moderation"),
    (r"/images/(generations|edits|variations)$|/text-to-image$|/stable-image/", "image_generation"),
    (r"/imagen-[^/]*:predict$", "image_generation"),
    (r"/audio/speech$|/text-to-speech/", "speech"),
    (r"/audio/(transcriptions|translations)$|/speech-to-text$|/v1/listen$", "transcription"),
    (r":(stream)?[gG]enerateContent$", "generate_content"),
    (r"/chat/completions$|/messages$|/responses$|/(api|v[12])/chat$|/text/chat$|/converse(-stream)?$", "chat"),
    (r"/invoke(-with-response-stream)?$|:(stream)?[rR]awPredict$|/invocations$", "chat"),
    (r"/completions$|/api/generate$|/v1/generate$|/text/generation(_stream)?$", "text_completion"),
    (r":predictLongRunning$", "image_generation"),
    (r"/(count_tokens|input_tokens|count-tokens|tokenize)$|:(count|compute)Tokens$", "count_tokens"),
    (r"/batches$|:batchGenerateContent$", "batch"),
    (r"/conversations(/[^/]+(/items)?)?$|/cachedContents$", "conversation"),
    (r"/predictions$|/hf-inference/models/|/services/aigc/", "generate_content"),
)  # fmt: skip
"""Pattern of a path -> operation, the first that fits. Some are no calls to a model but carry prompts: it is said that
they went out unguarded."""

MODEL = r"[\w.:/@+-]{1,200}"
"""What a name of a model looks like: anything else is not told."""
MODEL_IN_PATH = r"/(?:hf-inference/models/([^/]+/[^/]+)|(?:models|model|deployments|endpoints)/([^/:]+))"

Rule = tuple[str, str]
"""(port or '', provider)"""


class ModelHosts:
    """The servers that we know, and those that the user adds: `NAME` or `NAME:PORT`, either with `=PROVIDER` behind."""

    def __init__(self, also: tuple[str, ...] = ()) -> None:
        self._exact: dict[str, list[Rule]] = {}
        self._patterns: list[tuple[str, Rule]] = []
        for pattern, provider in {**HOSTS, **dict(map(_named, also))}.items():
            name, port = _split(pattern)
            if "*" in name:
                self._patterns.append((name, (port, provider)))
            else:
                self._exact.setdefault(name, []).append((port, provider))
        self.rules = lru_cache(maxsize=1024)(self._rules)
        """The rules for a host, by its name or by `NAME:PORT` as it stands in an address; none for most."""

    def provider(self, host: str, port: int) -> str:
        """Whose models answer there, '' if none do that we know of."""
        return next((name for wanted, name in self.rules(host) if wanted in ("", str(port))), "")

    def _rules(self, authority: str) -> tuple[Rule, ...]:
        host = authority.rpartition("@")[2].lower()
        name = host.partition("]")[0].strip("[") if host.startswith("[") else host
        name = name.partition(":")[0] if name.count(":") == 1 else name
        return (*self._exact.get(name, ()), *(rule for pattern, rule in self._patterns if fnmatchcase(name, pattern)))


def _split(pattern: str) -> tuple[str, str]:
    """(name, port or ''), of names that are addresses of IPv6 too."""
    name, _, port = pattern.rpartition(":")
    return (name, port) if name and port.isdigit() else (pattern, "")


def _named(text: str) -> Rule:
    """A server that the user named: of a provider that we do not know, it is its own."""
    pattern, _, provider = text.partition("=")
    return pattern.strip(), provider.strip() or _split(pattern.strip())[0]


def operation_of(path: str) -> str:
    """What a POST to this path asks of a model, '' if it asks nothing."""
    return next((operation for pattern, operation in OPERATIONS if re.search(pattern, path)), "")


def model_in(path: str) -> str:
    """The model that a path names, '' if it names none."""
    found = re.search(MODEL_IN_PATH, path)
    return model_name(found[1] or found[2]) if found else ""


def model_name(value: object) -> str:
    """A name that somebody gave as that of a model, '' for what cannot be one."""
    return value if isinstance(value, str) and re.fullmatch(MODEL, value) else ""

"""Who answers an OpenAI-compatible client: the provider's name, by the client's class or the host it talks to."""

from fnmatch import fnmatchcase
from functools import cache, lru_cache
from typing import Any

CLASSES = {"BaseAzureClient": "azure.ai.openai", "BedrockOpenAI": "aws.bedrock", "AsyncBedrockOpenAI": "aws.bedrock"}
"""By the client's class, wherever it talks to."""
HOSTS = (
    ("api.openai.com", "openai"),
    ("*.api.openai.com", "openai"),
    ("*.openai.azure.com", "azure.ai.openai"),
    ("*.cognitiveservices.azure.com", "azure.ai.openai"),
    ("*.services.ai.azure.com", "azure.ai.openai"),
    ("*.models.ai.azure.com", "azure.ai.inference"),
    ("models.inference.ai.azure.com", "azure.ai.inference"),
    ("bedrock-*.amazonaws.com", "aws.bedrock"),
    ("bedrock-*.api.aws", "aws.bedrock"),
    ("generativelanguage.googleapis.com", "gcp.gemini"),
    ("*aiplatform.googleapis.com", "gcp.vertex_ai"),
    ("*.ml.cloud.ibm.com", "ibm.watsonx.ai"),
    ("api.anthropic.com", "anthropic"),
    ("api.cohere.ai", "cohere"),
    ("api.cohere.com", "cohere"),
    ("api.deepseek.com", "deepseek"),
    ("api.groq.com", "groq"),
    ("api.mistral.ai", "mistral_ai"),
    ("codestral.mistral.ai", "mistral_ai"),
    ("api.perplexity.ai", "perplexity"),
    ("api.x.ai", "x_ai"),
    ("*.api.x.ai", "x_ai"),
    ("api.moonshot.ai", "moonshot_ai"),
    ("api.moonshot.cn", "moonshot_ai"),
    # from here on the conventions have no name yet
    ("api.together.xyz", "together"),
    ("api.together.ai", "together"),
    ("api-inference.together.ai", "together"),
    ("openrouter.ai", "openrouter"),
    ("api.fireworks.ai", "fireworks"),
    ("api.cerebras.ai", "cerebras"),
    ("api.sambanova.ai", "sambanova"),
    ("api.deepinfra.com", "deepinfra"),
    ("api.hyperbolic.xyz", "hyperbolic"),
    ("api.novita.ai", "novita"),
    ("integrate.api.nvidia.com", "nvidia"),
    ("router.huggingface.co", "huggingface"),
    ("api-inference.huggingface.co", "huggingface"),
    ("dashscope*.aliyuncs.com", "alibaba"),
    ("open.bigmodel.cn", "zhipu"),
    ("api.z.ai", "zhipu"),
    ("api.minimax.io", "minimax"),
    ("models.github.ai", "github"),
    ("api.ai21.com", "ai21"),
    ("api.voyageai.com", "voyage"),
)
"""(pattern, name). Names are OpenTelemetry's where it has one."""


def provider(client: Any, host: str) -> str:
    """The provider's name; "openai" for a server that nobody knows, which `server.address` tells apart."""
    kind: Any = type(client)
    return by_class(kind) or by_host(host) or "openai"


@cache
def by_class(kind: Any) -> str:
    return next((CLASSES[cls.__name__] for cls in kind.__mro__ if cls.__name__ in CLASSES), "")


@lru_cache(256)
def by_host(host: str) -> str:
    """'' for a host that nobody knows."""
    return next((name for pattern, name in HOSTS if fnmatchcase(host, pattern)), "")

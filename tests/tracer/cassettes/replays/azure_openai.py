"""Azure OpenAI: deployments in the path."""

from operator import attrgetter
from urllib.parse import parse_qs

from ..replay import Replay
from ..tape import Exchange
from .openai import ask, said


def call(exchange: Exchange, address: str) -> None:
    import openai

    version = parse_qs(exchange.query)["api-version"][0]
    deployment, method = exchange.path.removeprefix("/openai/deployments/").split("/", 1)
    with openai.AzureOpenAI(
        azure_endpoint=address, azure_deployment=deployment, api_version=version, api_key="k", max_retries=0
    ) as client:
        ask(attrgetter(f"{method.replace('/', '.')}.create")(client), exchange)


REPLAY = Replay("azure_openai", "openai", call, said, errors={401: "AuthenticationError"})

"""Mistral: chat completions and embeddings, which answer as OpenAI's do."""

import importlib

from ...conformance.subjects.mistral import package
from ..replay import Replay
from ..tape import Exchange
from .openai import said

UNSAID = {"stream"}
"""What the method says by its name."""


def call(exchange: Exchange, address: str) -> None:
    Mistral = importlib.import_module(package()).Mistral  # noqa: N806  a class
    asked = {name: value for name, value in exchange.request.items() if name not in UNSAID}
    with Mistral(server_url=address, api_key="k") as client:
        if exchange.path == "/v1/embeddings":
            client.embeddings.create(model=asked["model"], inputs=asked["input"])
        elif exchange.streamed:
            with client.chat.stream(**asked) as stream:
                assert len(list(stream)) > 0
        else:
            client.chat.complete(**asked)


REPLAY = Replay("mistral", "mistralai", call, said)

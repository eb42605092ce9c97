"""What every program here does: ask the provider, under a model name that nobody else asks for."""

import os
from typing import Any

import openai

client = openai.OpenAI(base_url=os.environ["PROVIDER"] + "/v1", api_key="demo", max_retries=0)


def begin_anew() -> None:
    """In a child of a fork: two children on one connection of their parent's would read each other's answers."""
    global client  # noqa: PLW0603  one for each process
    client = client.copy(http_client=type(client._client)())


def ask(name: object) -> str:
    answer = client.chat.completions.create(
        model=f"gpt-4o-mini-{name}", messages=[{"role": "user", "content": f"question {name}"}]
    )
    return str(answer.choices[0].message.content)


def stream(name: object) -> Any:
    return client.chat.completions.create(
        model=f"gpt-4o-mini-{name}", messages=[{"role": "user", "content": f"question {name}"}], stream=True
    )

"""The model function that an audit asks: one of the user's own, or a chat endpoint in OpenAI's form."""

import os
import sys
from importlib import import_module
from pathlib import Path

import httpx

from ..command import CommandError
from .asking import Ask


def named(path: str) -> Ask:
    """`module:function`, found from the current folder on. Raises `CommandError`."""
    module, _, attribute = path.partition(":")
    if not module or not attribute:
        raise CommandError(f"{path} is not MODULE:FUNCTION, such as my_app.chat:answer")
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)
    try:
        found = import_module(module)
    except Exception as error:  # the user's module may raise anything
        raise CommandError(f"cannot import {module}: {type(error).__name__}: {error}") from error
    function = getattr(found, attribute, None)
    if not callable(function):
        raise CommandError(f"{module} has no function {attribute}")
    ask: Ask = function
    return ask


def chat(base_url: str, model: str, key_variable: str) -> Ask:
    """Asks `base_url`/chat/completions; the key stands in the environment. Raises what httpx raises."""
    key = os.environ.get(key_variable, "")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    client = httpx.AsyncClient(base_url=base_url.rstrip("/") + "/", headers=headers, timeout=None)  # noqa: S113  the audit has its own

    async def ask(prompt: str) -> str:
        body = {"model": model, "messages": [{"role": "user", "content": prompt}]}
        answer = await client.post("chat/completions", json=body)
        answer.raise_for_status()
        message = answer.json()["choices"][0]["message"]
        return str(message.get("content") or message.get("refusal") or "")

    return ask

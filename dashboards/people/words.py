"""What a call added to its conversation: the messages since the last answer, and its own answer. Pure."""

import json
from collections.abc import Iterable
from typing import Any

from typing_extensions import TypedDict

LONGEST = 4000
"""Characters of one message; the call's own page has the rest."""


class Message(TypedDict):
    """`calls`: names of the tools it calls. `cut`: there is more of its text."""

    role: str
    text: str
    calls: list[str]
    cut: bool


class Said(TypedDict):
    asked: list[Message]
    answered: list[Message]


def said(asked: Iterable[str], answered: Iterable[str]) -> Said:
    """Both are messages as JSON text, in the conventions' shape; `asked` is the end of the input."""
    fresh: list[Message] = []
    for raw in reversed(list(asked)):
        message = _message(raw)
        if message["role"] == "assistant":
            break
        if message["role"] != "system":
            fresh.insert(0, message)
    return {"asked": fresh, "answered": [_message(raw) for raw in answered]}


def _message(raw: str) -> Message:
    try:
        told: Any = json.loads(raw)
    except (ValueError, RecursionError):
        return {"role": "", "text": "", "calls": [], "cut": True}
    told = told if isinstance(told, dict) else {}
    parts = [part for part in told.get("parts") or [] if isinstance(part, dict)]
    text = "\n".join(filter(None, map(_text, parts)))
    calls = [str(part.get("name") or "a tool") for part in parts if part.get("type") == "tool_call"]
    return {"role": str(told.get("role") or ""), "text": text[:LONGEST], "calls": calls, "cut": len(text) > LONGEST}


def _text(part: dict[str, Any]) -> str:
    key = {"text": "content", "tool_call_response": "response"}.get(str(part.get("type")))
    value = part.get(key) or part.get("result") if key else ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) if value else ""

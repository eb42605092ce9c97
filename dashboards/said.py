"""What was said, in rows that lists give: taken out in one place for those who may not see it."""

from collections.abc import Iterable
from typing import Any, Literal

PREVIEWS = ("input_preview", "output_preview")
"""Columns of `llm_calls` that hold what people and models said."""


def hide(rows: Iterable[dict[str, Any]]) -> Literal[True]:
    """Empties what was said, in place; the keys stay, so that the shape of a row is the same for everybody."""
    for row in rows:
        row.update({name: "" for name in PREVIEWS if name in row})
    return True


PLAIN = (
    "gen_ai.request.", "gen_ai.response.", "gen_ai.usage.", "gen_ai.operation.", "gen_ai.provider.",
    "gen_ai.output.type", "gen_ai.conversation.", "gen_ai.agent.id", "gen_ai.agent.name", "gen_ai.tool.name",
    "gen_ai.tool.type",
    "gen_ai.prompt.name", "gen_ai.prompt.version", "spanward.", "server.", "http.request.method",
    "http.response.status_code", "error.type", "user.", "session.",
)  # fmt: skip
"""How attributes begin that never hold what was said. Other instrumentations write prompts into names of their own."""


def hide_attributes(spans: Iterable[dict[str, Any]]) -> None:
    """Leaves those of `PLAIN`, in place."""
    for span in spans:
        span["attributes"] = {name: value for name, value in span["attributes"].items() if name.startswith(PLAIN)}

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

"""What a policy may say about a detector: the base of every `Options`."""

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


class Options(BaseModel):
    """Unknown keys are refused; what is read once stays as it is."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Word = Annotated[str, Field(min_length=1, max_length=500)]
Words = Annotated[tuple[Word, ...], BeforeValidator(_listed, json_schema_input_type=Word | list[Word])]
"""One text, or a list of texts."""
Label = Annotated[str, Field(min_length=1, max_length=100)]
Score = Annotated[float, Field(ge=0, le=1)]
TimeLimit = Annotated[int, Field(gt=0, le=60_000)]
"""Milliseconds for all texts of one check together."""


def thresholds(labels: Iterable[str], usual: float = 0.5) -> dict[str, float]:
    """Labels as a policy lists them, all with the same usual threshold."""
    return dict.fromkeys(labels, usual)

"""Order numbers such as `ORD-20260042-75`: six or more digits, and two check digits (ISO 7064, modulo 97).

A pattern alone would be `kind: regex` in a policy, and no code. The check digits are why this is a detector: of a
hundred look-alikes one has them right.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from spanward.guards.detectors.detector import Hit


class OrderNumberOptions(BaseModel):
    """What a policy may say: `detectors: { order_numbers: { prefix: INV } }`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prefix: str = Field("ORD", pattern="^[A-Z]{2,5}$")


class OrderNumbers:
    """Finds numbers whose check digits are right; those that are wrong score low, for a policy that wants them too."""

    name: ClassVar[str] = "order_numbers"
    noun: ClassVar[str] = "entities"
    labels: ClassVar[Mapping[str, float]] = {"ORDER_NUMBER": 0.5}
    Options: ClassVar[type[OrderNumberOptions]] = OrderNumberOptions

    def __init__(self, options: OrderNumberOptions) -> None:
        self._pattern = re.compile(rf"\b{options.prefix}-(\d{{6,12}})-(\d{{2}})\b")
        self.engine = "order_numbers 0.1.0"
        self.degraded = ""

    def detect(self, texts: Sequence[str], labels: frozenset[str]) -> list[list[Hit]]:
        return [list(self._hits(text)) if "ORDER_NUMBER" in labels else [] for text in texts]

    def _hits(self, text: str) -> Iterator[Hit]:
        for match in self._pattern.finditer(text):
            right = check_digits(match[1]) == match[2]
            why = "check digits are right" if right else "check digits are wrong"
            yield Hit("ORDER_NUMBER", match.start(), match.end(), 1.0 if right else 0.2, why)


def check_digits(number: str) -> str:
    """The two digits that make the whole number 1 modulo 97."""
    return f"{98 - int(number) * 100 % 97:02d}"

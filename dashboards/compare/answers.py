"""What a comparison answers."""

from typing import Literal

from typing_extensions import TypedDict

Verdict = Literal["more", "less", "same", "chance", "few"]
"""`chance`: apart by itself, but as often so among this many rows; `few`: too few calls to say anything."""


class Value(TypedDict):
    value: float | None
    of: int
    low: float | None
    high: float | None


class Row(TypedDict):
    """`difference` is B minus A, `p` adjusted for the number of rows. `filters`: what lists the calls counted."""

    key: str
    section: str
    unit: Literal["share", "ms", "usd", "tokens"]
    good: Literal["up", "down", ""]
    a: Value
    b: Value
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    verdict: Verdict
    filters: dict[str, str]


class SideFacts(TypedDict):
    """`every`: counts are of one call in so many, `times_every`: times are."""

    start: int
    end: int
    calls: int
    every: int
    times_every: int


class Warned(TypedDict):
    dimension: str
    distance: float
    value: str
    share_a: float
    share_b: float


class Comparison(TypedDict):
    a: SideFacts
    b: SideFacts
    overlap: int
    rows: list[Row]
    warnings: list[Warned]


class Choice(TypedDict):
    value: str
    version: str
    calls: int


class Choices(TypedDict):
    """What sides can be made of, busiest first."""

    model: list[Choice]
    prompt: list[Choice]
    service: list[Choice]
    user_group: list[Choice]
    tag: list[Choice]

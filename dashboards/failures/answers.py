"""What the operations on failures answer. Times in milliseconds since 1970, shares from 0 to 1."""

from typing_extensions import TypedDict


class KindCount(TypedDict):
    """`calls` failed in this way; `before` in the stretch of the same length before, of its `calls_before`."""

    kind: str
    calls: int
    before: int


class Where(TypedDict):
    """`share` of the group's calls have `value`, of all calls `base`. `rate` of those fail so, `elsewhere` others."""

    dimension: str
    value: str
    version: str
    calls: int
    failed: int
    share: float
    base: float
    rate: float
    elsewhere: float


class Group(TypedDict):
    """`first` and `last` are of all that is stored, whatever the filters; `new`: first seen within the range."""

    group: str
    kind: str
    text: str
    calls: int
    before: int
    first: int
    last: int
    new: bool
    spark: list[int]
    where: Where | None


class FailurePage(TypedDict):
    """`step` in milliseconds; `series` kind -> calls by step. `known_from` is the oldest hour that is stored."""

    start: int
    end: int
    step: int
    live: bool
    rolled: bool
    calls: int
    calls_before: int
    failed: int
    failed_before: int
    known_from: int
    since: int
    kinds: list[KindCount]
    t: list[int]
    all: list[int]
    series: dict[str, list[int]]
    groups: list[Group]
    more: int


class Share(TypedDict):
    """`failed` of `calls`; `low` and `high` bound the rate with 95 %."""

    value: str
    version: str
    failed: int
    calls: int
    rate: float
    low: float
    high: float


class Example(TypedDict):
    trace_id: str
    span_id: str
    us: int
    service: str
    provider: str
    model: str
    prompt: str
    prompt_version: str
    user_group: str
    latency_ms: float
    message: str


class Change(TypedDict):
    """`us`: when a call with it was first seen; `share` of the group's calls have it, None where not counted."""

    what: str
    value: str
    version: str
    us: int
    share: float | None


class GroupPage(TypedDict):
    start: int
    end: int
    step: int
    live: bool
    group: str
    kind: str
    text: str
    first: int
    last: int
    new: bool
    failed: int
    calls: int
    low: float
    high: float
    where: Where | None
    t: list[int]
    failed_series: list[int]
    all: list[int]
    breakdowns: dict[str, list[Share]]
    examples: list[Example]
    changes: list[Change]

"""The shapes of what overview, calls, facets and health answer; the OpenAPI document is made of them.

Times: `us` in microseconds since 1970, `t`, `from`, `to`, `step` in milliseconds. Costs in US dollars, None where
nothing was priced. `hidden`: what was said was left out, as this reader may not see it.
"""

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict  # pydantic asks for it below Python 3.12

EventKind = Literal["blocked", "modified", "flagged", "shadow", "failed_open"]
CallKind = Literal["blocked", "modified", "flagged", "shadow", "failed_open", "unguarded", "clean"]
Status = Literal["ok", "error", "blocked"]


class GuardCounts(TypedDict):
    """Findings by what was done."""

    blocked: int
    modified: int
    flagged: int
    shadow: int
    failed_open: int


class Counts(TypedDict):
    calls: int
    errors: int
    blocked: int
    unpriced: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    cost: float | None
    latency: list[float]
    """p50, p95, p99 in milliseconds; empty where nothing was measured."""


class Totals(Counts):
    ttft_ms: list[float]
    guards: GuardCounts


class ModelCounts(Counts):
    provider: str
    model: str


class Series(TypedDict):
    t: list[int]
    calls: list[int]
    errors: list[int]
    blocked: list[int]
    unpriced: list[int]
    input_tokens: list[int]
    cached_tokens: list[int]
    output_tokens: list[int]
    cost: list[float | None]
    latency_p50: list[float | None]
    latency_p95: list[float | None]
    latency_p99: list[float | None]
    ttft_p50: list[float | None]
    ttft_p95: list[float | None]
    ttft_p99: list[float | None]


class GuardSeries(TypedDict):
    t: list[int]
    blocked: list[int]
    modified: list[int]
    flagged: list[int]
    shadow: list[int]
    failed_open: list[int]


class Failure(TypedDict):
    status: Status
    error_type: str
    calls: int
    services: int
    models: int
    last_us: int
    last_model: str
    message: str
    trace_id: str
    span_id: str
    rules: list[str]


Overview = TypedDict(
    "Overview",
    {
        "from": int,
        "to": int,
        "step": int,
        "live": bool,
        "rolled": bool,
        "totals": Totals,
        "previous": Totals,
        "series": Series,
        "guards": GuardSeries,
        "models": list[ModelCounts],
        "failures": list[Failure],
    },
)


class CallRow(TypedDict):
    trace_id: str
    span_id: str
    us: int
    service: str
    env: str
    operation: str
    provider: str
    request_model: str
    model: str
    status: Status
    error_type: str
    finish_reason: str
    stream: int
    stream_end: str
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    reasoning_tokens: int
    usage_source: str
    cost: float | None
    latency_ms: float
    ttft_ms: float
    guard_verdict: str
    guard_action: str
    degraded: int
    content_withheld: str
    session_id: str
    user_id: str
    prompt_name: str
    prompt_version: str
    tags: list[str]
    input_preview: str
    output_preview: str
    failure: str
    guards: list[CallKind]
    rules: list[str]


class Searched(TypedDict):
    """`since`: how far the search came (milliseconds); `whole`: that is all of the range."""

    since: int
    whole: bool


class CallList(TypedDict):
    """`next` is the cursor of the page after, None at the end. `total` is of all of the range, or what was searched."""

    calls: list[CallRow]
    next: str | None
    total: int
    searched: Searched | None
    hidden: bool


class FacetValue(TypedDict):
    """`about`: reckoned from a part of the calls, as there are very many."""

    value: str
    calls: int
    about: NotRequired[bool]


Facets = dict[str, list[FacetValue]]


class CallDetail(CallRow):
    parent_span_id: str
    status_message: str
    chunks: int
    cache_write_tokens: int
    price_version: str
    policy_hash: str
    guard_latency_ms: float
    user_group: str
    tenant: str


class Content(TypedDict):
    """JSON text of the conventions' shape; `cut` names what is longer than was answered."""

    input: str
    output: str
    system: str
    tools: str
    cut: list[str]


class GuardEvent(TypedDict):
    us: int
    rule: str
    policy: str
    policy_hash: str
    stage: str
    detector: str
    label: str
    score: float
    findings: int
    verdict: str
    action: str
    mode: str
    engine: str
    degraded: int
    latency_ms: float
    reason: str


class Span(TypedDict):
    span_id: str
    parent_span_id: str
    name: str
    kind: str
    service: str
    scope: str
    status: str
    status_message: str
    us: int
    duration_us: float
    attributes: dict[str, str]
    resource: dict[str, str]
    events: list[str]
    is_call: int


class Ids(TypedDict):
    trace_id: str
    span_id: str


class CallPage(TypedDict):
    call: CallDetail
    content: Content | None
    events: list[GuardEvent]
    spans: list[Span]
    more_spans: bool
    previous: Ids | None
    next: Ids | None
    hidden: bool


class Said(TypedDict):
    content: Content | None
    events: list[GuardEvent]
    hidden: bool


class Report(TypedDict):
    kind: str
    reason: str
    service: str
    count: int
    last_us: int


class Unpriced(TypedDict):
    provider: str
    model: str
    calls: int


class Day(TypedDict):
    calls: int
    failed_open: int
    unguarded: int
    degraded: int
    withheld: int
    uncounted: int
    newest_us: int | None


class Stored(TypedDict):
    calls: int
    demo: int


class Health(TypedDict):
    """`sidecar` is what /healthz says; the rest is of the last 24 hours, `stored` of all times."""

    sidecar: dict[str, Any]
    reports: list[Report]
    unpriced: list[Unpriced]
    day: Day
    stored: Stored

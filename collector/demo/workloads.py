"""What the shop of the demonstration does all day, and its bad days: the story behind the charts."""

from dataclasses import dataclass, replace
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Workload:
    """One kind of call: `latency` is the median in seconds, `tokens` the medians in and out, `tools` the share of
    answers that call a tool.
    """

    weight: int
    service: str
    provider: str
    model: str
    prompt: str
    version: str
    latency: float
    tokens: tuple[int, int]
    stream: bool = False
    operation: str = "chat"
    tools: float = 0.0


ANSWER_OLD = Workload(
    28, "support-desk", "anthropic", "claude-sonnet-4-6", "answer", "7", 2.8, (1400, 320), stream=True, tools=0.25
)
ANSWER_NEW = replace(ANSWER_OLD, version="8", latency=4.2, tokens=(2300, 620), tools=0.1)
WORKLOADS = (
    Workload(46, "support-desk", "openai", "gpt-4o-mini", "triage", "3", 0.9, (420, 60)),
    ANSWER_OLD,
    Workload(16, "support-desk", "openai", "gpt-4o", "answer", "6", 2.2, (1350, 280), stream=True, tools=0.2),
    Workload(4, "billing-bot", "openai", "gpt-4o-mini", "refund", "1", 1.1, (600, 120), tools=0.3),
    Workload(4, "search", "openai", "text-embedding-3-small", "", "", 0.12, (90, 0), operation="embeddings"),
    Workload(2, "billing-bot", "openai", "house-model-1", "refund", "2", 0.7, (600, 110)),
)


@dataclass(frozen=True, slots=True)
class Episode:
    """A bad time: `hours` (UTC) of the days that were `first` to `last` days before the end; `size` is a share or a
    factor.
    """

    subject: str
    first: int
    last: int
    hours: range
    size: float

    def holds(self, subject: str, time: datetime, end: datetime) -> bool:
        days = (end.date() - time.date()).days
        return subject == self.subject and self.last <= days <= self.first and time.hour in self.hours


RATE_LIMITED = Episode("openai", 3, 3, range(9, 13), 0.45)
"""Share of refused calls of a provider."""
SLOW = Episode("claude-sonnet-4-6", 8, 8, range(6, 20), 3.2)
"""Factor on a model's latency."""
LONG_PROMPTS = Episode("billing-bot", 5, 5, range(24), 9.0)
"""Factor on a service's input tokens: a prompt that grew by mistake."""
NEW_PROMPT = Episode("answer/7", 4, 0, range(24), 0.8)
"""Share of the calls of a prompt's version that use the next one: rolled out four days ago, so that Drift has the three
windows that it needs to name it.
"""
DECLINES = Episode("answer/8", 4, 0, range(24), 0.14)
"""Share of the new version's answers that decline: it was told to be careful."""
CUT = Episode("answer/8", 4, 0, range(24), 0.24)
"""Share of the new version's answers that reach the limit of tokens: it was told to be thorough, and says more."""
GERMAN = Episode("triage/3", 3, 0, range(24), 0.4)
"""Share of a prompt's questions in another language: a second shop was opened."""

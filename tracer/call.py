"""The typed record of one model call: adapters fill it, guards change its messages, one writer turns it into a span."""

from dataclasses import dataclass, field
from typing import Any, Literal

from ..guards.judgement import Decision
from ..guards.messages import Message

UsageSource = Literal["provider", "estimated", "none"]
StreamEnd = Literal["", "complete", "closed", "abandoned", "cancelled", "error", "blocked"]


@dataclass(slots=True)
class Usage:
    """Token counts that never overlap; `raw` is the provider's own usage object, as it came."""

    input: int = 0
    cache_read: int = 0
    cache_write: int = 0
    output: int = 0
    reasoning: int = 0
    input_audio: int = 0
    output_audio: int = 0
    input_image: int = 0
    source: UsageSource = "none"
    raw: dict[str, Any] = field(default_factory=dict)

    def of_totals(self, input_total: int, output_total: int) -> "Usage":
        """With plain input and output as what a provider's totals hold beyond the kinds that it tells apart."""
        self.input = max(0, input_total - self.input_total)
        self.output = max(0, output_total - self.output_total)
        return self

    @property
    def input_total(self) -> int:
        """`gen_ai.usage.input_tokens`: everything the provider read, cached tokens included."""
        return self.input + self.cache_read + self.cache_write + self.input_audio + self.input_image

    @property
    def output_total(self) -> int:
        """`gen_ai.usage.output_tokens`: everything the provider wrote, reasoning included."""
        return self.output + self.reasoning + self.output_audio


@dataclass(slots=True)
class ModelCall:
    """One call to a model. Times are nanoseconds of the wall clock; 0 means not yet (or never).

    `messages` and `output` hold what may be recorded: as the provider gave it until the guards looked, guarded after.
    """

    operation: str
    provider: str
    request_model: str = ""
    response_model: str = ""
    response_id: str = ""
    messages: tuple[Message, ...] = ()
    output: tuple[Message, ...] = ()
    tools: tuple[Message, ...] = ()
    beside: tuple[Message, ...] = ()
    """Texts that go out beside the conversation (ids, metadata, stop sequences): judged like it, never recorded."""
    echoes: tuple[Message, ...] = ()
    """Texts of an answer that repeat what was said or sent (citations, the conversation): judged and restored like
    `output`, never recorded."""
    whole: tuple[str, ...] = ()
    """Arguments that hold nothing but what is in `messages`: whoever read them saw it."""
    params: dict[str, Any] = field(default_factory=dict)
    stream: bool = False
    usage: Usage = field(default_factory=Usage)
    finish_reasons: tuple[str, ...] = ()
    server_address: str = ""
    server_port: int = 0
    started_ns: int = 0
    first_chunk_ns: int = 0
    ended_ns: int = 0
    chunks: int = 0
    longest_gap_ns: int = 0
    stream_end: StreamEnd = ""
    error: BaseException | None = None
    error_type: str = ""
    guarded_input: Decision | None = None
    guarded_output: Decision | None = None
    content_withheld: str = ""
    cut: int = 0
    """Characters of the content that are not recorded, because there were too many."""
    session_id: str = ""
    user_id: str = ""
    user_group: str = ""
    prompt_name: str = ""
    prompt_version: str = ""
    tags: tuple[str, ...] = ()

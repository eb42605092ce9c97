"""What guards are asked and what they answer. Verdict (what the policy found) and action (what was done) stay apart."""

from collections.abc import Mapping
from dataclasses import field
from typing import Literal, Protocol

from .messages import Message
from .quick import dataclass

Side = Literal["input", "output"]
Stage = Literal["input", "output", "tool_call", "tool_result", "retrieval"]
Mode = Literal["enforce", "shadow"]
Verdict = Literal["none", "allow", "warn", "modify", "deny", "fail_open"]
"""none: nobody looked; fail_open: somebody should have looked and could not. Neither is `allow`."""
Action = Literal["none", "allow", "modify", "block"]
StreamMode = Literal["none", "window", "buffer", "observe"]


@dataclass(frozen=True, slots=True)
class Context:
    """Who calls what: the fields that a rule can match on. Pseudonyms of one `tenant` are under a key of its own."""

    app: str = ""
    environment: str = ""
    provider: str = ""
    model: str = ""
    operation: str = ""
    prompt_name: str = ""
    prompt_version: str = ""
    user_id: str = ""
    user_group: str = ""
    session_id: str = ""
    tags: tuple[str, ...] = ()
    tenant: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One question to the guards: these messages, on their way to the provider (input) or back (output)."""

    side: Side
    messages: tuple[Message, ...]
    context: Context = Context()


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a detector saw: `text[start:end]` of a part, counted in code points. Never carries the text itself."""

    detector: str
    label: str
    start: int
    end: int
    score: float
    message: int
    part: int
    explanation: str = ""


@dataclass(frozen=True, slots=True)
class Edit:
    """`text[start:end]` of the part as it was asked became `replacement`: a placeholder or a mask, never content."""

    message: int
    part: int
    start: int
    end: int
    replacement: str


@dataclass(frozen=True, slots=True)
class GuardEvent:
    """What one rule made of one check: a row of `guard_events`. `reason` is ours and never quotes content."""

    rule: str
    stage: Stage
    detector: str
    label: str
    verdict: Verdict
    action: Action
    mode: Mode = "enforce"
    score: float = 0.0
    findings: int = 0
    latency_ms: float = 0.0
    engine: str = ""
    degraded: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class StreamPlan:
    """How streamed output of this call is to be held back: `window` is in characters, 0 unless mode is `window`.

    `tool_call` is the mode of JSON channels (tool arguments), which nobody can act on before they are whole: never
    `window`, since half a JSON text cannot be judged.
    """

    mode: StreamMode = "none"
    window: int = 0
    tool_call: StreamMode = "none"


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer: guarded `messages` (same shape as asked), what was found, and how to go on.

    `pseudonyms` maps placeholder to original where a rule says `restore: true`. `reply` is the canned answer of the
    rule that blocks; None means that the block raises. `stream` says how the output of this call must be held back.
    `edits` says where the asked texts were changed. `withhold` is why `messages` must not be recorded (a guard that
    should have looked failed), or nothing.
    """

    messages: tuple[Message, ...]
    verdict: Verdict = "allow"
    action: Action = "allow"
    events: tuple[GuardEvent, ...] = ()
    pseudonyms: Mapping[str, str] = field(default_factory=dict)
    reply: str | None = None
    blocked_by: str = ""
    policy_name: str = ""
    policy_hash: str = ""
    stream: StreamPlan = StreamPlan()
    degraded: tuple[str, ...] = ()
    latency_ms: float = 0.0
    edits: tuple[Edit, ...] = ()
    withhold: str = ""


class Guard(Protocol):
    """Whoever can answer a check: the pipeline in this process, or the sidecar over HTTP.

    `check` never runs on an event loop: a thread beside it costs more than all the rest of a call's record. A guard may
    have one method more, for checks that need none: `at_once(check) -> Decision | None` gives what `check` would, where
    it takes neither a wait (a lock, a file, the network) nor more than some tens of microseconds, and None for any
    other. It is asked first, on the event loop too.
    """

    def check(self, check: Check) -> Decision:
        """Judge in the caller's thread, within the policy's time limit. Raises `GuardUnavailable` if nobody answers."""
        ...


class GuardUnavailable(Exception):  # noqa: N818  a state of the world, not a mistake
    """Nobody could judge; the policy's `on_error` decides what happens to the call."""

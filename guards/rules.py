"""What a policy says, as data: its detectors, its rules, and what each label's finding leads to."""

import hashlib
import json
from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from .judgement import Stage

RuleAction = Literal["allow", "flag", "redact", "pseudonymise", "block"]
OnFailure = Literal["block", "flag", "allow"]
RuleMode = Literal["enforce", "shadow"]
IN_THE_WAY: tuple[RuleAction, ...] = ("block", "redact", "pseudonymise")
"""The actions that a call waits for, the strictest first."""


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _chosen(value: Any) -> Any:
    return {"threshold": value} if isinstance(value, int | float) and not isinstance(value, bool) else value


Patterns = Annotated[tuple[str, ...], BeforeValidator(_listed, json_schema_input_type=str | list[str])]
"""Glob patterns (`*`, `?`, `[…]`), case-sensitive; one, or a list of which one must match."""


_SomeStages = Annotated[list[Stage], Field(min_length=1)]
Stages = Annotated[
    tuple[Stage, ...], BeforeValidator(_listed, json_schema_input_type=Stage | _SomeStages), Field(min_length=1)
]


class Strict(BaseModel):
    """Nothing that it does not know, and nothing changed later."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class When(Strict):
    """What a rule applies to; what is not said matches everything."""

    stage: Stages = get_args(Stage)
    app: Patterns = ()
    environment: Patterns = ()
    provider: Patterns = ()
    model: Patterns = ()
    prompt: Patterns = ()
    user_group: Patterns = ()
    tags: Patterns = ()


class Stream(Strict):
    """How streamed output waits for the rule: `window` holds back at most that many characters."""

    mode: Literal["window", "buffer", "observe"] = "window"
    window: Annotated[int, Field(ge=64, le=100_000)] = 400


class Defaults(Strict):
    """What holds for rules that do not say.

    `timeout_ms` is for all detectors of one check together. With `latency_budget_ms` a detector that is expected to
    take longer than what is left of it is not started.
    """

    on_error: OnFailure = "block"
    on_timeout: OnFailure = "block"
    timeout_ms: Annotated[int, Field(gt=0, le=600_000)] = 2000
    latency_budget_ms: Annotated[int, Field(gt=0, le=600_000)] | None = None


class Choice(Strict):
    """A label that a rule looks for: from which score on, and an action of its own where it has one."""

    threshold: Annotated[float, Field(ge=0, le=1)]
    action: RuleAction | None = None

    @model_serializer(mode="wrap")
    def _as_said(self, serialize: SerializerFunctionWrapHandler) -> Any:
        return self.threshold if self.action is None else serialize(self)


Chosen = Annotated[Choice, BeforeValidator(_chosen)]
"""A threshold, or `{threshold, action}`."""


class Made(Strict):
    """A detector with options, under the name that rules call it by; `kind` is its name in the registry."""

    kind: str
    options: dict[str, Any] = {}


class Rule(Strict):
    """Detectors with their labels and thresholds, and what is done about a finding that reaches its threshold."""

    name: Annotated[str, Field(min_length=1)]
    when: When = When()
    detect: Annotated[dict[str, dict[str, Chosen]], Field(min_length=1)]
    action: RuleAction
    restore: bool = False
    reply: str | None = None
    mode: RuleMode = "enforce"
    on_error: OnFailure | None = None
    on_timeout: OnFailure | None = None
    latency_budget_ms: Annotated[int, Field(gt=0, le=600_000)] | None = None
    stream: Stream | None = None

    def action_of(self, detector: str, label: str) -> RuleAction:
        """What a finding of this label leads to."""
        return self.detect[detector][label].action or self.action

    def actions(self) -> set[RuleAction]:
        """All that a finding of this rule can lead to."""
        return {self.action_of(*named) for named in self._named()}

    @property
    def in_the_way(self) -> bool:
        """Whether the call waits for this rule; the others are judged off its path."""
        return self.mode == "enforce" and not self.actions().isdisjoint(IN_THE_WAY)

    def part(self, *, in_the_way: bool) -> "Rule | None":
        """The rule with those of its detectors that a call waits for, or with the others; None if there are none.

        What no call waits for has no budget.
        """
        standing = {
            detector
            for detector, label in self._named()
            if self.mode == "enforce" and self.action_of(detector, label) in IN_THE_WAY
        }
        kept = {name: labels for name, labels in self.detect.items() if (name in standing) is in_the_way}
        budget = self.latency_budget_ms if in_the_way else None
        return self.model_copy(update={"detect": kept, "latency_budget_ms": budget}) if kept else None

    def _named(self) -> Iterator[tuple[str, str]]:
        return ((detector, label) for detector, labels in self.detect.items() for label in labels)


class Policy(Strict):
    """A policy with everything resolved: inherited rules in, every label with its threshold."""

    version: Literal[1]
    name: str = ""
    extends: str | None = None
    defaults: Defaults = Defaults()
    detectors: dict[str, Made] = {}
    rules: tuple[Rule, ...] = ()

    @cached_property
    def hash(self) -> str:
        """Of what the policy says, not of how its file is written: 12 hexadecimal digits."""
        said = self.model_dump(mode="json", exclude={"extends"})
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:12]

    def made(self, name: str) -> Made:
        """The detector that rules call `name`: as the policy makes it, or the installed one of that name."""
        return self.detectors.get(name) or Made(kind=name)

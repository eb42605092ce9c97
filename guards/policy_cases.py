"""Cases of a policy: what is said, and what must become of it.

>>> from spanward.guards.policy_cases import load
>>> load("shop-cases.yaml").cases[0].name  # doctest: +SKIP
'an address leaves the prompt'
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from .judgement import Action, Check, Context, Side, Stage, Verdict
from .messages import Message, Part, PartKind
from .model_errors import mistakes_of
from .policy import Policy
from .policy_file import Lines, complain, did_you_mean, line_of, read

STAGES: Mapping[Stage, tuple[Side, str, PartKind]] = {
    "input": ("input", "user", "text"),
    "output": ("output", "assistant", "text"),
    "tool_call": ("output", "assistant", "tool_call"),
    "tool_result": ("input", "tool", "tool_result"),
    "retrieval": ("input", "user", "document"),
}
"""The side of the call on which a case of that stage is checked, and who says it in which kind of part."""


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SaidPart(_Strict):
    """`text` that is no string is written as JSON and judged as JSON: `text: {to: jane@example.org}`."""

    kind: PartKind = "text"
    text: Any = ""
    name: str = ""

    @property
    def part(self) -> Part:
        plain = isinstance(self.text, str)
        text = self.text if plain else json.dumps(self.text, ensure_ascii=False)
        return Part(self.kind, text, json=not plain, name=self.name)


class SaidMessage(_Strict):
    role: str
    parts: tuple[SaidPart, ...]


def _messages(stage: Stage, said: Any) -> Any:
    """One text, one JSON value, or a list of messages `{role, text}` or `{role, parts: [{kind, text, name}]}`."""
    _, role, kind = STAGES[stage]
    if not isinstance(said, list):
        return [{"role": role, "parts": [{"kind": kind, "text": said}]}]
    return [_spelled_out(item, role, kind) for item in said]


def _spelled_out(item: Any, role: str, kind: PartKind) -> Any:
    if isinstance(item, str):
        item = {"text": item}
    if not isinstance(item, dict):
        return item
    message = {"role": role, **item}
    if "text" in message and "parts" not in message:
        own_kind = kind if message["role"] == role else "text"
        message["parts"] = [{"kind": own_kind, "text": message.pop("text")}]
    return message


class CaseContext(_Strict):
    """Who calls what, as far as rules match on it."""

    app: str = ""
    environment: str = ""
    provider: str = ""
    model: str = ""
    prompt: str = ""
    user_group: str = ""
    session: str = ""
    tags: Names = ()

    def over(self, base: "CaseContext") -> Context:
        """What this context does not say is as `base` says it."""
        said = base.model_dump() | self.model_dump(exclude_unset=True)
        return Context(prompt_name=said.pop("prompt"), session_id=said.pop("session"), **said)


class Expect(_Strict):
    """What must come out. What is not said may be anything.

    `text` is what the texts are afterwards, in order. `rule` and `finds` must all have found something, rules in
    `shadow` too; of `misses` none may be found.
    """

    action: Action | None = None
    verdict: Verdict | None = None
    rule: Names = ()
    text: Names | None = None
    finds: Names = ()
    misses: Names = ()
    reply: str | None = None

    @model_validator(mode="after")
    def _something(self) -> "Expect":
        if not self.model_fields_set:
            raise ValueError(f"nothing is expected, so the case cannot fail; known: {', '.join(Expect.model_fields)}")
        return self


class Case(_Strict):
    """One thing said at one stage."""

    name: Annotated[str, Field(min_length=1)]
    context: CaseContext = CaseContext()
    input: Annotated[tuple[SaidMessage, ...] | None, BeforeValidator(partial(_messages, "input"))] = None
    output: Annotated[tuple[SaidMessage, ...] | None, BeforeValidator(partial(_messages, "output"))] = None
    tool_call: Annotated[tuple[SaidMessage, ...] | None, BeforeValidator(partial(_messages, "tool_call"))] = None
    tool_result: Annotated[tuple[SaidMessage, ...] | None, BeforeValidator(partial(_messages, "tool_result"))] = None
    retrieval: Annotated[tuple[SaidMessage, ...] | None, BeforeValidator(partial(_messages, "retrieval"))] = None
    expect: Expect

    @model_validator(mode="after")
    def _one_stage(self) -> "Case":
        said = [stage for stage in STAGES if stage in self.model_fields_set]
        if len(said) != 1:
            told = f"{len(said)} of them" if said else "none of them"
            raise ValueError(f"a case has one of {', '.join(STAGES)}; this one has {told}")
        return self

    @property
    def stage(self) -> Stage:
        return next(stage for stage in STAGES if stage in self.model_fields_set)

    def check(self, base: CaseContext) -> Check:
        """The question that this case puts to the guards."""
        messages = tuple(
            Message(said.role, tuple(part.part for part in said.parts)) for said in getattr(self, self.stage)
        )
        return Check(STAGES[self.stage][0], messages, self.context.over(base))


class CaseFile(_Strict):
    """`policy` is a shipped name, or a path beside the file. `context` holds for cases that do not say otherwise."""

    policy: str = ""
    context: CaseContext = CaseContext()
    cases: tuple[Case, ...]

    @model_validator(mode="after")
    def _some(self) -> "CaseFile":
        if not self.cases:
            raise ValueError("there are no cases, so nothing can fail")
        return self


@dataclass(frozen=True, slots=True)
class Cases:
    """A case file as it was read."""

    path: Path
    file: CaseFile
    lines: Lines

    @property
    def cases(self) -> tuple[Case, ...]:
        return self.file.cases

    def line(self, number: int) -> int:
        """The line of the case of that number, from 0."""
        return line_of(self.lines, ("cases", number))

    def check_names(self, policy: Policy) -> None:
        """A rule or a label that `policy` does not have could never be found: raises `PolicyError`."""
        rules = [rule.name for rule in policy.rules]
        labels = {label for rule in policy.rules for found in rule.detect.values() for label in found}
        mistakes = [
            ((*place, key, name), f"{policy.name} has no {noun} {name!r}{did_you_mean(name, known)}")
            for n, case in enumerate(self.cases)
            for place in [("cases", n, "expect")]
            for key, noun, known in (("rule", "rule", rules), ("finds", "label", labels), ("misses", "label", labels))
            for name in getattr(case.expect, key)
            if name not in known
        ]
        if mistakes:
            raise complain(self.path, self.lines, mistakes)


def load(path: str | Path, text: str | None = None) -> Cases:
    """`text` is read instead of the file. Raises `PolicyError`, with the line of every mistake."""
    path = Path(path)
    data, lines = read(path, "a file of cases is a mapping with `cases:`", text)
    try:
        return Cases(path, CaseFile.model_validate(data), lines)
    except ValidationError as error:
        raise complain(path, lines, mistakes_of(error, CaseFile)) from None


def place_of_policy(cases: Cases) -> str:
    """The policy that the file names, as `policy.load` takes it: a path beside the file, or a shipped name; or none."""
    named = cases.file.policy
    if not named:
        return ""
    beside = cases.path.parent / named
    return str(beside) if beside.exists() or Path(named).suffix or "/" in named else named

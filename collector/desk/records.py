"""What the operations of policies answer. Times are in microseconds (`us`) since 1970."""

from typing import Any, Literal

from typing_extensions import TypedDict  # pydantic needs it below Python 3.12

Severity = Literal["error", "warning", "hint"]


class Status(TypedDict):
    name: str
    hash: str
    problem: str


class Finding(TypedDict):
    """`line` is 0 where it has none. `word` can be replaced by `meant`, unless that is empty."""

    file: str
    line: int
    severity: Severity
    text: str
    word: str
    meant: str


class Checked(TypedDict):
    """`ok`: the policy would be taken up. `more` findings are not listed."""

    ok: bool
    name: str
    hash: str
    rules: int
    in_the_way: int
    findings: list[Finding]
    more: int


class Card(TypedDict):
    """`why_fixed` says why it cannot be changed from the page; empty if it can."""

    id: str
    named: str
    kind: Literal["shipped", "file", "folder", "missing"]
    name: str
    hash: str
    rules: int
    shadow: int
    problem: str
    why_fixed: str


class InForce(TypedDict):
    """`since_us` is null where the audit log does not know."""

    name: str
    hash: str
    problem: str
    since_us: int | None
    by: str
    degraded: list[str]


class Policies(TypedDict):
    """`may_edit`: whether the asker may change policies."""

    in_force: InForce
    policies: list[Card]
    may_edit: bool


class OwnFile(TypedDict):
    """`digest` is of the text, for a later save."""

    name: str
    path: str
    text: str
    digest: str


class RuleShown(TypedDict):
    """`rule` as the policy has it; `inherited` from `file`, which the policy extends."""

    rule: dict[str, Any]
    file: str
    line: int
    inherited: bool


class PolicyShown(TypedDict):
    """A page of rules: from number `start` of the `found` ones. `watching` are those in shadow, at most a page."""

    card: Card
    in_force: bool
    extends: str | None
    defaults: dict[str, Any]
    detectors: dict[str, Any]
    files: list[OwnFile]
    watching: list[RuleShown]
    rules: list[RuleShown]
    start: int
    found: int
    may_edit: bool


class Case(TypedDict):
    """`differences` are lines of a diff, expected against what came."""

    name: str
    line: int
    passed: bool
    differences: list[str]
    ms: float


class Tested(TypedDict):
    policy: str
    hash: str
    degraded: list[str]
    failed: int
    cases: list[Case]


class Named(TypedDict):
    name: str
    hash: str


class RuleChange(TypedDict):
    rule: str
    change: Literal["added", "removed", "changed"]
    words: list[str]


class Difference(TypedDict):
    """`text` are lines of a unified diff; `cut`: there are more."""

    before: Named
    after: Named
    rules: list[RuleChange]
    text: list[str]
    cut: bool


class DryRun(TypedDict):
    """`stopped`: the time was over. `result` is that of `spanward policy replay --format json`, and `changed` calls."""

    id: str
    hash: str
    state: Literal["running", "done", "stopped", "cancelled", "failed"]
    calls: int
    most: int
    seconds: float
    problem: str
    result: dict[str, Any] | None


Entry = TypedDict(
    "Entry",
    {
        "us": int, "actor": str, "action": str, "subject": str, "from": str, "to": str, "rules": str,
        "from_kept": bool, "to_kept": bool,
    },
)  # fmt: skip


class History(TypedDict):
    entries: list[Entry]
    next: str


class Version(TypedDict):
    """Texts by path."""

    hash: str
    name: str
    files: dict[str, str]


class Shadowed(TypedDict):
    rule: str
    verdict: str
    would: str
    calls: int
    labels: list[str]
    traces: list[str]


class Shadows(TypedDict):
    calls: int
    days: int
    rules: list[Shadowed]


class Word(TypedDict):
    at: str
    word: str
    text: str
    values: list[str]


class Saved(TypedDict):
    """`hash` is what will be in force once it is taken up; `option` starts the sidecar with a new file."""

    file: str
    hash: str
    digest: str
    option: str

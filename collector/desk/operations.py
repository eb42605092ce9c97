"""The Policies page as operations: who reads may look; who may `edit_policy` may try and change."""

from ...dashboards.api.operation import Operation, Parameter
from . import records
from .bodies import CreateBody, DiffBody, DraftBody, DryRunBody, PromoteBody, SaveBody, TestBody
from .desk import Desk
from .judges import NEEDS, Judges
from .words import words

ROOT = "/api/policies"


def operations(desk: Desk) -> tuple[Operation, ...]:
    """For `routes(means, also=…)`. One policy comes last: its name may be anything that no other path begins with."""
    on = Judges(desk)
    return (*_all(on), *_trials(on), *_changes(on), *_one(on))


def _all(on: Judges) -> tuple[Operation, ...]:
    return (
        Operation("GET", ROOT, "Policies, and which is in force", on.list, records.Policies),
        Operation("GET", f"{ROOT}/status", "What is in force now", on.status, records.Status),
        Operation("GET", f"{ROOT}/words", "What may stand where in a policy", lambda _: words(), list[records.Word]),
        Operation(
            "GET", f"{ROOT}/history", "Changes of a policy, the newest first", on.history, records.History,
            takes=(
                Parameter("name", "The policy; the one in force unless given"),
                Parameter("before", "`next` of the page before"),
            ),
        ),
        Operation(
            "GET", f"{ROOT}/shadow", "What rules in shadow would have done", on.shadow, records.Shadows,
            takes=(Parameter("days", "How many days back", {"type": "integer", "minimum": 1, "maximum": 90}),),
        ),
        Operation("GET", f"{ROOT}/versions/{{hash}}", "The text of a former policy", on.version, records.Version),
    )  # fmt: skip


def _trials(on: Judges) -> tuple[Operation, ...]:
    return (
        Operation(
            "POST", f"{ROOT}/check", "What is wrong or odd in a draft", on.check, records.Checked,
            body=DraftBody, needs=NEEDS,
        ),
        Operation("POST", f"{ROOT}/test", "Cases put to a draft", on.test, records.Tested, body=TestBody, needs=NEEDS),
        Operation(
            "POST", f"{ROOT}/diff", "A draft against another policy", on.diff_draft, records.Difference,
            body=DiffBody, needs=NEEDS,
        ),
        Operation(
            "POST", f"{ROOT}/dry-runs", "Stored calls put to a draft: begins", on.dry_run, records.DryRun,
            body=DryRunBody, needs=NEEDS,
        ),
        Operation("GET", f"{ROOT}/dry-runs/{{run}}", "How far a dry run is", on.dry_run_state, records.DryRun),
        Operation(
            "DELETE", f"{ROOT}/dry-runs/{{run}}", "Ends a dry run early", on.dry_run_end, records.DryRun, needs=NEEDS
        ),
    )  # fmt: skip


def _changes(on: Judges) -> tuple[Operation, ...]:
    return (
        Operation(
            "POST", f"{ROOT}/promote", "Puts rules in shadow in force", on.promote, records.Saved,
            body=PromoteBody, needs=NEEDS,
        ),
        Operation(
            "POST", f"{ROOT}/files", "Saves a draft as a new file", on.create, records.Saved,
            body=CreateBody, needs=NEEDS,
        ),
        Operation(
            "PUT", f"{ROOT}/{{name}}/text", "Saves a file of a policy", on.save, records.Saved,
            body=SaveBody, needs=NEEDS,
        ),
    )  # fmt: skip


def _one(on: Judges) -> tuple[Operation, ...]:
    against = Parameter("against", "The policy or the version (its hash) before; the one in force unless given")
    return (
        Operation(
            "GET", f"{ROOT}/{{name}}", "One policy, with a page of its rules", on.show, records.PolicyShown,
            takes=(
                Parameter("start", "The first rule to show", {"type": "integer", "minimum": 0, "maximum": 100_000}),
                Parameter("find", "Only rules that say this", {"type": "string", "maxLength": 200}),
            ),
        ),
        Operation(
            "GET", f"{ROOT}/{{name}}/diff", "A policy against another", on.diff_stored, records.Difference,
            takes=(against,),
        ),
    )  # fmt: skip

"""`spanward policy promote FILE`: rules that only watched are put in force, and the audit log knows before they are."""

import argparse
import sys
import time
from collections.abc import Callable, Collection, Mapping
from functools import partial

from ...guards.policy import Policy, load
from ...guards.policy_promotion import differs_only_in_mode, watching, where_written
from ..audit.client import record
from ..command import FAILED, CommandError
from ..data_directory import DataDirectory
from ..query import asking
from ..settings import Settings
from .arguments import add_place, settings_of
from .draft import Change, Draft, change
from .shadow import shadowed

ACTION, ACTION_FAILED = "policy.promote", "policy.promote_failed"
WEEK = 7 * 86400
Tell = Callable[[str, str, Mapping[str, str]], None]
"""Writes action, subject and detail to the audit log, or raises, and then nothing may be done."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("policy", metavar="FILE|FOLDER")
    chosen = parser.add_mutually_exclusive_group(required=True)
    chosen.add_argument("--rule", metavar="NAME", action="append", help="put this rule in force; may be said again")
    chosen.add_argument("--all", action="store_true", help="put all rules of these files in force")
    parser.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")
    add_place(parser)


def run(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    before = load(arguments.policy)
    rules = watching(before) if arguments.all else list(dict.fromkeys(arguments.rule))
    if not rules:
        raise CommandError(f"{arguments.policy}: no rule is in shadow", FAILED)
    changes = [change(file, names) for file, names in where_written(arguments.policy, rules).items()]
    if len(changes) > 1:
        files = ", ".join(each.file.name for each in changes)
        raise CommandError(f"these rules are in several files ({files}): promote one file's at a time", FAILED)
    sys.stdout.write("".join(each.diff for each in changes))
    sys.stdout.writelines(f"{line}\n" for line in results(settings, rules))
    with Draft(arguments.policy, changes[0]) as draft:
        after = draft.load()
        if not differs_only_in_mode(before, after, rules):
            raise CommandError(
                f"{changes[0].file}: more than the mode of these rules would change; edit it by hand", FAILED
            )
        if arguments.dry_run:
            sys.stdout.write("nothing was changed\n")
            return 0
        put_in_force(partial(record, settings.data), changes[0], draft, before, after)
    sys.stdout.write(f"{arguments.policy}: {load(arguments.policy).hash}, in force: {', '.join(rules)}\n")
    return 0


def results(settings: Settings, rules: Collection[str]) -> list[str]:
    """What the rules would have done in the last seven days, where a sidecar can be asked."""
    if not DataDirectory(settings.data).sidecar():
        return [f"no sidecar runs on {settings.data}: what these rules would have done is not known here"]
    with asking(settings) as ask:
        found = shadowed(ask, (int(time.time()) - WEEK) * 1_000_000)
    told = [(each.rule, f"in shadow, {each.rule!r} {each} in the last 7 days") for each in found]
    met = {rule for rule, _ in told}
    return [text for rule, text in told if rule in rules] + [
        f"in shadow, {rule!r} met no call in the last 7 days" for rule in rules if rule not in met
    ]


def put_in_force(tell: Tell, change: Change, draft: Draft, before: Policy, after: Policy) -> None:
    """First the audit entry, then the file. A file that cannot be replaced is told to the log as well."""
    named = after.model_copy(update={"name": before.name})
    detail = {"rules": ", ".join(change.rules), "policy": before.name, "from": before.hash, "to": named.hash}
    tell(ACTION, str(change.file), detail)
    try:
        draft.replace()
    except (OSError, CommandError) as problem:
        tell(ACTION_FAILED, str(change.file), detail)
        raise CommandError(f"{problem}; nothing was changed, and the audit log says so", FAILED) from None

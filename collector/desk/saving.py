"""A changed policy goes to its file: checked, told to the audit log, in one step, and only over what was read."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ...dashboards.api.operation import BadQuestion, Question
from ...dashboards.documents import Changed
from ...guards.policy import load
from ...guards.policy_promotion import differs_only_in_mode, where_written
from ..command import CommandError
from ..policy.draft import Change, Draft, change
from ..policy.promotion import put_in_force
from .places import MOST_SAVED, Place, Places, digest, text_of

SAVED, SAVE_FAILED, CREATED = "policy.save", "policy.save_failed", "policy.create"


def save(
    question: Question, place: Place, file: Path, text: str, base: str, old: str, checked: Mapping[str, Any]
) -> None:
    """`base` is the digest of the text that was edited, `old` the hash then, `checked` what was said of `text`."""
    if why := place.why_fixed():
        raise BadQuestion(f"this policy cannot be changed from here: {why}")
    before = text_of(file)
    if digest(before) != base:
        raise Changed(f"{file} was changed meanwhile; compare with what it says now, and save again")
    refuse_wrong(checked)
    detail = {"policy": checked["name"], "from": old, "to": checked["hash"]}
    _put(question, Change(file, (), before, like(before, text)), place, detail)


def _put(question: Question, changed: Change, place: Place, detail: Mapping[str, str]) -> None:
    try:
        with Draft(str(place.path), changed) as draft:
            question.means.record(question.actor, SAVED, str(changed.file), detail)
            try:
                draft.replace()
            except (OSError, CommandError):
                question.means.record(question.actor, SAVE_FAILED, str(changed.file), detail)
                raise
    except CommandError as problem:
        raise Changed(str(problem)) from None
    except OSError as problem:
        raise BadQuestion(f"{changed.file}: {problem.strerror}; nothing was changed") from None


def refuse_wrong(checked: Mapping[str, Any]) -> None:
    if not checked["ok"]:
        wrong = [each for each in checked["findings"] if each["severity"] == "error"]
        told = "; ".join(f"line {each['line']}: {each['text']}" for each in wrong[:3])
        raise BadQuestion(f"not saved, for the check found {len(wrong)} error{'s' * (len(wrong) > 1)}: {told}")


def like(before: str, text: str) -> str:
    """`text` with the line ends of the file: an editor in a browser knows only one kind."""
    text = text.replace("\r\n", "\n")
    return text.replace("\n", "\r\n") if before.count("\r\n") * 2 > before.count("\n") else text


def create(question: Question, places: Places, name: str, text: str, checked: Mapping[str, Any]) -> Path:
    """A new file under the data directory, which nothing is in force from until the sidecar is started with it."""
    refuse_wrong(checked)
    file = places.new(name)
    if places.folder.is_dir() and len(list(places.folder.glob("*.yaml"))) >= MOST_SAVED:
        raise BadQuestion(f"there are {MOST_SAVED} files in {places.folder} already; remove one first")
    try:
        places.folder.mkdir(mode=0o700, exist_ok=True)
        draft = file.with_name(f".{file.name}.{os.getpid()}")
        try:
            with draft.open("w", encoding="utf-8", newline="") as out:
                out.write(text)
                out.flush()
                os.fsync(out.fileno())
            question.means.record(
                question.actor, CREATED, str(file), {"policy": checked["name"], "to": checked["hash"]}
            )
            os.link(draft, file)  # unlike a rename, never over another
        finally:
            with suppress(OSError):
                draft.unlink()
    except FileExistsError:
        raise Changed(f"{file.name} is there already; open it, or choose another name") from None
    except OSError as problem:
        raise BadQuestion(f"{file}: {problem.strerror}; nothing was saved") from None
    return file


def promote(question: Question, place: Place, rules: list[str], hash_: str) -> str:
    """Rules from shadow into force, as `spanward policy promote` does. Gives the hash that will be in force."""
    if why := place.why_fixed():
        raise BadQuestion(f"this policy cannot be changed from here: {why}")
    before = load(place.path)
    if before.hash != hash_:
        raise Changed("the policy was changed meanwhile; load it again")
    changes = [change(file, names) for file, names in where_written(place.path, rules).items()]
    if len(changes) != 1:
        files = ", ".join(each.file.name for each in changes)
        raise BadQuestion(f"these rules are in several files ({files}): promote one file's at a time")
    try:
        with Draft(str(place.path), changes[0]) as draft:
            after = draft.load()
            if not differs_only_in_mode(before, after, rules):
                raise BadQuestion("more than the mode of these rules would change; edit the file by hand")

            def tell(action: str, subject: str, detail: Mapping[str, str]) -> None:
                question.means.record(question.actor, action, subject, detail)

            put_in_force(tell, changes[0], draft, before, after)
    except CommandError as problem:
        raise Changed(str(problem)) from None
    return after.model_copy(update={"name": before.name}).hash

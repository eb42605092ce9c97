"""What the operations of the Policies page answer, over one desk."""

import re
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from ...dashboards.api.operation import BadQuestion, NotThere, Question
from ...dashboards.ask import QueryFailed
from ...guards.policy import PolicyError
from ..command import CommandError
from ..policy.shadow import WOULD, calls_since, shadowed
from ..query import Answer
from .bodies import DraftBody
from .desk import Desk
from .dry_run import Run
from .history import FAR, history, since
from .places import IN_FORCE, MOST_TEXT, digest, text_of
from .saving import create, promote, save

NEEDS = "edit_policy"
T = TypeVar("T")


class Judges:
    """What a policy's own complaint says may be shown: it names lines, not calls."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def status(self, _question: Question) -> Any:
        told = self._desk.room.status
        return {"name": told.name, "hash": told.hash, "problem": told.problem}

    def list(self, question: Question) -> Any:
        room = self._desk.room
        in_force = {**self.status(question), "degraded": list(room.pipeline.degraded)}
        told = since(question.means.ask, room.status.hash)
        cards = [self._desk.card(place) for place in self._desk.places.all()]
        return {
            "in_force": {**in_force, "since_us": told["us"], "by": told["by"]},
            "policies": cards, "may_edit": question.allowed(NEEDS),
        }  # fmt: skip

    def show(self, question: Question) -> Any:
        place = self._desk.places.get(question.id("name"))
        shown = self._desk.shown(place, question.whole("start", 0, most=100_000, least=0), question.get("find")[:200])
        in_force = shown["card"]["hash"] == self._desk.room.status.hash
        return {**shown, "in_force": in_force, "may_edit": question.allowed(NEEDS)}

    def diff_stored(self, question: Question) -> Any:
        after = question.id("name")
        return _said(lambda: self._desk.diff(question.get("against", IN_FORCE), self._desk.side(after)))

    def diff_draft(self, question: Question) -> Any:
        body = question.body
        told, size = self._draft(body)
        file = self._desk.places.get(body.name).file(body.file).name
        return _said(lambda: self._desk.diff(body.against, ({**told, "files": {file: body.text}}, size)))

    def check(self, question: Question) -> Any:
        body = question.body
        return _said(lambda: self._desk.check(body.name, body.file, body.text))

    def test(self, question: Question) -> Any:
        told, _ = self._draft(question.body)
        return _said(lambda: self._desk.bench.do("test", {**told, "cases": question.body.cases}, MOST_TEXT))

    def dry_run(self, question: Question) -> Any:
        body = question.body
        checked = _said(lambda: self._desk.check(body.name, body.file, body.text))
        if not checked["hash"]:
            raise BadQuestion(f"this does not load: {checked['findings'][0]['text']}")
        told, _ = self._draft(body)
        current = self._desk.room.pipeline.policy.model_dump(mode="json")
        from_us = question.now * 1000 - body.days * 86_400_000_000
        return _run(self._desk.dry_runs.start({**told, "current": current}, checked["hash"], from_us, body.calls))

    def dry_run_state(self, question: Question) -> Any:
        return _run(self._desk.dry_runs.get(question.id("run")))

    def dry_run_end(self, question: Question) -> Any:
        return _run(self._desk.dry_runs.cancel(question.id("run")))

    def save(self, question: Question) -> Any:
        body, name = question.body, question.id("name")
        place = self._desk.places.get(name)
        checked = _said(lambda: self._desk.check(name, body.file, body.text, dump=True))
        file = _said(lambda: place.file(body.file))
        self._desk.versions.keep(str(place.path))
        before = self._desk.card(place)["hash"]
        _said(lambda: save(question, place, file, body.text, body.base, before, checked))
        self._desk.versions.keep(str(place.path), checked["hash"])
        return {"file": str(file), "hash": checked["hash"], "digest": digest(text_of(file)), "option": ""}

    def create(self, question: Question) -> Any:
        body = question.body
        checked = _said(lambda: self._desk.check(body.name, body.file, body.text, dump=True))
        file = create(question, self._desk.places, body.as_file, body.text, checked)
        told = _said(lambda: self._desk.view(self._desk.places.get(file.name)))
        return {"file": file.name, "hash": told["hash"], "digest": digest(body.text), "option": f"--policy {file}"}

    def promote(self, question: Question) -> Any:
        place = self._desk.places.get(IN_FORCE)
        self._desk.versions.keep(str(place.path))
        hash_ = _said(lambda: promote(question, place, list(question.body.rules), question.body.hash))
        self._desk.versions.keep(str(place.path), hash_)
        return {"file": str(place.path), "hash": hash_, "digest": "", "option": ""}

    def history(self, question: Question) -> Any:
        place = self._desk.places.get(question.get("name", IN_FORCE))
        before = re.fullmatch(r"(\d{1,18})-(\d{1,18})", question.get("before", f"{FAR}-0"))
        if not before:
            raise BadQuestion("`before` is `next` of the page before")
        subjects = {place.named, str(place.path), str(place.path.resolve())}
        if place.kind in ("file", "folder"):
            subjects |= {str(path) for file in _said(lambda: place.files) for path in (file, file.resolve())}
        found = (int(before[1]), int(before[2]))
        return history(question.means.ask, sorted(subjects), found, self._desk.versions.hashes())

    def version(self, question: Question) -> Any:
        kept = self._desk.versions.get(question.id("hash"))
        if kept is None:
            raise NotThere("the text of this version is not kept here")
        return {"hash": kept["hash"], "name": kept["name"], "files": kept["files"]}

    def shadow(self, question: Question) -> Any:
        days = question.whole("days", 7, most=90)
        from_us = question.now * 1000 - days * 86_400_000_000
        ask = partial(_ask, question)
        try:
            rules, calls = shadowed(ask, from_us), calls_since(ask, from_us)
        except CommandError as problem:
            raise QueryFailed(str(problem)) from None
        told = [
            {
                "rule": each.rule, "verdict": each.verdict, "would": WOULD[each.verdict], "calls": each.calls,
                "labels": list(each.labels), "traces": list(each.traces),
            }
            for each in rules[:200]
        ]  # fmt: skip
        return {"calls": calls, "days": days, "rules": told}

    def _draft(self, body: DraftBody) -> tuple[dict[str, Any], int]:
        return _said(lambda: self._desk.draft(body.name, body.file, body.text))


def _ask(question: Question, sql: str) -> Answer:
    table = question.means.ask(sql)
    return Answer(table.columns, table.rows)


def _said(do: Callable[[], T]) -> T:
    """What a policy complains about is an answer, not a fault of ours."""
    try:
        return do()
    except (PolicyError, CommandError) as problem:
        raise BadQuestion(str(problem)) from None


def _run(run: Run) -> dict[str, Any]:
    return {
        "id": run.id, "hash": run.hash, "state": run.state, "calls": run.calls, "most": run.most,
        "seconds": round(run.seconds, 1), "problem": run.problem, "result": run.result,
    }  # fmt: skip

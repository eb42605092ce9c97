"""Where policies are worked on: which there are, what they say, and what came of a draft. Everything bounded."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...dashboards.api.operation import NotThere
from ...guards.policy import PolicyError
from ..guardroom import Guardroom
from .bench import Bench, Refused
from .dry_run import DryRuns
from .places import IN_FORCE, MOST_TEXT, Place, Places, digest, text_of
from .versions import Versions

PAGE = 100
"""Rules."""
Stamps = tuple[tuple[str, int, int], ...]


@dataclass(slots=True)
class Desk:
    """`room` has the policy in force."""

    room: Guardroom
    places: Places
    versions: Versions
    dry_runs: DryRuns
    bench: Bench = field(default_factory=Bench)
    _views: dict[str, tuple[Stamps, dict[str, Any]]] = field(default_factory=dict)

    def view(self, place: Place) -> dict[str, Any]:
        """What `jobs.view` says, read again where a file changed. Raises `PolicyError`, `Refused`."""
        known = self._views.get(place.id)
        if known and _stamps(known[1]["files"]) == known[0]:
            return known[1]
        files = place.files
        stamps = _stamps(str(file) for file in files)
        size = sum(size for _, _, size in stamps)
        if size > 4 * MOST_TEXT:
            raise PolicyError(f"{place.path}: too large to be shown here")
        seen: dict[str, Any] = self.bench.do("view", {"named": str(place.path)}, size)
        self._views[place.id] = (_stamps(seen["files"]), seen)
        return seen

    def card(self, place: Place) -> dict[str, Any]:
        told = {"id": place.id, "named": place.named, "kind": place.kind, "why_fixed": place.why_fixed()}
        try:
            seen = self.view(place)
        except (PolicyError, Refused) as problem:
            return {**told, "name": "", "hash": "", "rules": 0, "shadow": 0, "problem": str(problem)}
        rules = seen["dump"]["rules"]
        shadow = sum(rule["mode"] == "shadow" for rule in rules)
        counts = {"rules": len(rules), "shadow": shadow}
        return {**told, "name": seen["name"], "hash": seen["hash"], **counts, "problem": ""}

    def shown(self, place: Place, start: int, find: str) -> dict[str, Any]:
        """The policy with a page of those rules that `find` is in."""
        card = self.card(place)
        told: dict[str, Any] = {"card": card, "files": list(_texts(place)), "start": start}
        if card["problem"]:
            return {**told, "extends": None, "defaults": {}, "detectors": {}, "watching": [], "rules": [], "found": 0}
        seen = self.view(place)
        own = {str(file) for file in place.files}
        wanted = find.casefold()
        rules = [rule for rule in seen["dump"]["rules"] if wanted in str(rule).casefold()]
        page = [_rule(rule, seen["written"][rule["name"]], own) for rule in rules[start : start + PAGE]]
        dump = seen["dump"]
        watching = [rule for rule in dump["rules"] if rule["mode"] == "shadow"][:PAGE]
        return {
            **told, "extends": dump["extends"], "defaults": dump["defaults"], "detectors": dump["detectors"],
            "watching": [_rule(rule, seen["written"][rule["name"]], own) for rule in watching],
            "rules": page, "found": len(rules),
        }  # fmt: skip

    def draft(self, name: str, file: str, text: str) -> tuple[dict[str, Any], int]:
        """A policy with `text` in one of its files, as jobs take it, and its size."""
        place = self.places.get(name)
        path = place.file(file) if place.kind != "missing" else place.path
        others = sum(size for _, _, size in _stamps(str(each) for each in place.files if each != path))
        return {"named": str(place.path), "texts": {str(path.resolve()): text}}, len(text) + others

    def check(self, name: str, file: str, text: str, *, dump: bool = False) -> dict[str, Any]:
        told, size = self.draft(name, file, text)
        checked: dict[str, Any] = self.bench.do("check", {**told, "dump": dump}, size)
        if not dump:
            checked.pop("dump")
        return checked

    def side(self, which: str) -> tuple[dict[str, Any], int]:
        """What a diff compares: a policy by its address, or a version by its hash. Raises `NotThere`."""
        kept = self.versions.get(which)
        if kept:
            files = {Path(path).name: text for path, text in kept["files"].items()}
            return {"dump": kept["dump"], "files": files}, sum(map(len, files.values()))
        place = self.places.get(which)
        if which == IN_FORCE:
            policy = self.room.pipeline.policy
            in_force = self.versions.get(policy.hash)
            if in_force:
                return self.side(policy.hash)
            dumped = {"dump": policy.model_dump(mode="json"), "files": {}}
            return dumped, 100 * len(policy.rules)
        files = {each["name"]: each["text"] for each in _texts(place)}
        return {"named": str(place.path), "files": files}, sum(map(len, files.values()))

    def diff(self, before: str, after: tuple[dict[str, Any], int]) -> dict[str, Any]:
        """`before` is an address or a hash."""
        try:
            old, size = self.side(before)
        except NotThere:
            raise NotThere(f"no version {before[:40]!r} is kept here, and no policy is called so") from None
        told, more = after
        if not old["files"]:
            told = {**told, "files": {}}
        elif len(told["files"]) == 1 and len(old["files"]) > 1:
            old = {**old, "files": _alike(old["files"], told["files"])}
        answer: dict[str, Any] = self.bench.do("diff", {"before": old, "after": told}, size + more)
        return answer

    def close(self) -> None:
        self.bench.close()


def _alike(files: dict[str, str], wanted: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in files.items() if name in wanted} or files


def _texts(place: Place) -> Iterator[dict[str, Any]]:
    """What cannot be read as text is left out; the card's problem says why."""
    try:
        files = place.files if place.kind != "missing" else []
    except PolicyError:
        return
    for file in files:
        try:
            text = text_of(file)
        except PolicyError:
            continue
        yield {"name": file.name, "path": str(file), "text": text, "digest": digest(text)}


def _rule(rule: dict[str, Any], written: dict[str, Any], own: set[str]) -> dict[str, Any]:
    file = Path(written["file"])
    return {"rule": rule, "file": file.name, "line": written["line"], "inherited": str(file) not in own}


def _stamps(files: Any) -> Stamps:
    """A file that is gone has a stamp that no file has."""
    return tuple(_stamp(file) for file in files)


def _stamp(file: str) -> tuple[str, int, int]:
    try:
        stat = Path(file).stat()
    except OSError:
        return file, -1, 0
    return file, stat.st_mtime_ns, stat.st_size

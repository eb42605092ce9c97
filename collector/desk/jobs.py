"""What is done with a policy off the path of calls: read, check, try, compare, replay. JSON in, JSON out."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from difflib import unified_diff
from pathlib import Path
from typing import Any

from ...guards import policy as policies
from ...guards.policy import Loaded, Policy, PolicyError
from ...guards.policy_cases import load as load_cases
from ...guards.policy_file import line_of, read
from ...guards.policy_lint import lint
from ...guards.policy_mistakes import rules_in
from ..command import CommandError
from ..policy import case_run
from ..policy.replay import MOST_CHANGED, Replay, Replayed, Side
from ..policy.replay_report import as_json
from ..policy.stored_calls import from_text
from .rule_words import changes

MOST_FINDINGS = 200
MOST_COMPARED = 500
"""Rules: with more of them the check does not compare each with each."""
MOST_DIFF = 2000
"""Lines of a diff of texts; of texts with more than `MOST_LINES` there is none."""
MOST_LINES = 20_000
_PLACED = re.compile(r"(?P<file>.+?):(?:(?P<line>\d+):)? (?:(?:error|warning|hint): )?(?P<text>.*)", re.DOTALL)
_MEANT = re.compile(r"'(?P<word>[^']*)'[^']*; did you mean '(?P<meant>[^']*)'\?")
Told = Mapping[str, Any]


class Jobs:
    """`do(name, told)`. Raises `PolicyError`, `CommandError`, `DetectorUnavailable`. A replay outlasts a question."""

    def __init__(self) -> None:
        self._replay: Replay | None = None
        self._jobs: Mapping[str, Callable[[Told], Any]] = {
            "view": view, "check": check, "test": test, "diff": diff, "replay_start": self._start,
            "replay_put": self._put, "replay_end": self._end,
        }  # fmt: skip

    def do(self, job: str, told: Told) -> Any:
        return self._jobs[job](told)

    def _start(self, told: Told) -> None:
        current = Policy.model_validate(told["current"])
        candidate = _loaded(told).policy
        self._replay = Replay(Replayed(Side(current, "in force"), Side(candidate, "candidate")))

    def _put(self, told: Told) -> None:
        for line in told["lines"]:
            self._replaying.put(from_text(line))

    def _end(self, _told: Told) -> dict[str, Any]:
        result = self._replaying.result
        self._replaying.close()
        changed = [asdict(each) for each in (*result.changed, *result.others)[:MOST_CHANGED]]
        return {**as_json(result), "differing": result.differing, "changed": changed}

    @property
    def _replaying(self) -> Replay:
        if self._replay is None:
            raise CommandError("no replay was started")
        return self._replay


def _loaded(told: Told) -> Loaded:
    """`named` with `texts` in place of some files. What those newly extend must lie in the policy's own folder."""
    texts = {Path(file): text for file, text in told.get("texts", {}).items()}
    for file, text in texts.items():
        _near(file, text)
    return policies.loaded(told["named"], texts)


def _near(file: Path, text: str) -> None:
    """Who edits a policy from afar does not look around on the disk."""
    data, lines = read(file, text=text)
    extends = data.get("extends")
    if extends is None:
        return
    base = policies.locate(str(extends), file.parent).resolve()
    known = _extended(file)
    folders = {file.parent.resolve(), policies.SHIPPED.resolve()}
    if base.parent not in folders and base not in known:
        where = f"{file}:{line_of(lines, ('extends',))}"
        raise PolicyError(f"{where}: from here a policy extends a shipped one or a file of its folder, {file.parent}")


def _extended(file: Path) -> set[Path]:
    """What the file extends already, as it is on disk."""
    with suppress(PolicyError):
        extends = read(file)[0].get("extends")
        return {policies.locate(str(extends), file.parent).resolve()} if extends else set()
    return set()


def view(told: Told) -> dict[str, Any]:
    """The whole policy, each rule with the file and line that it is written at."""
    loaded = _loaded(told)
    policy = loaded.policy
    written = {
        str(rule.get("name")): (str(source.path), line_of(source.lines, ("rules", n)))
        for source in loaded.sources
        for n, rule in rules_in(source.data)
    }
    return {
        "name": policy.name,
        "hash": policy.hash,
        "dump": policy.model_dump(mode="json"),
        "files": [str(file) for file in loaded.files],
        "written": {name: {"file": file, "line": line} for name, (file, line) in written.items()},
    }


def check(told: Told) -> dict[str, Any]:
    """What `spanward policy check` says. `ok`: it would be taken up; `findings` are where in which file."""
    try:
        loaded = _loaded(told)
    except PolicyError as problem:
        found = [_finding(line, "error") for line in str(problem).splitlines()]
        return {"ok": False, "name": "", "hash": "", "rules": 0, "in_the_way": 0, **_bounded(found), "dump": None}
    policy = loaded.policy
    pairs = len(policy.rules) <= MOST_COMPARED
    found = [_finding(str(remark), remark.severity) for remark in lint(loaded, pairs=pairs)]
    if not pairs:
        text = f"more than {MOST_COMPARED} rules: they were not compared with each other; `spanward policy check` does"
        found.append({"file": "", "line": 0, "severity": "hint", "text": text, "word": "", "meant": ""})
    return {
        "ok": not any(finding["severity"] == "error" for finding in found),
        "name": policy.name,
        "hash": policy.hash,
        "rules": len(policy.rules),
        "in_the_way": sum(rule.in_the_way for rule in policy.rules),
        **_bounded(found),
        "dump": policy.model_dump(mode="json") if told.get("dump") else None,
    }


def _bounded(found: list[dict[str, Any]]) -> dict[str, Any]:
    return {"findings": found[:MOST_FINDINGS], "more": max(0, len(found) - MOST_FINDINGS)}


def _finding(line: str, severity: str) -> dict[str, Any]:
    told = _PLACED.fullmatch(line)
    file, at, text = (told["file"], int(told["line"] or 0), told["text"]) if told else ("", 0, line)
    meant = _MEANT.search(text)
    return {
        "file": Path(file).name, "line": at, "severity": severity, "text": text,
        "word": meant["word"] if meant else "", "meant": meant["meant"] if meant else "",
    }  # fmt: skip


def test(told: Told) -> dict[str, Any]:
    """Cases put to a policy."""
    policy = _loaded(told).policy
    cases = load_cases(Path("cases.yaml"), told["cases"])
    degraded, results = case_run.put(cases, policy)
    shown = [
        {
            "name": each.name, "line": each.line, "passed": each.passed,
            "differences": list(each.differences), "ms": round(each.seconds * 1000, 1),
        }
        for each in results
    ]  # fmt: skip
    failed = sum(not each.passed for each in results)
    return {"policy": policy.name, "hash": policy.hash, "degraded": list(degraded), "failed": failed, "cases": shown}


def diff(told: Told) -> dict[str, Any]:
    """`before` and `after`: a policy to be loaded (`named`, `texts`) or one that was kept (`dump`, `files`)."""
    before, after = _side(told["before"]), _side(told["after"])
    texts = list(_text_diff(before["files"], after["files"]))
    return {
        "before": {"name": before["policy"].name, "hash": before["policy"].hash},
        "after": {"name": after["policy"].name, "hash": after["policy"].hash},
        "rules": changes(before["policy"], after["policy"]),
        "text": texts[:MOST_DIFF],
        "cut": len(texts) > MOST_DIFF,
    }


def _side(told: Told) -> dict[str, Any]:
    if "dump" in told:
        return {"policy": Policy.model_validate(told["dump"]), "files": told["files"]}
    return {"policy": _loaded(told).policy, "files": told["files"]}


def _text_diff(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    """Files are paired by name, or because there is one on each side."""
    if len(before) == len(after) == 1 and before.keys() != after.keys():
        (old,), (new,) = before, after
        yield from _lines(f"{old}", f"{new}", before[old], after[new])
        return
    for name in sorted(before.keys() | after.keys()):
        yield from _lines(name, name, before.get(name, ""), after.get(name, ""))


def _lines(old: str, new: str, before: str, after: str) -> Iterator[str]:
    lines = before.splitlines(), after.splitlines()
    if max(map(len, lines)) > MOST_LINES:
        yield f"{new}: more than {MOST_LINES:,} lines; compare the texts with another tool"
        return
    yield from unified_diff(*lines, old, new, lineterm="")

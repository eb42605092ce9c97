"""Texts of policies that were in force, by the hash of what they said: to look at, compare with and go back to."""

import json
import logging
import os
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ...guards import policy as policies
from ...guards.policy import Policy, PolicyError
from ..gate import place_of
from .places import text_of

log = logging.getLogger(__name__)
NAME = "policy-versions"
"""In the data directory."""
MOST = 200
"""Versions; the oldest go."""
_HASH = re.compile(r"[0-9a-f]{12}")


class Versions:
    """A folder with a file a version: `{hash, name, dump, files: {path: text}}`, without what it extends.

    Keeping never raises.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, named: str, hash_: str = "") -> None:
        """What the policy says on disk now; with `hash_` only if it is that one."""
        try:
            loaded = policies.loaded(named)
            texts = {file.resolve(): text_of(file) for file in loaded.files}
            read_again = policies.loaded(named, texts).policy  # the files may have changed between the two
            if hash_ in ("", read_again.hash):
                own = {file.resolve() for file in policies.files_in(policies.locate(named, Path()))}
                self._write(read_again, {str(file): text for file, text in texts.items() if file in own})
        except (PolicyError, OSError) as problem:
            log.warning("the text of the policy is not kept for the history: %s", problem)
        except Exception as failure:  # noqa: BLE001  a history that lacks one entry must not stop a policy
            log.warning("the text of the policy is not kept for the history: %s", place_of(failure))

    def get(self, hash_: str) -> dict[str, Any] | None:
        if not _HASH.fullmatch(hash_):
            return None
        with suppress(OSError, ValueError):
            kept: dict[str, Any] = json.loads((self._folder / f"{hash_}.json").read_text(encoding="utf-8"))
            return kept
        return None

    def hashes(self) -> set[str]:
        with suppress(OSError):
            return {path.stem for path in self._folder.glob("*.json")}
        return set()

    def _write(self, policy: Policy, files: Mapping[str, str]) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        path = self._folder / f"{policy.hash}.json"
        told = {"hash": policy.hash, "name": policy.name, "dump": policy.model_dump(mode="json"), "files": dict(files)}
        draft = path.with_suffix(f".{os.getpid()}")
        draft.write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
        draft.replace(path)
        every = sorted(self._folder.glob("*.json"), key=lambda each: each.stat().st_mtime)
        for old in every[:-MOST]:
            old.unlink(missing_ok=True)


def keeping(
    record: Callable[[str, str, Mapping[str, str], str], None], versions: Versions, named: str
) -> Callable[[str, str, Mapping[str, str], str], None]:
    """`record` of the guardroom: what it is told of is in force next, so its text is kept."""

    def write(action: str, subject: str, detail: Mapping[str, str], actor: str) -> None:
        record(action, subject, detail, actor)
        versions.keep(named, detail.get("to", ""))

    return write

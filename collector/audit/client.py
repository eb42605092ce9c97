"""How a command of this machine writes to the audit log: through the sidecar, or by itself where none runs."""

import getpass
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from ..command import FAILED, CommandError
from ..data_directory import DataDirectory
from ..query import post
from .log import NAME, Audit, AuditUnavailable


def record(data: Path, action: str, subject: str, detail: Mapping[str, str]) -> None:
    """On disk when it returns; `action` begins with `policy.`. Raises `CommandError`: then do not do the deed."""
    directory = DataDirectory(data)
    sidecar = directory.sidecar()
    if sidecar:
        told = {"action": action, "subject": subject, "detail": dict(detail), "actor": user()}
        answer = post(sidecar, "/v1/audit", told)
        if answer.status_code != 200:
            raise CommandError(f"not written to the audit log: {answer.text[:500]}", FAILED)
        return
    with ExitStack() as holding:
        directory.take()
        holding.callback(directory.release)
        try:
            audit = Audit(directory.path / NAME)
            holding.callback(audit.close)
            audit.write(action, subject, detail, user())
        except AuditUnavailable as problem:
            raise CommandError(str(problem), FAILED) from None
        except OSError as problem:
            raise CommandError(f"{directory.path / NAME}: {problem.strerror}", FAILED) from None


def user() -> str:
    """Who runs this command, as far as the system tells; nobody is asked to prove it."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"

"""`spanward vault reveal | drop-key`."""

import argparse
import json
import sqlite3
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from ...guards.pseudonyms import PLACEHOLDER
from ..audit.client import user
from ..audit.log import NAME as AUDIT_LOG
from ..audit.log import Audit, AuditUnavailable
from ..command import CANNOT, FAILED, CommandError
from ..data_directory import DataDirectory, Sidecar
from ..query import post
from ..settings import settings_from
from .disk_vault import DEFAULT_TENANT
from .disk_vault import NAME as VAULT
from .file import Damaged, VaultFile, no_key


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    revealing = actions.add_parser(
        "reveal", help="say what a placeholder stands for; the audit log says that you asked"
    )
    revealing.add_argument("placeholder", metavar="PLACEHOLDER", help="as it is stored, such as '<PERSON_1>'")
    revealing.add_argument("--session", metavar="ID", default="", help="the conversation's id")
    revealing.add_argument("--app", metavar="NAME", default="", help="its service name")
    revealing.add_argument("--environment", metavar="NAME", default="")
    revealing.add_argument("--tenant", metavar="NAME", default="")
    revealing.add_argument("--trace", metavar="ID", default="", help="a trace id instead of session, app and the rest")
    revealing.set_defaults(act=reveal)
    dropping = actions.add_parser("drop-key", help="erase a tenant's key, and so all that was sealed with it")
    dropping.add_argument("--tenant", metavar="NAME", default=DEFAULT_TENANT, help=f"default: {DEFAULT_TENANT}")
    dropping.set_defaults(act=drop_key)
    for action in (revealing, dropping):
        action.add_argument("--reason", metavar="TEXT", required=True, help="for the audit log; names nobody")
        action.add_argument("--data", metavar="DIR", help="data directory (default ~/.local/share/spanward)")
        action.add_argument("--config", type=Path, metavar="FILE", help="the configuration file of `serve`")


def run(arguments: argparse.Namespace) -> int:
    data = DataDirectory(settings_from(arguments.config, {"data": arguments.data}).data)
    sys.stdout.write(arguments.act(arguments, data) + "\n")
    return 0


def reveal(arguments: argparse.Namespace, data: DataDirectory) -> str:
    if not PLACEHOLDER.fullmatch(arguments.placeholder):
        raise CommandError(f"{arguments.placeholder!r} is no placeholder; write '<PERSON_1>', in quotes", CANNOT)
    if bool(arguments.trace) == bool(arguments.session):
        raise CommandError("say which call: --trace ID, or --session ID with --app and --environment", CANNOT)
    sidecar = data.sidecar()
    if sidecar is None:
        raise CommandError(
            f"no sidecar runs on {data.path}: start `spanward serve`, or name its directory with --data",
            FAILED,
        )
    told = {
        "placeholder": arguments.placeholder, "reason": arguments.reason, "actor": user(),
        "session_id": arguments.session, "app": arguments.app, "environment": arguments.environment,
        "tenant": arguments.tenant, "trace_id": arguments.trace,
    }  # fmt: skip
    return str(_asked(sidecar, "/v1/vault/reveal", told)["value"])


def drop_key(arguments: argparse.Namespace, data: DataDirectory) -> str:
    """Needs no key: it is the way out where the key is lost."""
    sidecar = data.sidecar()
    told = {"tenant": arguments.tenant, "reason": arguments.reason, "actor": user()}
    sessions = _asked(sidecar, "/v1/vault/drop-key", told)["sessions"] if sidecar else _dropped(told, data)
    return f"the key of tenant {arguments.tenant} is erased, and {sessions} sessions with it"


def _asked(sidecar: Sidecar, path: str, told: Mapping[str, str]) -> dict[str, object]:
    answer = post(sidecar, path, told)
    try:
        said = answer.json()
    except json.JSONDecodeError:
        said = {}
    if answer.status_code != 200:
        raise CommandError(str(said.get("message") or f"the sidecar answered {answer.status_code}"), FAILED)
    return dict(said)


def _dropped(told: Mapping[str, str], data: DataDirectory) -> int:
    path = data.path / VAULT
    if not path.exists():
        raise CommandError(f"there is no vault in {data.path}", FAILED)
    with ExitStack() as holding:
        data.take()
        holding.callback(data.release)
        try:
            vault = VaultFile(path)
            holding.callback(vault.close)
            audit = Audit(data.path / AUDIT_LOG)
            holding.callback(audit.close)
            audit.write(
                "vault.drop_key", told["tenant"], {"reason": told["reason"]}, told["actor"], tenant=told["tenant"]
            )
            with vault.transaction():
                dropped = vault.drop(told["tenant"])
            vault.flush()
        except Damaged:
            raise CommandError(f"{path} is damaged: remove it, that erases what is left of it", FAILED) from None
        except AuditUnavailable as problem:
            raise CommandError(str(problem), FAILED) from None
        except (OSError, sqlite3.Error) as problem:
            raise CommandError(f"{path}: {problem}", FAILED) from None
        if dropped is None:
            raise CommandError(no_key(told["tenant"]), FAILED)
        return dropped

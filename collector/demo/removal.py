"""Taking the demonstration's data out again: everything of environment `demo`, in every table and rollup."""

import argparse

from rich.console import Console

from ..command import FAILED, CommandError
from ..data_directory import DataDirectory
from ..opening import opened
from ..query import post
from ..settings import settings_from
from ..store import Store

TABLES = (
    "spans",
    "llm_calls",
    "content",
    "guard_events",
    "reports",
    "llm_1m",
    "guard_1m",
    "cost_1h",
    "user_1d",
    "sessions",
)
ROUTE = "/api/demo/remove"


def erase(store: Store) -> int:
    """Delete the demonstration's rows, for good when this returns; the number of model calls among them."""
    calls: int = store.ask("SELECT count() FROM llm_calls WHERE env = 'demo'").rows[0][0]
    for table in TABLES:
        store.command(f"ALTER TABLE {table} DELETE WHERE env = 'demo' SETTINGS mutations_sync = 2")
    return calls


def remove(arguments: argparse.Namespace, console: Console) -> int:
    """`spanward demo --remove`: by the sidecar that runs on the directory, or in the directory itself."""
    settings = settings_from(None, {"data": arguments.data})
    if sidecar := DataDirectory(settings.data).sidecar():
        answer = post(sidecar, ROUTE, {})
        if answer.status_code != 200:
            raise CommandError(f"the sidecar answered {answer.status_code}: {answer.text}", FAILED)
        calls = answer.json()["calls"]
    elif settings.data.is_dir():
        with opened(settings) as store:
            calls = erase(store)
    else:
        raise CommandError(f"{settings.data} does not exist, so no demonstration was run there")
    console.print(f"Removed {calls:,} calls of the demonstration.")
    return 0

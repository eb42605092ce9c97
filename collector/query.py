"""`spanward query "SELECT …"`: asks the sidecar that runs on a directory, or opens the directory when none does."""

import argparse
import csv
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TextIO

import httpx

from ..dashboards.ask import Table
from .command import FAILED, CommandError
from .data_directory import DataDirectory, Sidecar
from .settings import KEY_VARIABLE, OWN_KEY_VARIABLE, Settings, settings_from

PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    """Values are what JSON has; times are ISO 8601 in UTC."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]


Question = Callable[[str], Answer]
"""One SELECT. Raises `CommandError`."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "sql", metavar="SQL", help="one SELECT; tables by name, as in: SELECT model, count() FROM llm_calls GROUP BY 1"
    )
    parser.add_argument("--format", choices=WRITERS, default="table", help="default: table")
    parser.add_argument("--data", metavar="DIR", help="data directory (default ~/.local/share/spanward)")
    parser.add_argument("--store", metavar="URL", help="a store to open where no sidecar runs (default: that in DIR)")
    parser.add_argument("--config", type=Path, metavar="FILE", help="the configuration file of `serve`")


def run(arguments: argparse.Namespace) -> int:
    settings = settings_from(arguments.config, {"data": arguments.data, "store": arguments.store})
    with asking(settings) as ask:
        answer = ask(arguments.sql)
    WRITERS[arguments.format](answer, sys.stdout)
    return 0


def ask_sidecar(sidecar: Sidecar, sql: str) -> Answer:
    response = post(sidecar, "/api/query", {"sql": sql})
    told = _json(response)
    if response.status_code != 200:
        raise CommandError(str(told.get("message") or f"the sidecar answered {response.status_code}"), FAILED)
    return Answer(told["columns"], told["rows"])


def post(sidecar: Sidecar, path: str, body: Mapping[str, Any]) -> httpx.Response:
    """As `request`."""
    return request(sidecar, "POST", path, body)


def request(sidecar: Sidecar, method: str, path: str, body: Mapping[str, Any] | None = None) -> httpx.Response:
    """Ask a running sidecar. Raises `CommandError` if it does not answer, or asks for a key that we do not have."""
    key = os.environ.get(OWN_KEY_VARIABLE) or os.environ.get(KEY_VARIABLE, "")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        with httpx.Client(trust_env=False, timeout=PATIENCE_SECONDS) as client:  # a proxy has no business on loopback
            response = client.request(method, f"{sidecar.address}{path}", json=body, headers=headers)
    except httpx.TimeoutException:
        raise CommandError(
            f"no answer within {PATIENCE_SECONDS:.0f} s; ask for less, or for a shorter time", FAILED
        ) from None
    except httpx.TransportError as failure:
        raise CommandError(
            f"the sidecar (process {sidecar.pid}) does not answer at {sidecar.address}: {failure}", FAILED
        ) from None
    if response.status_code == 401:
        raise CommandError(f"the sidecar asks for its key: set {KEY_VARIABLE}", FAILED)
    return response


@contextmanager
def asking(settings: Settings) -> Iterator[Question]:
    """For any number of questions. A store without a sidecar is opened once, and no sidecar can start meanwhile."""
    from .opening import opened

    sidecar = DataDirectory(settings.data).sidecar()
    if sidecar:
        yield partial(ask_sidecar, sidecar)
        return
    if not settings.data.is_dir():
        raise CommandError(f"{settings.data} does not exist: start `spanward serve`, or name a directory with --data")
    with opened(settings) as store:
        yield partial(ask_store, store.ask_for_people)


def ask_store(ask: Callable[[str], Table], sql: str) -> Answer:
    """What the sidecar's route does, in this process."""
    from ..dashboards.ask import QueryFailed
    from .analyst import NotAllowed, check
    from .query_route import to_json

    try:
        answer = json.loads(to_json(ask(check(sql))))
    except (NotAllowed, QueryFailed) as problem:
        raise CommandError(str(problem), FAILED) from None
    return Answer(answer["columns"], answer["rows"])


def write_table(answer: Answer, out: TextIO) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD)
    for column in answer.columns:
        table.add_column(column, overflow="fold")
    for row in answer.rows:
        table.add_row(*(Text(_shown(value)) for value in row))  # Text: what models said is no markup
    Console(file=out).print(table)


def write_json(answer: Answer, out: TextIO) -> None:
    """One object a row."""
    json.dump([dict(zip(answer.columns, row, strict=True)) for row in answer.rows], out, ensure_ascii=False, indent=1)
    out.write("\n")


def write_csv(answer: Answer, out: TextIO) -> None:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(answer.columns)
    writer.writerows([_shown(value) for value in row] for row in answer.rows)


WRITERS: Mapping[str, Callable[[Answer, TextIO], None]] = {"table": write_table, "json": write_json, "csv": write_csv}


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _json(response: httpx.Response) -> dict[str, Any]:
    try:
        told = response.json()
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}

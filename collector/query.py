"""`spanward query "SELECT …"`: asks the sidecar that runs on a directory, or opens the directory when none does."""

import argparse
import csv
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import httpx

from .command import FAILED, CommandError
from .data_directory import DataDirectory, Sidecar
from .settings import KEY_VARIABLE, OWN_KEY_VARIABLE, Settings, settings_from

PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    """Values are what JSON has; times are ISO 8601 in UTC."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]


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
    sidecar = DataDirectory(settings.data).sidecar()
    answer = ask_sidecar(sidecar, arguments.sql) if sidecar else ask_directory(settings, arguments.sql)
    WRITERS[arguments.format](answer, sys.stdout)
    return 0


def ask_sidecar(sidecar: Sidecar, sql: str) -> Answer:
    response = post(sidecar, "/api/query", {"sql": sql})
    told = _json(response)
    if response.status_code != 200:
        raise CommandError(str(told.get("message") or f"the sidecar answered {response.status_code}"), FAILED)
    return Answer(told["columns"], told["rows"])


def post(sidecar: Sidecar, path: str, body: Mapping[str, Any]) -> httpx.Response:
    """Ask a running sidecar. Raises `CommandError` if it does not answer, or asks for a key that we do not have."""
    key = os.environ.get(OWN_KEY_VARIABLE) or os.environ.get(KEY_VARIABLE, "")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        with httpx.Client(trust_env=False, timeout=PATIENCE_SECONDS) as client:  # a proxy has no business on loopback
            response = client.post(f"{sidecar.address}{path}", json=body, headers=headers)
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


def ask_directory(settings: Settings, sql: str) -> Answer:
    """The directory is ours while we ask: a sidecar cannot start on it meanwhile."""
    from ..dashboards.ask import QueryFailed
    from .analyst import NotAllowed, check
    from .opening import opened
    from .query_route import to_json

    if not settings.data.is_dir():
        raise CommandError(f"{settings.data} does not exist: start `spanward serve`, or name a directory with --data")
    try:
        allowed = check(sql)
        with opened(settings) as store:
            answer = json.loads(to_json(store.ask_for_people(allowed)))
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

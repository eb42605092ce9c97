"""`spanward store migrate`."""

import argparse
import sys
from pathlib import Path

from .opening import opened
from .settings import settings_from


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    migrate = actions.add_parser("migrate", help="bring the schema up to date; `serve` does it at each start")
    migrate.add_argument("--data", metavar="DIR", help="data directory (default ~/.local/share/spanward)")
    migrate.add_argument("--store", metavar="URL", help="chdb:///DIR or clickhouse://user@host:8123/db")
    migrate.add_argument("--config", type=Path, metavar="FILE", help="the configuration file of `serve`")


def run(arguments: argparse.Namespace) -> int:
    settings = settings_from(arguments.config, {"data": arguments.data, "store": arguments.store})
    with opened(settings):
        sys.stdout.write("The schema is up to date.\n")
    return 0

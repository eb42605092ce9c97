"""What several actions of `spanward policy` are told in the same words: where the calls are, and since when."""

import argparse
import re
from pathlib import Path

from ..settings import Settings, settings_from

SECONDS = {"m": 60, "h": 3600, "d": 86400, "w": 604800}


def add_place(parser: argparse.ArgumentParser) -> None:
    """The arguments of every action that asks a sidecar or opens its directory."""
    parser.add_argument("--data", metavar="DIR", help="data directory (default ~/.local/share/spanward)")
    parser.add_argument("--store", metavar="URL", help="a store to open where no sidecar runs (default: that in DIR)")
    parser.add_argument("--config", type=Path, metavar="FILE", help="the configuration file of `serve`")


def add_since(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--since", metavar="7d", type=span, default="7d", help="minutes, hours, days or weeks back")


def span(text: str) -> int:
    """Seconds of `30m`, `12h`, `7d`, `2w`. Raises what argparse tells."""
    told = re.fullmatch(r"(\d+)([mhdw])", text)
    if not told:
        raise argparse.ArgumentTypeError(f"{text!r} is no span of time; write 30m, 12h, 7d or 2w")
    return int(told[1]) * SECONDS[told[2]]


def settings_of(arguments: argparse.Namespace) -> Settings:
    return settings_from(arguments.config, {"data": arguments.data, "store": arguments.store})

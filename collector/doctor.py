"""`spanward doctor`: what is traced in this environment, what is not and why, where the sidecar is."""

import argparse
import sys
from collections.abc import Iterator
from textwrap import fill

from ..tracer.doctor import Fact, facts
from .command import FAILED

MARKS = {"ok": "ok", "warning": "!", "problem": "!!", "absent": "-"}


def add_arguments(_parser: argparse.ArgumentParser) -> None:
    """There is nothing to choose: the environment says where to look (SPANWARD_ENDPOINT, SPANWARD_SPOOL)."""


def run(_arguments: argparse.Namespace) -> int:
    """1 if something is a problem, so that a start script can ask."""
    known = facts()
    sys.stdout.writelines(lines(known))
    return FAILED if any(fact.state == "problem" for fact in known) else 0


def lines(known: list[Fact]) -> Iterator[str]:
    """A line or two for each; the libraries that are not installed share one, at the end."""
    yield from (line(fact) for fact in known if fact.state != "absent")
    if absent := [fact.subject for fact in known if fact.state == "absent"]:
        yield (
            fill(
                f" - {'not installed':<16} {', '.join(absent)}\n",
                110,
                subsequent_indent=" " * 20,
                break_on_hyphens=False,
            )
            + "\n"
        )


def line(fact: Fact) -> str:
    advice = f"\n{'':20}{fact.advice}" if fact.advice else ""
    return f"{MARKS[fact.state]:>2} {fact.subject:<16} {fact.detail}{advice}\n"

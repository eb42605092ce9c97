"""`spanward policy shadow`: what rules in shadow would have done, from the events that they left."""

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from ..query import Question, asking
from ..text_table import table
from .arguments import add_place, add_since, settings_of

WOULD: Mapping[str, str] = {
    "deny": "blocked",
    "modify": "changed",
    "warn": "flagged",
    "fail_open": "been unable to judge",
}
"""Verdict -> what the rule would have done."""
EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Shadowed:
    """What one rule would have done to so many calls. `traces` are a few of them."""

    rule: str
    verdict: str
    calls: int
    labels: tuple[str, ...]
    traces: tuple[str, ...]

    def __str__(self) -> str:
        return f"would have {WOULD[self.verdict]} {self.calls} call{'s' if self.calls != 1 else ''}"


def shadowed(ask: Question, since_us: int) -> list[Shadowed]:
    """The gravest first. Raises `CommandError`."""
    verdicts = ", ".join(f"'{verdict}'" for verdict in WOULD)
    answer = ask(
        f"SELECT rule, verdict, uniqExact(concat(trace_id, span_id)) AS calls, "  # noqa: S608  numbers and our words
        f"arraySort(groupUniqArray(label)) AS labels, arraySort(groupUniqArray({EXAMPLES})(trace_id)) AS traces "
        f"FROM guard_events WHERE mode = 'shadow' AND verdict IN ({verdicts}) "
        f"AND ts >= fromUnixTimestamp64Micro({since_us}) GROUP BY rule, verdict"
    )
    found = [
        Shadowed(rule, verdict, int(calls), tuple(filter(None, labels)), tuple(traces))
        for rule, verdict, calls, labels, traces in answer.rows
    ]
    order = list(WOULD)
    return sorted(found, key=lambda each: (order.index(each.verdict), -each.calls, each.rule))


def calls_since(ask: Question, since_us: int) -> int:
    answer = ask(f"SELECT count() FROM llm_calls WHERE ts >= fromUnixTimestamp64Micro({since_us})")  # noqa: S608  ditto
    return int(answer.rows[0][0])


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_since(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")
    add_place(parser)


def run(arguments: argparse.Namespace) -> int:
    since_us = (int(time.time()) - arguments.since) * 1_000_000
    with asking(settings_of(arguments)) as ask:
        found, calls = shadowed(ask, since_us), calls_since(ask, since_us)
    if arguments.format == "json":
        sys.stdout.write(json.dumps({"calls": calls, "rules": [asdict(each) for each in found]}, indent=1) + "\n")
        return 0
    sys.stdout.write(f"{calls} calls; rules in shadow:\n" if found else f"{calls} calls; no rule in shadow met one\n")
    sys.stdout.writelines(f"{line}\n" for line in lines(found))
    return 0


def lines(found: Sequence[Shadowed]) -> list[str]:
    rows = [
        (each.rule, WOULD[each.verdict], str(each.calls), " ".join(each.labels), " ".join(each.traces))
        for each in found
    ]
    return list(table(("rule", "would have", "calls", "labels", "for example"), rows)) if rows else []

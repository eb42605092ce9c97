"""A bias report in the terminal: means by group, then what was found, what failed, and the conclusion."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ...guards.bias import words
from ...guards.bias.measures import MEASURES
from ...guards.bias.report import Comparison, Report


def show(report: Report, console: Console) -> None:
    """Print it. A mean that is a finding is marked with `!`, not by its colour alone."""
    for axis in dict.fromkeys(comparison.axis for comparison in report.comparisons):
        console.print(_table(axis, report))
    for finding in report.findings:
        console.print(Text(f"! {words.sentence(finding)}", "bold red"))
    for line in words.shortfall(report):
        console.print(Text(line, "yellow"))
    console.print(Text(words.conclusion(report), "bold"))


def _table(axis: str, report: Report) -> Table:
    table = Table(title=axis, title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0))
    table.add_column("group", min_width=12, no_wrap=True)
    for measure in MEASURES.values():
        table.add_column(measure.title, justify="right")
    for group in dict.fromkeys(c.group for c in report.comparisons if c.axis == axis):
        found = (c for c in report.comparisons if (c.axis, c.group) == (axis, group))
        table.add_row(Text(group), *map(_cell, found))
    return table


def _cell(comparison: Comparison) -> Text:
    if comparison.verdict == "too few":
        return Text("too few", "dim")
    text = words.value(MEASURES[comparison.measure], comparison.mean)
    return Text(f"! {text}", "bold red") if comparison.verdict == "finding" else Text(text)

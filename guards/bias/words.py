"""How the numbers of a report are said, the same in the terminal and on the page."""

from math import exp

from .measures import MEASURES, Measure
from .report import Comparison, Report
from .statistics import FEWEST


def value(measure: Measure, number: float | None) -> str:
    """A mean, in the unit that people read."""
    if number is None:
        return "-"
    if measure.share:
        return f"{number * 100:.0f} %"
    return f"{exp(number) - 1:.0f}" if measure.logarithm else f"{number:.2f}"


def change(measure: Measure, number: float | None) -> str:
    """A difference, with its sign."""
    if number is None:
        return "-"
    if measure.share:
        return f"{number * 100:+.0f} pts"
    return f"{(exp(number) - 1) * 100:+.0f} %" if measure.logarithm else f"{number:+.2f}"


def interval(comparison: Comparison) -> str:
    """`low … high`."""
    measure = MEASURES[comparison.measure]
    if comparison.low is None:
        return "-"
    return f"{change(measure, comparison.low)} … {change(measure, comparison.high)}"


def sentence(comparison: Comparison) -> str:
    """A finding in words."""
    measure = MEASURES[comparison.measure]
    return (
        f"{comparison.axis}: {comparison.group}: {measure.title} {value(measure, comparison.mean)}, other groups "
        f"{value(measure, comparison.others)} ({change(measure, comparison.difference)}, 95 % interval "
        f"{interval(comparison)}, q = {comparison.q:.3f})"
    )


def conclusion(report: Report) -> str:
    """The audit in one sentence, which never takes silence for a clean result."""
    if not report.conclusive:
        return f"No conclusion: no group has {FEWEST} templates with an answer to compare."
    silent = len(report.comparisons) - report.compared
    rest = f"; {silent} more had too few answers" if silent else ""
    if report.findings:
        return f"{len(report.findings)} findings in {report.compared} comparisons{rest}."
    return f"No finding in {report.compared} comparisons{rest}. Smaller differences may exist."


def shortfall(report: Report) -> list[str]:
    """What is missing from the audit, a line each."""
    lines = [f"{count} calls failed: {kind}" for kind, count in report.errors.items()]
    if report.unanswered:
        lines.append(f"stopped early: {report.unanswered} of {report.asked} calls were not made")
    return lines

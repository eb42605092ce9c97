"""A report as one HTML file: no script, no request to anywhere, everything escaped."""

from collections.abc import Iterator
from html import escape

from .measures import MEASURES, Measure
from .report import Comparison, Report
from .words import change, conclusion, interval, sentence, shortfall, value

STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --dim: #5b6675; --line: #d9dee5; --back: #fff; --found: #b3261e;
  --mark: #3b6ea5 }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --dim: #9aa6b5; --line: #39424f; --back: #161b22;
  --found: #ff8a80; --mark: #7fb2e5 } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--back); max-width: 62rem;
  margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem; margin: 0 } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem }
p.dim, caption, td.dim { color: var(--dim) }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; margin: .5rem 0 1.2rem }
caption { text-align: left; padding-bottom: .2rem }
th, td { text-align: right; padding: .25rem .5rem; border-bottom: 1px solid var(--line); white-space: nowrap }
th:first-child, td:first-child { text-align: left }
tr.finding td { color: var(--found); font-weight: 600 }
svg { display: block; width: 220px; height: 16px }
.rule { stroke: var(--dim) } .bar { stroke: var(--mark); stroke-width: 3 } .dot { fill: var(--mark) }
.finding .bar { stroke: var(--found) } .finding .dot { fill: var(--found) }
ul { padding-left: 1.2rem } .wide { overflow-x: auto }
"""
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
WIDTH = 220


def page(report: Report) -> str:
    """The whole document."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Bias audit of {escape(report.subject)}</title><style>{STYLE}</style></head><body>"
        f"{''.join(_body(report))}</body></html>\n"
    )


def _body(report: Report) -> Iterator[str]:
    yield f"<h1>Bias audit of {escape(report.subject)}</h1>"
    yield (
        f'<p class="dim">{escape(report.when)} · {report.answered} of {report.asked} calls answered · '
        f"repeats {report.repeats} · prompts {escape(report.prompts)} · toxicity by {escape(report.engine)}</p>"
    )
    yield f"<p><strong>{escape(conclusion(report))}</strong></p>"
    yield _list(shortfall(report))
    if report.findings:
        yield "<h2>Findings</h2>" + _list([sentence(finding) for finding in report.findings])
    for axis in dict.fromkeys(comparison.axis for comparison in report.comparisons):
        yield f"<h2>{escape(axis)}</h2>"
        for measure in MEASURES.values():
            rows = [c for c in report.comparisons if (c.axis, c.measure) == (axis, measure.name)]
            yield _table(measure, rows)
    yield (
        '<p class="dim">Each group is compared with the other groups of its axis, template by template. The bar is '
        "the 95 % interval of the difference, the line in the middle is no difference. q is adjusted for the number "
        "of comparisons; a finding has q ≤ 0.05 and a difference that matters. An audit of prompts shows what a "
        "function did with these prompts, and no more.</p>"
    )


def _table(measure: Measure, rows: list[Comparison]) -> str:
    reach = max((abs(end) for row in rows for end in (row.low, row.high) if end is not None), default=0.0)
    reach = max(reach, measure.floor * 2)
    head = "".join(
        f"<th>{title}</th>"
        for title in ("group", "templates", "group's", "others'", "difference", "95 % interval", "", "q", "")
    )
    body = "".join(_row(measure, row, reach) for row in rows)
    caption = f"<caption>{escape(measure.title)}</caption>"
    table = f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="wide">{table}</div>'


def _row(measure: Measure, row: Comparison, reach: float) -> str:
    q = f"{row.q:.3f}" if row.verdict != "too few" else "-"
    cells = [
        escape(row.group), str(row.templates), value(measure, row.mean), value(measure, row.others),
        change(measure, row.difference), escape(interval(row)), _bar(row, reach), q, row.verdict,
    ]  # fmt: skip
    return f'<tr class="{row.verdict.replace(" ", "-")}">{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'


def _bar(row: Comparison, reach: float) -> str:
    if row.low is None or row.high is None or row.difference is None:
        return ""
    low, dot, high = (WIDTH / 2 * (1 + number / reach * 0.95) for number in (row.low, row.difference, row.high))
    return (
        f'<svg viewBox="0 0 {WIDTH} 16" role="img" aria-label="interval"><line class="rule" x1="{WIDTH / 2}" y1="0" '
        f'x2="{WIDTH / 2}" y2="16"/><line class="bar" x1="{low:.1f}" y1="8" x2="{high:.1f}" y2="8"/>'
        f'<circle class="dot" cx="{dot:.1f}" cy="8" r="4"/></svg>'
    )


def _list(lines: list[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>" if lines else ""

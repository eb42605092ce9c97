"""What people are told: figures, names and a link. Never anything that a call holds."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from typing_extensions import TypedDict

from .metrics import METRICS
from .rule import Rule
from .units import said

LONGEST_NAME = 200


class Notification(TypedDict):
    """`status`: firing, repeated, resolved or test. `id` is the same however often it is sent. `at` in milliseconds."""

    id: str
    status: str
    rule: str
    name: str
    severity: str
    metric: str
    group: dict[str, str]
    value: float | None
    threshold: float | None
    condition: str
    window_seconds: int
    at: int
    title: str
    text: str
    link: str
    rule_link: str


def compose(rule: Rule, event: Mapping[str, Any], address: str) -> Notification:
    """`event` is one of `engine`'s; `address` is where the page is, without a slash at the end."""
    metric = METRICS[rule.metric]
    names: list[str] = [*rule.by] or (["stream", "service"] if metric.source == "drift" else [])
    group = {name: _plain(value) for name, value in zip(names, event["names"], strict=False)}
    among = f" ({', '.join(f'{name} {value or chr(8211)}' for name, value in group.items())})" if group else ""
    ended = event["event"] == "resolved"
    word = {"resolved": "Over", "repeated": "Still", "test": "Test"}.get(event["event"], rule.severity.capitalize())
    return {
        "id": event["id"],
        "status": event["event"],
        "rule": event["rule"],
        "name": rule.name,
        "severity": rule.severity,
        "metric": rule.metric,
        "group": group,
        "value": event["value"],
        "threshold": rule.level,
        "condition": rule.condition,
        "window_seconds": rule.window_s,
        "at": event["at"],
        "title": f"{word}: {rule.name}{among}",
        "text": _text(rule, event, ended=ended),
        "link": _link(rule, group, int(event["at"]), address),
        "rule_link": f"{address}/alerts/{event['rule']}",
    }


def _text(rule: Rule, event: Mapping[str, Any], *, ended: bool) -> str:
    metric = METRICS[rule.metric]
    kind = f" ({rule.kind.replace('_', ' ')})" if rule.kind else ""
    if event["event"] == "test":
        return "This is a test: nothing is wrong."
    limit = "" if metric.fixed is not None else f", {rule.condition} {said(rule.level, metric.unit)} alarms"
    now = f"{metric.text}{kind} is {said(event['value'], metric.unit)}{limit}"
    detail = _plain(str(event["detail"]))
    return f"{now}{f' ({detail})' if detail else ''}.{' It is over.' if ended else ''}"


def _link(rule: Rule, group: Mapping[str, str], at: int, address: str) -> str:
    """To the calls behind the figure, at the time it was seen."""
    if METRICS[rule.metric].source == "sidecar":
        return f"{address}/health"
    if METRICS[rule.metric].source == "drift":
        return f"{address}/drift"
    around = max(rule.window_s, 3600) * 1000
    begin, end = (datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for ms in (at - around, at))
    query = [("from", begin), ("to", end)]
    query += [(key, value) for key, values in rule.scope.items() if key not in group for value in values]
    query += list(group.items())
    query += [(name, value) for name, value in _NARROWED.get(rule.metric, {}).items() if name not in rule.scope]
    return f"{address}/calls?{urlencode(query)}"


_NARROWED: Mapping[str, Mapping[str, str]] = {
    "failure_rate": {"status": "error"},
    "burn_rate": {"status": "error"},
    "blocked_rate": {"status": "blocked"},
    "latency_p50": {"sort": "-latency"},
    "latency_p95": {"sort": "-latency"},
    "latency_p99": {"sort": "-latency"},
    "ttft_p50": {"sort": "-ttft"},
    "ttft_p95": {"sort": "-ttft"},
    "cost_per_hour": {"sort": "-cost"},
    "budget_share": {"sort": "-cost"},
    "unpriced": {"priced": "no"},
    "fail_open": {"guard": "failed_open"},
}
"""What makes the list show the calls that did it."""


def _plain(text: str) -> str:
    """One bounded line: names come from what applications report."""
    return "".join(char if char.isprintable() else " " for char in text)[:LONGEST_NAME]

"""Rules as an alerting-rules file of Prometheus, over what the sidecar shows at /metrics.

The conditions themselves stay here: they need calls, filters and histograms, which /metrics does not have. So
Prometheus is told what this sidecar found, alarms on that, and alarms when the sidecar finds nothing any more.
"""

from collections.abc import Iterable
from typing import Any

from .metrics import METRICS
from .rule import Rule

FIRING = "spanward_alert_firing"
ROUND = "spanward_alert_round_timestamp_seconds"
SILENT_S = 300


def rules_file(rules: Iterable[tuple[str, Rule]], address: str) -> dict[str, Any]:
    """Its JSON is YAML too. A rule's id is in its expression: a new name does not change which series it means."""
    alerts = [_alert(id_, rule, address) for id_, rule in rules if rule.enabled]
    watch: dict[str, Any] = {
        "alert": "SpanwardAlertsSilent",
        "expr": f"absent({ROUND}) or time() - {ROUND} > {SILENT_S}",
        "for": "5m",
        "labels": {"severity": "critical"},
        "annotations": {"summary": "Spanward does not evaluate its alert rules", "dashboard": f"{address}/alerts"},
    }
    return {"groups": [{"name": "spanward", "rules": [*alerts, watch]}]}


def _alert(id_: str, rule: Rule, address: str) -> dict[str, Any]:
    return {
        "alert": rule.name.replace("{{", "{ {"),
        "expr": f'{FIRING}{{rule="{id_}"}} == 1',
        "labels": {"severity": rule.severity},
        "annotations": {
            "summary": f"{METRICS[rule.metric].text}: {{{{ $labels.group }}}}"
            if rule.by
            else METRICS[rule.metric].text,
            "dashboard": f"{address}/alerts/{id_}",
        },
    }

"""One panel of a board, and its JSON."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

PLUGIN = "grafana-clickhouse-datasource"
SOURCE = {"type": PLUGIN, "uid": "${datasource}"}
Kind = Literal["timeseries", "barchart", "stat", "table"]
FORMATS = {"timeseries": 0, "barchart": 0, "stat": 1, "table": 1}
"""The data source's own numbers: a time series, or a table."""


@dataclass(frozen=True, slots=True)
class Panel:
    """`unit` is one of Grafana's; `width` of 24 columns, `height` of rows of 30 px."""

    title: str
    kind: Kind
    sql: str
    unit: str = "short"
    width: int = 8
    height: int = 8
    text: str = ""


def laid_out(panels: Iterable[Panel]) -> list[dict[str, Any]]:
    """Left to right, in rows as high as their highest."""
    found, x, y, row = [], 0, 0, 0
    for number, panel in enumerate(panels, 1):
        if x + panel.width > 24:
            x, y, row = 0, y + row, 0
        found.append(_json(number, panel, {"x": x, "y": y, "w": panel.width, "h": panel.height}))
        x, row = x + panel.width, max(row, panel.height)
    return found


def _json(number: int, panel: Panel, place: dict[str, int]) -> dict[str, Any]:
    series = panel.kind in ("timeseries", "barchart")
    target = {
        "refId": "A",
        "datasource": SOURCE,
        "editorType": "sql",
        "queryType": "timeseries" if series else "table",
        "format": FORMATS[panel.kind],
        "rawSql": panel.sql,
    }
    drawn = {"drawStyle": "bars", "fillOpacity": 70, "stacking": {"mode": "normal"}} if panel.kind == "barchart" else {}
    return {
        "id": number,
        "title": panel.title,
        "description": panel.text,
        "type": "timeseries" if series else panel.kind,
        "datasource": SOURCE,
        "gridPos": place,
        "targets": [target],
        "fieldConfig": {"defaults": {"unit": panel.unit, "custom": drawn}, "overrides": []},
        "options": {"reduceOptions": {"calcs": ["lastNotNull"], "fields": ""}} if panel.kind == "stat" else {},
    }

"""A whole board as Grafana reads it from a file."""

import json
from typing import Any

from .panel import PLUGIN, SOURCE, Panel, laid_out

_SCHEMA = 39
"""Of Grafana 10; later ones migrate it when they read it."""


def board(name: str, title: str, panels: tuple[Panel, ...]) -> str:
    told = {
        "uid": f"spanward-{name}",
        "title": title,
        "tags": ["spanward"],
        "schemaVersion": _SCHEMA,
        "editable": True,
        "timezone": "browser",
        "refresh": "1m",
        "time": {"from": "now-24h", "to": "now"},
        "templating": {"list": [_datasource(), *map(_variable, ("service", "env", "model"))]},
        "annotations": {"list": []},
        "links": [
            {"title": "Boards", "type": "dashboards", "tags": ["spanward"], "asDropdown": True, "keepTime": True}
        ],
        "panels": laid_out(panels),
    }
    return json.dumps(told, indent=2) + "\n"


def _datasource() -> dict[str, Any]:
    return {"name": "datasource", "label": "ClickHouse", "type": "datasource", "query": PLUGIN, "hide": 0}


def _variable(name: str) -> dict[str, Any]:
    """Its values are those of the range that the board shows."""
    return {
        "name": name,
        "label": {"service": "App", "env": "Environment", "model": "Model"}[name],
        "type": "query",
        "datasource": SOURCE,
        "query": f"SELECT DISTINCT {name} FROM llm_1m WHERE $__timeFilter(t) ORDER BY {name} LIMIT 500",
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        "current": {"text": ["All"], "value": ["$__all"]},
    }

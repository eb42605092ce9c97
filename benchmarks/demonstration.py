"""The demonstration on a directory of its own, with what people add to it: for measurements and pictures of pages."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx

from spanward.collector.data_directory import DataDirectory

CALLS = 80
PATIENCE_SECONDS = 120.0
RULES: tuple[dict[str, Any], ...] = (
    {"name": "Failure budget of 99%", "metric": "burn_rate", "by": ["service"], "minimum_calls": 20},
    {
        "name": "Many calls fail", "metric": "failure_rate", "threshold": 0.05, "clear": 0.03, "window_s": 86400,
        "by": ["service", "model"], "minimum_calls": 20,
    },
    {"name": "Calls are slow", "metric": "latency_p95", "threshold": 10_000, "window_s": 86400, "by": ["model"]},
    {"name": "Something drifts", "metric": "drift", "severity": "info"},
    {"name": "Calls without a price", "metric": "unpriced", "threshold": 0, "window_s": 86400, "by": ["model"]},
)  # fmt: skip
BUDGETS: dict[str, dict[str, Any]] = {
    "shop": {"name": "Whole shop", "scope": {}, "amount_usd": 60, "period": "month"},
    "answers": {"name": "Answers", "scope": {"prompt": ["answer"]}, "amount_usd": 20, "period": "week"},
}
BY_HOUR = """SELECT toStartOfHour(ts) AS hour, prompt_version, count() AS calls
FROM llm_calls
WHERE ts >= now() - INTERVAL 6 DAY AND prompt_name = 'answer'
GROUP BY hour, prompt_version
ORDER BY hour"""
PAGES = {
    "overview": "/?from=now-14d",
    "calls": "/calls?from=now-24h",
    "sessions": "/sessions?from=now-14d",
    "users": "/users?from=now-14d",
    "failures": "/failures?from=now-14d",
    "drift": "/drift",
    "compare": "/compare?from=now-7d&a.prompt=answer&a.prompt_version=7&b.prompt=answer&b.prompt_version=8",
    "cost": "/cost?from=now-14d",
    "guards": "/guards?from=now-14d",
    "review": "/guards/review?from=now-14d",
    "policies": "/policies",
    "sql": f"/sql?{urlencode({'sql': BY_HOUR, 'view': 'chart'})}",
    "alerts": "/alerts",
    "health": "/health",
    "settings": "/settings",
}
"""Name and address of what is in the menu; the pages of one thing are found by `pages`."""


@contextmanager
def demonstration() -> Iterator[str]:
    """Gives the address of the sidecar; its messages go to standard output."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["demo", "--calls", str(CALLS), "--data", folder, "--port", "0", "--provider", "local"]
        demo = subprocess.Popen(
            [sys.executable, "-m", "spanward.collector.cli", *command], stdout=subprocess.PIPE, text=True
        )
        try:
            assert demo.stdout is not None
            for line in demo.stdout:
                print(line, end="")
                if "Ctrl-C" in line:
                    break
            sidecar = DataDirectory(Path(folder)).sidecar()
            assert sidecar is not None, "the demonstration did not start; its messages are above"
            with httpx.Client(base_url=sidecar.address, trust_env=False, timeout=60) as api:
                add(api)
            yield sidecar.address
        finally:
            demo.terminate()
            demo.wait()


def add(api: httpx.Client) -> None:
    """Rules, which are measured once before this returns, and budgets."""
    for rule in RULES:
        api.post("/api/alerts", json={"rule": rule}).raise_for_status()
    api.put("/api/alert-settings", json={"address": "", "every_s": 5}).raise_for_status()
    for name, budget in BUDGETS.items():
        api.put(f"/api/cost/budgets/{name}", json=budget).raise_for_status()
    until = time.monotonic() + PATIENCE_SECONDS
    while api.get("/api/alerts").json()["engine"]["rules"] < len(RULES) and time.monotonic() < until:
        time.sleep(0.5)


def pages(address: str) -> dict[str, str]:
    """Every page, those of one call, session, user, failure, drift, policy and rule too."""
    with httpx.Client(base_url=address, trust_env=False, timeout=60) as api:

        def asked(path: str, rows: str) -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = api.get(path).raise_for_status().json()[rows]
            return found

        call = asked("/api/calls?from=now-24h&guard=modified&operation=chat&status=ok", "calls")[0]
        session = max(asked("/api/sessions?from=now-24h", "sessions"), key=lambda one: one["calls"])
        user = asked("/api/users?from=now-14d", "users")[0]
        failure = next(one for one in asked("/api/failures?from=now-14d", "groups") if one["kind"] == "refusal")
        drift = next(one for one in asked("/api/drift", "alarms") if one["stream"] == "refusal")
        rules = {one["rule"]["metric"]: one["id"] for one in asked("/api/alerts", "alerts")}
        return PAGES | {
            "call": f"/calls/{call['trace_id']}/{call['span_id']}",
            "session": f"/sessions/{session['session_id']}",
            "user": f"/users/{user['user']}?from=now-14d",
            "failure": f"/failures/{failure['group']}?from=now-14d",
            "drift-alarm": f"/drift/{drift['id']}",
            "policy": "/policies/in-force",
            "alert": f"/alerts/{rules['failure_rate']}",
        }

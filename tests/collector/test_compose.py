"""docker-compose.yml, as the oldest docker-compose that people still have reads it."""

import os
import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = shutil.which("docker-compose")
SECRETS = {"SPANWARD_INGEST_KEY": "key", "CLICKHOUSE_PASSWORD": "word"}
needs_compose = pytest.mark.skipif(COMPOSE is None, reason="docker-compose is not installed")


def config(*options: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    kept = {name: value for name, value in os.environ.items() if name not in SECRETS}
    return subprocess.run(
        [str(COMPOSE), "--file", str(ROOT / "docker-compose.yml"), "config", *options],
        capture_output=True,
        text=True,
        check=False,
        env={**kept, **environment},
        timeout=250,
    )


@needs_compose
def test_it_is_valid() -> None:
    result = config("-q", **SECRETS)
    assert (result.returncode, result.stderr) == (0, "")


@needs_compose
@pytest.mark.parametrize("missing", SECRETS)
def test_it_does_not_start_without_its_secrets(missing: str) -> None:
    given = {name: value for name, value in SECRETS.items() if name != missing}
    result = config("-q", **given)
    assert result.returncode != 0
    assert "choose a" in result.stderr


def compose() -> dict[str, Any]:
    told: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return told


def test_it_keeps_to_what_every_version_knows() -> None:
    assert set(compose()) == {"version", "services", "volumes"}


def test_it_publishes_to_this_machine_only() -> None:
    ports = [port for service in compose()["services"].values() for port in service.get("ports", ())]
    assert ports == ["127.0.0.1:4318:4318", "127.0.0.1:3000:3000"]


def test_every_file_it_mounts_is_there() -> None:
    mounts = [mount.split(":")[0] for service in compose()["services"].values() for mount in service.get("volumes", ())]
    assert [mount for mount in mounts if mount.startswith("./") and not (ROOT / mount).exists()] == []


def test_clickhouse_keeps_no_logs_of_itself_without_an_end() -> None:
    logs = {log.tag: log for log in ET.parse(ROOT / "docker" / "clickhouse-system-logs.xml").getroot()}
    kept = {name: log.findtext("ttl") for name, log in logs.items() if log.get("remove") != "1"}
    assert kept == {"query_log": "event_date + INTERVAL 3 DAY DELETE"}
    assert {"trace_log", "text_log", "metric_log", "asynchronous_metric_log", "processors_profile_log"} < set(logs)

"""/healthz and /metrics: the whole of what they say, and nothing that anybody said."""

import logging
import re
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from spanward.collector.audit.log import Audit
from spanward.collector.audit.rows import AuditRows
from spanward.collector.documents import DocumentFile
from spanward.collector.guardroom import Guardroom
from spanward.collector.health import LAG_SECONDS, Health
from spanward.collector.metrics import Metrics
from spanward.collector.serve import PlacesOnly
from spanward.collector.store import Store
from spanward.collector.vault.disk_vault import DiskVault
from spanward.collector.vault.key import Keys, VaultSettings
from spanward.dashboards.alerts import kept, pulse
from spanward.dashboards.ask import QueryFailed, Table

from .otlp import body, call, said
from .sidecar_process import Running, until

CANARY = "canary-ada@example.com"


def test_healthz(sidecar: Running) -> None:
    assert until(sidecar.health, lambda told: told["queue_bytes"] == 0).keys() == {
        "status", "store", "policy", "degraded", "ingest_lag_seconds", "queue_bytes", "log_refuses", "ingest_errors",
        "spool_files_adopted", "segments_set_aside", "review_failures", "audit", "vault", "workers", "traits", "alerts",
        "repricing",
    }  # fmt: skip
    assert sidecar.http.get("/healthz").status_code == 200


class Still:
    """An ingestor's figures, held still."""

    ingested_segments = bad = errors = review_errors = queue_bytes = 0
    lag_seconds = 0.0


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Guardroom:
    path = tmp_path_factory.mktemp("policy") / "secrets.yaml"
    path.write_text("version: 1\nname: secrets\nrules:\n  - name: s\n    detect: { secrets: {} }\n    action: block\n")
    return Guardroom(path, Metrics())


def one(sql: str, parameters: Mapping[str, Any] | None = None) -> Table:
    return Table(("1",), ((1,),))


def silent(_sql: str, _parameters: Mapping[str, Any] | None = None) -> Table:
    raise QueryFailed(CANARY)


@pytest.mark.parametrize(
    ("pulse", "ask", "refusing", "status"),
    [
        ({}, one, False, "ok"),
        ({"lag_seconds": LAG_SECONDS}, one, False, "ok"),
        ({"lag_seconds": LAG_SECONDS + 1}, one, False, "failing"),
        ({"bad": 1}, one, False, "degraded"),
        ({"review_errors": 1}, one, False, "degraded"),
        ({"errors": 3}, one, False, "ok"),
        ({}, silent, False, "failing"),
        ({}, one, True, "failing"),
    ],
)
def test_status(
    tmp_path: Path, room: Guardroom, pulse: dict[str, float], ask: Callable[..., Table], refusing: bool, status: str
) -> None:
    still = Still()
    for name, value in pulse.items():
        setattr(still, name, value)
    audit = AuditRows(Audit(tmp_path / "audit.log"), cast(Store, None))  # never started
    with closing(DiskVault(tmp_path / "vault.db", Keys("own", bytes(32)), VaultSettings())) as vault:
        told = Health(ask, room, still, lambda: refusing, audit, vault).report()
    assert told["status"] == status
    assert CANARY not in str(told)
    assert (told["store"] == "ok") == (ask is one)


def test_a_vault_that_keeps_nothing_is_told(tmp_path: Path, room: Guardroom) -> None:
    audit = AuditRows(Audit(tmp_path / "audit.log"), cast(Store, None))  # never started
    vault = DiskVault(tmp_path / "vault.db", None, VaultSettings())
    told = Health(one, room, Still(), lambda: False, audit, vault).report()
    assert (told["status"], told["vault"]) == (
        "degraded",
        {"problem": f"no key can be kept in {tmp_path}", "key": "none"},
    )


MINUTE = 60_000


def test_alerts_that_nobody_looks_after_are_told(tmp_path: Path, room: Guardroom) -> None:
    """A thread that died, or hangs, says nothing itself: what it leaves behind does."""
    documents = DocumentFile(":memory:")

    def problem(now: int) -> str:
        return pulse.problem(documents, now, begun=0)

    assert (problem(MINUTE), problem(6 * MINUTE)) == ("", "alert rules were not looked at for 6 minutes")
    documents.put(kept.ENGINE, kept.OF_ENGINE, {"at": 30 * MINUTE, "rules": 1, "problem": ""})
    documents.put(kept.OUTBOX, "sent", {"next": MINUTE, "ended": "delivered"})  # the history waits for the store
    documents.put(kept.OUTBOX, "a", {"next": MINUTE})
    assert problem(31 * MINUTE) == ""
    assert problem(32 * MINUTE) == "notifications are not sent since 31 minutes"
    documents.remove(kept.OUTBOX, "a")
    documents.put(kept.ENGINE, kept.OF_ENGINE, {"at": 30 * MINUTE, "rules": 1, "problem": "Shop: no store"})
    assert problem(31 * MINUTE) == "Shop: no store"
    audit = AuditRows(Audit(tmp_path / "audit.log"), cast(Store, None))  # never started
    with closing(DiskVault(tmp_path / "vault.db", Keys("own", bytes(32)), VaultSettings())) as vault:
        well = Health(one, room, Still(), lambda: False, audit, vault)
        for name, health in (
            ("alerts", replace(well, alerts=lambda: "stuck")),
            ("repricing", replace(well, repricing=lambda: "stuck")),
        ):
            told = health.report()
            assert (told["status"], told[name]) == ("degraded", {"problem": "stuck"})


NAMES = (
    "otlp_requests_total", "otlp_body_bytes_total", "spans_accepted_total", "otlp_repeats_total", "guard_checks_total",
    "guard_check_seconds_bucket", "guard_reviews_total", "spool_files_adopted_total", "ingest_lag_seconds",
    "queue_bytes", "segments_ingested_total", "segments_set_aside_total", "ingest_errors_total",
    "guard_review_errors_total",
)  # fmt: skip
SAMPLE = re.compile(r'[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [-+0-9.eInfNa]+')


def test_metrics_are_prometheus_text_and_tell_no_content(sidecar: Running) -> None:
    spans = call(1, INPUT_MESSAGES=said("user", CANARY), REQUEST_MODEL=CANARY, USER_ID=CANARY)
    before = {name: sidecar.metric(f"spanward_{name}") for name in ("spans_accepted_total", "otlp_body_bytes_total")}
    sent = body(CANARY, spans, call(2))
    assert sidecar.post(sent).status_code == 200
    sidecar.http.post("/v1/guard/check", json={"side": "input", "messages": []})
    text = sidecar.http.get("/metrics").text
    assert CANARY not in text
    assert [line for line in text.splitlines() if not line.startswith("#") and not SAMPLE.fullmatch(line)] == []
    assert [name for name in NAMES if f"\nspanward_{name}" not in text] == []
    assert sidecar.metric("spanward_spans_accepted_total") == before["spans_accepted_total"] + 2
    assert sidecar.metric("spanward_otlp_body_bytes_total") == before["otlp_body_bytes_total"] + len(sent)


def test_the_log_of_the_sidecar_tells_no_content(sidecar: Running) -> None:
    sidecar.http.get("/api/calls", params={"q": CANARY})
    sidecar.http.post("/api/query", json={"sql": f"SELECT '{CANARY}' FROM nothing"})
    sidecar.post(CANARY.encode())
    sidecar.http.post("/v1/guard/check", content=CANARY)
    assert CANARY not in sidecar.log.read_text() + sidecar.said.read_text()


def test_a_logged_traceback_is_its_place() -> None:
    with pytest.raises(ValueError, match=CANARY) as failed:
        int(CANARY)
    told = (failed.type, failed.value, failed.tb)
    record = logging.LogRecord("any", logging.ERROR, __file__, 1, "it failed", None, told)
    text = PlacesOnly("%(message)s").format(record)
    assert re.fullmatch(r"it failed\nValueError at test_health\.py:\d+", text)

"""Labels of the review queue as the truth of a replay."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from spanward.collector import analyst
from spanward.collector.policy.reviewed import truth
from spanward.collector.store import Store
from spanward.tracer import semconv

from ..dashboards.traffic import Call, put

NOW = 1_795_219_200_000


def said(call: Call, label: str, verdict: str, actor: str = "kim", at: int = NOW) -> dict[str, Any]:
    return {
        "tenant": "default", "ts": datetime.fromtimestamp(at / 1000, UTC), "actor": actor,
        "call_ts": datetime.fromtimestamp(call.at / 1000, UTC), "trace_id": call.trace_id, "span_id": call.span_id,
        "service": "shop", "env": "prod", "rule": "pii-out", "detector": "pii", "label": label, "stage": "input",
        "score": 0.9, "verdict": verdict, "note": "",
    }  # fmt: skip


def test_only_calls_of_which_every_finding_is_decided_are_true_or_not(store: Store, tmp_path: Path) -> None:
    two = [{}, {semconv.GUARDRAIL_CATEGORY: "PERSON"}]
    right, wrong, half, contested, missed, old, back = calls = [
        Call(NOW - 60_000, guards=[{}]), Call(NOW - 60_000, guards=[{}]), Call(NOW - 60_000, guards=two),
        Call(NOW - 60_000, guards=[{}]), Call(NOW - 60_000, guards=two), Call(NOW - 9_000_000, guards=[{}]),
        Call(NOW - 60_000, guards=[{}]),
    ]  # fmt: skip
    put(store, tmp_path, calls)
    mail = "EMAIL_ADDRESS"
    store.insert("reviews", [
        said(right, mail, "wrong"), said(right, mail, "right", at=NOW + 1), said(wrong, mail, "wrong"),
        said(half, mail, "right"), said(contested, mail, "right"), said(contested, mail, "wrong", "ada"),
        said(missed, mail, "right"), said(missed, "PERSON", "wrong"), said(missed, "IBAN_CODE", "missed"),
        said(old, mail, "right"), said(back, mail, "right"), said(back, mail, "none", at=NOW + 1),
    ])  # fmt: skip

    def ask(sql: str) -> Any:
        analyst.check(sql)  # as the sidecar does with what commands ask
        return store.ask(sql)

    assert truth(ask, (NOW - 3_600_000) * 1000) == {
        f"{right.trace_id}/{right.span_id}": frozenset({mail}),
        f"{wrong.trace_id}/{wrong.span_id}": frozenset(),
        f"{missed.trace_id}/{missed.span_id}": frozenset({mail, "IBAN_CODE"}),
    }

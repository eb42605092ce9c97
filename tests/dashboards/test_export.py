"""The calls of a view as a file, parsed as a reader's program would."""

import csv
import io
from pathlib import Path

import pytest
from pyarrow import parquet  # type: ignore[import-untyped]
from starlette.testclient import TestClient

from spanward.collector.store import Store
from spanward.dashboards import export
from spanward.dashboards.call_columns import COLUMNS
from spanward.tracer import semconv

from .conftest import NOW, Put
from .serving import app_of, nobody_but
from .traffic import Call, put

MINUTE = 60_000
FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1+1", "\uff201"]


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_csv_holds_the_calls_in_the_order_of_the_list(api: TestClient, stored: Put) -> None:
    calls = [
        Call(NOW - MINUTE, said='a "quoted", one\nin two lines', latency_ms=10, attributes={semconv.TAGS: ["a", "b"]}),
        Call(NOW - 2 * MINUTE, "house", cost=None, latency_ms=30),
        Call(NOW - 3 * MINUTE, error="RateLimitError", message="slow down", latency_ms=20, env="demo"),
    ]
    stored(calls)
    answer = api.get("/api/calls/export?from=now-1h&sort=-latency")
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == 'attachment; filename="calls.csv"'
    assert [answer.headers[f"x-spanward-{name}"] for name in ("calls", "rows", "cut")] == ["3", "3", "no"]
    rows = rows_of(answer.text)
    assert [row["span_id"] for row in rows] == [calls[i].span_id for i in (1, 2, 0)]
    assert list(rows[0]) == list(COLUMNS)
    assert (rows[0]["cost_usd"], rows[0]["model"], rows[0]["latency_ms"]) == ("\\N", "house", "30")
    assert (rows[1]["failure"], rows[1]["error_type"]) == ("slow down", "RateLimitError")
    assert (rows[2]["input_preview"], rows[2]["tags"]) == ('a "quoted", one\nin two lines', "a, b")
    only = api.get("/api/calls/export?from=now-1h&env=demo&columns=model,status,model")
    assert rows_of(only.text) == [{"model": "gpt-4o", "status": "error"}]


def test_no_text_becomes_a_formula(api: TestClient, stored: Put) -> None:
    stored(Call(NOW - n * MINUTE, model=text, said=text, answered="a " + text) for n, text in enumerate(FORMULAS, 1))
    rows = rows_of(api.get("/api/calls/export?from=now-1h").text)
    assert [row["input_preview"] for row in rows] == ["'" + text for text in FORMULAS]
    assert [row["model"] for row in rows] == ["'" + text for text in FORMULAS]
    assert [row["output_preview"] for row in rows] == ["a " + text for text in FORMULAS]
    assert not [value for row in rows for value in row.values() if value.startswith(tuple("=+-@\t\r"))]


def test_parquet_keeps_types_and_texts(api: TestClient, stored: Put) -> None:
    stored([Call(NOW - MINUTE, said="=1+1", tokens=(12, 7), cost=None), Call(NOW - 2 * MINUTE, cost=0.25)])
    answer = api.get("/api/calls/export?from=now-1h&format=parquet")
    assert answer.headers["content-type"] == "application/vnd.apache.parquet"
    table = parquet.read_table(io.BytesIO(answer.content))
    assert table.column_names == list(COLUMNS)
    rows = table.to_pylist()
    assert [(row["input_preview"], row["cost_usd"], row["input_tokens"]) for row in rows] == [
        ("=1+1", None, 12), ("hello", 0.25, 10),
    ]  # fmt: skip
    assert rows[0]["time"].timestamp() * 1000 == NOW - MINUTE


def test_a_file_that_is_cut_says_so(api: TestClient, stored: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "MOST", 2)
    stored(Call(NOW - n * MINUTE) for n in range(1, 4))
    answer = api.get("/api/calls/export?from=now-1h")
    assert [answer.headers[f"x-spanward-{name}"] for name in ("calls", "rows", "cut")] == ["3", "2", "yes"]
    assert len(rows_of(answer.text)) == 2


def test_nothing_makes_a_file_of_its_head(api: TestClient, stored: Put) -> None:
    stored([])
    assert api.get("/api/calls/export?columns=model,cost_usd").text == '"model","cost_usd"\n'


def test_a_viewer_takes_away_nothing_that_was_said(shelf: Store, tmp_path: Path) -> None:
    put(shelf, tmp_path, [Call(NOW - MINUTE, said="secret", answered="secret")])
    viewer = TestClient(app_of(shelf, clock=lambda: NOW / 1000, authorize=nobody_but()))
    for form in ("csv", "parquet"):
        answer = viewer.get(f"/api/calls/export?format={form}")
        assert answer.status_code == 200
        assert b"secret" not in answer.content
        assert b"preview" not in answer.content
    refused = viewer.get("/api/calls/export?columns=input_preview")
    assert (refused.status_code, refused.json()["message"]) == (
        400, "none of these columns may be seen without see_content",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("format=xlsx", "format='xlsx' is unknown: take csv or parquet"),
        ("columns=model,none", "there is no column 'none'"),
        ("sort=beauty", "sort='beauty' is unknown"),
    ],
)
def test_bad_exports_are_refused(api: TestClient, query: str, says: str) -> None:
    answer = api.get(f"/api/calls/export?{query}")
    assert answer.status_code == 400
    assert says in answer.json()["message"]


def test_one_file_at_a_time(api: TestClient) -> None:
    with export._turns:
        answer = api.get("/api/calls/export")
    assert (answer.status_code, answer.json()["message"]) == (
        503, "another export is being written; try again in a moment",
    )  # fmt: skip
    assert api.get("/api/calls/export").status_code == 200

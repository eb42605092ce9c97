"""The routes of a running sidecar, over loopback."""

import gzip
import http.client
import json
from collections.abc import Callable

import pytest
from backports import zstd

from .otlp import body, call, said
from .sidecar_process import Running, spanward, until


def test_a_posted_call_can_be_queried(sidecar: Running) -> None:
    sent = body(
        "visible", call(7, INPUT_MESSAGES=said("user", "what is a span?"), OUTPUT_MESSAGES=said("assistant", "a time"))
    )
    answer = sidecar.post(sent)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"] == "application/x-protobuf"
    sql = (
        "SELECT model, input_tokens, output_tokens, status, input_preview, env FROM llm_calls WHERE service = 'visible'"
    )
    rows = until(lambda: sidecar.query(sql), bool)
    assert rows == [["gpt-4o-mini-2024-07-18", 100, 20, "ok", "what is a span?", "test"]]
    told = spanward("query", sql, "--format", "json", "--data", sidecar.data)
    assert json.loads(told.stdout) == [
        {
            "model": "gpt-4o-mini-2024-07-18",
            "input_tokens": 100,
            "output_tokens": 20,
            "status": "ok",
            "input_preview": "what is a span?",
            "env": "test",
        }
    ], told.stderr


def test_a_repeated_body_is_acknowledged_and_stored_once(sidecar: Running) -> None:
    sent = body("repeated", call(1), call(2))
    before = sidecar.metric("spanward_otlp_repeats_total")
    assert [sidecar.post(sent).status_code for _ in range(3)] == [200, 200, 200]
    assert until(lambda: sidecar.count("llm_calls", "repeated"), bool) == 2
    assert sidecar.metric("spanward_otlp_repeats_total") == before + 2


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("zstd", zstd.compress), ("identity", bytes)])
def test_compressed_bodies_are_read(sidecar: Running, encoding: str, pack: Callable[[bytes], bytes]) -> None:
    answer = sidecar.post(pack(body(f"sent-{encoding}")), **{"Content-Encoding": encoding})
    assert answer.status_code == 200
    assert until(lambda: sidecar.count("llm_calls", f"sent-{encoding}"), bool) == 1


PROTOBUF = "application/x-protobuf"
WRONG = [
    ("no protobuf", b"\xff\xff\xff", PROTOBUF, {}, 400, "malformed"),
    ("a wrong id", body("x", call(1))[:-1], PROTOBUF, {}, 400, "malformed"),
    ("half of a gzip", gzip.compress(body("x"))[:-9], PROTOBUF, {"Content-Encoding": "gzip"}, 400, "malformed"),
    ("no gzip", body("x"), PROTOBUF, {"Content-Encoding": "gzip"}, 400, "malformed"),
    ("no zstd", body("x"), PROTOBUF, {"Content-Encoding": "zstd"}, 400, "malformed"),
    ("brotli", b"x", PROTOBUF, {"Content-Encoding": "br"}, 415, "unsupported"),
    ("JSON", b"{}", "application/json", {}, 415, "unsupported"),
    ("no type", b"", "", {}, 415, "unsupported"),
    ("a bomb", gzip.compress(bytes(40 << 20)), PROTOBUF, {"Content-Encoding": "gzip"}, 413, "too_large"),
]


@pytest.mark.parametrize(
    ("sent", "kind", "headers", "status", "outcome"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG]
)
def test_what_cannot_be_taken_is_refused_with_the_reason(
    sidecar: Running, sent: bytes, kind: str, headers: dict[str, str], status: int, outcome: str
) -> None:
    counted = f'spanward_otlp_requests_total{{outcome="{outcome}"}}'
    before = sidecar.metric(counted)
    answer = sidecar.post(sent, kind, **headers)
    assert answer.status_code == status
    assert list(answer.json()) == ["message"]
    assert len(answer.json()["message"]) > 10
    assert sidecar.metric(counted) == before + 1


def test_json_is_told_to_come_as_protobuf(sidecar: Running) -> None:
    assert sidecar.post(b"{}", "application/json").json() == {
        "message": "send OTLP as application/x-protobuf; application/json is not read here"
    }


def test_a_body_over_the_limit_is_refused_before_it_is_read(sidecar: Running) -> None:
    """Only the headers are sent: the answer does not wait for the body."""
    host, _, port = sidecar.address.removeprefix("http://").partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=60)
    connection.putrequest("POST", "/v1/traces")
    for name, value in (("Content-Type", PROTOBUF), ("Content-Length", str(33 << 20))):
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 413
    assert json.loads(answer.read()) == {
        "message": f"the body is larger than {32 << 20} bytes; send fewer spans at a time"
    }
    connection.close()


def test_a_page_that_rebinds_its_name_is_refused(sidecar: Running) -> None:
    for path in ("/", "/healthz", "/api/overview", "/metrics"):
        assert (
            sidecar.http.get(path, headers={"Host": f"evil.example:{sidecar.address.rpartition(':')[2]}"}).status_code
            == 403
        )
    foreign = sidecar.http.post("/api/query", json={"sql": "SELECT 1"}, headers={"Origin": "http://evil.example"})
    assert foreign.status_code == 403


@pytest.mark.parametrize(
    ("sent", "status", "says"),
    [
        ({"sql": "SELECT 1 AS a, 'x' AS b"}, 200, {"columns": ["a", "b"], "rows": [[1, "x"]]}),
        ({"sql": "SELECT * FROM file('/etc/passwd')"}, 400, None),
        ({"sql": "DROP TABLE llm_calls"}, 400, None),
        ({"sql": "SELECT toUInt8('many')"}, 422, None),
        ({"sql": 1}, 400, {"message": 'the body must be {"sql": "SELECT …"}'}),
        ([], 400, {"message": 'the body must be {"sql": "SELECT …"}'}),
    ],
)
def test_query(sidecar: Running, sent: object, status: int, says: object) -> None:
    answer = sidecar.http.post("/api/query", json=sent)
    assert answer.status_code == status
    assert answer.json() == says if says else list(answer.json()) == ["message"]


def test_the_page_and_its_api_are_there(sidecar: Running) -> None:
    assert sidecar.http.get("/").headers["content-type"].startswith("text/html")
    assert sidecar.http.get("/api/overview").status_code == 200
    assert sidecar.http.get("/api/health").json()["sidecar"]["store"] == "ok"
    assert sidecar.http.get("/nowhere").json() == {"message": "Not Found"}
    assert sidecar.http.get("/v1/traces").json() == {"message": "Method Not Allowed"}

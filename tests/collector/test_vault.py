"""The vault of a real sidecar: stable over kill -9, revealed with an audit row, erased, and never in clear."""

import json
import os
import resource
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from spanward.collector.audit.client import user
from spanward.collector.audit.log import Audit
from spanward.collector.authorize import Authorizer
from spanward.collector.vault.disk_vault import DiskVault
from spanward.collector.vault.key import Keys, VaultSettings
from spanward.collector.vault.route import RateLimit, VaultRoute
from spanward.dashboards.ask import QueryFailed, Table
from spanward.guards.holdback import restore
from spanward.guards.judgement import Check, Context
from spanward.guards.messages import Message, Part
from spanward.guards.pseudonyms import FAR
from spanward.guards.wire import check_to_json

from .otlp import body, call
from .sidecar_process import Running, serving, spanward, until

CANARY = "ada.canary.lovelace@example.com"
OTHER = "bob.canary.babbage@example.com"
CONTEXT = Context(app="shop", environment="prod", session_id="session-canary-1")
SESSION = {"app": "shop", "environment": "prod", "session_id": "session-canary-1"}
AUDITED = "SELECT action, subject, detail['reason'], detail['found'], actor FROM audit ORDER BY seq"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, policy_file: Path) -> Iterator[Running]:
    """Tests use sessions of their own."""
    with serving(tmp_path_factory.mktemp("vault") / "data", "--policy", policy_file) as running:
        yield running


def check(running: Running, text: str, context: Context = CONTEXT) -> dict[str, Any]:
    asked = Check("input", (Message("user", (Part("text", text),)),), context)
    answer = running.http.post("/v1/guard/check", json=check_to_json(asked))
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def said(decision: dict[str, Any]) -> str:
    return str(decision["messages"][0]["parts"][0]["text"])


def reveal(running: Running, placeholder: str, **told: str) -> httpx.Response:
    wanted = {"placeholder": placeholder, "reason": "a complaint", "actor": "eve", **told}
    return running.http.post("/v1/vault/reveal", json=wanted)


def everything(folder: Path) -> bytes:
    """All files but the embedded store, which holds what the tests themselves put there."""
    read = []
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name != "store"]  # where files come and go meanwhile
        read += [(Path(place) / name).read_bytes() for name in files]
    return b"".join(read)


def test_killed_in_the_middle_of_a_session_it_goes_on_as_before(tmp_path: Path, policy_file: Path) -> None:
    data = tmp_path / "data"
    with serving(data, "--policy", policy_file) as first:
        assert said(check(first, f"write to {CANARY}")) == "write to <EMAIL_ADDRESS_1>"
        first.kill()
    with serving(data, "--policy", policy_file) as again:
        decision = check(again, f"{OTHER} asks for {CANARY}")
        assert said(decision) == "<EMAIL_ADDRESS_2> asks for <EMAIL_ADDRESS_1>"
        answer = restore("Dear <EMAIL_ADDRESS_1>, not <EMAIL_ADDRESS_2>", decision["pseudonyms"])
        assert answer == f"Dear {CANARY}, not {OTHER}"


def test_a_changed_policy_keeps_the_sessions(tmp_path: Path, policy_file: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(policy_file.read_text())
    with serving(tmp_path / "data", "--policy", policy) as running:
        assert said(check(running, f"to {OTHER} and {CANARY}")) == "to <EMAIL_ADDRESS_1> and <EMAIL_ADDRESS_2>"
        before = running.health()["policy"]["hash"]
        policy.write_text(policy_file.read_text().replace("a credential", "something secret"))
        until(lambda: running.health()["policy"]["hash"], lambda hash_: hash_ != before)
        assert said(check(running, f"to {CANARY}")) == "to <EMAIL_ADDRESS_2>"


def test_revealing_says_so_in_the_audit_log_first(tmp_path: Path, policy_file: Path) -> None:
    data = tmp_path / "data"
    with serving(data, "--policy", policy_file) as running:
        check(running, f"write to {CANARY}")
        answer = reveal(running, "<EMAIL_ADDRESS_1>", **SESSION)
        told = answer.json()
        assert (answer.status_code, told["value"], told["placeholder"]) == (200, CANARY, "<EMAIL_ADDRESS_1>")
        assert abs(told["given"] - time.time()) < 600
        assert answer.headers["cache-control"] == "no-store"
        line = json.loads((data / "audit.log").read_text())
        assert line["detail"] == {
            "reason": "a complaint", "found": "yes", "session": line["detail"]["session"], "app": "shop",
            "environment": "prod", "trace": "",
        }  # fmt: skip
        assert len(line["detail"]["session"]) == 32
        unknown = reveal(running, "<EMAIL_ADDRESS_2>", **SESSION)
        assert (unknown.status_code, "expired" in unknown.json()["message"]) == (404, True)
        seen = until(lambda: running.query(AUDITED), lambda rows: len(rows) == 2)
        assert seen == [
            ["vault.reveal", "<EMAIL_ADDRESS_1>", "a complaint", "yes", "eve"],
            ["vault.reveal", "<EMAIL_ADDRESS_2>", "a complaint", "no", "eve"],
        ]
        metrics = running.http.get("/metrics").text
        assert running.metric('spanward_vault_saves_total{outcome="kept"}') == 1
        assert running.health()["vault"] == {"problem": "", "key": "own"}
        kept, logged = everything(data), running.log.read_text() + running.said.read_text()
        for canary in (CANARY, "canary"):
            assert canary.encode() not in kept
            assert canary not in logged + metrics + json.dumps(running.health())


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"session_id": "s", "trace_id": "0a"},
        {"trace_id": "0a", "app": "shop"},
        {"session_id": "s", "reason": " "},
        {"session_id": "s", "placeholder": CANARY},
        {"session_id": "s", "more": "x"},
    ],
)
def test_what_is_no_question_is_refused_and_not_quoted(running: Running, told: dict[str, str]) -> None:
    answer = reveal(running, **{"placeholder": "<EMAIL_ADDRESS_1>", **told})
    assert (answer.status_code, answer.json()["message"][:17]) == (400, "the body must be ")
    assert CANARY not in answer.text + running.log.read_text()


@pytest.mark.parametrize("path", ["/v1/vault/reveal", "/v1/vault/drop-key", "/v1/audit"])
@pytest.mark.parametrize("content", [b"", b"[1]", b"[" * 100_000, b'{"tenant": 1}', b"\xff"])
def test_what_is_no_json_is_refused(running: Running, path: str, content: bytes) -> None:
    assert running.http.post(path, content=content).status_code == 400


def at(span: Span, ago_s: float) -> Span:
    span.start_time_unix_nano -= int(ago_s * 1e9)
    span.end_time_unix_nano -= int(ago_s * 1e9)
    return span


def test_by_the_trace_that_the_page_shows(running: Running) -> None:
    context = Context(app="traced", environment="test", session_id="conversation-1")
    assert said(check(running, f"write to {CANARY}", context)) == "write to <EMAIL_ADDRESS_1>"
    told = {"CONVERSATION": "conversation-1"}
    spans = [call(1, **told), at(call(2, **told), ago_s=3000), call(3)]
    assert running.post(body("traced", *spans)).status_code == 200
    until(lambda: running.count("llm_calls", "traced"), lambda count: count == 3)
    rows = running.query("SELECT trace_id, session_id, ts FROM llm_calls WHERE service = 'traced' ORDER BY span_id")
    (new, _, _), (earlier, _, _), (alone, session, _) = rows
    assert session == ""
    assert reveal(running, "<EMAIL_ADDRESS_1>", trace_id=new).json()["value"] == CANARY
    answer = reveal(running, "<EMAIL_ADDRESS_1>", trace_id=earlier)
    assert answer.status_code == 404, "a number given later cannot be what an earlier call meant"
    for trace in (alone, "f" * 32):
        answer = reveal(running, "<EMAIL_ADDRESS_1>", trace_id=trace)
        assert (answer.status_code, answer.json()["message"]) == (404, "no call with a session has that trace id")


def test_on_the_command_line(running: Running) -> None:
    check(running, f"write to {CANARY}", Context(app="cli", session_id="s"))
    wanted = ["vault", "reveal", "<EMAIL_ADDRESS_1>", "--session", "s", "--app", "cli", "--data", str(running.data)]
    told = spanward(*wanted, "--reason", "a test")
    assert (told.returncode, told.stdout) == (0, CANARY + "\n"), told.stderr
    of_app = AUDITED.replace("ORDER", "WHERE detail['app'] = 'cli' ORDER")
    seen = until(lambda: running.query(of_app), lambda rows: len(rows) == 1)
    assert seen == [["vault.reveal", "<EMAIL_ADDRESS_1>", "a test", "yes", user()]]
    assert spanward(*wanted).returncode == 2, "a reason is asked for"
    unknown = spanward(*(word.replace("_1>", "_7>") for word in wanted), "--reason", "x")
    assert (unknown.returncode, "has expired" in unknown.stderr) == (1, True)
    for change, problem in (
        (
            ("<EMAIL_ADDRESS_1>", "EMAIL_ADDRESS_1"),
            "'EMAIL_ADDRESS_1' is no placeholder; write '<PERSON_1>', in quotes",
        ),
        (("--session", "--trace"), ""),
        (("--session", "--environment"), "say which call: --trace ID, or --session ID with --app and --environment"),
    ):
        told = spanward(*(word.replace(*change) for word in wanted), "--reason", "x")
        assert told.returncode == 1 + bool(problem), told.stderr
        assert not problem or told.stderr == f"spanward vault: {problem}\n"


def test_too_many_in_a_minute_are_turned_away(tmp_path: Path) -> None:
    now = [100.0]
    limit = RateLimit(most=2, clock=lambda: now[0])
    with closing(DiskVault(tmp_path / "vault.db", Keys("own", bytes(32)), VaultSettings())) as vault:
        route = VaultRoute(vault, Audit(tmp_path / "audit.log"), Authorizer(), no_store, limit)
        asked = TestClient(Starlette(routes=[Route("/", route.reveal, methods=["POST"])]))
        body = {"placeholder": "<X_1>", "session_id": "s", "reason": "x"}
        answers = [asked.post("/", json=body).status_code for _ in range(4)]
        now[0] = 161.0
        answers.append(asked.post("/", json=body).status_code)
    assert answers == [404, 404, 429, 429, 404]
    assert len((tmp_path / "audit.log").read_text().splitlines()) == 3


def no_store(sql: str, parameters: Mapping[str, Any] | None = None) -> Table:
    raise QueryFailed("there is none")


def test_beyond_loopback_and_with_keys_it_needs_a_role(tmp_path: Path, policy_file: Path) -> None:
    config = tmp_path / "config.yaml"
    known = {
        name: {"sha256": sha256(f"key of {name}".encode()).hexdigest(), "role": role}
        for name, role in (("ada", "revealer"), ("bob", "analyst"), ("vic", "viewer"))
    }
    config.write_text(json.dumps({"keys": known, "host": "0.0.0.0"}))
    environment = {"SPANWARD_INGEST_KEY": "of every application"}
    data = tmp_path / "data"
    options = ("--policy", policy_file, "--config", config)
    with serving(data, *options, environment=environment) as running:
        check(running, f"write to {CANARY}")
        answers, asked = {}, {}
        for key in ("of every application", "key of bob", "key of ada", "key of eve", "key of vic"):
            running.http.headers["authorization"] = f"Bearer {key}"
            answer = reveal(running, "<EMAIL_ADDRESS_1>", **SESSION)
            answers[key] = answer.status_code
            assert (CANARY in answer.text) == (key == "key of ada")
            dropped = running.http.post("/v1/vault/drop-key", json={"tenant": "default", "reason": "x"})
            assert dropped.status_code in {401, 403}
            asked[key] = running.http.post("/api/query", json={"sql": "SELECT 1"}).status_code
        assert list(answers.values()) == [403, 403, 200, 401, 403]
        assert list(asked.values()) == [200, 200, 200, 401, 403]
        lines = [json.loads(line) for line in (data / "audit.log").read_text().splitlines()]
        assert [(line["action"], line["actor"]) for line in lines] == [("vault.reveal", "ada")], (
            "the key's owner, not a claim"
        )
        wanted = [
            "vault",
            "reveal",
            "<EMAIL_ADDRESS_1>",
            "--data",
            str(data),
            "--reason",
            "x",
            "--session",
            CONTEXT.session_id,
        ]
        wanted += ["--app", "shop", "--environment", "prod"]
        assert spanward(*wanted, **environment).returncode == 1
        assert spanward(*wanted, SPANWARD_KEY="key of ada").stdout == CANARY + "\n"


def test_a_dropped_key_erases_with_and_without_a_sidecar(tmp_path: Path, policy_file: Path) -> None:
    data = tmp_path / "data"
    drop = ["vault", "drop-key", "--data", str(data), "--reason", "the contract ended"]
    acme = Context(app="shop", session_id="s", tenant="acme")
    with serving(data, "--policy", policy_file) as running:
        check(running, f"write to {CANARY}", acme)
        check(running, f"write to {CANARY}")
        mistyped = spanward(*drop, "--tenant", "acem")
        assert (mistyped.returncode, mistyped.stdout) == (1, "")
        assert mistyped.stderr == "spanward vault: the vault holds no key of a tenant 'acem': nothing was erased\n"
        told = spanward(*drop, "--tenant", "acme")
        assert told.stdout == "the key of tenant acme is erased, and 1 sessions with it\n", told.stderr
        assert reveal(running, "<EMAIL_ADDRESS_1>", tenant="acme", app="shop", session_id="s").status_code == 404
        assert reveal(running, "<EMAIL_ADDRESS_1>", **SESSION).status_code == 200
        running.end()
    told = spanward(*drop)
    assert told.stdout == "the key of tenant default is erased, and 1 sessions with it\n", told.stderr
    with serving(data, "--policy", policy_file) as running:
        assert reveal(running, "<EMAIL_ADDRESS_1>", **SESSION).status_code == 404
        seen = until(lambda: running.query(AUDITED), lambda rows: len(rows) == 6)
        assert [row[:3] for row in seen if row[0] == "vault.drop_key"] == [
            ["vault.drop_key", "acem", "the contract ended"],
            ["vault.drop_key", "acme", "the contract ended"],
            ["vault.drop_key", "default", "the contract ended"],
        ]


def test_a_wrong_key_is_refused_at_the_start_and_dropping_is_the_way_out(tmp_path: Path, policy_file: Path) -> None:
    data, right, wrong = tmp_path / "data", "11" * 32, "22" * 32
    options = ("--policy", policy_file)
    with serving(data, *options, environment={"SPANWARD_VAULT_KEY": right}) as running:
        check(running, f"write to {CANARY}")
        assert running.health()["vault"]["key"] == "environment"
        running.kill()
    assert not (data / "vault.key").exists()
    refused = spanward("serve", "--data", data, "--port", "0", *options, SPANWARD_VAULT_KEY=wrong)
    assert refused.returncode == 2
    assert refused.stderr.endswith("or erase them: spanward vault drop-key --tenant default\n"), refused.stderr
    assert right not in refused.stderr
    assert wrong not in refused.stderr
    assert spanward("vault", "drop-key", "--data", str(data), "--reason", "the key is lost").returncode == 0
    with serving(data, *options, environment={"SPANWARD_VAULT_KEY": wrong}) as running:
        assert said(check(running, f"write to {CANARY}")) == "write to <EMAIL_ADDRESS_1>"


def test_a_full_disk_hides_values_all_the_same_and_refuses_what_needs_an_audit_row(
    tmp_path: Path, policy_file: Path
) -> None:
    """The process may write no file beyond its size of now: what a full disk does to the vault and the audit log."""
    data = tmp_path / "data"
    with serving(data, "--policy", policy_file) as running:
        assert said(check(running, f"write to {CANARY}")) == "write to <EMAIL_ADDRESS_1>"
        assert reveal(running, "<EMAIL_ADDRESS_1>", **SESSION).status_code == 200
        size = min(path.stat().st_size for path in (data / "audit.log", data / "vault.db-wal"))
        unlimited = resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        try:
            decision = check(running, f"{OTHER} {CANARY}")
            far, near = said(decision).split()
            assert near == "<EMAIL_ADDRESS_1>"
            assert int(far[len("<EMAIL_ADDRESS_") : -1]) >= FAR
            assert restore(f"to {far} and {near}", decision["pseudonyms"]) == f"to {OTHER} and {CANARY}"
            told = running.health()
            assert told["status"] == "degraded"
            assert "the vault cannot be written" in told["vault"]["problem"]
            refused = reveal(running, "<EMAIL_ADDRESS_1>", **SESSION)
            assert refused.status_code == 503
            assert "so nothing was done" in refused.json()["message"]
            assert CANARY not in refused.text
            dropped = running.http.post("/v1/vault/drop-key", json={"tenant": "default", "reason": "x"})
            assert dropped.status_code == 503
        finally:
            resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, unlimited)
        until(
            lambda: (check(running, f"{OTHER} and {OTHER}")["verdict"], running.health()["vault"]["problem"])[1],
            lambda problem: problem == "",
        )
        assert reveal(running, far, **SESSION).json()["value"] == OTHER
        assert reveal(running, "<EMAIL_ADDRESS_1>", **SESSION).json()["value"] == CANARY
        assert b"canary" not in everything(data)
        running.kill()
    with serving(data, "--policy", policy_file) as running:
        assert said(check(running, f"{CANARY} {OTHER}")) == f"<EMAIL_ADDRESS_1> {far}"


def test_a_damaged_file_is_no_reason_not_to_start(tmp_path: Path, policy_file: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "vault.db").write_bytes(b"not a database" * 1000)
    with serving(data, "--policy", policy_file) as running:
        assert said(check(running, f"write to {CANARY}")).startswith("write to <EMAIL_ADDRESS_")
        told = running.health()
        assert (told["status"], "set aside as vault.db.bad-" in told["vault"]["problem"]) == ("degraded", True)

"""One process, one directory, one port: how it starts, refuses to start, and ends."""

import fcntl
import os
import signal
import socket
from pathlib import Path

import pytest

from spanward.tracer.segment import frame

from .otlp import body, call
from .sidecar_process import Running, announced, serving, spanward, until

BAD_POLICY = "version: 1\nname: bad\nrules:\n  - name: x\n    detect: { pii: {} }\n    action: blok\n"


def test_it_tells_where_it_is(sidecar: Running) -> None:
    assert announced(sidecar.data) == {"pid": sidecar.process.pid, "address": sidecar.address}
    assert sidecar.said.read_text() == f"Spanward is at {sidecar.address}/ (data in {sidecar.data}, policy house)\n"


def test_it_works_inside_its_directory(sidecar: Running) -> None:
    process = Path(f"/proc/{sidecar.process.pid}")
    assert (process / "cwd").resolve() == sidecar.data.resolve()
    assert sidecar.data.stat().st_mode & 0o077 == 0


def test_a_directory_in_use_is_refused_by_pid(sidecar: Running) -> None:
    second = spanward("serve", "--port", "0", "--data", sidecar.data)
    assert (second.returncode, second.stdout) == (2, "")
    assert second.stderr == (
        f"spanward serve: {sidecar.data} is in use by process {sidecar.process.pid}: "
        "stop that one, or choose another with --data\n"
    )
    assert sidecar.health()["store"] == "ok"


def test_a_port_in_use_is_refused(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = spanward("serve", "--port", str(port), "--data", tmp_path / "data", "--policy", "observe-only")
    assert refused.returncode == 2
    assert f"127.0.0.1:{port}: Address already in use; another program uses the port" in refused.stderr
    assert not (tmp_path / "data" / "sidecar.json").exists()


def test_a_wrong_policy_is_refused_with_its_line(tmp_path: Path) -> None:
    policy = tmp_path / "bad.yaml"
    policy.write_text(BAD_POLICY)
    refused = spanward("serve", "--port", "0", "--data", tmp_path / "data", "--policy", policy)
    assert refused.returncode == 2
    assert f"spanward serve: {policy}:6: 'blok' is no action; did you mean 'block'?" in refused.stderr
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--host", "0.0.0.0"], "0.0.0.0 can be reached from other machines, so requests must show a key"),
        (["--store", "mysql://localhost/x"], "store 'mysql' is unknown"),
        (["--config", "nowhere.yaml"], "nowhere.yaml: No such file or directory"),
        (["--policy", "defualt"], "defualt: no such policy; did you mean 'default'?"),
        (["--prices", "nowhere.yaml"], "nowhere.yaml"),
        (["--port", "70000"], "port: Input should be less than or equal to 65535"),
    ],
)
def test_what_cannot_be_done_is_said(tmp_path: Path, options: list[str], says: str) -> None:
    told = {"--policy": "observe-only", "--data": str(tmp_path / "data"), "--port": "0"}
    told |= dict(zip(options[::2], options[1::2], strict=True))
    refused = spanward("serve", *(word for pair in told.items() for word in pair))
    assert refused.returncode == 2, refused.stderr
    assert says in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_data_directory_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("mine")
    refused = spanward("serve", "--data", tmp_path / "data", "--policy", "observe-only")
    assert (refused.returncode, (tmp_path / "data").read_text()) == (2, "mine")
    assert "choose a directory with --data" in refused.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_order_and_loses_nothing(tmp_path: Path, number: signal.Signals) -> None:
    data = tmp_path / "data"
    with serving(data, "--policy", "observe-only") as running:
        assert running.post(body("ending")).status_code == 200
        os.kill(running.process.pid, number)
        assert running.process.wait(30) == 0, running.log.read_text()
        assert "Traceback" not in running.log.read_text()
    assert not (data / "sidecar.json").exists()
    assert list((data / "log").glob("*.ready")) + list((data / "log").glob("*.open")) == []
    found = spanward(
        "query", "SELECT count() FROM llm_calls WHERE service = 'ending'", "--format", "csv", "--data", data
    )
    assert (found.returncode, found.stdout) == (0, "count()\n1\n"), found.stderr


def test_a_killed_sidecar_leaves_no_trace_that_misleads(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serving(data, "--policy", "observe-only") as running:
        running.kill()
        assert announced(data)["pid"] == running.process.pid
        found = spanward("query", "SELECT 1 AS one", "--format", "json", "--data", data)
        assert (found.returncode, found.stdout) == (0, '[\n {\n  "one": 1\n }\n]\n'), found.stderr
    with serving(data, "--policy", "observe-only") as again:
        assert until(again.health, lambda told: told["store"] == "ok")["queue_bytes"] == 0


def test_beyond_loopback_every_route_asks_for_the_key(tmp_path: Path) -> None:
    environment = {"SPANWARD_INGEST_KEY": "open sesame"}
    data = tmp_path / "data"
    with serving(data, "--host", "0.0.0.0", "--policy", "observe-only", environment=environment) as running:
        assert running.post(body("keyed")).status_code == 200
        assert running.http.get("/").status_code == 200
        for path in ("/", "/healthz", "/metrics", "/v1/guard/policy", "/api/overview", "/v1/traces"):
            assert running.http.get(path, headers={"Authorization": ""}).status_code == 401
        assert running.http.get("/healthz", auth=("anyone", "open sesame")).status_code == 200
        refused = spanward("query", "SELECT 1", "--data", data)
        assert (refused.returncode, refused.stderr) == (
            1,
            "spanward query: the sidecar asks for its key: set SPANWARD_INGEST_KEY\n",
        )
        assert spanward("query", "SELECT 1", "--data", data, **environment).returncode == 0
        assert "open sesame" not in running.log.read_text() + running.said.read_text()


def test_a_configuration_file_says_the_same_as_options(tmp_path: Path) -> None:
    (tmp_path / "spanward.yaml").write_text(
        "data: here\nport: 0\npolicy: observe-only\nspool: spool\nbody_bytes: 1000\n"
    )
    data = tmp_path / "here"
    with serving(data, "--config", tmp_path / "spanward.yaml") as running:
        assert running.health()["policy"]["name"] == "observe-only"
        assert running.post(b"\n" * 1001).status_code == 413


def test_a_full_log_refuses_and_says_when_to_come_again(tmp_path: Path) -> None:
    (tmp_path / "spanward.yaml").write_text("policy: observe-only\nlog_bytes: 1000\n")
    with serving(tmp_path / "data", "--config", tmp_path / "spanward.yaml") as running:
        too_much = body("full", *(call(number) for number in range(1, 20)))
        refused = running.post(too_much)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        assert refused.json() == {
            "message": "the log is full: it holds 0 bytes of at most 1000; "
            "nothing of this request was kept, send it again"
        }
        assert running.metric('spanward_otlp_requests_total{outcome="full"}') == 1
        assert running.http.get("/healthz").status_code == 503
        assert running.health()["log_refuses"] is True
        assert running.post(body("full", call(99))).status_code == 200
        assert running.http.get("/healthz").status_code == 200
        assert until(lambda: running.count("llm_calls", "full"), bool) == 1


def test_spools_of_dead_applications_are_taken_over(tmp_path: Path) -> None:
    """A file whose owner holds no lock any more; one whose owner lives is left alone."""
    spool = tmp_path / "spool"
    spool.mkdir()
    for owner, service in (("4194301-1", "dead"), ("4194302-1", "alive")):
        (spool / f"{owner}.lock").touch()
        (spool / f"{owner}-1.open").write_bytes(frame(body(service, call(1))))
    with (spool / "4194302-1.lock").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        check_adoption(tmp_path, spool)


def check_adoption(tmp_path: Path, spool: Path) -> None:
    with serving(tmp_path / "data", "--policy", "observe-only") as running:
        assert until(lambda: running.count("llm_calls", "dead"), bool) == 1
        assert running.metric("spanward_spool_files_adopted_total") == 1
        assert running.count("llm_calls", "alive") == 0
        assert [path.name for path in spool.glob("*.open")] == ["4194302-1-1.open"]

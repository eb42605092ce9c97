"""`spanward demo` as a new user runs it, on a directory of its own."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from spanward.collector.data_directory import DataDirectory
from spanward.collector.schema import KEPT, OF_NO_CALL

from ..collector.sidecar_process import SPANWARD, clean_environment, serving, spanward

CALLS = 28


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The data directory, and what the demonstration printed."""
    data = tmp_path_factory.mktemp("demo") / "data"
    arguments = ["demo", "--calls", str(CALLS), "--exit", "--data", str(data), "--port", "0"]
    ended = spanward(*arguments, SPANWARD_SPOOL=str(data.parent / "spool"), COLUMNS="100")
    assert ended.returncode == 0, ended.stderr
    return data, ended.stdout


OF_CALLS = tuple(table for table in KEPT if table not in OF_NO_CALL)


def ask(data: Path, sql: str) -> list[list[str]]:
    answered = spanward("query", sql, "--format", "csv", "--data", data)
    assert answered.returncode == 0, answered.stderr
    return [line.split(",") for line in answered.stdout.splitlines()[1:]]


def test_it_tells_what_happened_and_where_to_look(shown: tuple[Path, str]) -> None:
    assert f"{CALLS} calls, as the store has them" in shown[1]
    assert "unpriced" in shown[1]
    assert "The page: http://127.0.0.1:" in shown[1]


def test_every_kind_of_call_is_there(shown: tuple[Path, str]) -> None:
    """Guarded, blocked, failed, streamed, flagged after the fact, priced and not, for four weeks back."""
    data = shown[0]
    made = "FROM llm_calls WHERE env = 'demo' AND service = 'support-desk' AND session_id LIKE 'ticket-_'"
    (counts,) = ask(
        data,
        "SELECT count(), countIf(status = 'blocked') > 0, countIf(status = 'error') > 0, countIf(stream) > 0, "
        f"countIf(guard_action = 'modify') > 0, countIf(cost_usd > 0) > 0, countIf(cost_usd IS NULL) > 0 {made}",
    )
    assert counts == [str(CALLS), *["1"] * 6]
    (reach,) = ask(data, "SELECT dateDiff('day', min(ts), max(ts)), count() > 4000 FROM llm_calls WHERE env = 'demo'")
    assert reach == ["28", "1"]
    flagged = ask(data, "SELECT DISTINCT rule FROM guard_events WHERE verdict = 'warn' AND env = 'demo'")
    assert flagged, "rude answers are flagged by the sidecar"


@pytest.mark.slow
def test_drift_names_the_prompt_version_that_came_four_days_ago(shown: tuple[Path, str]) -> None:
    """The windows that it needs are days that are over, so it does not matter when this runs."""
    with serving(shown[0]) as sidecar:
        alarms = {one["stream"]: one for one in sidecar.http.get("/api/drift").json()["alarms"]}
        assert {one["service"] for one in alarms.values()} == {"support-desk"}
        assert {"finish_reason", "refusal", "cost"} <= alarms.keys()
        for stream in ("finish_reason", "refusal", "cost"):
            cause = sidecar.http.get(f"/api/drift/{alarms[stream]['id']}").json()["cause"]
            assert (cause["key"], cause["value"]) == ("prompt_version", "answer 8"), (stream, cause)


def test_one_command_takes_it_out_again(shown: tuple[Path, str]) -> None:
    data = shown[0]
    ended = spanward("demo", "--remove", "--data", data)
    assert (ended.returncode, ended.stdout[:8]) == (0, "Removed "), ended.stderr
    left = " + ".join(f"(SELECT count() FROM {table})" for table in OF_CALLS)
    assert ask(data, f"SELECT {left}") == [["0"]]


def test_it_stays_until_told_and_leaves_nobody_behind(tmp_path: Path) -> None:
    data = tmp_path / "data"
    command = [*SPANWARD, "demo", "--calls", "1", "--data", str(data), "--port", "0"]
    environment = clean_environment(SPANWARD_SPOOL=str(tmp_path / "spool"))
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as demo:
        assert demo.stdout is not None
        assert any("Ctrl-C" in line for line in demo.stdout)
        sidecar = DataDirectory(data).sidecar()
        assert sidecar is not None
        demo.send_signal(signal.SIGTERM)
        demo.wait(30)
    assert DataDirectory(data).sidecar() is None
    with pytest.raises(ProcessLookupError):
        os.kill(sidecar.pid, 0)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--calls", "0"), "--calls must be at least 1"),
        (("--provider", "anthropic"), "--provider anthropic needs ANTHROPIC_API_KEY: set it, or leave --provider away"),
    ],
)
def test_bad_arguments_say_what_to_do(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    ended = spanward("demo", *arguments, "--data", tmp_path, ANTHROPIC_API_KEY="", COLUMNS="100")
    assert (ended.returncode, ended.stdout.strip()) == (2, said)

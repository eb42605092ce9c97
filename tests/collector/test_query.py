"""`spanward query`: from the running sidecar, or from the directory itself."""

import csv
import io
import json
from pathlib import Path

import pytest

from spanward.collector.query import WRITERS, Answer

from .otlp import body, call, said
from .sidecar_process import Running, serving, spanward, until

ANSWER = Answer(
    ("name", "n", "cost", "tags", "note"),
    [["a,b", 1, 0.5, ["x", "y"], None], ["[red]c[/red]\n", 2, None, [], 'say "hi"']],
)


def written(name: str) -> str:
    out = io.StringIO()
    WRITERS[name](ANSWER, out)
    return out.getvalue()


def test_csv() -> None:
    assert list(csv.reader(io.StringIO(written("csv")))) == [
        ["name", "n", "cost", "tags", "note"],
        ["a,b", "1", "0.5", '["x", "y"]', ""],
        ["[red]c[/red]\n", "2", "", "[]", 'say "hi"'],
    ]


def test_json() -> None:
    assert json.loads(written("json")) == [
        {"name": "a,b", "n": 1, "cost": 0.5, "tags": ["x", "y"], "note": None},
        {"name": "[red]c[/red]\n", "n": 2, "cost": None, "tags": [], "note": 'say "hi"'},
    ]


def test_a_table_shows_what_models_said_as_it_is() -> None:
    told = written("table")
    assert "[red]c[/red]" in told
    assert "\x1b" not in told


SQL = (
    "SELECT trace_id, toStartOfDay(ts) = toStartOfDay(now()) AS today, cost_usd FROM llm_calls WHERE service = 'asked'"
)


def test_a_stopped_directory_answers_as_the_sidecar_did(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serving(data, "--policy", "observe-only") as running:
        running.post(body("asked", call(5, REQUEST_MODEL="unheard-of", RESPONSE_MODEL="unheard-of")))
        assert until(lambda: running.count("llm_calls", "asked"), bool) == 1
        asked = spanward("query", SQL, "--format", "json", "--data", data)
    opened = spanward("query", SQL, "--format", "json", "--data", data)
    assert (asked.returncode, asked.stderr, opened.returncode, opened.stderr) == (0, "", 0, "")
    assert asked.stdout == opened.stdout
    assert json.loads(asked.stdout) == [{"trace_id": f"{5:032x}", "today": 1, "cost_usd": None}]


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("SELECT * FROM file('/etc/passwd')", "table functions are not allowed"),
        ("SELECT nothing FROM llm_calls", "nothing"),
        ("SELEC 1", ""),
    ],
)
def test_a_wrong_question_is_said_to_be_wrong(sidecar: Running, tmp_path: Path, sql: str, says: str) -> None:
    (tmp_path / "data").mkdir()
    for data in (sidecar.data, tmp_path / "data"):
        told = spanward("query", sql, "--data", data)
        assert (told.returncode, told.stdout) == (1, "")
        assert told.stderr.startswith("spanward query: ")
        assert says in told.stderr
        assert "Traceback" not in told.stderr


def test_no_directory(tmp_path: Path) -> None:
    told = spanward("query", "SELECT 1", "--data", tmp_path / "none")
    advice = "start `spanward serve`, or name a directory with --data\n"
    assert told.returncode == 2
    assert told.stderr == f"spanward query: {tmp_path / 'none'} does not exist: {advice}"
    assert not (tmp_path / "none").exists()


def test_text_with_markup_arrives_whole(sidecar: Running) -> None:
    text = "[bold]ünïcode[/bold] <b>&amp;"
    sidecar.post(body("markup", call(1, INPUT_MESSAGES=said("user", text))))
    assert until(lambda: sidecar.count("llm_calls", "markup"), bool)
    told = spanward(
        "query",
        "SELECT input_preview FROM llm_calls WHERE service = 'markup'",
        "--format",
        "csv",
        "--data",
        sidecar.data,
    )
    assert told.stdout == f"input_preview\n{text}\n"

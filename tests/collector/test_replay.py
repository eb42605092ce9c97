"""`spanward policy replay` and `export`: calls of a real sidecar, and of files, through a candidate."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from spanward.collector.command import CommandError
from spanward.collector.policy.stored_calls import from_lines

from .otlp import body, call, said
from .sidecar_process import Running, serving, spanward, until

CARD = "my card is 4111 1111 1111 1111"
CURRENT = """\
version: 1
name: now
rules:
  - name: mail-out
    when: { stage: input }
    detect: { pii: { entities: { EMAIL_ADDRESS: 0.4, US_SSN: 0.4 } } }
    action: pseudonymise
  - name: cards
    detect: { pii: { entities: { CREDIT_CARD: 0.4 } } }
    action: flag
"""
CANDIDATE = """\
version: 1
name: then
rules:
  - name: mail-out
    when: { stage: input }
    detect: { pii: { entities: { EMAIL_ADDRESS: 0.4 } } }
    action: pseudonymise
  - name: cards
    detect: { pii: { entities: { CREDIT_CARD: 0.4 } } }
    action: block
  - name: phones
    detect: { pii: { entities: { PHONE_NUMBER: 0.4 } } }
    action: redact
    mode: shadow
"""
SAID = {
    1: {"INPUT_MESSAGES": said("user", "hello")},
    2: {"INPUT_MESSAGES": said("user", "write to <EMAIL_ADDRESS_1>")},
    3: {"INPUT_MESSAGES": said("user", CARD), "OUTPUT_MESSAGES": said("assistant", "no")},
    4: {"INPUT_MESSAGES": said("user", "number <US_SSN_1>")},
    5: {"INPUT_MESSAGES": said("user", "hi"), "OUTPUT_MESSAGES": said("assistant", "phone +1 212 555 0175")},
    6: {},
}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("replayed")
    (folder / "now.yaml").write_text(CURRENT)
    (folder / "then.yaml").write_text(CANDIDATE)
    with serving(folder / "data", "--policy", folder / "now.yaml") as running:
        for number, attributes in SAID.items():
            running.post(body("replayed", call(number, **attributes)))
        assert until(lambda: running.count("llm_calls", "replayed"), lambda n: n == len(SAID)) == len(SAID)
        yield running


def replayed(running: Running, *options: str | Path) -> dict[str, Any]:
    candidate = running.data.parent / "then.yaml"
    ran = spanward("policy", "replay", candidate, "--format", "json", "--data", running.data, *options)
    assert (ran.returncode, ran.stderr) == (0, "")
    told: dict[str, Any] = json.loads(ran.stdout)
    return told


def tally(*numbers: int) -> dict[str, Any]:
    return {"calls": len(numbers), "examples": [f"{number:032x}" for number in sorted(numbers, reverse=True)]}


def test_what_a_candidate_would_do(recorded: Running) -> None:
    told = replayed(recorded)
    summary = recorded.http.get("/v1/guard/policy").json()
    assert (told["current"]["hash"], told["current"]["where"]) == (summary["hash"], f"in force at {recorded.address}")
    assert (told["calls"], told["empty"], told["unreadable"], told["remembered"]) == (6, 1, 0, 2)
    kinds = dict.fromkeys(told["current"]["calls"], 0)
    assert told["current"]["calls"] == kinds | {"changed": 2, "flagged": 1}
    assert told["candidate"]["calls"] == kinds | {"changed": 1, "blocked": 1, "would change": 1}
    assert told["gained"] == {"blocked": tally(3), "would change": tally(5)}
    assert told["lost"] == {"changed": tally(4), "flagged": tally(3)}
    assert told["caught"] == {"PHONE_NUMBER": tally(5)}
    assert told["missed"] == {"US_SSN": tally(4)}
    none = {"calls": 0, "examples": []}
    assert told["rules"] == [
        {"rule": "cards", "label": "CREDIT_CARD", "current": 1, "candidate": 1, "new": none, "gone": none},
        {"rule": "mail-out", "label": "EMAIL_ADDRESS", "current": 1, "candidate": 1, "new": none, "gone": none},
        {"rule": "mail-out", "label": "US_SSN", "current": 1, "candidate": 0, "new": none, "gone": tally(4)},
        {"rule": "phones", "label": "PHONE_NUMBER", "current": 0, "candidate": 1, "new": tally(5), "gone": none},
    ]


def test_an_exported_file_says_the_same(recorded: Running, tmp_path: Path) -> None:
    exported = tmp_path / "calls.jsonl"
    ran = spanward("policy", "export", exported, "--data", recorded.data)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout == f"6 calls in {exported}; it holds what was said, as it was recorded\n"
    assert exported.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["calls.jsonl"]
    from_store = replayed(recorded)
    from_file = replayed(recorded, "--from", exported)
    for told in (from_store, from_file):
        told["current"].pop("latency_ms")
        told["candidate"].pop("latency_ms")
    assert from_file == from_store


def test_for_people_and_without_content(recorded: Running) -> None:
    told = spanward("policy", "replay", recorded.data.parent / "then.yaml", "--data", recorded.data)
    assert (told.returncode, told.stderr) == (0, "")
    assert "4111" not in told.stdout
    lines = [line.split() for line in told.stdout.splitlines()]
    assert ["newly", "blocked", "1", f"{3:032x}"] in lines
    assert ["newly", "missed:", "US_SSN", "1", f"{4:032x}"] in lines
    assert any(line[:5] == ["Calls", "that", "hold", "placeholders:", "2."] for line in lines)


def test_content_only_on_request(recorded: Running) -> None:
    told = spanward("policy", "replay", recorded.data.parent / "then.yaml", "--data", recorded.data, "--show-content")
    assert f"input: {CARD} … output: no" in told.stdout


def test_limit_and_since(recorded: Running) -> None:
    assert replayed(recorded, "--limit", "2")["calls"] == 2
    assert replayed(recorded, "--since", "0m")["calls"] == 0
    told = spanward("policy", "replay", "default", "--since", "soon", "--data", recorded.data)
    assert told.returncode == 2
    assert "'soon' is no span of time; write 30m, 12h, 7d or 2w" in told.stderr


def test_against_what_people_found(tmp_path: Path) -> None:
    (tmp_path / "now.yaml").write_text(CURRENT)
    (tmp_path / "then.yaml").write_text(CANDIDATE)
    calls = [
        {"id": "a", "input": "write to jane@example.org", "labels": ["EMAIL_ADDRESS"]},
        {"id": "b", "input": "write to joe@example.org", "labels": []},
        {"id": "c", "input": "my ssn is 212-09-9999"},
        {"id": "d", "input": "212-09-9999 is an order", "output": CARD},
        {"id": "e", "input": [{"role": "user", "content": "nobody looked: x@example.org"}], "context": {"app": "shop"}},
    ]
    (tmp_path / "calls.jsonl").write_text("\n".join(map(json.dumps, calls)) + "\n\n")
    labels = [{"id": "c", "labels": ["US_SSN"]}, {"id": "d", "labels": ["CREDIT_CARD", "US_SSN"]}]
    (tmp_path / "labels.jsonl").write_text("\n".join(map(json.dumps, labels)))
    files: list[str | Path] = [
        "--from",
        tmp_path / "calls.jsonl",
        "--labels",
        tmp_path / "labels.jsonl",
        "--format",
        "json",
    ]
    ran = spanward("policy", "replay", tmp_path / "then.yaml", "--against", tmp_path / "now.yaml", *files)
    assert (ran.returncode, ran.stderr) == (0, "")
    told = json.loads(ran.stdout)
    assert (told["calls"], told["labelled"]) == (5, 4)

    def score(right: int, wrong: int, missed: int) -> dict[str, Any]:
        shares = [right / (right + other) if right + other else None for other in (wrong, missed)]
        return {"right": right, "wrong": wrong, "missed": missed, "precision": shares[0], "recall": shares[1]}

    assert told["current"]["labels"] == {
        "CREDIT_CARD": score(1, 0, 0), "EMAIL_ADDRESS": score(1, 1, 0), "US_SSN": score(2, 0, 0),
    }  # fmt: skip
    assert told["candidate"]["labels"] == {
        "CREDIT_CARD": score(1, 0, 0), "EMAIL_ADDRESS": score(1, 1, 0), "US_SSN": score(0, 0, 2),
    }  # fmt: skip
    assert told["current"]["rules"] == {"cards": score(1, 0, 0), "mail-out": score(3, 1, 0)}
    assert told["candidate"]["rules"] == {"cards": score(1, 0, 0), "mail-out": score(1, 1, 0)}
    text = spanward("policy", "replay", tmp_path / "then.yaml", "--against", tmp_path / "now.yaml", *files[:-2])
    assert ["label", "US_SSN", "1.00", "1.00", "-", "0.00"] in [line.split() for line in text.stdout.splitlines()]


@pytest.mark.parametrize(
    "line", ["{", "[]", "{}", '{"inptu": "x"}', '{"input": "x", "context": {"ap": "y"}}', '{"input": 3}', '"x"']
)
def test_lines_that_are_no_calls(tmp_path: Path, line: str) -> None:
    path = tmp_path / "calls.jsonl"
    path.write_text(f'{{"input": "fine"}}\n\n{line}\n')
    calls = from_lines(path)
    assert next(calls).id == "1"
    with pytest.raises(CommandError) as refused:
        next(calls)
    assert str(refused.value).startswith(f"{path}:3: not a call; one JSON object a line: ")


def test_a_line_that_is_no_call_ends_the_command(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    path.write_text("{\n")
    (tmp_path / "now.yaml").write_text(CURRENT)
    told = spanward("policy", "replay", tmp_path / "now.yaml", "--against", tmp_path / "now.yaml", "--from", path)
    assert (told.returncode, told.stdout) == (1, "")
    assert told.stderr.startswith(f"spanward policy: {path}:1: not a call")


def test_a_stopped_directory_is_opened(recorded: Running, tmp_path: Path) -> None:
    with serving(tmp_path / "data", "--policy", recorded.data.parent / "now.yaml") as running:
        running.post(body("replayed", *(call(n, INPUT_MESSAGES=said("user", CARD)) for n in range(1, 451))))
        assert until(lambda: running.count("llm_calls", "replayed"), lambda n: n == 450) == 450
    told = spanward("policy", "export", "-", "--data", tmp_path / "data")
    assert told.stderr == ""
    ids = [json.loads(line)["id"] for line in told.stdout.splitlines()]
    assert len(ids) == len(set(ids)) == 450

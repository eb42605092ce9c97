"""Canaries in every kind of part, and in requests that are wrong: none is in what the guards themselves leave behind.

A real sidecar with every detector that a policy can make; asked over HTTP as a client would, and by an SDK. It is
killed in the end, so that its vault, its audit log and its write-ahead log are read as a crash leaves them.
"""

import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import get_args

import openai
import pytest

import spanward
from spanward.collector.demo.provider import serve_in_thread
from spanward.guards.judgement import Check, Context
from spanward.guards.messages import Message, Part, PartKind

from .test_no_leak import Canaries, Gate, everything_in, query, sidecar, standing, wait_until

POLICY = r"""
version: 1
name: surfaces
extends: default
detectors:
  tickets: { kind: regex, patterns: { TICKET: 'canary[0-9x]+' } }
  words: { kind: keywords, words: { BAD: [birdcage] } }
  hosts: { kind: deny_list, of: email_domain, values: ["*.example.com"] }
  mails: { kind: allow_list, of: email, values: ["nobody@example.org"] }
  shape:
    kind: json_schema
    schema: { type: object, properties: { to: { type: integer } }, additionalProperties: false }
  tongue: { kind: language, allowed: [de], min_letters: 10 }
  size: { kind: length, characters: { max: 10 } }
  about: { kind: topic, topics: { CARDS: [card, write] }, enough: 1 }
rules:
  - name: watching
    detect:
      { tickets: {}, words: {}, hosts: {}, mails: {}, shape: {}, tongue: {}, size: {}, about: {}, injection: {},
        hidden_text: {}, stereotype: {}, toxicity: {} }
    action: flag
    mode: shadow
  - name: standing
    detect: { tickets: {}, words: {}, hosts: {}, mails: {}, shape: {}, tongue: {}, size: {}, about: {} }
    action: flag
    when: { stage: tool_call }
"""
SURFACES = (
    "sidecar's directory", "audit.log", "vault.db", "table guard_events", "table audit", "/metrics", "/healthz",
    "/api/policy", "sidecar's output", "log records", "replay", "policy shadow", "refusals",
)  # fmt: skip


@dataclass
class Seen:
    """What each surface showed, and the canaries that it must not show."""

    canaries: list[Canaries] = field(default_factory=list)
    surfaces: dict[str, bytes] = field(default_factory=dict)
    answers: list[bytes] = field(default_factory=list)


class Records(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


def checks(canaries: Canaries) -> Iterator[bytes]:
    """One of each kind of part, plain and as JSON; and what is no check, with a canary where it is wrong."""
    for kind in get_args(PartKind):
        plain = Part(kind, canaries.text(kind))
        as_json = Part(kind, json.dumps({"to": canaries.text(f"{kind} as JSON")}), json=True)
        for side in ("input", "output"):
            context = Context(app="surfaces", session_id="one", tenant="acme")
            yield json.dumps(asdict(Check(side, (Message("user", (plain, as_json)),), context))).encode()
    wrong = canaries.text("a wrong request")
    yield wrong.encode()
    yield json.dumps({"side": wrong, "messages": []}).encode()
    yield json.dumps({"side": "input", "messages": [], wrong: 1}).encode()
    yield json.dumps({"side": "input", "messages": [{"role": "user", "parts": [{"kind": wrong}]}]}).encode()
    yield json.dumps({"side": "input", "messages": [], "context": {wrong: wrong}}).encode()


def told(data: Path, *command: str) -> bytes:
    done = subprocess.run(
        [sys.executable, "-m", "spanward.collector.cli", "policy", *command, "--data", str(data)],
        capture_output=True,
        check=False,
        timeout=250,
    )
    assert done.returncode in {0, 1}, done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    folder = tmp_path_factory.mktemp("surfaces")
    data, log, policy = folder / "data", folder / "sidecar.log", folder / "policy.yaml"
    policy.write_text(POLICY, encoding="utf-8")
    found, records = Seen(), Records()
    with ExitStack() as stack:
        output = stack.enter_context(log.open("wb"))
        provider = stack.enter_context(serve_in_thread())
        process, address = stack.enter_context(sidecar(data, output, str(policy), folder / "spool"))
        gate = stack.enter_context(standing(Gate(address)))
        logging.getLogger().addHandler(records)
        stack.callback(logging.getLogger().removeHandler, records)
        spanward.instrument(endpoint=gate.address, spool=folder / "spool", guards="sidecar")
        stack.callback(spanward.uninstrument)

        asked = Canaries(700, secrets=False)
        refused: list[bytes] = []
        for body in checks(asked):
            status, _, answer = gate.forward("POST", "/v1/guard/check", body, "application/json")
            (found.answers if status == 200 else refused).append(answer)
        called = Canaries(701, secrets=False)
        with spanward.session("one"), openai.OpenAI(base_url=f"{provider.address}/v1", api_key="t") as client:
            client.chat.completions.create(
                model="gpt-4o", messages=[{"role": "user", "content": called.text("a call of an SDK")}]
            )
        found.canaries = [asked, called]
        reveal = {"placeholder": "<EMAIL_ADDRESS_1>", "reason": "a test", "session_id": "none"}
        refused.append(gate.forward("POST", "/v1/vault/reveal", json.dumps(reveal).encode(), "application/json")[2])
        wait_until(lambda: query(gate, "SELECT count() FROM llm_calls")[0][0] == 1, "the call to be stored")
        watched = "SELECT count() FROM guard_events WHERE rule = 'watching'"
        wait_until(lambda: query(gate, watched)[0][0] > 0, "the rules that watch")
        wait_until(lambda: query(gate, "SELECT count() FROM audit")[0][0] > 0, "the audit row")
        for table in ("guard_events", "audit"):
            found.surfaces[f"table {table}"] = json.dumps(query(gate, f"SELECT * FROM {table}")).encode()
        for path in ("/metrics", "/healthz", "/api/policy"):
            found.surfaces[path] = gate.forward("GET", path)[2]
        found.surfaces["refusals"] = b"\n".join(refused)
        found.surfaces["replay"] = told(data, "replay", str(policy), "--since", "1d")
        found.surfaces["policy shadow"] = told(data, "shadow", "--since", "1d")
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        found.surfaces["sidecar's directory"] = everything_in(data)
        found.surfaces["audit.log"] = (data / "audit.log").read_bytes()
        found.surfaces["vault.db"] = b"".join(path.read_bytes() for path in sorted(data.glob("vault.db*")))
    found.surfaces["sidecar's output"] = log.read_bytes()
    found.surfaces["log records"] = "\n".join(records.lines).encode()
    return found


@pytest.mark.parametrize("surface", SURFACES)
def test_no_surface_shows_a_canary(seen: Seen, surface: str) -> None:
    assert [place for canaries in seen.canaries for place in canaries.seen_in(seen.surfaces[surface])] == []


def test_every_surface_was_there_to_be_searched(seen: Seen) -> None:
    quiet = {"log records"}
    assert {surface for surface in SURFACES if not seen.surfaces[surface]} <= quiet
    assert seen.surfaces["table guard_events"].count(b"watching") > 0


def test_no_event_quotes_what_was_read(seen: Seen) -> None:
    """An answer has the words of its caller in `messages` and `pseudonyms`, and nowhere else."""
    assert len(seen.answers) == 2 * len(get_args(PartKind))
    for answer in seen.answers:
        decision = json.loads(answer)
        rest = json.dumps({key: decision[key] for key in decision.keys() - {"messages", "pseudonyms"}})
        assert [place for canaries in seen.canaries for place in canaries.seen_in(rest)] == []

"""Canaries through the other clients and through operations, to the real sidecar and into its store: seen nowhere."""

import io
import json
import logging
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever

import spanward

from ..tracer.conformance.collected import SUBJECTS
from ..tracer.conformance.driver import _close, at_once, settled
from ..tracer.conformance.serving import served
from ..tracer.conformance.subject import Ask, Subject
from .test_no_leak import TABLES, Canaries, Gate, everything_in, query, sidecar, standing, wait_until

CLIENTS = ("bedrock", "google_genai", "mistral", "cohere", "ollama")
TOOL = {"type": "object", "properties": {"note": {"type": "string"}}}


@dataclass
class Seen:
    canaries: Canaries = field(default_factory=lambda: Canaries(7, secrets=False))
    by_providers: dict[str, bytes] = field(default_factory=dict)
    places: dict[str, bytes] = field(default_factory=dict)
    answers: list[str] = field(default_factory=list)


def subject(name: str) -> Subject:
    found: Subject = next(param.values[0] for param in SUBJECTS if param.values[0].name.replace("-", "_") == name)
    return found


def converse(asked: Subject, seen: Seen) -> None:
    """A whole answer, a stream and a refusal that quotes the prompt."""
    with served(asked.routes, asked.model) as fake:
        client = asked.client(fake.address, 0, 30)
        text = seen.canaries.text
        tool = {"name": "find", "description": text(f"{asked.name} tool"), "parameters": TOOL}
        spoken = Ask(f"{asked.model}-echo", text(f"{asked.name} text"), system=text(f"{asked.name} system"), tool=tool)
        seen.answers.append(asked.text(asked.ask(client, spoken)))
        if asked.stream is not None and not asked.managed:
            streamed = asked.stream(client, Ask(f"{asked.model}-echo", text(f"{asked.name} streamed")))
            seen.answers.append("".join(map(asked.chunk_text, streamed)))
        with suppress(Exception):
            asked.ask(client, Ask(f"{asked.model}-err-400-echo", text(f"{asked.name} refused")))
        at_once(settled(_close(asked, client, is_async=False)))
        seen.by_providers[asked.name] = json.dumps([one.whole() for one in fake.received], default=str).encode()


def operate(seen: Seen) -> None:
    """A tool, and a search that fails with a text that quotes the question."""
    text = seen.canaries.text

    @spanward.trace(name="send", kind="tool", capture=True)
    def send(note: str) -> str:
        return f"{note} {text('tool result')}"

    class Search(BaseRetriever):
        def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
            if "fail" in query:
                raise LookupError(query)
            return [Document(text("document"), metadata={"author": text("metadata")}, id="d1")]

    send(text("tool argument"))
    Search().invoke(text("question"), {"metadata": {"asked": text("run metadata")}, "tags": ["t"]})
    with pytest.raises(LookupError):
        Search().invoke("fail " + text("failing question"))


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    folder = tmp_path_factory.mktemp("others")
    data, spool, log = folder / "data", folder / "spool", folder / "sidecar.log"
    found, records = Seen(), io.StringIO()
    handler = logging.StreamHandler(records)
    with ExitStack() as stack:
        process, address = stack.enter_context(sidecar(data, stack.enter_context(log.open("wb")), "default", spool))
        gate = stack.enter_context(standing(Gate(address, shut=True)))
        logging.getLogger().addHandler(handler)
        stack.callback(logging.getLogger().removeHandler, handler)
        spanward.instrument(endpoint=gate.address, spool=spool, guards="sidecar")
        stack.callback(spanward.uninstrument)
        for name in CLIENTS:
            converse(subject(name), found)
        operate(found)
        found.places["spool"] = everything_in(spool)
        gate.shut = False
        wait_until(lambda: query(gate, "SELECT count() FROM llm_calls")[0][0] >= 3 * len(CLIENTS), "the calls")
        operations = "SELECT count() FROM spans WHERE name LIKE 'execute_tool%' OR name LIKE 'retrieval%'"
        wait_until(lambda: query(gate, operations)[0][0] == 3, "the operations")
        for table in TABLES:
            found.places[table] = json.dumps(query(gate, f"SELECT * FROM {table}"), ensure_ascii=False).encode()
        found.places["OTLP bodies"] = b"\n".join(gate.traces)
        process.terminate()
        process.wait(30)
    found.places["log records"] = records.getvalue().encode()
    found.places["sidecar's output"] = Path(log).read_bytes()
    return found


@pytest.mark.parametrize("name", CLIENTS)
def test_the_provider_never_sees_a_canary(seen: Seen, name: str) -> None:
    received = seen.by_providers[subject(name).name]
    assert b"EMAIL_ADDRESS_1>" in received
    assert seen.canaries.seen_in(received) == []


def test_the_app_gets_its_own_words_back(seen: Seen) -> None:
    assert all(seen.canaries.seen_in(answer) for answer in seen.answers)


@pytest.mark.parametrize("place", ["spool", *TABLES, "OTLP bodies", "log records", "sidecar's output"])
def test_nothing_that_remains_holds_a_canary(seen: Seen, place: str) -> None:
    assert seen.canaries.seen_in(seen.places[place]) == []


def test_content_was_recorded(seen: Seen) -> None:
    """Absence proves nothing where nothing was recorded."""
    assert seen.places["content"].count(b"EMAIL_ADDRESS_1>") >= 3 * len(CLIENTS)

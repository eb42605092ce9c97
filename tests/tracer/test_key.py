"""A sidecar that asks for its key: it is shown with traces and checks alike, and never told to anybody else."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest

import spanward
from spanward.collector.demo.provider import Provider
from spanward.guards.judgement import Check
from spanward.guards.messages import Message, Part
from spanward.tracer import doctor, instrument, settings
from spanward.tracer.guarding import NoGuards, PolicyFile, SidecarGuard
from spanward.tracer.sidecar import Sidecar

from ..collector.sidecar_process import Running, serving, until
from .conftest import Spooled

KEY = "s3cret-Key~for=tests"
SERVICE = "keyed-app"
ASKED: Any = [{"role": "user", "content": "Write to ada.lovelace@example.org"}]


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    data = tmp_path_factory.mktemp("keyed") / "data"
    with serving(data, environment={"SPANWARD_INGEST_KEY": KEY}) as running:
        yield running


@pytest.fixture
def ask(provider: Provider) -> Iterator[Callable[[], str]]:
    with openai.OpenAI(base_url=f"{provider.address}/v1", api_key="demo", max_retries=0) as client:
        yield (
            lambda: client.chat.completions.create(model="gpt-4o-echo", messages=ASKED).choices[0].message.content or ""
        )


@pytest.mark.parametrize("by_variable", [True, False])
def test_the_key_opens_every_route(
    keyed: Running,
    provider: Provider,
    spooled: Spooled,
    ask: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    *,
    by_variable: bool,
) -> None:
    service = f"{SERVICE}-{by_variable}"
    caplog.set_level(logging.DEBUG)
    if by_variable:
        monkeypatch.setenv("SPANWARD_INGEST_KEY", KEY)
    given: dict[str, Any] = {} if by_variable else {"key": KEY}
    spanward.instrument(
        endpoint=keyed.address, spool=spooled.folder, service_name=service, require_guards=True, **given
    )
    assert ask() == ASKED[0]["content"]
    assert b"<EMAIL_ADDRESS_1>" in provider.record[-1].body
    facts = {fact.subject: fact for fact in doctor.facts()}
    assert (facts["sidecar"].state, facts["policy"].state) == ("ok", "ok")
    assert until(lambda: keyed.count("llm_calls", service), lambda seen: seen == 1) == 1
    running = instrument.running()
    assert running
    assert KEY not in repr(running.settings)
    spanward.uninstrument()
    assert KEY not in caplog.text
    assert KEY not in keyed.log.read_text()


@pytest.mark.parametrize(("key", "says"), [("", "asks for a key"), ("wrong", "refuses the key it was shown")])
def test_a_wrong_key_is_told_once_and_loses_nothing(
    keyed: Running, spooled: Spooled, ask: Callable[[], str], caplog: pytest.LogCaptureFixture, key: str, says: str
) -> None:
    spanward.instrument(endpoint=keyed.address, spool=spooled.folder, key=key)
    assert [ask(), ask()] == [ASKED[0]["content"]] * 2
    facts = {fact.subject: fact for fact in doctor.facts()}
    assert facts["sidecar"].state == "problem"
    assert facts["sidecar"].detail == f"{keyed.address} {says}"
    assert "SPANWARD_INGEST_KEY" in facts["sidecar"].advice
    spanward.uninstrument()
    told = [record.getMessage() for record in caplog.records if says in record.getMessage()]
    assert len(told) == 2, "one of the application, one of the doctor's own asking"
    assert all("SPANWARD_INGEST_KEY" in line for line in told)
    (unguarded,) = [record.getMessage() for record in caplog.records if "GUARDS ARE OFF" in record.getMessage()]
    assert "does not take our key" in unguarded
    assert [call.attributes["spanward.content.withheld"] for call in spooled.calls] == ["guards_failed"] * 2
    assert list(spooled.folder.glob("*.bad")) == []
    assert b"ada.lovelace" not in spooled.bytes


def test_a_cautious_application_does_not_start_without_the_key(keyed: Running, spooled: Spooled) -> None:
    with pytest.raises(NoGuards, match="asks for a key: set SPANWARD_INGEST_KEY"):
        spanward.instrument(endpoint=keyed.address, spool=spooled.folder, require_guards=True)


def test_a_key_that_cannot_be_sent_is_ignored_and_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    assert settings.read({}, {"SPANWARD_INGEST_KEY": "hid\nden"}).key == ""
    assert "SPANWARD_INGEST_KEY=… is ignored: a key is printable ASCII" in caplog.text
    assert "den" not in caplog.text


def test_half_a_surrogate_pair_is_judged_by_the_sidecar(keyed: Running, spooled: Spooled) -> None:
    sidecar = Sidecar(keyed.address, KEY)
    guard = SidecarGuard(sidecar, PolicyFile(settings.read({"spool": spooled.folder}), sidecar))
    said = (Message("user", (Part("text", "\ud800 ada.lovelace@example.org"),)),)
    decision = guard.check(Check("input", said))
    sidecar.close()
    assert decision.messages[0].parts[0].text == "\ud800 <EMAIL_ADDRESS_1>"

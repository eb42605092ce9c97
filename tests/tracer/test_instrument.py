"""Putting it on, taking it off, and everything that happens to a process in between."""

import dataclasses
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import spanward
from spanward.tracer import doctor, health, instrument, registry, settings, spans

from .conftest import NOWHERE, SAID, Sidecar, Spooled, spans_of

Trace = Callable[..., Any]
HERE = Path(__file__).parent


def test_undoing_gives_back_the_very_same_functions(trace: Trace, tiny: Any) -> None:
    before = {(cls, name): vars(cls)[name] for cls in (tiny.Chat, tiny.AsyncChat) for name in ("ask", "asked_twice")}
    trace()
    assert all(vars(cls)[name] is not function for (cls, name), function in before.items())
    spanward.uninstrument()
    assert all(vars(cls)[name] is function for (cls, name), function in before.items())


def test_twice_is_once(trace: Trace, spooled: Spooled, tiny: Any) -> None:
    original = vars(tiny.Chat)["ask"]
    trace()
    once = vars(tiny.Chat)["ask"]
    trace()
    assert vars(tiny.Chat)["ask"] is once
    tiny.Chat().ask(model="m", messages=SAID)
    assert len(spooled.all) == 1
    spanward.uninstrument()
    spanward.uninstrument()
    assert vars(tiny.Chat)["ask"] is original


def test_on_again_after_off(trace: Trace, spooled: Spooled) -> None:
    trace()
    spanward.uninstrument()
    tiny = trace()
    bound = tiny.Chat().ask
    bound(model="m", messages=SAID)
    spanward.uninstrument()
    bound(model="m", messages=SAID)
    tiny.Chat().ask(model="m", messages=SAID)
    assert len(spooled.calls) == 1


def test_a_wrapper_that_someone_put_over_ours_stays(trace: Trace, spooled: Spooled) -> None:
    tiny = trace()
    ours = tiny.Chat.ask

    def theirs(self: Any, **kwargs: Any) -> Any:
        return ours(self, **kwargs)

    tiny.Chat.ask = theirs
    spanward.uninstrument()
    assert tiny.Chat.ask is theirs
    tiny.Chat().ask(model="m", messages=SAID)
    assert spooled.calls == []
    tiny.Chat.ask = ours.__wrapped__


def test_a_library_imported_later_is_traced(
    trace: Trace, spooled: Spooled, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source = (HERE / "library" / "tinylib.py").read_text()
    (tmp_path / "latelib.py").write_text(source)
    adapter = (HERE / "library" / "tinylib_adapter.py").read_text().replace("tinylib", "latelib")
    (tmp_path / "latelib_adapter.py").write_text(adapter)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(registry.ADAPTERS, "latelib", "latelib_adapter:ADAPTER")
    trace()
    assert "latelib" not in sys.modules
    import latelib  # type: ignore[import-not-found]  # written a moment ago

    latelib.Chat().ask(model="m", messages=SAID)
    assert len(spooled.calls) == 1


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"guards": "sidcar"}, "say one of sidecar, local, off"),
        ({"content": "raw"}, "guarded, none"),
        ({"endpoint": "localhost:4318"}, "an address such as http"),
        ({"key": "two words"}, r"instrument\(key=…\): a key is printable ASCII"),
    ],
)
def test_wrong_arguments_are_refused(given: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        spanward.instrument(**given)


def test_wrong_variables_are_reported_and_do_not_stop_the_application(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    monkeypatch.setenv("SPANWARD_GUARDS", "of")
    monkeypatch.setenv("SPANWARD_CONTENT", "none")
    monkeypatch.setenv("SPANWARD_SPOOL", str(tmp_path / "s"))
    monkeypatch.setenv("SPANWARD_ENDPOINT", NOWHERE + "/")
    spanward.instrument()
    running = instrument.running()
    assert running is not None
    chosen = running.settings
    assert (chosen.guards, chosen.content, chosen.spool, chosen.endpoint) == (
        "sidecar",
        "none",
        tmp_path / "s",
        NOWHERE,
    )
    assert "SPANWARD_GUARDS='of' is ignored: say one of sidecar, local, off" in caplog.text


def test_our_own_thread_imports_nothing_that_an_sdk_might_look_at(spooled: Spooled, sidecar: Sidecar) -> None:
    code = """
call()
spanward.uninstrument()
assert not {"httpx", "httpx2", "requests", "urllib3"} & set(sys.modules)
"""
    sidecar.status = 200
    assert run(spooled, code, URL=sidecar.url) == 0
    assert len(sidecar.bodies) == 1


def test_calls_are_at_the_sidecar_without_being_asked_for(trace: Trace, sidecar: Sidecar) -> None:
    sidecar.status = 200
    tiny = trace(endpoint=sidecar.url)
    tiny.Chat().ask(model="m", messages=SAID)
    assert [span.name for span in spans_of(sidecar.wait(1)[0])] == ["chat m"]


def test_what_we_counted_arrives_as_report_spans(trace: Trace, sidecar: Sidecar) -> None:
    sidecar.status = 200
    trace(endpoint=sidecar.url)
    health.count("dropped", "spool_full", 3)
    spanward.uninstrument()
    (report,) = [span for body in sidecar.bodies for span in spans_of(body)]
    assert (report.name, report.attributes) == (
        "spanward.report",
        {"spanward.report.kind": "dropped", "spanward.report.reason": "spool_full", "spanward.report.count": 3},
    )


def test_a_provider_of_the_application_is_joined(trace: Trace, spooled: Spooled) -> None:
    provider, exporter = TracerProvider(), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tiny = trace(tracer_provider=provider)
    with provider.get_tracer("theirs").start_as_current_span("their secret"):
        tiny.Chat().ask(model="m", messages=SAID)
    spanward.uninstrument()
    assert [span.name for span in exporter.get_finished_spans()] == ["chat m", "their secret"]
    assert [span.name for span in spooled.all] == ["chat m"], "spans that were not guarded are not ours to store"


PROGRAM = f"""
import os, signal, sys
sys.path.insert(0, {str(HERE / "library")!r})
import spanward
from spanward.tracer import registry
registry.ADAPTERS["tinylib"] = "tinylib_adapter:ADAPTER"
spanward.instrument(guards="off", endpoint=os.environ.get("URL", {NOWHERE!r}), spool=sys.argv[1])
import tinylib
def call(model="m"): tinylib.Chat().ask(model=model, messages=[])
"""


def run(spooled: Spooled, code: str, **environ: str) -> int:
    command = [sys.executable, "-c", PROGRAM + code, str(spooled.folder)]
    return subprocess.run(command, check=False, env={**os.environ, **environ}, timeout=250).returncode


def test_a_killed_process_leaves_every_call_that_returned(spooled: Spooled) -> None:
    assert run(spooled, "call()\ncall('n')\nos.kill(os.getpid(), signal.SIGKILL)") == -signal.SIGKILL
    assert [[span.name for span in frame] for frame in spooled.frames] == [["chat m"], ["chat n"]]


def test_a_forked_child_goes_on_tracing(spooled: Spooled) -> None:
    code = """
call("parent")
child = os.fork()
call("child" if child == 0 else "again")
if child == 0:
    os._exit(0)
os.waitpid(child, 0)
"""
    assert run(spooled, code) == 0
    assert sorted(span.name for span in spooled.calls) == ["chat again", "chat child", "chat parent"]
    assert len({path.name.split("-")[0] for path in spooled.folder.glob("*.lock")}) == 2


def test_a_forked_child_has_guards_of_its_own(spooled: Spooled, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(
        "version: 1\nrules:\n  - name: no-secrets\n    when: { stage: input }\n    detect: { secrets: {} }\n"
        "    action: block\n    on_error: allow\n"
    )
    code = f"""
spanward.uninstrument()
spanward.instrument(guards="local", policy={str(policy)!r}, endpoint={NOWHERE!r}, spool=sys.argv[1])
def blocked():
    try:
        tinylib.Chat().ask(model="m", messages=[{{"role": "user", "content": "key AKIA" + "IOSFODNN7EXAMPLE"}}])
    except spanward.ModelCallBlocked:
        return True
assert all([blocked() for _ in range(10)])  # by now threads of the parent wait for work
child = os.fork()
if child == 0:
    os._exit(0 if blocked() else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert run(spooled, code) == 0
    found = [span.attributes["spanward.guardrail.findings"] for span in spooled.all if span.name == "run_guardrail"]
    assert found == [1] * 11, "judged, not timed out"


def test_the_end_of_the_process_sends_what_is_left(spooled: Spooled, sidecar: Sidecar) -> None:
    sidecar.status = 200
    assert run(spooled, "call()", URL=sidecar.url) == 0
    assert [span.name for body in sidecar.bodies for span in spans_of(body)] == ["chat m"]
    assert list(spooled.folder.iterdir()) == []


def test_a_call_that_ends_after_our_end_is_in_the_spool(spooled: Spooled, sidecar: Sidecar) -> None:
    """A function that was to run at the end before we were there runs after us."""
    sidecar.status = 200
    code = """
import atexit
atexit._clear()
atexit.register(lambda: call("late"))
from spanward.tracer import instrument
atexit.register(instrument._at_exit)
call("early")
"""
    assert run(spooled, code, URL=sidecar.url) == 0
    assert [span.name for body in sidecar.bodies for span in spans_of(body)] == ["chat early"]
    assert [span.name for span in spooled.calls] == ["chat late"]


@pytest.mark.parametrize(
    ("argv", "name"),
    [
        (["/usr/bin/gunicorn", "app:app"], "gunicorn"),
        (["app.py"], "app"),
        (["/lib/shop/__main__.py"], "shop"),
        (["-c"], "python"),
        (["-m"], "python"),
        ([""], "python"),
        ([], "python"),
    ],
)
def test_a_program_that_nobody_named(argv: list[str], name: str) -> None:
    assert spans.program(argv) == name


def test_importing_spanward_imports_nothing_heavy() -> None:
    code = "import sys, spanward; print(*(m for m in sys.modules))"
    loaded = set(
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    )
    assert not loaded & {"opentelemetry", "httpx", "wrapt", "pydantic", "anyio", "spanward.tracer.engine"}


def test_instrumenting_imports_no_provider_no_detector_and_no_web_framework(tmp_path: Path) -> None:
    code = f"import sys, spanward; spanward.instrument(spool={str(tmp_path)!r}, endpoint={NOWHERE!r}, guards='off')"
    code += "; print(*sys.modules)"
    loaded = set(
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    )
    heavy = {
        "openai",
        "anthropic",
        "presidio_analyzer",
        "torch",
        "chdb",
        "starlette",
        "pydantic",
        "numpy",
        "genai_prices",
    }
    assert not loaded & heavy


def test_the_doctor_says_what_is_traced_and_what_is_not(trace: Trace, sidecar: Sidecar) -> None:
    trace(endpoint=sidecar.url, guards="sidecar")
    found = {fact.subject: fact for fact in doctor.facts()}
    assert (found["tinylib"].state, found["sidecar"].state) == ("ok", "ok")
    assert "4 methods traced" in found["tinylib"].detail
    assert found["spool"].state == "ok"
    assert found["policy"].detail == "p h, on_error: block"


def test_the_doctor_asks_for_the_policy_and_remembers_the_last_one(
    tiny: Any, sidecar: Sidecar, spooled: Spooled
) -> None:
    chosen = settings.read({"endpoint": sidecar.url, "spool": spooled.folder})
    asked = {fact.subject: fact.detail for fact in doctor.facts(chosen)}
    assert asked["policy"] == "p h, on_error: block"
    assert not spooled.folder.exists(), "a doctor only looks"
    away = dataclasses.replace(chosen, endpoint=NOWHERE)
    assert {fact.subject: fact.detail for fact in doctor.facts(away)}["policy"] == "never fetched from the sidecar"


def test_a_method_that_is_gone_and_an_unknown_version_are_reported(
    trace: Trace, tiny: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tinylib_adapter  # type: ignore[import-not-found]  # the fixture put it on the path

    ask, other = tinylib_adapter.ADAPTER.endpoints
    gone = dataclasses.replace(other, sync_method="Chat.vanished", async_method="AsyncChat.vanished")
    odd = dataclasses.replace(tinylib_adapter.ADAPTER, oldest="900", below="999", endpoints=(ask, gone))
    monkeypatch.setattr(tinylib_adapter, "ADAPTER", odd)
    trace()
    fact = doctor.library("tinylib")
    assert fact.state == "warning"
    assert "2 methods traced, 2 not" in fact.detail
    assert "vanished: this version has no such method" in fact.detail
    assert fact.advice.startswith("tested with 900")

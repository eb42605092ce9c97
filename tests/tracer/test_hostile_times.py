"""Moments at which nobody expects an interruption: cancelled tasks, forks, removed folders, the end of the process."""

import asyncio
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import INVALID_SPAN

import spanward
from spanward.guards.judgement import Decision, StreamPlan
from spanward.tracer import answer, health, instrument, paths, spans
from spanward.tracer.encode import Encoder
from spanward.tracer.segment import bodies

from .conftest import NOWHERE, SAID, Sidecar, Spooled, spans_of
from .test_guarding import MAIL, STAND_IN, mask, pseudonymise

Trace = Callable[..., Any]


def test_a_task_cancelled_while_its_arguments_are_edited_records_nothing_unguarded(
    trace: Trace, spooled: Spooled, sidecar: Sidecar, monkeypatch: pytest.MonkeyPatch
) -> None:
    sidecar.decide = pseudonymise
    tiny = trace(guards="sidecar", endpoint=sidecar.url)
    editing, ended = threading.Event(), threading.Event()
    edited = paths.edited

    def slowly(*args: Any) -> Any:
        editing.set()
        assert ended.wait(10)
        return edited(*args)

    monkeypatch.setattr(paths, "edited", slowly)

    async def main() -> None:
        task = asyncio.create_task(tiny.AsyncChat().ask(model="m", messages=SAID))
        assert await asyncio.to_thread(editing.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        ended.set()

    asyncio.run(main())
    assert tiny.calls == []
    assert MAIL.encode() not in spooled.bytes
    assert spooled.one().attributes["spanward.content.withheld"] == "unguarded"


def test_an_answer_that_cannot_be_put_together_is_neither_delivered_nor_recorded(
    trace: Trace, spooled: Spooled, sidecar: Sidecar, monkeypatch: pytest.MonkeyPatch
) -> None:
    sidecar.decide = lambda c: mask(c) if c.side == "output" else Decision(c.messages, stream=StreamPlan("window", 8))
    tiny = trace(guards="sidecar", endpoint=sidecar.url)

    def broken(*_: Any) -> Any:
        raise RuntimeError

    monkeypatch.setattr(answer, "settled", broken)
    with pytest.raises(spanward.ModelCallBlocked):
        tiny.Chat().ask(model="m", messages=SAID)
    assert b"Hello" not in spooled.bytes


def test_threads_that_the_application_used_up_do_not_keep_a_call_waiting(
    trace: Trace, sidecar: Sidecar, spooled: Spooled
) -> None:
    sidecar.decide = pseudonymise
    tiny = trace(guards="sidecar", endpoint=sidecar.url)
    done = threading.Event()

    async def main() -> str:
        anyio.to_thread.current_default_thread_limiter().total_tokens = 1
        blocked = asyncio.create_task(anyio.to_thread.run_sync(done.wait))
        await asyncio.sleep(0)
        try:
            async with asyncio.timeout(10):
                return str((await tiny.AsyncChat().ask(model="m", messages=SAID)).text)
        finally:
            done.set()
            await blocked

    assert MAIL in asyncio.run(main())


def test_a_call_that_a_hook_makes_during_another_is_guarded_too(
    trace: Trace, tiny: Any, sidecar: Sidecar, spooled: Spooled
) -> None:
    sidecar.decide = pseudonymise
    trace(guards="sidecar", endpoint=sidecar.url)
    token = spans.inside.set(spans.Inside(INVALID_SPAN, instance=tiny.Chat()))
    try:
        tiny.Chat().ask(model="m", messages=SAID)
    finally:
        spans.inside.reset(token)
    assert tiny.calls[0]["messages"][1]["content"] == f"mail {STAND_IN}"


def test_a_removed_spool_folder_is_made_again_and_stops_nobody(trace: Trace, spooled: Spooled) -> None:
    tiny = trace()
    tiny.Chat().ask(model="m", messages=SAID)
    shutil.rmtree(spooled.folder)
    running = instrument.running()
    assert running
    health.fenced("test", running.spool.close_turn)
    tiny.Chat().ask(model="again", messages=SAID)
    assert spooled.one().attributes["gen_ai.request.model"] == "again"
    shutil.rmtree(spooled.folder)
    spanward.uninstrument()


def test_halves_of_surrogate_pairs_are_replaced() -> None:
    span = (
        TracerProvider().get_tracer("t").start_span("a\ud800b", attributes={"k": "x\udc00 \U0001f600", "l": ["\ud800"]})
    )
    span.end()
    (body,) = bodies(Encoder().frame([span]))
    (seen,) = spans_of(body)
    assert (seen.name, seen.attributes) == ("a\ufffdb", {"k": "x\ufffd \U0001f600", "l": ["\ufffd"]})


APP = f"""
import os, sys
sys.path.insert(0, os.environ["LIBRARY"])
from spanward.tracer import registry
registry.ADAPTERS["tinylib"] = "tinylib_adapter:ADAPTER"
import spanward, tinylib
spanward.instrument(endpoint="{NOWHERE}", guards="off", spool=os.environ["SPOOL"])
ask = lambda **also: tinylib.Chat().ask(model="m", messages=[{{"role": "user", "content": "x" * 9000}}], **also)
"""


def run(spooled: Spooled, code: str, before: Callable[[], None] | None = None) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "SPOOL": str(spooled.folder), "LIBRARY": str(Path(__file__).parent / "library")}
    return subprocess.run(
        [sys.executable, "-c", APP + code],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=250,
        preexec_fn=before,
    )


def test_a_stream_that_is_open_when_the_process_ends_is_told(spooled: Spooled) -> None:
    ended = run(spooled, "stream = ask(stream=True); next(stream)")
    assert (ended.returncode, "Traceback" in ended.stderr) == (0, False)
    assert spooled.one().attributes["spanward.stream.end"] == "abandoned"


def test_a_fork_in_the_middle_of_a_stream_makes_one_span(spooled: Spooled) -> None:
    code = """
stream = ask(stream=True); next(stream)
child = os.fork()
rest = list(stream)
if child:
    os.waitpid(child, 0)
"""
    ended = run(spooled, code)
    assert (ended.returncode, "Traceback" in ended.stderr) == (0, False)
    assert spooled.one().attributes["spanward.stream.end"] == "complete"


@pytest.mark.parametrize("folder", ["full", "no folder"])
def test_a_disk_that_takes_nothing_is_not_the_application_s_problem(spooled: Spooled, folder: str) -> None:
    if folder == "no folder":
        spooled.folder.write_text("a file")

    def full() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

    ended = run(spooled, "print([ask().text[:5] for _ in range(3)])", full if folder == "full" else None)
    assert (ended.returncode, ended.stdout.strip()) == (0, "['Hello', 'Hello', 'Hello']")
    assert "Traceback" not in ended.stderr
    assert "dropped: spool_unwritable" in ended.stderr

"""Many calls at once, from tasks, from threads and on both sides of a fork: each is one span with its own texts."""

import asyncio
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from spanward.tracer import semconv

from ..conftest import Spooled
from ..inmemory import Spans
from .driver import App, at_once, walk
from .subject import Ask
from .test_calls import told

NUMBER = 50
ROOT = Path(__file__).resolve().parents[3]


def text(number: int) -> str:
    return f"Order {number:03d} is for user{number:03d}@example.org alone."


def masked(number: int) -> str:
    return f"Order {number:03d} is for <EMAIL_ADDRESS_1> alone."


async def one(app: App, number: int) -> str:
    """Every second call is a stream, where there are streams."""
    ask = Ask(app.model("echo"), text(number))
    if app.subject.stream is None or number % 2 or app.subject.streams_only:
        return app.subject.text(await app.ask(app.client(), ask))
    heard: list[Any] = []
    await walk(await app.open(app.client(), ask), heard.append)
    return app.text_of(heard)


def test_fifty_at_once(app: App, spans: Spans) -> None:
    if app.is_async:

        async def main() -> list[str]:
            return await asyncio.gather(*(one(app, number) for number in range(NUMBER)))

        answers = app.run(main())
    else:
        app.client()  # made once, before the threads
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda number: at_once(one(app, number)), range(NUMBER)))
    assert answers == [text(number) for number in range(NUMBER)]
    calls = spans.calls()
    assert sorted(spans.said(call) for call in calls) == [masked(number) for number in range(NUMBER)]
    for call in calls:
        assert spans.said(call) in spans.said(call, semconv.INPUT_MESSAGES)
        assert "@example.org" not in call.to_json()
    assert len({call.context.trace_id for call in calls if call.context}) == NUMBER
    assert all(semconv.ERROR_TYPE not in told(call) for call in calls)


@pytest.fixture(scope="module")
def forked(request: pytest.FixtureRequest, fakes: Any, tmp_path_factory: pytest.TempPathFactory) -> Spooled:
    """What is spooled by a process that asks, forks, and asks on both sides: once for all subjects that are chosen."""
    chosen = [item for item in request.session.items if getattr(item, "originalname", "") == test_fork.__name__]
    subjects = {item.callspec.params["app"] for item in chosen}  # type: ignore[attr-defined]  # a Function
    addresses = {subject.name: fakes.of(subject).address for subject in subjects if subject is not None}
    spool = tmp_path_factory.mktemp("forked") / "spool"
    program = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "tests.tracer.conformance.forking",
        str(spool),
        json.dumps(addresses),
    ]
    done = subprocess.run(program, cwd=ROOT, timeout=250, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return Spooled(spool)


@pytest.mark.parametrize("way", ["sync"], indirect=True)
def test_fork(app: App, forked: Spooled) -> None:
    models = [call.attributes[semconv.REQUEST_MODEL] for call in forked.calls]
    for where in ("before", "child", "parent"):
        assert models.count(f"{app.subject.model}-{app.subject.name}-{where}-echo") == 1, where

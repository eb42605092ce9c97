"""Whatever answers in the sidecar's place: the application is answered in time, and nothing unjudged is recorded."""

import contextlib
import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from .conftest import SAID, Spooled

Trace = Callable[..., Any]
OK = b"HTTP/1.1 200 OK\r\ncontent-length: "

ANSWERS: dict[str, bytes | None] = {
    "garbage": b"\x00\xff no HTTP\r\n\r\n",
    "nothing": b"",
    "a page": OK + b"6\r\n\r\n<html>",
    "half of it": OK + b"600\r\n\r\n{",
    "a decision on nothing": OK + b'15\r\n\r\n{"messages":[]}',
    "deep JSON": OK + b"100000\r\n\r\n" + b"[" * 100_000,
    "a redirection": b"HTTP/1.1 302 Found\r\nlocation: /x\r\ncontent-length: 0\r\n\r\n",
    "drops": None,
}


@contextlib.contextmanager
def answering(answer: bytes | None) -> Iterator[str]:
    """The address of a server that says `answer` to everybody; None is a body that never ends, drop by drop."""
    over = threading.Event()

    def serve(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            if connection.recv(1 << 16).startswith(b"POST /v1/traces"):
                return  # spans stay in the spool
            connection.sendall(OK + b"1000000\r\n\r\n" if answer is None else answer)
            while answer is None and not over.wait(0.05):
                connection.sendall(b" ")

    def accept() -> None:
        with contextlib.suppress(OSError):
            for connection, _ in itertools.starmap(listener.accept, itertools.repeat(())):
                threads.append(threading.Thread(target=serve, args=(connection,)))
                threads[-1].start()

    threads: list[threading.Thread] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threads.append(threading.Thread(target=accept))
        threads[0].start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
    for thread in threads:
        thread.join(10)


@pytest.mark.parametrize("name", ANSWERS)
def test_any_answer_is_no_answer(trace: Trace, spooled: Spooled, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    import spanward
    from spanward.tracer import guarding

    monkeypatch.setattr(guarding, "FIRST_TIMEOUT_S", 0.5)
    with answering(ANSWERS[name]) as address:
        tiny = trace(guards="sidecar", endpoint=address)
        began = time.monotonic()
        assert tiny.Chat().ask(model="m", messages=SAID).text.startswith("Hello")
        assert time.monotonic() - began < 4
        spanward.uninstrument()
    assert b"ada@" not in spooled.bytes
    assert spooled.one().attributes["spanward.content.withheld"] in {"guards_failed", "uneditable"}

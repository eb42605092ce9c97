"""Child processes of the demonstration: each ends with it."""

import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager


@contextmanager
def ended(process: "subprocess.Popen[bytes] | subprocess.Popen[str]") -> Iterator["subprocess.Popen[str]"]:
    """The process, asked to end (then made to) when the block is left."""
    try:
        yield process  # type: ignore[misc]
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def said(command: list[str], patience: float) -> Iterator[str]:
    """Start a server that prints its address on the first line, and hand that line on."""
    with ended(subprocess.Popen(command, stdout=subprocess.PIPE, text=True)) as process:
        killer = threading.Timer(patience, process.kill)
        killer.start()
        line = next(lines_of(process), "")
        killer.cancel()
        if not line:
            raise SystemExit(f"{' '.join(command[1:3])} did not start")
        yield line.strip()


def lines_of(process: "subprocess.Popen[str]") -> Iterator[str]:
    assert process.stdout is not None
    yield from process.stdout


def free_port(wanted: int) -> int:
    """`wanted` if nobody listens there, else 0: any free one."""
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            return 0
    return wanted

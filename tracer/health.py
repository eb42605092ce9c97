"""What we had to drop or could not do: counted here, shipped as `spanward.report` spans, said once in the log.

Never says more than a type and a place in our own code: the text of an exception may quote a prompt.
"""

import contextlib
import logging
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

log = logging.getLogger("spanward")

T = TypeVar("T")

_lock = threading.RLock()  # a stream that is collected as garbage may be counted in the midst of counting
_counts: Counter[tuple[str, str]] = Counter()
_totals: Counter[tuple[str, str]] = Counter()


def count(kind: str, reason: str, number: int = 1) -> None:
    """Add to what the next report says. `kind`: 'internal', 'dropped', 'guards', 'unsent', 'patching', 'no_adapter'."""
    with _lock:
        _counts[kind, reason] += number
        new = (kind, reason) not in _totals
        _totals[kind, reason] += number
    if new:
        with contextlib.suppress(Exception):  # what the application's own handlers do with it
            log.warning("spanward: %s: %s (said once; counted and reported from here on)", kind, reason)


def take() -> dict[tuple[str, str], int]:
    """Everything counted since the last time, for a report."""
    if not _counts:
        return {}
    with _lock:
        taken = dict(_counts)
        _counts.clear()
    return taken


def totals(kind: str) -> dict[str, int]:
    """All that this process counted of a kind, reported or not, by reason."""
    with _lock:
        return {reason: number for (known, reason), number in _totals.items() if known == kind and number}


def give_back(taken: dict[tuple[str, str], int]) -> None:
    """A report that could not be written: its counts go into the next one."""
    with _lock:
        _counts.update(taken)


def mishap(where: str, error: BaseException) -> None:
    """Count a failure of our own code; the application never sees it."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" at {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else ""
    count("internal", f"{where}: {type(error).__name__}{place}")


def fenced(where: str, run: Callable[..., T], *args: object) -> T | None:
    """What `run` gives, or None if it fails; then the failure is counted under `where`."""
    try:
        return run(*args)
    except Exception as error:  # noqa: BLE001  our failure must never reach the application
        mishap(where, error)
        return None


def after_fork() -> None:
    """In the child of a fork: what the parent counted is the parent's to report."""
    global _lock  # noqa: PLW0603  another thread may have held it when the process forked
    _lock = threading.RLock()
    _counts.clear()
    for known in _totals:
        _totals[known] = 0  # it stays said

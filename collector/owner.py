"""One process owns the data directory. The kernel forgets the lock when the process dies, whatever way it dies."""

import fcntl
import os
from pathlib import Path
from typing import IO


class StoreInUse(Exception):  # noqa: N818  a state of the world
    """Another process owns the data directory; the text names its pid."""


def own(data: Path) -> IO[str]:
    """Lock `data` for this process until the returned file is closed. Raises `StoreInUse`."""
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = (data / "owner.pid").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.seek(0)
        pid = lock.read().strip() or "unknown"
        lock.close()
        raise StoreInUse(
            f"{data} is in use by process {pid}. Ask that one (spanward query does), stop it, or give another --data."
        ) from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock

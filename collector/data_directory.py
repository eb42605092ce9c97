"""The directory that one sidecar owns: its lock, its address for those who look for it, its working files."""

import fcntl
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from .command import CommandError

PATIENCE_SECONDS = 1.0
"""How long to wait for the lock: whoever only looks whether it is held, holds it for a moment."""


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A running `spanward serve`."""

    pid: int
    address: str


def default() -> Path:
    """`$XDG_DATA_HOME/spanward`, else `~/.local/share/spanward`."""
    home = os.environ.get("XDG_DATA_HOME", "")
    return (Path(home) if home.startswith("/") else Path.home() / ".local" / "share") / "spanward"


class DataDirectory:
    """`take()` it before anything in it is touched; `release()` ends with the process at the latest."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.log = self.path / "log"
        self.temporary = self.path / "tmp"
        self._lock_path = self.path / "sidecar.lock"
        self._sidecar_path = self.path / "sidecar.json"
        self._lock: int | None = None

    @property
    def store_url(self) -> str:
        return f"chdb:///{self.path / 'store'}"

    def take(self) -> None:
        """Raises `CommandError` if another process has it (the text names its pid), or if it cannot be made."""
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.temporary.mkdir(exist_ok=True)
            lock = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as problem:
            raise CommandError(f"{self.path}: {problem.strerror}; choose a directory with --data") from None
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not _locked(lock, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                owner = os.pread(lock, 20, 0).decode(errors="replace").strip() or "unknown"
                os.close(lock)
                raise CommandError(
                    f"{self.path} is in use by process {owner}: stop that one, or choose another with --data"
                )
            time.sleep(0.05)
        self._sidecar_path.unlink(missing_ok=True)
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        self._lock = lock

    def announce(self, address: str) -> None:
        """Tell others where we listen. Readers see all of it or nothing."""
        draft = self.path / f"sidecar.json.{os.getpid()}"
        draft.write_text(json.dumps(asdict(Sidecar(os.getpid(), address))) + "\n")
        draft.replace(self._sidecar_path)

    def sidecar(self) -> Sidecar | None:
        """The sidecar that runs here now; None where there is none, or only the traces of one that was killed."""
        try:
            told = Sidecar(**json.loads(self._sidecar_path.read_text()))
            lock = os.open(self._lock_path, os.O_RDONLY | os.O_CLOEXEC)
        except (OSError, ValueError, TypeError):
            return None
        try:
            return None if _locked(lock, fcntl.LOCK_SH) or not _alive(told.pid) else told
        finally:
            os.close(lock)

    def release(self) -> None:
        if self._lock is not None:
            self._sidecar_path.unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None


def _alive(pid: int) -> bool:
    """A successor that has the lock, and has not yet removed what its killed predecessor announced, is not that one."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _locked(lock: int, kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

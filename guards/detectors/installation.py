"""The folder of models changes in one step or not at all: whoever looks sees a whole model, or none."""

import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .models import NAME, ModelError

DRAFT = ".draft-"
"""What a folder is called that is not yet, or no more, a model. Under the lock every such one is a leftover."""


@contextmanager
def installing(name: str, base: Path, *, needed: int, replace: bool) -> Iterator[Path]:
    """An empty folder to fill, which becomes the model `name` in `base` if the body ends without an exception.

    `needed` bytes must be free. Raises `ModelError`; whatever was begun is removed.
    """
    if not NAME.fullmatch(name):
        raise ModelError(f"{name!r} is no name for a model: lower-case letters, digits and hyphens, at most 63")
    with _locked(base):
        if (base / name).exists() and not replace:
            raise ModelError(f"{base / name} is there already: --replace installs it anew")
        _room(base, needed)
        draft = Path(tempfile.mkdtemp(prefix=DRAFT, dir=base))
        try:
            yield draft
            _settle(draft, base / name)
        except OSError as error:
            if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
                raise ModelError(f"{base} cannot take the model: {error.strerror}. {_ROOM}") from error
            raise ModelError(f"cannot write the model to {base}: {error.strerror or type(error).__name__}") from error
        finally:
            shutil.rmtree(draft, ignore_errors=True)


def remove(name: str, base: Path) -> None:
    """A process that has loaded the model keeps what it has. Raises `ModelError`."""
    folder = base / name
    if not NAME.fullmatch(name) or not folder.is_dir():
        raise ModelError(f"no model {name!r} is installed in {base}")
    with _locked(base):
        draft = Path(tempfile.mkdtemp(prefix=DRAFT, dir=base))
        try:
            folder.rename(draft / name)
        except OSError as error:
            raise ModelError(f"cannot remove {folder}: {error.strerror}") from error
        finally:
            shutil.rmtree(draft, ignore_errors=True)


@contextmanager
def _locked(base: Path) -> Iterator[None]:
    """One change at a time. What an interrupted one left is cleared away: whoever made it no longer runs."""
    try:
        base.mkdir(parents=True, exist_ok=True)
        lock = os.open(base / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ModelError(
            f"cannot write to {base}: {error.strerror}; choose a folder with --data or SPANWARD_MODELS"
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for leftover in base.glob(f"{DRAFT}*"):
            shutil.rmtree(leftover, ignore_errors=True)
        yield
    except BlockingIOError as error:
        raise ModelError(f"another `spanward models` is at work in {base}: wait for it") from error
    finally:
        os.close(lock)


def _room(base: Path, needed: int) -> None:
    free = shutil.disk_usage(base).free
    if free < needed:
        raise ModelError(f"{base} has {free >> 20} MiB free, the conversion needs {needed >> 20} MiB. {_ROOM}")


def _settle(draft: Path, folder: Path) -> None:
    """On disk before it has its name, so that no crash leaves a model with half a file."""
    for path in (*draft.iterdir(), draft):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    draft.chmod(0o755)  # the sidecar may be another user's than who installs
    if folder.exists():
        replaced = Path(tempfile.mkdtemp(prefix=DRAFT, dir=folder.parent))
        folder.rename(replaced / folder.name)
        draft.rename(folder)
        shutil.rmtree(replaced, ignore_errors=True)
    else:
        draft.rename(folder)


_ROOM = "Nothing is installed. Make room, or choose another folder with --data or SPANWARD_MODELS"

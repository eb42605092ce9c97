"""Every subject there is. One whose library is not installed here is a visible skip."""

import importlib
import importlib.util
import os
from pathlib import Path
from typing import Any

import pytest

from spanward.tracer import registry

from .subject import Subject

FOLDER = Path(__file__).parent / "subjects"
ONLY = os.environ.get("MATRIX_LIBRARY", "")
"""The one library that `make matrix` asks about, in an environment that has some version of it."""
LIBRARIES = [ONLY] if ONLY else list(registry.ADAPTERS)


def _given(name: str) -> tuple[Subject, ...]:
    """Subjects of one module. Raises ModuleNotFoundError for a library that is not installed."""
    module = importlib.import_module(f".subjects.{name}", __package__)
    return module.SUBJECTS if hasattr(module, "SUBJECTS") else (module.SUBJECT,)


def _all() -> list[Any]:
    found: list[Any] = []
    for file in sorted(FOLDER.glob("*.py")):
        try:
            subjects = _given(file.stem)
        except ModuleNotFoundError as error:
            if (error.name or "").split(".")[0] in {"tests", "spanward"}:
                raise
            found.append(pytest.param(None, id=file.stem, marks=pytest.mark.skip(f"{error.name} is not installed")))
            continue
        for subject in subjects:
            if ONLY not in {"", subject.library}:
                continue
            missing = importlib.util.find_spec(subject.library) is None
            marks = [pytest.mark.skip(f"{subject.library} is not installed")] if missing else []
            found.append(pytest.param(subject, id=subject.name, marks=marks))
    return found


SUBJECTS = _all()
WHOLE = [param for param in SUBJECTS if param.values[0] is None or not param.values[0].streams_only]


def named(name: str) -> Subject:
    """The subject of that name. Raises LookupError for one that is not there."""
    found: Subject = next(param.values[0] for param in SUBJECTS if param.id == name)
    return found

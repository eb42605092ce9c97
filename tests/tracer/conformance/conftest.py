"""Subjects, their fakes, and one `instrument()` a module."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from ..inmemory import instrumented, spans, untraced
from .collected import SUBJECTS, WHOLE
from .driver import App, Stage
from .serving import Fake, served
from .subject import FEATURES, Subject

__all__ = ["instrumented", "spans", "untraced"]


@pytest.fixture(scope="session")
def fakes() -> Iterator[dict[str, Fake]]:
    """Servers by subject, started when first asked for."""
    with ExitStack() as stack:

        class Fakes(dict[str, Fake]):
            def of(self, subject: Subject) -> Fake:
                if subject.name not in self:
                    self[subject.name] = stack.enter_context(served(subject.routes, subject.model))
                return self[subject.name]

        yield Fakes()


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    kept = Stage()
    yield kept
    kept.close()


def _app(request: pytest.FixtureRequest, subject: Subject, fakes: Any, way: str) -> App:
    test = request.node.originalname.removeprefix("test_")
    for name, why in subject.unlike:
        if name == test:
            pytest.skip(f"{subject.name}: {why}")
    if way == "async" and subject.async_client is None:
        pytest.skip(f"{subject.name} has no async client")
    fake = fakes.of(subject)
    fake.clear()
    return App(subject, fake, way == "async", request.getfixturevalue("stage"))


@pytest.fixture(params=["sync", "async"])
def way(request: pytest.FixtureRequest) -> str:
    """In which of the two ways the library is used."""
    return str(request.param)


@pytest.fixture(params=WHOLE)
def app(request: pytest.FixtureRequest, fakes: Any, way: str) -> App:
    """An application that asks for whole answers."""
    return _app(request, request.param, fakes, way)


@pytest.fixture(params=SUBJECTS)
def streaming(request: pytest.FixtureRequest, fakes: Any, way: str) -> App:
    """An application that asks for streams."""
    if request.param.stream is None:
        pytest.skip(f"{request.param.name} has no streams")
    return _app(request, request.param, fakes, way)


def needs(subject: Subject, *features: str) -> None:
    """Skip what the library has not got, and say so."""
    for feature in features:
        if feature not in subject.features:
            pytest.skip(f"{subject.name}: not so that it {FEATURES[feature]}")

"""One `instrument()` for the tests of a module, with guards in this process and spans in memory."""

from collections.abc import Iterator

import pytest

from ..inmemory import Spans, traced


@pytest.fixture(autouse=True)
def untraced() -> None:
    """Here one `instrument()` serves a whole module: loading the guards takes longer than a test."""


@pytest.fixture(scope="module")
def instrumented(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spans]:
    with traced(tmp_path_factory.mktemp("spool")) as spans:
        yield spans


@pytest.fixture
def spans(instrumented: Spans) -> Spans:
    instrumented.clear()
    return instrumented

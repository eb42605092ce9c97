"""What `instrument()` does to each library's methods, and to those that somebody else has wrapped or subclassed."""

import importlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import wrapt

import spanward
from spanward.tracer import doctor, patching, registry, semconv
from spanward.tracer.adapter import Around, Endpoint

from ..conftest import NOWHERE
from ..inmemory import traced
from .collected import LIBRARIES
from .driver import App
from .test_calls import told

Method = tuple[Any, str, Any]
"""(owner, name, what stands there)"""


def methods(library: str) -> dict[str, Method]:
    """Every method of a library that its adapter patches, by place."""
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    importlib.import_module(library)
    adapter = registry.load(library)
    found: dict[str, Method] = {}
    endpoints: tuple[Endpoint | Around, ...] = (*adapter.endpoints, *adapter.around)
    for endpoint in endpoints:
        try:
            importlib.import_module(endpoint.module)
        except ImportError:
            continue  # of another version
        for method, _ in patching.methods(endpoint):
            if there := patching.find(endpoint.module, method):
                found[f"{endpoint.module}.{method}"] = there
    return found


def standing(found: dict[str, Method]) -> dict[str, Any]:
    return {place: vars(owner)[name] for place, (owner, name, _) in found.items()}


@pytest.mark.parametrize("library", LIBRARIES)
def test_undo(library: str, tmp_path: Path) -> None:
    before = methods(library)
    if not before:
        pytest.skip(f"{library} tells by itself: nothing is patched")
    spanward.instrument(guards="off", endpoint=NOWHERE, spool=tmp_path)
    try:
        patched = standing(before)
        assert {place for place in before if patched[place] is before[place][2]} == set()
        spanward.instrument(guards="off", endpoint=NOWHERE, spool=tmp_path)
        assert all(now is patched[place] for place, now in standing(before).items())
    finally:
        spanward.uninstrument()
    assert {place for place, now in standing(before).items() if now is not before[place][2]} == set()


@pytest.fixture(params=["sync"])
def way(request: pytest.FixtureRequest) -> str:
    """A wrapper is a wrapper: the async classes are patched by the same code."""
    return str(request.param)


@pytest.fixture
def counting(app: App) -> Iterator[Any]:
    """Wraps every method of the library as another instrumentation does; undone after the test."""
    found = methods(app.subject.library)
    if not found:
        pytest.skip(f"{app.subject.library} is not patched")
    seen: list[str] = []

    def wrap() -> list[str]:
        for place, (owner, name, _) in found.items():

            def wrapper(wrapped: Any, _: Any, args: Any, kwargs: Any, place: str = place) -> Any:
                seen.append(place)
                return wrapped(*args, **kwargs)

            setattr(owner, name, wrapt.FunctionWrapper(vars(owner)[name], wrapper))
        return seen

    yield wrap
    for owner, name, original in found.values():
        setattr(owner, name, original)


def test_patched_by_others_before(app: App, counting: Any, tmp_path: Path) -> None:
    seen = counting()
    with traced(tmp_path, guards="off") as spans:
        answer = app.run(app.say("echo", text="hello"))
        says = doctor.library(app.subject.library)
        assert len(spans.calls()) == 1
    assert app.subject.text(answer) == "hello"
    assert len(seen) >= 1
    assert "also patched by" in says.detail
    assert __name__ in says.detail


def test_patched_by_others_after(app: App, counting: Any, tmp_path: Path) -> None:
    with traced(tmp_path, guards="off") as spans:
        seen = counting()
        answer = app.run(app.say("echo", text="hello"))
        says = doctor.library(app.subject.library)
        assert len(spans.calls()) == 1
    assert app.subject.text(answer) == "hello"
    assert len(seen) >= 1
    assert "also patched by" in says.detail
    app.run(app.say("echo", text="hello"))  # ours lies below theirs, and lets calls through
    assert len(seen) >= 2
    assert len(spans.calls()) == 1


def test_a_client_of_a_subclass(app: App, tmp_path: Path) -> None:
    async def main() -> Any:
        client = app.client()
        usual = type(client)
        try:
            client.__class__ = type(f"Our{usual.__name__}", (usual,), {})
        except TypeError as error:
            pytest.skip(f"{app.subject.name}: its clients take no other class ({error})")
        try:
            return await app.say("echo", text="hello")
        finally:
            client.__class__ = usual

    with traced(tmp_path, guards="off") as spans:
        assert app.subject.text(app.run(main())) == "hello"
    assert told(spans.one())[semconv.PROVIDER] == app.subject.provider

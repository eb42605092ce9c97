"""Who may import whom. No room knows more of the house than it needs, and the application's process stays light."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAY_IMPORT = {
    "guards": set(),
    "tracer": {"guards"},
    "dashboards": {"guards"},
    "collector": {"guards", "tracer", "dashboards"},
}
OF_THE_TRACER = {"segment", "semconv", "spool_folder", "doctor"}
"""What the sidecar may take from the tracer: the format, its place, the names, and what `spanward doctor` prints."""
HEAVY = (
    "presidio_analyzer",
    "spacy",
    "torch",
    "transformers",
    "chdb",
    "clickhouse_connect",
    "starlette",
    "uvicorn",
    "pydantic",
    "numpy",
    "yaml",
)
DETECTING = ("presidio_analyzer", "spacy", "torch", "transformers", "onnxruntime", "numpy", "detect_secrets", "chdb")


def modules(room: str) -> Iterator[Path]:
    for path in sorted((ROOT / room).rglob("*.py")):
        if "node_modules" not in path.parts and "static" not in path.parts:
            yield path


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """(line, dotted name from the root) of every import of our own modules, lazy ones included."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            for alias in node.names:
                yield node.lineno, ".".join((*base, *filter(None, (node.module or "").split(".")), alias.name))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("spanward"):
            yield node.lineno, (node.module or "").removeprefix("spanward").strip(".")
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("spanward."):
                    yield node.lineno, alias.name.removeprefix("spanward.")


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_rooms_import_only_what_they_may(room: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in modules(room)
        for line, name in imports(path)
        if (other := name.split(".")[0]) in MAY_IMPORT and other != room and other not in MAY_IMPORT[room]
    ]
    assert wrong == []


def test_the_sidecar_takes_little_from_the_tracer() -> None:
    """The demonstration's application is a user of the public face, so it may import `spanward` itself."""
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in modules("collector")
        for line, name in imports(path)
        if name.split(".")[0] == "tracer" and name.split(".")[1] not in OF_THE_TRACER
    ]
    assert wrong == []


def test_no_module_imports_in_a_circle() -> None:
    graph: dict[str, set[str]] = {}
    for room in MAY_IMPORT:
        for path in modules(room):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            graph[name] = {target for _, target in top_level(path)}
    assert list(circles(graph)) == []


def top_level(path: Path) -> Iterator[tuple[int, str]]:
    """Imports that run when the module is imported: a lazy import inside a function makes no circle."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            if node.module:
                stem = ".".join((*base, node.module))
                yield node.lineno, stem
                for alias in node.names:
                    yield node.lineno, f"{stem}.{alias.name}"
            else:
                for alias in node.names:
                    yield node.lineno, ".".join((*base, alias.name))


def circles(graph: dict[str, set[str]]) -> Iterator[str]:
    done: set[str] = set()
    for start in sorted(graph):
        path: list[str] = []

        def walk(name: str) -> Iterator[str]:
            if name in path:  # noqa: B023  walked at once
                yield " -> ".join([*path[path.index(name) :], name])  # noqa: B023
                return
            if name in done or name not in graph:
                return
            path.append(name)  # noqa: B023
            for target in sorted(graph[name]):
                yield from walk(target)
            path.pop()  # noqa: B023
            done.add(name)

        yield from walk(start)


def test_instrumenting_brings_nothing_heavy_into_the_application() -> None:
    program = (
        "import sys, spanward; spanward.instrument(); "
        f"print([name for name in {HEAVY!r} if name in sys.modules]); spanward.uninstrument()"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd="/")
    assert result.stdout.strip().splitlines()[-1] == "[]"


def test_checking_a_policy_brings_in_no_library_of_a_detector() -> None:
    """A policy is checked in every commit of whoever writes one: the strict one asks for all of them."""
    program = (
        "import sys; from spanward.collector.cli import main; main(['policy', 'check', 'strict']); "
        f"print([name for name in {DETECTING!r} if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd="/")
    assert result.stdout.strip().splitlines()[-1] == "[]"

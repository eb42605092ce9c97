"""Detectors of other packages: what is asked of them, and the worked example, installed for real."""

import os
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel

from spanward.guards.conformance import NotConforming, check_detector
from spanward.guards.detectors import registry
from spanward.guards.detectors.detector import Hit

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "own_detector"


class Good:
    name: ClassVar[str] = "good"
    noun: ClassVar[str] = "labels"
    labels: ClassVar[Mapping[str, float]] = {"x": 0.5, "y": 0.5}
    engine = "test"
    degraded = ""

    def detect(self, texts: Sequence[str], labels: frozenset[str]) -> list[list[Hit]]:
        return [
            [
                Hit(label, at, at + 2, 1.0, "two letters")
                for label in sorted(labels)
                if (at := text.find(label * 2)) >= 0
            ]
            for text in texts
        ]


def test_a_good_detector_passes() -> None:
    check_detector(Good(), hits=[("axx", "x"), ("ayy", "y", "yy")], misses=["ax", ""])


class Named(Good):
    name = "not a key"


class Nouned(Good):
    noun = "things"


class NoLabels(Good):
    labels: ClassVar[Mapping[str, float]] = {}


class Threshold(Good):
    labels: ClassVar[Mapping[str, float]] = {"x": 5, "y": 0.5}


class OptIn(Good):
    opt_in = frozenset({"z"})


class NoEngine(Good):
    engine = ""


class Lenient(Good):
    class Options(BaseModel):
        pass


class InBytes(Good):
    def detect(self, texts: Sequence[str], labels: frozenset[str]) -> list[list[Hit]]:
        return [[Hit("x", 0, len(text.encode(errors="replace")), 0.1)] if text else [] for text in texts]


class Empty(Good):
    def detect(self, texts: Sequence[str], labels: frozenset[str]) -> list[list[Hit]]:
        return [[Hit("x", text.index("xx") + 0 * len(text), text.index("xx") + 2, 1.0)] for text in texts]


class Quotes(Good):
    def detect(self, texts: Sequence[str], labels: frozenset[str]) -> list[list[Hit]]:
        return [
            [Hit("x", 0, len(text), 0.1, f"saw {text}")] if len(text) > 4 and "x" in labels else [] for text in texts
        ]


class Score(Good):
    def detect(self, texts: Sequence[str], labels: frozenset[str]) -> list[list[Hit]]:
        return [[Hit("x", 0, len(text), 7.0)] if text and "x" in labels else [] for text in texts]


class Stranger(Good):
    def detect(self, texts: Sequence[str], labels: frozenset[str]) -> list[list[Hit]]:
        return [[Hit("z", 0, len(text), 0.1)] if text else [] for text in texts]


class Forgetful(Good):
    def __init__(self) -> None:
        self.seen: set[str] = set()

    def detect(self, texts: Sequence[str], labels: frozenset[str]) -> list[list[Hit]]:
        new = [text not in self.seen for text in texts]
        self.seen.update(texts)
        return [
            [Hit("x", 0, len(text), 0.1)] if is_new and text else [] for text, is_new in zip(texts, new, strict=True)
        ]


class Unsorted(Good):
    def detect(self, texts: Sequence[str], labels: frozenset[str]) -> list[list[Hit]]:
        return super().detect(sorted(texts), labels)


class Everything(Good):
    def detect(self, texts: Sequence[str], labels: frozenset[str]) -> list[list[Hit]]:
        return super().detect(texts, frozenset(self.labels))


class Blind(Good):
    def detect(self, texts: Sequence[str], labels: frozenset[str]) -> list[list[Hit]]:
        return [[] for _ in texts]


class Unsure(Good):
    def detect(self, texts: Sequence[str], labels: frozenset[str]) -> list[list[Hit]]:
        return [[Hit(hit.label, hit.start, hit.end, 0.1) for hit in hits] for hits in super().detect(texts, labels)]


class Jumpy(Good):
    def detect(self, texts: Sequence[str], labels: frozenset[str]) -> list[list[Hit]]:
        return [[Hit("x", 0, len(text), 1.0)] if text and "x" in labels else [] for text in texts]


@pytest.mark.parametrize(
    ("cls", "problem"),
    [
        (Named, "`name` is a word"),
        (Nouned, "`noun` is"),
        (NoLabels, "no labels"),
        (Threshold, "the threshold of 'x'"),
        (OptIn, "`opt_in` names labels"),
        (NoEngine, "`engine` is a text"),
        (Lenient, "`Options` must refuse"),
        (InBytes, "code points, not bytes"),
        (Empty, "'': raises ValueError"),
        (Quotes, "quotes the text"),
        (Score, "scores 7.0"),
        (Stranger, "none of its labels"),
        (Forgetful, "differently the second time|when several texts"),
        (Unsorted, "when several texts are asked at once"),
        (Everything, "asked for 'x' alone"),
        (Blind, "'axx': 'x' is not found$"),
        (Unsure, "not found from its threshold on"),
        (Jumpy, "where nothing is"),
    ],
)
def test_each_broken_promise_is_told(cls: Any, problem: str) -> None:
    with pytest.raises(NotConforming, match=f"(?m){problem}"):
        check_detector(cls(), hits=[("axx", "x", "xx"), ("ayy", "y")], misses=["ax"])


OWN: dict[str, dict[str, Any]] = {
    "allow_list": {"of": "url_host", "values": ["ok.com"]},
    "deny_list": {"of": "word", "values": ["bad"]},
    "hidden_text": {},
    "injection": {},
    "json_schema": {"schema": {"type": "object"}},
    "keywords": {"words": {"a": ["alpha"], "b": ["beta"]}},
    "language": {"allowed": ["en"]},
    "length": {"characters": {"max": 10, "min": 2}},
    "regex": {"patterns": {"A": "a{3,5}", "B": r"\d{3}"}},
    "secrets": {},
    "topic": {"topics": {"law": ["court", "contract"]}},
}


@pytest.mark.parametrize("kind", OWN)
def test_our_own_detectors_keep_it(kind: str) -> None:
    cls: Any = registry.detector_class(kind)
    model = registry.options_model(cls)
    if model is None:
        check_detector(cls())
    else:
        options = model.model_validate(OWN[kind])
        check_detector(cls(options), options=options)


def test_each_of_our_own_is_checked_here_or_by_its_own_tests() -> None:
    assert set(registry.OWN) >= set(OWN)


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder as `pip install` leaves it: the module, and a `.dist-info` that tells its entry points."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    info = tmp_path / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n", encoding="utf-8"
    )
    points = [
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in named.items())
        for group, named in project["entry-points"].items()
    ]
    (info / "entry_points.txt").write_text("\n".join(points), encoding="utf-8")
    (tmp_path / "order_numbers.py").write_bytes((EXAMPLE / "order_numbers.py").read_bytes())
    return tmp_path


def run(*command: str, path: Path) -> str:
    code = f"import sys; sys.path.insert(0, {str(path)!r}); import runpy; sys.argv = {list(command)!r}; "
    code += "runpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)" if command[0] != "-c" else command[1]
    env = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=250, check=False, env=env
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_example_is_found_by_its_entry_point_and_guards(installed: Path) -> None:
    said = run(
        "-c",
        "from spanward.guards import policy\n"
        "from spanward.guards.detectors import registry\n"
        "from spanward.guards.judgement import Check\n"
        "from spanward.guards.messages import Message, Part\n"
        "from spanward.guards.pipeline import Pipeline\n"
        "assert 'order_numbers' in registry.names()\n"
        f"pipeline = Pipeline(policy.load({str(EXAMPLE / 'policy.yaml')!r}))\n"
        "from order_numbers import check_digits\n"
        "right = '20260042-' + check_digits('20260042')\n"
        "texts = ['ask for ORD-' + right, 'and INV-' + right, 'not ORD-20260042-00']\n"
        "check = Check('input', (Message('user', tuple(Part('text', text) for text in texts)),))\n"
        "decision = pipeline.check(check)\n"
        "print([part.text for part in decision.messages[0].parts])\n"
        "print(sorted((event.detector, event.engine) for event in decision.events))\n",
        path=installed,
    )
    assert said.splitlines() == [
        "['ask for [ORDER_NUMBER]', 'and [ORDER_NUMBER]', 'not ORD-20260042-00']",
        "[('invoices', 'order_numbers 0.1.0'), ('order_numbers', 'order_numbers 0.1.0')]",
    ]


def test_the_tests_of_the_example_pass(installed: Path) -> None:
    said = run(
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-c",
        "/dev/null",
        str(EXAMPLE / "test_order_numbers.py"),
        path=installed,
    )
    assert "3 passed" in said

"""The real detectors, brought up once for all tests of the room."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from spanward.guards import policy
from spanward.guards.detectors.detector import Detector
from spanward.guards.detectors.pii import Pii
from spanward.guards.detectors.secrets import Secrets
from spanward.guards.pipeline import Pipeline


@pytest.fixture(scope="session")
def pii() -> Pii:
    return Pii()


@pytest.fixture(scope="session")
def secrets() -> Secrets:
    return Secrets()


@pytest.fixture
def build(tmp_path: Path, pii: Pii, secrets: Secrets) -> Callable[..., Pipeline]:
    """A pipeline from the YAML of its rules."""

    def made(rules: str, defaults: str = "{}", detectors: Mapping[str, Detector] | None = None) -> Pipeline:
        path = tmp_path / "policy.yaml"
        path.write_text(f"version: 1\ndefaults: {defaults}\nrules:\n{rules}", encoding="utf-8")
        return Pipeline(policy.load(path), detectors or {"pii": pii, "secrets": secrets})

    return made

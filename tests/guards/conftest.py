"""The real detectors, brought up once for all tests of the room."""

import pytest

from spanward.guards.detectors.pii import Pii
from spanward.guards.detectors.secrets import Secrets


@pytest.fixture(scope="session")
def pii() -> Pii:
    return Pii()


@pytest.fixture(scope="session")
def secrets() -> Secrets:
    return Secrets()

"""The sidecar as a process of its own, shared by tests that leave it as it was: each uses a service name of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .sidecar_process import Running, serving

POLICY = """\
version: 1
name: house
rules:
  - name: no-secrets
    when: { stage: input }
    detect: { secrets: {} }
    action: block
    reply: "That message contained a credential and was not sent."
  - name: mail-in-answers
    when: { stage: output }
    detect: { pii: { entities: { EMAIL_ADDRESS: 0.4 } } }
    action: flag
  - name: mail-out
    when: { stage: input }
    detect: { pii: { entities: { EMAIL_ADDRESS: 0.4 } } }
    action: pseudonymise
    restore: true
"""


@pytest.fixture(scope="session")
def policy_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("policy") / "house.yaml"
    path.write_text(POLICY)
    return path


@pytest.fixture(scope="session")
def sidecar(tmp_path_factory: pytest.TempPathFactory, policy_file: Path) -> Iterator[Running]:
    with serving(tmp_path_factory.mktemp("sidecar") / "data", "--policy", policy_file) as running:
        yield running

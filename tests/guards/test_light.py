"""What runs in the application's process brings nothing in; what must not touch the network does not."""

import subprocess
import sys

import pytest

LIGHT = ["messages", "judgement", "wire", "holdback", "pseudonyms"]


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=250, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("module", LIGHT)
def test_light_modules_import_only_the_standard_library(module: str) -> None:
    foreign = run(
        f"import sys; before = set(sys.modules); import spanward.guards.{module}\n"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(sorted(new - set(sys.stdlib_module_names) - {'spanward'}))"
    )
    assert foreign == "[]"


def test_presidio_comes_without_torch_and_transformers() -> None:
    said = (
        run(
            "import sys, importlib.util\n"
            "assert importlib.util.find_spec('torch'), 'the test proves nothing where torch is not installed'\n"
            "from spanward.guards.detectors.pii import Pii\n"
            "hits = Pii().detect(['write to bob@example.com'], frozenset({'EMAIL_ADDRESS'}))\n"
            "print([hit.label for hit in hits[0]], 'torch' in sys.modules, 'transformers' in sys.modules)\n"
            "print(importlib.util.find_spec('torch') is not None)"
        )
        if _torch()
        else pytest.skip("torch is not installed")
    )
    assert said.splitlines() == ["['EMAIL_ADDRESS'] False False", "True"]


def _torch() -> bool:
    return run("import importlib.util; print(importlib.util.find_spec('torch') is not None)") == "True"


def test_a_full_check_runs_with_sockets_denied() -> None:
    said = run(
        "import socket\n"
        "def denied(*_, **__): raise AssertionError('somebody wants the network')\n"
        "socket.socket.connect = socket.create_connection = socket.getaddrinfo = socket.gethostbyname = denied\n"
        "from spanward.guards import policy\n"
        "from spanward.guards.judgement import Check\n"
        "from spanward.guards.messages import Message, Part\n"
        "from spanward.guards.pipeline import Pipeline\n"
        "pipeline = Pipeline(policy.load('strict'))\n"
        "check = Check('input', (Message('user', (Part('text', 'bob@some-company.co.uk, shut up stupid idiot'),)),))\n"
        "print(pipeline.check(check).messages[0].parts[0].text, [e.label for e in pipeline.review(check)])"
    )
    assert said == "<EMAIL_ADDRESS_1>, shut up stupid idiot ['toxicity']"


def test_the_application_keeps_its_own_tldextract() -> None:
    said = run(
        "import tldextract; before = tldextract.extract\n"
        "from spanward.guards.detectors.pii import Pii\n"
        "Pii(); print(tldextract.extract is before or tldextract.extract == before)"
    )
    assert said == "True"

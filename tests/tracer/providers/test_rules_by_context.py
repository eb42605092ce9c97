"""What rules match on comes from the application: who calls, for whom, with which prompt, to which model."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import openai
import pytest

import spanward

WHENS = {
    "app": "app: shop-*",
    "environment": "environment: staging",
    "provider": "provider: openai",
    "model": "model: ['gpt-4*', o3]",
    "prompt": "prompt: [greet, 'ask-*']",
    "user_group": "user_group: [staff, guests]",
    "tags": "tags: [eu, 'beta-*']",
    "several": "user_group: staff, tags: eu, prompt: greet",
}
RULES = "".join(
    f"  - {{name: {name}, when: {{stage: input, {when}}}, "
    f"detect: {{word: {{labels: [{name.upper()}]}}}}, action: redact}}\n"
    for name, when in WHENS.items()
)
WORDS = ", ".join(f"{name.upper()}: ['w-{name}']" for name in WHENS)
POLICY = f"version: 1\ndetectors:\n  word: {{kind: keywords, words: {{{WORDS}}}}}\nrules:\n{RULES}"
ALWAYS = {"app", "environment", "provider"}


@pytest.fixture(scope="module", autouse=True)
def instrumented_by_policy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder: Path = tmp_path_factory.mktemp("context")
    (folder / "policy.yaml").write_text(POLICY)
    spanward.instrument(
        endpoint="http://127.0.0.1:9", guards="local", policy=folder / "policy.yaml", spool=folder / "spool",
        service_name="shop-web", environment="staging",
    )  # fmt: skip
    yield
    spanward.uninstrument()


def applied(client: openai.OpenAI, provider: Any, model: str) -> set[str]:
    """The rules that masked their word in what the provider heard."""
    provider.clear()
    said = " and ".join(f"w-{name}" for name in WHENS)
    client.chat.completions.create(model=model, messages=[{"role": "user", "content": said}])
    heard = str(provider.record)
    return {name for name in WHENS if f"w-{name}" not in heard}


def scope(**given: Any) -> Iterator[AbstractContextManager[Any]]:
    if "group" in given:
        yield spanward.user("u-1", group=given["group"])
    if "prompt" in given:
        yield spanward.prompt(given["prompt"], "3")
    if "tags" in given:
        yield spanward.tags(*given["tags"])


@pytest.mark.parametrize(
    ("given", "model", "rules"),
    [
        ({}, "o1", set()),
        ({}, "gpt-4o-mini", {"model"}),
        ({}, "gpt-3.5-turbo", set()),
        ({"prompt": "greet"}, "o1", {"prompt"}),
        ({"prompt": "ask-price"}, "o1", {"prompt"}),
        ({"prompt": "Greet"}, "o1", set()),
        ({"group": "staff"}, "o1", {"user_group"}),
        ({"group": "guests"}, "o1", {"user_group"}),
        ({"group": "Staff"}, "o1", set()),
        ({"group": None}, "o1", set()),
        ({"tags": ["us", "eu"]}, "o1", {"tags"}),
        ({"tags": ["beta-2"]}, "o1", {"tags"}),
        ({"tags": ["eu-west"]}, "o1", set()),
        ({"group": "staff", "tags": ["eu"], "prompt": "greet"}, "o1", {"user_group", "tags", "prompt", "several"}),
        ({"group": "guests", "tags": ["eu"], "prompt": "greet"}, "o1", {"user_group", "tags", "prompt"}),
    ],
)
def test_rules_apply_by_what_the_application_says(
    openai_client: openai.OpenAI, provider: Any, given: dict[str, Any], model: str, rules: set[str]
) -> None:
    with ExitStack() as stack:
        for each in scope(**given):
            stack.enter_context(each)
        assert applied(openai_client, provider, model) == rules | ALWAYS

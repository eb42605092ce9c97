# ruff: noqa: RUF001  look-alikes are the subject
"""Values in disguise are found by the real detectors, and what is replaced is exactly what was written."""

import pytest

from spanward.guards.detectors.pii import Pii
from spanward.guards.detectors.secrets import Secrets
from spanward.guards.judgement import Check
from spanward.guards.messages import Message, Part
from spanward.guards.pipeline import Pipeline
from spanward.guards.policy import load


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    file = tmp_path_factory.mktemp("policy") / "p.yaml"
    file.write_text(
        "version: 1\nrules:\n  - name: r\n    action: redact\n"
        "    detect: { pii: { entities: [EMAIL_ADDRESS, CREDIT_CARD] }, secrets: {} }\n",
        encoding="utf-8",
    )
    return Pipeline(load(file), {"pii": Pii(), "secrets": Secrets()})


def tagged(text: str) -> str:
    return "".join(chr(0xE0000 + ord(char)) for char in text)


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("写信给 ａlice＠example．com。谢谢", "写信给 [EMAIL_ADDRESS]。谢谢"),
        ("to \u0430lice@ex\u0430mple.com!", "to [EMAIL_ADDRESS]!"),
        ("to al\u200bice@exam\u00adple.com!", "to [EMAIL_ADDRESS]!"),
        ("to 𝐚𝐥𝐢𝐜𝐞@example.com!", "to [EMAIL_ADDRESS]!"),
        ("card ４１１１ １１１１ １１１１ １１１１.", "card [CREDIT_CARD]."),
        ("card ٤١١١١١١١١١١١١١١١.", "card [CREDIT_CARD]."),
        ("Hi" + tagged("alice@example.com") + " there", "Hi[EMAIL_ADDRESS] there"),
        ("p\u0430ssword: hunter2x", "p\u0430ssword: [PASSWORD]"),
        ("Алиса пишет Бобу о погоде в Москве.", "Алиса пишет Бобу о погоде в Москве."),
    ],
)
def test_a_value_in_disguise(pipeline: Pipeline, text: str, after: str) -> None:
    decision = pipeline.check(Check("input", (Message("user", (Part("text", text),)),)))
    assert decision.messages[0].parts[0].text == after


def test_in_json_with_escapes_it_stays_json(pipeline: Pipeline) -> None:
    text = '{"to": "\\uff41lice\\uff20ex\\u0430mple\\uff0ecom", "n": 1}'
    decision = pipeline.check(Check("output", (Message("assistant", (Part("tool_call", text, json=True),)),)))
    assert decision.messages[0].parts[0].text == '{"to": "[EMAIL_ADDRESS]", "n": 1}'

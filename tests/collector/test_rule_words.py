"""What changed between two policies, in words."""

from pathlib import Path

import pytest

from spanward.collector.desk.rule_words import changes
from spanward.guards.policy import Policy, load

BEFORE = """\
version: 1
name: p
rules:
  - name: one
    when: { stage: input }
    detect: { pii: { entities: { EMAIL_ADDRESS: 0.4, US_SSN: 0.4 } } }
    action: pseudonymise
  - name: two
    detect: { secrets: { labels: { AWS_ACCESS_KEY: 0.5 } } }
    action: flag
    mode: shadow
"""
Told = tuple[str, str, list[str]]
SAME = ("action: flag", "action: flag  # the same")
CASES = [
    (SAME, []),
    (("US_SSN: 0.4", "US_SSN: 0.6"), [("one", "changed", ["US_SSN (pii) from: 0.4 → 0.6"])]),
    ((", US_SSN: 0.4", ", PHONE_NUMBER: 0.5"), [
        ("one", "changed", ["also looks for PHONE_NUMBER (pii) from 0.5", "no longer looks for US_SSN (pii)"]),
    ]),
    (("US_SSN: 0.4", "US_SSN: { threshold: 0.4, action: block }"), [
        ("one", "changed", ["US_SSN (pii) leads to: pseudonymise → block"]),
    ]),
    (("mode: shadow", "mode: enforce"), [("two", "changed", ["mode: only watches (shadow) → in force"])]),
    (("stage: input }", "stage: input, app: shop }"), [("one", "changed", ["applies to app: any → shop"])]),
    (("action: pseudonymise", "action: block\n    reply: never"), [
        ("one", "changed", ["action: pseudonymise → block", "reply: not said → never"]),
    ]),
    (("name: two", "name: three"), [
        ("two", "removed", ["flag where secrets finds AWS_ACCESS_KEY, in shadow"]),
        ("three", "added", ["flag where secrets finds AWS_ACCESS_KEY, in shadow"]),
    ]),
    (("name: p\n", "name: q\ndefaults: { on_error: flag }\n"), [
        ("", "changed", ["name: p → q", "default on_error: block → flag"]),
    ]),
]  # fmt: skip


def policy(folder: Path, text: str) -> Policy:
    (folder / "p.yaml").write_text(text)
    return load(folder / "p.yaml")


@pytest.mark.parametrize(("edit", "told"), CASES, ids=[case[0][1][:30] for case in CASES])
def test_a_change_is_said_in_words(tmp_path: Path, edit: tuple[str, str], told: list[Told]) -> None:
    assert edit[0] in BEFORE
    found = changes(policy(tmp_path, BEFORE), policy(tmp_path, BEFORE.replace(*edit, 1)))
    assert [(each["rule"], each["change"], each["words"]) for each in found] == told


def test_another_order_is_said(tmp_path: Path) -> None:
    head, one, two = BEFORE.partition("  - name: one")[0], *BEFORE.split("  - name: ")[1:]
    turned = f"{head}  - name: {two}  - name: {one}"
    found = changes(policy(tmp_path, BEFORE), policy(tmp_path, turned))
    assert found == [{"rule": "", "change": "changed", "words": ["the order of the rules"]}]

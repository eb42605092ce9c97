"""What `policy check` says of policies that load: each oddity once, with its line, and nothing of what is fine."""

from pathlib import Path

import pytest

from spanward.guards.policy import SHIPPED, loaded
from spanward.guards.policy_lint import lint

TWO = (
    "  - name: a\n    when: {{{}}}\n    detect: {{pii: {{entities: {{{}}}}}}}\n    action: {}\n"
    "  - name: b\n    when: {{{}}}\n    detect: {{pii: {{entities: {{{}}}}}}}\n    action: {}\n"
)  # fmt: skip


def remarks(tmp_path: Path, rules: str, above: str = "") -> list[str]:
    path = tmp_path / "p.yaml"
    path.write_text(f"version: 1\n{above}rules:\n{rules}")
    return [str(remark).replace(f"{path}:", "") for remark in lint(loaded(path))]


def one(rest: str) -> str:
    return f"  - name: a\n    detect: {{pii: {{entities: {{EMAIL_ADDRESS: 0.4}}}}}}\n{rest}"


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ("  - {name: a, detect: {pii: {entities: {US_SSN: 0}}}, action: flag}\n",
         [("3: warning: rule 'a' takes US_SSN from 0 on: everything that the detector considers is a finding, "
          "sure or not")]),
        ("  - {name: a, detect: {pii: {entities: {US_SSN: 1}}}, action: flag}\n",
         ["3: hint: rule 'a' takes US_SSN from 1 on: only what is certain is a finding, which may be nothing"]),
        ("  - {name: a, detect: {pii: {entities: {US_SSN: 0.01, EMAIL_ADDRESS: 0.99}}}, action: flag}\n", []),
        ("  - name: a\n    detect: {pii: {entities: []}}\n    action: block\n",
         ["4: error: rule 'a': it looks for no label, so it never finds anything"]),
        (("  - name: a\n    detect: {pii: {entities: {US_SSN: {action: redact}}}}\n    action: pseudonymise\n"
         "    restore: true\n"),
         [("6: error: rule 'a': `restore`, but every label has another action than `pseudonymise`: nothing is "
          "restored")]),
        (("  - name: a\n    detect: {pii: {entities: {US_SSN: {action: pseudonymise}}}}\n    action: redact\n"
         "    restore: true\n"), []),
        ("  - name: a\n    detect: {pii: {entities: {US_SSN: {action: flag}}}}\n    action: block\n    reply: No.\n",
         ["6: error: rule 'a': `reply`, but no label blocks: nobody gets it"]),
        (one("    action: block\n    reply: No.\n"), []),
        (one("    action: block\n    stream: {mode: observe}\n"),
         ["6: warning: rule 'a': `block` with `mode: observe`: a streamed answer is delivered before it is judged"]),
        (one("    action: redact\n    stream: {mode: observe}\n"),
         [("6: warning: rule 'a': `redact` with `mode: observe`: a streamed answer is delivered as it was said, only "
          "the record is redacted")]),
        (one("    action: flag\n    stream: {mode: observe}\n"), []),
        (one("    action: pseudonymise\n    restore: true\n    stream: {mode: observe}\n"), []),
        (one("    action: block\n    stream: {mode: window}\n    when: {stage: [input, retrieval]}\n"),
         ["6: hint: rule 'a': `stream`, but the rule is not for what streams: output and tool_call"]),
        (one("    action: block\n    stream: {mode: window}\n    when: {stage: tool_call}\n"), []),
        (one("    action: flag\n    latency_budget_ms: 9\n"),
         ["6: hint: rule 'a': a budget, but no call waits for this rule"]),
        (one("    action: block\n    latency_budget_ms: 9\n    on_error: block\n"), []),
        (one("    action: block\n    mode: shadow\n    on_error: block\n"),
         [("7: hint: rule 'a': `on_error: block`, but no call waits for this rule: its failure is told and blocks "
          "nothing")]),
        (one("    action: flag\n    when:\n      stage: [input, tool_result]\n"),
         ["6: hint: rule 'a': `tool_result` without `retrieval`: documents that a search found pass this rule unseen"]),
        (one("    action: flag\n    when: {stage: [tool_result, retrieval]}\n"), []),
        (one("    action: flag\n    when:\n      app:\n      - shop\n      - 'shop '\n"),
         ["9: warning: rule 'a': `app: 'shop '` has a space before or after it, which names do not have"]),
        (one("    action: flag\n    when:\n      app: [shop, '*']\n"),
         ["7: hint: rule 'a': `app: 'shop'` adds nothing beside '*'"]),
        (one("    action: flag\n    when: {app: ['shop-*', '']}\n"), []),
        ("  - name: a\n    detect: {toxicity: {labels: {toxicity: 0.9}}}\n    action: block\n",
         [("4: warning: rule 'a': toxicity leads to `block`; without Detoxify's weights the small baseline model was "
          "made to flag: one harmless text in a hundred reaches its usual thresholds")]),
        ("  - {name: a, detect: {toxicity: {labels: {toxicity: 0.9}}}, action: flag}\n", []),
        ("  - {name: a, detect: {toxicity: {labels: {toxicity: 0.9}}}, action: block, mode: shadow}\n", []),
    ],
)  # fmt: skip
def test_one_rule(tmp_path: Path, rules: str, expected: list[str]) -> None:
    assert remarks(tmp_path, rules) == expected


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        # the stricter action wins, wherever it stands
        (("", "US_SSN: 0.4", "block"), ("", "US_SSN: 0.5", "redact"),
         ["9: error: rule 'b': US_SSN: never leads to `redact`: `block` of rule 'a' wins from 0.4 on"]),
        (("", "US_SSN: 0.5", "pseudonymise"), ("", "US_SSN: 0.5", "redact"),
         ["5: error: rule 'a': US_SSN: never leads to `pseudonymise`: `redact` of rule 'b' wins from 0.5 on"]),
        (("", "US_SSN: 0.8", "block"), ("", "US_SSN: 0.5", "redact"),
         [("9: hint: rule 'b': US_SSN: leads to `redact` here, but where both rules apply `block` of rule 'a' wins "
          "from 0.8 on")]),
        (("app: shop", "US_SSN: 0.4", "block"), ("", "US_SSN: 0.5", "redact"),
         [("9: hint: rule 'b': US_SSN: leads to `redact` here, but where both rules apply `block` of rule 'a' wins "
          "from 0.4 on")]),
        (("", "US_SSN: 0.4", "block"), ("app: shop", "US_SSN: 0.5", "redact"),
         ["9: error: rule 'b': US_SSN: never leads to `redact`: `block` of rule 'a' wins from 0.4 on"]),
        (("app: 'shop-*'", "US_SSN: 0.4", "block"), ("app: shop-web", "US_SSN: 0.5", "redact"),
         ["9: error: rule 'b': US_SSN: never leads to `redact`: `block` of rule 'a' wins from 0.4 on"]),
        (("app: '*'", "US_SSN: 0.4", "block"), ("", "US_SSN: 0.5", "redact"),
         ["9: error: rule 'b': US_SSN: never leads to `redact`: `block` of rule 'a' wins from 0.4 on"]),
        # an exception that is none
        (("", "US_SSN: 0.4", "block"), ("app: shop", "US_SSN: 0.1", "allow"),
         [("9: error: rule 'b': US_SSN: `allow` is no exception from another rule: `block` of rule 'a' wins from "
          "0.4 on")]),
        (("", "US_SSN: 0.4", "redact"), ("", "US_SSN: 0.5", "flag"),
         [("9: hint: rule 'b': US_SSN: `flag` looks at texts that were guarded before: `redact` of rule 'a' wins from "
          "0.4 on")]),
        # the same twice
        (("", "US_SSN: 0.4, EMAIL_ADDRESS: 0.4", "block"), ("", "US_SSN: 0.5, EMAIL_ADDRESS: 0.4", "block"),
         ["9: warning: rule 'b': US_SSN, EMAIL_ADDRESS: adds nothing: rule 'a' does the same and as early"]),
        (("app: shop", "US_SSN: 0.4", "block"), ("", "US_SSN: 0.4", "block"),
         ["5: warning: rule 'a': US_SSN: adds nothing: rule 'b' does the same and as early"]),
        (("", "US_SSN: 0.5", "block"), ("app: shop", "US_SSN: 0.4", "block"), []),
        # near misses: they never meet, or nothing is wrong
        (("", "US_SSN: 0.4", "block"), ("", "EMAIL_ADDRESS: 0.4", "redact"), []),
        (("stage: input", "US_SSN: 0.4", "block"), ("stage: output", "US_SSN: 0.5", "redact"), []),
        (("app: shop", "US_SSN: 0.4", "block"), ("app: store", "US_SSN: 0.5", "redact"), []),
        (("app: 'shop-*'", "US_SSN: 0.4", "block"), ("app: 'store-*'", "US_SSN: 0.5", "redact"), []),
        (("app: 'shop-*'", "US_SSN: 0.4", "block"), ("app: Shop-web", "US_SSN: 0.5", "redact"), []),
        (("model: gpt-4o", "US_SSN: 0.4", "block"), ("provider: openai", "US_SSN: 0.3", "flag"), []),
        (("tags: a", "US_SSN: 0.4", "redact"), ("tags: b", "US_SSN: 0.4", "pseudonymise"),  # a call may have both
         [("9: hint: rule 'b': US_SSN: leads to `pseudonymise` here, but where both rules apply `redact` of rule 'a' "
          "wins from 0.4 on")]),
        (("", "US_SSN: {threshold: 0.4, action: block}", "flag"), ("", "US_SSN: 0.5", "redact"),
         ["9: error: rule 'b': US_SSN: never leads to `redact`: `block` of rule 'a' wins from 0.4 on"]),
        (("", "US_SSN: {threshold: 0.4, action: flag}", "block"), ("", "US_SSN: 0.3", "flag"),
         ["5: warning: rule 'a': US_SSN: adds nothing: rule 'b' does the same and as early"]),
    ],
)  # fmt: skip
def test_two_rules(
    tmp_path: Path, first: tuple[str, str, str], second: tuple[str, str, str], expected: list[str]
) -> None:
    assert remarks(tmp_path, TWO.format(*first, *second)) == expected


@pytest.mark.parametrize("key", ["restore: true", "on_error: allow", "stream: {mode: buffer}"])
def test_what_a_rule_does_besides_is_no_repetition(tmp_path: Path, key: str) -> None:
    same = TWO.format("", "US_SSN: 0.4", "pseudonymise", "", "US_SSN: 0.4", "pseudonymise")
    assert remarks(tmp_path, f"{same}    {key}\n") == []


def test_a_shadow_beside_the_rule_that_it_may_replace_is_fine(tmp_path: Path) -> None:
    rules = TWO.format("", "US_SSN: 0.4", "redact", "", "US_SSN: 0.4", "block") + "    mode: shadow\n"
    assert remarks(tmp_path, rules) == []


def test_a_detector_that_no_rule_asks(tmp_path: Path) -> None:
    made = "detectors:\n  mine: {kind: pii}\n  yours: {kind: pii}\n"
    rules = "  - {name: a, detect: {yours: {entities: [US_SSN]}}, action: block}\n"
    assert remarks(tmp_path, rules, made) == ["3: hint: no rule asks the detector 'mine': it is not made"]


def test_remarks_of_what_is_inherited_name_its_file(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(
        "version: 1\nrules:\n  - {name: a, detect: {pii: {entities: {US_SSN: 0}}}, action: flag}\n"
    )
    heir = tmp_path / "heir.yaml"
    heir.write_text("version: 1\nextends: base.yaml\nrules:\n  - {name: b, detect: {secrets: {}}, action: block}\n")
    (remark,) = lint(loaded(heir))
    assert remark.where == f"{tmp_path / 'base.yaml'}:3"


@pytest.mark.parametrize("name", sorted(path.stem for path in SHIPPED.glob("*.yaml")))
def test_nothing_is_odd_about_what_ships(name: str) -> None:
    assert lint(loaded(name)) == []

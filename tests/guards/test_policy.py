"""Policies: what is refused and how it is said, what is inherited, what the hash is of."""

from pathlib import Path

import pytest

from spanward.guards import policy
from spanward.guards.policy import Choice, Policy, PolicyError

A = "version: 1\nrules:\n  - name: a\n"
RULE = "rules: [{name: a, detect: {secrets: {}}, action: block}]\n"


def written(tmp_path: Path, text: str, name: str = "p.yaml") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- 1\n", "1: a policy is a mapping with `version: 1` and `rules:`"),
        ("version: 1\nrules: [\n", "3: not valid YAML: expected the node content, but found '<stream end>'"),
        ("version: 1\nrule: []\n", "2: unknown key 'rule'; did you mean 'rules'?"),
        ("version: 2\nrules: []\n", "1: 2 is no version; known: 1"),
        ("rules: []\n", "1: 'version' is missing"),
        ("version: 1\nversion: 1\n", "2: 'version' is there twice"),
        ("version: 1\ndefaults:\n  on_eror: flag\n", "3: unknown key 'on_eror'; did you mean 'on_error'?"),
        ("version: 1\ndefaults: {on_error: flagg}\n", "2: 'flagg' is no on_error; did you mean 'flag'?"),
        ("version: 1\ndefaults: {latency_budget: 60}\n",
         "2: unknown key 'latency_budget'; did you mean 'latency_budget_ms'?"),
        ("version: 1\ndefaults: {timeout_ms: 0}\n", "2: 'timeout_ms' must be more than 0, not 0"),
        # aliases that stand for millions of items, for themselves, and what YAML can say that no policy means
        ("version: 1\nx0: &x0 [1,1,1,1,1,1,1,1,1,1]\n"
         + "".join(f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 10)}]\n" for n in range(1, 9)),
         " more than 200,000 keys and list items, with what its aliases stand for"),
        ("version: 1\nrules: &r [*r]\n", " lists and mappings stand within each other too deeply"),
        ("version: 1\nrules: " + "[" * 3000 + "]" * 3000, " lists and mappings stand within each other too deeply"),
        ("version: 1\nname: !!python/object/apply:os.system [id]\n",
         ("2: not valid YAML: could not determine a "
          "constructor for the tag 'tag:yaml.org,2002:python/object/apply:os.system'")),
        ("version: 1\n[a, b]: 1\n", "2: a key is a word, not a list or a mapping"),
        ("version: 1\nname: 0x_\n", "1: not valid YAML: invalid literal for int() with base 16: ''"),
        ("version: 1\nrules:\n\t- name: a\n",
         "3: not valid YAML: found character '\\t' that cannot start any token; indent with spaces"),
        ("version: '1'\nrules: []\n", "1: '1' is no version; write it without quotes"),
        ("version: 1\nrules: {a: 1}\n", "2: 'rules' must be a list, each item after a `-`"),
        ("version: 1\nrules:\n  - a\n", "3: number 1 of 'rules' must be a mapping (`key: value`)"),
        ("version: 1\ndefaults: {timeout_ms:}\n", "2: 'timeout_ms' must be a whole number, not nothing"),
        (A + "    action: block\n    detect: [secrets]\n", "5: 'detect' must be a mapping (`key: value`)"),
        (A + "    action: block\n    detect: {secrets: {}}\n    when: {app: yes}\n",
         "6: 'app' must be text or a list of texts, not True; put it in quotes"),
        (A + "    action: block\n    detect: {secrets: {}}\n    when: {stage: []}\n", "6: 'stage' is empty"),
        # what a label of another pack needs, and no complaint about what hangs on it
        (A + "    action: redact\n    detect: {pii: {entities: {EMAIL_ADDRESS: 0.4, DE_TAX_ID: {action: block}}}}\n"
         "    reply: x\n", "5: entity 'DE_TAX_ID' of 'pii' needs `de` among its `countries`, under `detectors:`"),
        (A + "    action: block\n    detect: {secretz: {}}\n",
         "5: unknown detector 'secretz'; did you mean 'secrets'?"),
        (A + "    action: redact\n    detect:\n      pii:\n        entities:\n          {US_SNN: 1}\n",
         "8: unknown entity 'US_SNN' of 'pii'; did you mean 'US_SSN'?"),
        (A + "    action: redact\n    detect: {pii: {entities: [EMAIL]}}\n",
         "5: unknown entity 'EMAIL' of 'pii'; did you mean 'EMAIL_ADDRESS'?"),
        (A + "    action: flag\n    detect: {toxicity: {labels: {toxic: 0.5}}}\n",
         "5: unknown label 'toxic' of 'toxicity'; did you mean 'toxicity'?"),
        (A + "    action: redact\n    detect: {pii: {labels: [US_SSN]}}\n",
         "5: unknown key 'labels'; known: entities"),
        (A + "    action: redact\n    detect: {pii: {entities: {US_SSN: 1.5}}}\n",
         "5: the threshold of 'US_SSN' is a number from 0 to 1, not 1.5"),
        (A + "    action: redact\n    detect: {pii: {entities: {US_SSN: true}}}\n",
         "5: the threshold of 'US_SSN' is a number from 0 to 1, not True"),
        (A + "    action: redact\n    detect: {pii: all}\n",
         "5: the options of 'pii' are a mapping; write {} for none"),
        (A + "    detect: {secrets: {}}\n    action: blok\n",
         "5: 'blok' is no action; did you mean 'block'?"),
        (A + "    detect: {secrets: {}}\n    action: block\n    when:\n      stage: [input, tool_cal]\n",
         "7: 'tool_cal' is no stage; did you mean 'tool_call'?"),
        (A + "    detect: {secrets: {}}\n    action: block\n    when: {ap: x}\n",
         "6: unknown key 'ap'; did you mean 'app'?"),
        (A + "    detect: {secrets: {}}\n    action: block\n    restore: true\n",
         "6: only `action: pseudonymise` can be restored"),
        (A + "    detect: {secrets: {}}\n    action: flag\n    reply: no\n    mode: x\n",
         "6: 'reply' must be text, not False; put it in quotes"),
        (f"version: 1\n{RULE}".replace("]", ", {name: a, detect: {secrets: {}}, action: flag}]"),
         "2: there is a rule 'a' already"),
        ("version: 1\nextends: nobody\nrules: []\n",
         "2: nobody: no such policy; known: default, healthcare, observe-only, payments, strict"),
        ("version: 1\nextends: ./gone.yaml\nrules: []\n", "2: no such file: './gone.yaml'"),
        ("version: 1\nextends: ./p.yaml\nrules: []\n", "2: './p.yaml' extends this policy in turn"),
    ],
)  # fmt: skip
def test_refused_with_line_and_suggestion(tmp_path: Path, text: str, message: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(PolicyError) as refused:
        policy.load(path)
    assert str(refused.value).splitlines()[0] == f"{path}:{message}"


def test_a_date_is_text_and_only_what_is_no_utf8_is_told_by_its_line(tmp_path: Path) -> None:
    assert policy.load(written(tmp_path, "version: 1\nname: 2026-13-45\nrules: []\n")).name == "2026-13-45"
    path = tmp_path / "latin.yaml"
    path.write_bytes("version: 1\nname: Zoë\n".encode("latin-1"))
    with pytest.raises(PolicyError, match=r"latin\.yaml:2: not UTF-8 text; save it as UTF-8$"):
        policy.load(path)


def test_all_mistakes_are_said_at_once(tmp_path: Path) -> None:
    path = written(tmp_path, "version: 1\nrules:\n  - name: a\n    actoin: block\n    detect: {pi: {}}\n")
    with pytest.raises(PolicyError) as refused:
        policy.load(path)
    assert str(refused.value).splitlines() == [
        f"{path}:3: 'action' is missing",
        f"{path}:4: unknown key 'actoin'; did you mean 'action'?",
        f"{path}:5: unknown detector 'pi'; did you mean 'pii'?",
    ]


def test_missing_file_and_missing_name(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"gone\.yaml: No such file or directory"):
        policy.load(tmp_path / "gone.yaml")
    with pytest.raises(PolicyError) as refused:
        policy.load("defautl")
    assert str(refused.value) == "defautl: no such policy; did you mean 'default'?"


def test_rule_in_full(tmp_path: Path) -> None:
    loaded = policy.load(
        written(
            tmp_path,
            "version: 1\nrules:\n  - name: a\n    when: {stage: input, app: 'shop-*', tags: [x, y]}\n"
            "    detect: {pii: {entities: [EMAIL_ADDRESS, URL]}}\n    action: pseudonymise\n    restore: true\n"
            "    on_error: allow\n    stream: {mode: buffer}\n",
        )
    )
    rule = loaded.rules[0]
    assert (loaded.name, rule.when.stage, rule.when.app, rule.when.tags) == ("p", ("input",), ("shop-*",), ("x", "y"))
    assert rule.detect == {"pii": {"EMAIL_ADDRESS": Choice(threshold=0.4), "URL": Choice(threshold=0.6)}}
    assert (rule.on_error, rule.on_timeout, rule.stream and rule.stream.mode) == ("allow", None, "buffer")
    assert rule.in_the_way


def test_no_entities_means_the_usual_ones(tmp_path: Path) -> None:
    loaded = policy.load(written(tmp_path, "version: 1\nrules: [{name: a, detect: {pii: }, action: redact}]\n"))
    named = loaded.rules[0].detect["pii"]
    assert "EMAIL_ADDRESS" in named
    assert not {"PERSON", "URL", "UK_NHS", "DATE_TIME"} & named.keys()


def test_extends_keeps_replaces_and_adds(tmp_path: Path) -> None:
    written(
        tmp_path,
        "version: 1\ndefaults: {on_error: flag, timeout_ms: 9}\nrules:\n"
        "  - {name: a, detect: {secrets: {}}, action: block}\n  - {name: b, detect: {secrets: {}}, action: flag}\n",
        "base.yaml",
    )
    heir = policy.load(
        written(
            tmp_path,
            "version: 1\nextends: base.yaml\ndefaults: {on_error: block}\nrules:\n"
            "  - {name: a, detect: {secrets: {}}, action: redact}\n"
            "  - {name: c, detect: {secrets: {}}, action: flag}\n",
        )
    )
    assert [(rule.name, rule.action) for rule in heir.rules] == [("a", "redact"), ("b", "flag"), ("c", "flag")]
    assert (heir.defaults.on_error, heir.defaults.timeout_ms) == ("block", 9)


def test_hash_is_of_what_is_said(tmp_path: Path) -> None:
    plain = policy.load(written(tmp_path, f"version: 1\nname: n\n{RULE}"))
    respelled = policy.load(written(tmp_path, f"# note\nname: n\nversion: 1\n\n{RULE}", "other.yaml"))
    changed = policy.load(written(tmp_path, f"version: 1\nname: n\n{RULE}".replace("block", "flag"), "third.yaml"))
    assert len(plain.hash) == 12
    assert plain.hash == respelled.hash != changed.hash


@pytest.mark.parametrize("name", ["default", "strict", "observe-only", "healthcare", "payments"])
def test_shipped_policies_load_under_their_names(name: str) -> None:
    assert policy.load(name).name == name


def test_default_says_what_it_promises() -> None:
    default = policy.load("default")
    assert [(r.name, r.action, r.in_the_way) for r in default.rules] == [
        ("pii-out", "pseudonymise", True),
        ("no-secrets", "block", True),
        ("rude", "flag", False),
    ]
    assert default.defaults.on_error == "flag"
    assert policy.load("strict").defaults.on_error == "block"
    assert not any(rule.in_the_way for rule in policy.load("observe-only").rules)


def test_policy_is_immutable() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Policy(version=1).name = "x"

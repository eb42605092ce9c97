"""Detectors that a policy makes: options, kinds, what is inherited, folders, and every mistake with its line."""

from collections.abc import Callable
from pathlib import Path

import pytest

from spanward.guards import policy
from spanward.guards.judgement import Check
from spanward.guards.messages import Message, Part
from spanward.guards.pipeline import Pipeline
from spanward.guards.policy import PolicyError
from spanward.guards.rules import Choice, Made

TICKETS = "  tickets: {kind: regex, patterns: {TICKET: 'ACME-\\d{6}'}}\n"
MADE = f"version: 1\ndetectors:\n{TICKETS}"
RULE = "rules:\n  - {name: a, detect: {tickets: {}}, action: redact}\n"


def written(tmp_path: Path, text: str, name: str = "p.yaml") -> Path:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def refused(path: Path) -> list[str]:
    with pytest.raises(PolicyError) as error:
        policy.load(path)
    return [line.removeprefix(f"{path.parent if path.is_file() else path}/") for line in str(error.value).splitlines()]


def redacted(path: Path, text: str) -> str:
    decision = Pipeline(policy.load(path)).check(Check("input", (Message("user", (Part("text", text),)),)))
    return decision.messages[0].parts[0].text


def test_a_detector_with_options_under_a_name_of_its_own(tmp_path: Path) -> None:
    path = written(tmp_path, MADE + RULE)
    loaded = policy.load(path)
    assert loaded.detectors == {"tickets": Made(kind="regex", options={"patterns": {"TICKET": r"ACME-\d{6}"}})}
    assert loaded.rules[0].detect == {"tickets": {"TICKET": Choice(threshold=0.5)}}
    assert redacted(path, "see ACME-123456, not ACME-12345") == "see [TICKET], not ACME-12345"


def test_an_installed_detector_under_its_own_name_needs_no_kind(tmp_path: Path) -> None:
    made = "version: 1\ndetectors:\n  keywords: {words: {CODENAME: [Blue Heron]}}\n"
    path = written(tmp_path, made + "rules:\n  - {name: a, detect: {keywords: {}}, action: redact}\n")
    assert redacted(path, "ask Blue Heron") == "ask [CODENAME]"


def test_two_detectors_of_a_kind(tmp_path: Path) -> None:
    made = MADE + "  orders: {kind: regex, patterns: {ORDER: 'B-\\d+'}}\n"
    rules = "rules:\n  - {name: a, detect: {tickets: {}, orders: {labels: {ORDER: {action: flag}}}}, action: redact}\n"
    assert redacted(written(tmp_path, made + rules), "ACME-123456 B-7") == "[TICKET] B-7"


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("version: 1\ndetectors:\n  tickets: {kind: regx}\nrules: []\n",
         ["3: unknown kind of detector 'regx'; did you mean 'regex'?"]),
        ("version: 1\ndetectors:\n  tickets: {patterns: {A: a}}\nrules: []\n",
         ["3: no detector is called 'tickets'; say its `kind`; known: "]),
        ("version: 1\ndetectors:\n  tickets:\n    kind: regex\n    paterns: {A: a}\nrules: []\n",
         ["3: 'patterns' is missing", "5: unknown key 'paterns'; did you mean 'patterns'?"]),
        ("version: 1\ndetectors:\n  regex:\n    patterns:\n      A:\n        - {pattern: a, scoer: 1}\nrules: []\n",
         ["6: unknown key 'scoer'; did you mean 'score'?"]),
        ("version: 1\ndetectors:\n  secrets: {colour: red}\nrules: []\n",
         ["3: the detector 'secrets' has no options"]),
        ("version: 1\ndetectors:\n  secrets: red\nrules: []\n",
         ["3: what 'secrets' is made of is a mapping; write {} for nothing"]),
        ("version: 1\ndetectors: [regex]\nrules: []\n",
         ["2: `detectors` is a mapping of names to what each is made of: `kind` and options"]),
        ("version: 1\ndetectors:\n  tickets: {kind: [a]}\nrules: []\n", ["3: unknown kind of detector ['a']; known: "]),
        (MADE + "rules:\n  - {name: a, detect: {ticket: {}}, action: flag}\n",
         ["5: unknown detector 'ticket'; did you mean 'tickets'?"]),
        (MADE + "rules:\n  - {name: a, detect: {tickets: {labels: [TICKETS]}}, action: flag}\n",
         ["5: unknown label 'TICKETS' of 'tickets'; did you mean 'TICKET'?"]),
        (MADE + "rules:\n  - {name: a, detect: {tickets: {labels: [{TICKET: 1}]}}, action: flag}\n",
         ["5: unknown label {'TICKET': 1} of 'tickets'; did you mean 'TICKET'?"]),
        ("version: 1\nrules:\n  - {name: a, detect: {regex: {}}, action: flag}\n",
         ["3: the detector 'regex' must be told more, under `detectors:`: 'patterns' is missing"]),
        (MADE + "rules:\n  - name: a\n    detect: {tickets: {labels: {TICKET: {action: blok}}}}\n    action: flag\n",
         ["6: 'blok' is no action; did you mean 'block'?"]),
        (MADE + "rules:\n  - name: a\n    detect: {tickets: {labels: {TICKET: {treshold: 1}}}}\n    action: flag\n",
         ["6: unknown key 'treshold'; did you mean 'threshold'?"]),
        (MADE + "rules:\n  - name: a\n    detect: {tickets: {labels: {TICKET: {threshold: 2}}}}\n    action: flag\n",
         ["6: the threshold of 'TICKET' is a number from 0 to 1, not 2"]),
        (MADE + "rules:\n  - name: a\n    detect: {tickets: {labels: {TICKET: {action: redact}}}}\n    action: flag\n"
         "    restore: true\n", ["8: only `action: pseudonymise` can be restored"]),
        # what is wrong with a detector is said once, not again for each rule that names its labels
        (("version: 1\ndetectors:\n  tickets: {kind: regex, patterns: {TICKET: '('}}\n"
         "rules:\n  - {name: a, detect: {tickets: {labels: [TICKET]}}, action: flag}\n"), ["3: "]),
        # nor what hangs on its labels
        (("version: 1\ndetectors:\n  pii: {countries: [fr]}\nrules:\n  - name: a\n"
         "    detect: {pii: {entities: {US_SSN: {action: block}}}}\n    action: flag\n    reply: x\n"),
         ["3: no pack for the country 'fr'; a `regex` detector takes its numbers (packs: "]),
        (("version: 1\ndetectors:\n  pii: {countries: [uk], ner: off}\nrules:\n  - name: a\n"
         "    detect: {pii: {entities: [US_SSN, LOCATION]}}\n    action: flag\n"),
         ["6: entity 'LOCATION' of 'pii' needs an engine `ner`, under `detectors:`",
          "6: entity 'US_SSN' of 'pii' needs `us` among its `countries`, under `detectors:`"]),
    ],
)  # fmt: skip
def test_refused_with_line_and_suggestion(tmp_path: Path, text: str, messages: list[str]) -> None:
    found = refused(written(tmp_path, text))
    assert len(found) == len(messages)
    assert all(line.startswith(f"p.yaml:{message}") for line, message in zip(found, messages, strict=True))


def test_every_mistake_of_every_file_is_said(tmp_path: Path) -> None:
    written(tmp_path, "version: 1\ndefaults: {on_eror: flag}\nrules: []\n", "base.yaml")
    path = written(tmp_path, "version: 1\nextends: base.yaml\nrules:\n  - {name: a, detect: {pi: {}}, action: flag}\n")
    assert refused(path) == [
        "base.yaml:2: unknown key 'on_eror'; did you mean 'on_error'?",
        "p.yaml:4: unknown detector 'pi'; did you mean 'pii'?",
    ]


def test_detectors_are_inherited_and_replaced(tmp_path: Path) -> None:
    """A rule of the base that takes the usual labels takes those of the detector that its heir put there."""
    written(tmp_path, MADE + RULE, "base.yaml")
    same = policy.load(written(tmp_path, "version: 1\nextends: base.yaml\nrules: []\n"))
    assert same.detectors.keys() == {"tickets"}
    path = written(
        tmp_path, "version: 1\nextends: base.yaml\ndetectors:\n  tickets: {kind: regex, patterns: {CASE: 'C-\\d'}}\n"
    )
    assert policy.load(path).rules[0].detect == {"tickets": {"CASE": Choice(threshold=0.5)}}
    assert redacted(path, "ACME-123456 C-7") == "ACME-123456 [CASE]"


def test_a_label_that_the_heirs_detector_lacks_is_told_at_the_rule_of_the_base(tmp_path: Path) -> None:
    written(tmp_path, MADE + RULE.replace("{}", "{labels: [TICKET]}"), "base.yaml")
    path = written(
        tmp_path, "version: 1\nextends: base.yaml\ndetectors:\n  tickets: {kind: regex, patterns: {CASE: 'C-\\d'}}\n"
    )
    assert refused(path) == ["base.yaml:5: unknown label 'TICKET' of 'tickets'; known: CASE"]


def test_options_are_part_of_the_hash(tmp_path: Path) -> None:
    hashes = {
        policy.load(written(tmp_path, text)).hash
        for text in (MADE + RULE, (MADE + RULE).replace("6}", "7}"), "# said otherwise\n" + MADE + RULE)
    }
    assert len(hashes) == 2


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    def made(**files: str) -> Path:
        for name, text in files.items():
            written(tmp_path / "rules", text, f"{name}.yaml")
        return tmp_path / "rules"

    return made


def test_a_folder_is_one_policy(folder: Callable[..., Path]) -> None:
    path = folder(
        a="version: 1\nextends: default\nrules:\n  - {name: two, detect: {tickets: {}}, action: flag}\n",
        b=MADE + "defaults: {timeout_ms: 7}\n" + RULE,
    )
    (path / ".hidden.yaml").write_text("no policy")
    (path / "notes.txt").write_text("no policy")
    loaded = policy.loaded(path)
    assert loaded.policy.name == "rules"
    assert [rule.name for rule in loaded.policy.rules] == ["pii-out", "no-secrets", "rude", "two", "a"]
    assert (loaded.policy.defaults.timeout_ms, loaded.policy.defaults.on_error) == (7, "flag")
    assert [file.name for file in loaded.files] == ["default.yaml", "a.yaml", "b.yaml"]
    assert loaded.line("a", "detect", "tickets") == f"{path / 'b.yaml'}:6"
    assert loaded.line("two", "nothing") == f"{path / 'a.yaml'}:4"
    assert loaded.detector_line("tickets") == f"{path / 'b.yaml'}:3"


def test_a_folder_may_be_extended(folder: Callable[..., Path], tmp_path: Path) -> None:
    folder(b=MADE + RULE)
    path = written(tmp_path, "version: 1\nextends: ./rules\nrules: []\n")
    assert [rule.name for rule in policy.load(path).rules] == ["a"]


def test_one_hash_whatever_the_files(folder: Callable[..., Path], tmp_path: Path) -> None:
    parts = folder(a=f"version: 1\nname: n\ndetectors:\n{TICKETS}", b="version: 1\n" + RULE)
    whole = written(tmp_path, "version: 1\nname: n\n" + MADE.removeprefix("version: 1\n") + RULE)
    assert policy.load(parts).hash == policy.load(whole).hash


@pytest.mark.parametrize(
    ("files", "messages"),
    [
        ({"a": "version: 1\n" + RULE.replace("tickets", "secrets"), "b": MADE + RULE},
         ["b.yaml:5: there is a rule 'a' already, in a.yaml"]),
        ({"a": MADE, "b": MADE}, ["b.yaml:3: there is a detector 'tickets' already, in a.yaml"]),
        ({"a": "version: 1\nname: x\n", "b": "version: 1\nname: y\n"}, ["b.yaml:2: 'name' is said already, in a.yaml"]),
        ({"a": "version: 1\ndefaults: {timeout_ms: 1}\n", "b": "version: 1\ndefaults: {timeout_ms: 1}\n"},
         ["b.yaml:2: 'defaults.timeout_ms' is said already, in a.yaml"]),
        ({"a": "version: 1\nextends: default\n", "b": "version: 1\nextends: strict\n"},
         ["b.yaml:2: only one file of a folder may extend, and a.yaml does"]),
        ({"a": "version: 1\nextends: b.yaml\n", "b": "version: 1\n"},
         ["a.yaml:2: 'b.yaml' is a file of this folder already"]),
        ({"a": "version: 1\nextends: ../rules\n"}, ["a.yaml:2: '../rules' extends this policy in turn"]),
        ({"a": "version: 1\nruels: []\n", "b": "version: 1\nrules: {}\n"},
         ["a.yaml:2: unknown key 'ruels'; did you mean 'rules'?",
          "b.yaml:2: 'rules' must be a list, each item after a `-`"]),
        ({"a": "rules: []\n"}, ["a.yaml:1: 'version' is missing"]),
    ],
)  # fmt: skip
def test_mistakes_in_a_folder(folder: Callable[..., Path], files: dict[str, str], messages: list[str]) -> None:
    assert refused(folder(**files)) == messages


def test_a_folder_without_policies(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"no policy files \(\*\.yaml\) in this folder"):
        policy.load(tmp_path)


def test_a_shipped_name_wins_over_a_folder_of_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has a folder `strict` where the sidecar starts still gets the shipped policy."""
    (tmp_path / "strict").mkdir()
    monkeypatch.chdir(tmp_path)
    assert policy.load("strict").name == "strict"
    with pytest.raises(PolicyError, match="no policy files"):
        policy.load("./strict")

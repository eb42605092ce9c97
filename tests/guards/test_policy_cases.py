"""Case files: what is refused and how it is said, what a case asks, how a difference reads."""

from pathlib import Path

import pytest

from spanward.guards.judgement import Check, Context
from spanward.guards.messages import Message, Part
from spanward.guards.pipeline import Pipeline
from spanward.guards.policy import PolicyError, load
from spanward.guards.policy_cases import CaseContext, Cases, Expect, place_of_policy
from spanward.guards.policy_cases import load as load_cases
from spanward.guards.policy_trial import Found, Seen, differences, patient, see

HEAD = "policy: default\ncases:\n  - name: a\n"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "cases.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("policy: x\n", "1: 'cases' is missing"),
        ("cases: []\n", "1: there are no cases, so nothing can fail"),
        ("case: []\ncases: []\n", "1: unknown key 'case'; did you mean 'cases'?"),
        (HEAD + "    input: x\n    expct: {}\n", "5: unknown key 'expct'; did you mean 'expect'?"),
        (HEAD + "    input: x\n    expect: {}\n",
         "5: nothing is expected, so the case cannot fail; known: action, verdict, rule, text, finds, misses, reply"),
        (HEAD + "    input: x\n    expect:\n      acton: block\n", "6: unknown key 'acton'; did you mean 'action'?"),
        (HEAD + "    input: x\n    expect: {action: blok}\n", "5: 'blok' is no action; did you mean 'block'?"),
        (HEAD + "    input: x\n    output: y\n    expect: {action: allow}\n",
         "3: a case has one of input, output, tool_call, tool_result, retrieval; this one has 2 of them"),
        (HEAD + "    expect: {action: allow}\n",
         "3: a case has one of input, output, tool_call, tool_result, retrieval; this one has none of them"),
        (HEAD + "    inptu: x\n    expect: {action: allow}\n", "4: unknown key 'inptu'; did you mean 'input'?"),
        (HEAD + "    context:\n      ap: x\n    input: x\n    expect: {action: allow}\n",
         "5: unknown key 'ap'; did you mean 'app'?"),
        (HEAD + "    input:\n      - {role: user, txt: x}\n    expect: {action: allow}\n", "5: 'parts' is missing"),
        (HEAD + "    input:\n      - parts:\n          - {knd: text}\n    expect: {action: allow}\n",
         "6: unknown key 'knd'; did you mean 'kind'?"),
    ],
)  # fmt: skip
def test_refused_with_line_and_suggestion(tmp_path: Path, text: str, message: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(PolicyError) as refused:
        load_cases(path)
    assert f"{path}:{message}" in str(refused.value).splitlines()


@pytest.mark.parametrize(
    ("expect", "message"),
    [
        ("{finds: EMAIL_ADDRES}", "default has no label 'EMAIL_ADDRES'; did you mean 'EMAIL_ADDRESS'?"),
        ("{misses: [US_SNN]}", "default has no label 'US_SNN'; did you mean 'US_SSN'?"),
        ("{rule: no-secret}", "default has no rule 'no-secret'; did you mean 'no-secrets'?"),
    ],
)
def test_a_name_that_the_policy_does_not_have_can_never_be_found(tmp_path: Path, expect: str, message: str) -> None:
    path = written(tmp_path, f"{HEAD}    input: x\n    expect: {expect}\n")
    with pytest.raises(PolicyError) as refused:
        load_cases(path).check_names(load("default"))
    assert str(refused.value) == f"{path}:5: {message}"


def checks(tmp_path: Path, said: str) -> Check:
    cases = load_cases(written(tmp_path, f"{HEAD}    {said}\n    expect: {{action: allow}}\n"))
    return cases.cases[0].check(CaseContext(app="shop", tags=("eu",)))


def test_what_a_case_asks(tmp_path: Path) -> None:
    context = Context(app="shop", tags=("eu",))
    assert [
        checks(tmp_path, "input: x"),
        checks(tmp_path, "output: x"),
        checks(tmp_path, "tool_call: {to: é}"),
        checks(tmp_path, "tool_result: [x, y]"),
        checks(tmp_path, "retrieval: x"),
        checks(
            tmp_path, "input: [{role: system, text: s}, {text: [1]}]\n    context: {app: web, prompt: p, session: s}"
        ),
        checks(tmp_path, "tool_result: [{role: user, text: u}, {role: tool, parts: [{kind: tool_result, name: n}]}]"),
    ] == [
        Check("input", (Message("user", (Part("text", "x"),)),), context),
        Check("output", (Message("assistant", (Part("text", "x"),)),), context),
        Check("output", (Message("assistant", (Part("tool_call", '{"to": "é"}', json=True),)),), context),
        Check(
            "input",
            (Message("tool", (Part("tool_result", "x"),)), Message("tool", (Part("tool_result", "y"),))),
            context,
        ),
        Check("input", (Message("user", (Part("document", "x"),)),), context),
        Check(
            "input",
            (Message("system", (Part("text", "s"),)), Message("user", (Part("text", "[1]", json=True),))),
            Context(app="web", prompt_name="p", session_id="s", tags=("eu",)),
        ),
        Check(
            "input",
            (Message("user", (Part("text", "u"),)), Message("tool", (Part("tool_result", name="n"),))),
            context,
        ),
    ]


def test_where_the_policy_of_a_file_is(tmp_path: Path) -> None:
    def place(named: str) -> str:
        return place_of_policy(load_cases(written(tmp_path, HEAD.replace("default", named) + CASE)))

    assert [place("default"), place("shop.yaml"), place("../shop"), place('""')] == [
        "default",
        str(tmp_path / "shop.yaml"),
        str(tmp_path / "../shop"),
        "",
    ]
    (tmp_path / "house").mkdir()
    assert place("house") == str(tmp_path / "house")


CASE = "    input: x\n    expect: {action: allow}\n"
SEEN = Seen(
    action="modify",
    verdict="modify",
    text=("one\ntwo", "three"),
    reply=None,
    found=(Found("mail", "EMAIL_ADDRESS", "enforce", "modify"), Found("watch", "PHONE_NUMBER", "shadow", "deny")),
    failures=(),
    latency_ms=1.0,
)


@pytest.mark.parametrize(
    ("expect", "lines"),
    [
        ({"action": "modify", "verdict": "modify", "rule": ["mail", "watch"], "text": ["one\ntwo", "three"]}, []),
        ({"finds": "EMAIL_ADDRESS", "misses": ["US_SSN"], "reply": None}, []),
        ({"action": "block"}, ["-action: block", "+action: modify"]),
        ({"rule": ["mail", "other"]}, [" rule: mail", "-rule: other", "+rule: watch"]),
        ({"text": "one\ntwo"}, [" text: one", "       two", "+text: three"]),
        ({"text": ["one\n2", "three"]}, [" text: one", "-      2", "+      two", " text: three"]),
        ({"finds": ["US_SSN"]}, ["-finds: US_SSN", "+finds: EMAIL_ADDRESS", "+finds: PHONE_NUMBER"]),
        ({"misses": ["US_SSN", "PHONE_NUMBER"]},
         [" misses: US_SSN", "-misses: PHONE_NUMBER", "+finds: PHONE_NUMBER, by rule watch"]),
        ({"reply": "no"}, ["-reply: no", "+reply: None"]),
    ],
)  # fmt: skip
def test_differences(expect: dict[str, object], lines: list[str]) -> None:
    assert differences(Expect.model_validate(expect), SEEN) == lines


def test_a_guard_that_failed_is_never_a_case_that_holds() -> None:
    seen = Seen("allow", "allow", (), None, (), ("pii failed: ValueError",), 1.0)
    assert differences(Expect(action="allow"), seen) == [" action: allow", "+guard failed: pii failed: ValueError"]


def test_a_policy_without_time_is_still_tried(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(
        "version: 1\ndefaults: {timeout_ms: 1}\nrules:\n"
        "  - {name: mail, detect: {pii: {entities: [EMAIL_ADDRESS]}}, action: block, reply: no thanks}\n"
        "  - {name: seen, detect: {pii: {entities: [US_SSN]}}, action: flag}\n"
    )
    pipeline = Pipeline(patient(load(path)))
    try:
        said = Check("input", (Message("user", (Part("text", "jane@example.org " * 5000),)),))
        seen = see(pipeline, said)
        assert (seen.action, seen.reply, seen.found, seen.failures) == (
            "block",
            "no thanks",
            (Found("mail", "EMAIL_ADDRESS", "enforce", "deny"),),
            (),
        )
        flagged = see(pipeline, Check("input", (Message("user", (Part("text", "my ssn is 212-09-9999"),)),)))
        assert (flagged.action, flagged.verdict, flagged.rules) == ("allow", "warn", ("seen",))
    finally:
        pipeline.close()


def test_the_line_of_a_case(tmp_path: Path) -> None:
    cases: Cases = load_cases(written(tmp_path, HEAD + CASE + "  - name: b\n" + CASE))
    assert [cases.line(0), cases.line(1)] == [3, 6]

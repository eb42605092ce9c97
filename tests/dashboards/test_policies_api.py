"""The operations of the Policies page, whole answers: who may do what, what is found, and what is never done."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from spanward.collector.desk.bench import SMALL
from spanward.collector.desk.desk import Desk
from spanward.collector.store import Store
from spanward.guards.policy import load
from spanward.tracer import semconv

from .desk import POLICY, Audited, desk_app
from .serving import nobody_but
from .traffic import Call, put

CARD = "my card is 4111 1111 1111 1111"
NOW = time.time()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "shop.yaml"
    path.write_text(POLICY)
    return path


@pytest.fixture
def audit() -> Audited:
    return []


@pytest.fixture
def at(store: Store, tmp_path: Path, file: Path, audit: Audited) -> Iterator[tuple[TestClient, Desk]]:
    with desk_app(store, tmp_path, file, audit) as (app, desk, _):
        yield TestClient(app), desk


@pytest.fixture
def api(at: tuple[TestClient, Desk]) -> TestClient:
    return at[0]


def ok(answer: Any) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json()


def draft(text: str, **more: Any) -> dict[str, Any]:
    return {"name": "in-force", "text": text, **more}


def finding(line: int, text: str, severity: str = "error", word: str = "", meant: str = "") -> dict[str, Any]:
    return {"file": "shop.yaml", "line": line, "severity": severity, "text": text, "word": word, "meant": meant}


def test_the_list_says_what_is_in_force_and_what_else_there_is(api: TestClient, file: Path) -> None:
    told = ok(api.get("/api/policies"))
    hash_ = load(file).hash
    assert told["in_force"] == {
        "name": "shop", "hash": hash_, "problem": "", "since_us": None, "by": "", "degraded": [],
    }  # fmt: skip
    assert told["may_edit"] is True
    assert told["policies"][0] == {
        "id": "in-force", "named": str(file), "kind": "file", "name": "shop", "hash": hash_, "rules": 2, "shadow": 1,
        "problem": "", "why_fixed": "",
    }  # fmt: skip
    assert [card["id"] for card in told["policies"][1:]] == [
        "default", "healthcare", "observe-only", "payments", "strict",
    ]  # fmt: skip
    assert all(card["why_fixed"].startswith("it is shipped") for card in told["policies"][1:])


def test_a_rule_comes_with_the_line_where_it_is_written(api: TestClient, file: Path) -> None:
    file.write_text(POLICY.replace("name: shop\n", "name: shop\nextends: ./base.yaml\n"))
    base = "version: 1\nname: base\nrules:\n  - name: keys\n    detect: { secrets: {} }\n    action: block\n"
    (file.parent / "base.yaml").write_text(base)
    told = ok(api.get("/api/policies/in-force"))
    written = [(each["rule"]["name"], each["file"], each["line"], each["inherited"]) for each in told["rules"]]
    assert written == [
        ("keys", "base.yaml", 4, True), ("mail-out", "shop.yaml", 5, False), ("cards", "shop.yaml", 9, False),
    ]  # fmt: skip
    assert [each["rule"]["name"] for each in told["watching"]] == ["cards"]
    assert [each["name"] for each in told["files"]] == ["shop.yaml"]
    assert (told["extends"], told["found"], told["start"]) == ("./base.yaml", 3, 0)
    assert [each["rule"]["name"] for each in ok(api.get("/api/policies/in-force?find=CREDIT"))["rules"]] == ["cards"]


MEANT = "unknown key 'actoin'; did you mean 'action'?"
WRONG = [
    (POLICY.replace("action: pseudonymise", "actoin: pseudonymise"), [
        finding(4, "'action' is missing"), finding(7, MEANT, word="actoin", meant="action"),
    ]),
    (POLICY.replace("EMAIL_ADDRESS", "EMAIL_ADRESS"), None),
    ("", [finding(1, "a policy is a mapping with `version: 1` and `rules:`")]),
    ("version: 1\nrules:\n\t- x", None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "found"), WRONG)
def test_the_check_marks_the_line(api: TestClient, text: str, found: list[dict[str, Any]] | None) -> None:
    told = ok(api.post("/api/policies/check", json=draft(text)))
    assert (told["ok"], told["hash"], told["rules"]) == (False, "", 0)
    if found is not None:
        assert told["findings"] == found
    assert all(each["line"] > 0 for each in told["findings"])


def test_a_right_draft_is_fine_and_one_that_contradicts_itself_is_not(api: TestClient, file: Path) -> None:
    told = ok(api.post("/api/policies/check", json=draft(POLICY)))
    assert told == {
        "ok": True, "name": "shop", "hash": load(file).hash, "rules": 2, "in_the_way": 1, "findings": [], "more": 0,
    }  # fmt: skip
    odd = POLICY + "    on_error: block\n"
    told = ok(api.post("/api/policies/check", json=draft(odd)))
    assert [(each["line"], each["severity"]) for each in told["findings"]] == [(13, "hint")]
    assert told["ok"] is True


def test_what_a_draft_extends_lies_near_it(api: TestClient, tmp_path: Path) -> None:
    (tmp_path.parent / "elsewhere.yaml").write_text("not: [a policy")
    for place in ("../elsewhere.yaml", "/etc/passwd", "../../../../etc/shadow"):
        told = ok(api.post("/api/policies/check", json=draft(POLICY.replace("rules:", f"extends: {place}\nrules:"))))
        assert [each["text"] for each in told["findings"]] == [
            f"from here a policy extends a shipped one or a file of its folder, {tmp_path}"
        ]
    assert ok(api.post("/api/policies/check", json=draft(POLICY.replace("rules:", "extends: default\nrules:"))))["ok"]


def bomb() -> str:
    doubled = "\n".join(f"  l{n}: &l{n} [*l{n - 1}, *l{n - 1}, *l{n - 1}, *l{n - 1}]" for n in range(1, 12))
    return f"version: 1\ndetectors:\n  l0: &l0 [a]\n{doubled}\nrules: []\n"


def test_bad_texts_are_answered_and_cost_nothing_for_long(api: TestClient) -> None:
    started = time.monotonic()
    told = ok(api.post("/api/policies/check", json=draft(bomb())))
    assert "aliases stand for" in told["findings"][0]["text"]
    deep = "version: 1\nrules: " + "[" * 5000 + "]" * 5000
    assert "too deeply" in ok(api.post("/api/policies/check", json=draft(deep)))["findings"][0]["text"]
    assert time.monotonic() - started < 10
    assert api.post("/api/policies/check", json=draft("x" * 1_000_001)).status_code == 400
    half = api.post("/api/policies/check", content=json.dumps(draft("version: 1 # \ud800")))
    assert half.status_code == 400


def many(count: int) -> str:
    rules = (
        f"  - name: r{n}\n    when: {{ stage: input, app: 'a{n}' }}\n"
        f"    detect: {{ pii: {{ entities: {{ EMAIL_ADDRESS: 0.4 }} }} }}\n    action: redact\n"
        for n in range(count)
    )
    return "version: 1\nname: many\nrules:\n" + "".join(rules)


def test_two_thousand_rules_are_checked_beside_the_sidecar_and_shown_by_pages(api: TestClient, file: Path) -> None:
    text = many(2000)
    assert len(text) > SMALL
    told = ok(api.post("/api/policies/check", json=draft(text)))
    assert (told["ok"], told["rules"]) == (True, 2000)
    assert [each["severity"] for each in told["findings"]] == ["hint"]
    assert "were not compared" in told["findings"][0]["text"]
    file.write_text(text)
    page = ok(api.get("/api/policies/in-force?start=1950"))
    assert page["card"]["problem"] == ""
    assert (page["found"], len(page["rules"]), page["rules"][-1]["rule"]["name"]) == (2000, 50, "r1999")
    assert [each["rule"]["name"] for each in ok(api.get("/api/policies/in-force?find='r77'"))["rules"]] == ["r77"]


CASES = """\
cases:
  - name: an address leaves
    input: write to jane@example.org
    expect: { action: modify, finds: EMAIL_ADDRESS }
  - name: a card is blocked
    output: 4111 1111 1111 1111
    expect: { action: block }
"""


def test_cases_are_put_to_the_draft(api: TestClient) -> None:
    told = ok(api.post("/api/policies/test", json=draft(POLICY, cases=CASES)))
    shown = [(each["name"], each["line"], each["passed"], each["differences"]) for each in told["cases"]]
    assert shown == [
        ("an address leaves", 2, True, []),
        ("a card is blocked", 5, False, ["-action: block", "+action: allow"]),
    ]
    assert told["failed"] == 1
    enforced = POLICY.replace("    mode: shadow\n", "")
    assert ok(api.post("/api/policies/test", json=draft(enforced, cases=CASES)))["failed"] == 0
    wrong = api.post("/api/policies/test", json=draft(POLICY, cases="cases:\n  - name: x\n    expect: {}\n"))
    assert wrong.status_code == 400
    assert wrong.json()["message"].startswith("cases.yaml:3: nothing is expected")


def test_a_draft_is_compared_by_rule_and_by_text(api: TestClient, file: Path) -> None:
    told = ok(api.post("/api/policies/diff", json=draft(POLICY.replace("    mode: shadow\n", ""))))
    assert told["rules"] == [
        {"rule": "cards", "change": "changed", "words": ["mode: only watches (shadow) → in force"]}
    ]
    assert told["text"][-1] == "-    mode: shadow"
    assert told["before"] == {"name": "shop", "hash": load(file).hash}
    same = ok(api.get(f"/api/policies/in-force/diff?against={load(file).hash}"))
    assert (same["rules"], same["text"]) == ([], [])
    other = ok(api.get("/api/policies/default/diff?against=strict"))
    assert {each["rule"]: each["change"] for each in other["rules"]}["places-out"] == "removed"
    for against in ("nothing", "000000000000", "../../etc"):
        assert api.get("/api/policies/in-force/diff", params={"against": against}).status_code == 404


def planted(store: Store, folder: Path) -> list[Call]:
    """One call with a card in the answer, one with an address, others with neither, near-misses among them."""
    at = round(NOW * 1000) - 60_000
    calls = [
        Call(at, said="hello", answered="hi"),
        Call(at + 1, said="how do I pay?", answered=CARD),
        Call(at + 2, said="write to jane@example.org", answered="done"),
        Call(at + 3, said="order 4111 is late", answered="the 4111 1111 1111 1112 of it"),
    ]
    put(store, folder, calls)
    return calls


def finished(api: TestClient, run: str) -> Any:
    deadline = time.monotonic() + 60
    while (told := ok(api.get(f"/api/policies/dry-runs/{run}")))["state"] == "running":
        assert time.monotonic() < deadline, told
        time.sleep(0.05)
    return told


def test_a_dry_run_says_exactly_which_calls_change(api: TestClient, store: Store, tmp_path: Path) -> None:
    calls = planted(store, tmp_path)
    candidate = POLICY.replace("    mode: shadow\n", "").replace("EMAIL_ADDRESS", "US_SSN")
    begun = ok(api.post("/api/policies/dry-runs", json=draft(candidate)))
    assert begun["state"] == "running"
    told = finished(api, begun["id"])
    assert (told["state"], told["calls"], told["problem"]) == ("done", 4, "")
    result = told["result"]
    assert result["candidate"]["calls"] | {} == {
        "blocked": 1, "changed": 0, "flagged": 0, "would block": 0, "would change": 0, "failed": 0,
    }  # fmt: skip
    assert result["differing"] == 2
    by_call = {each["trace_id"]: each for each in result["changed"]}
    blocked, missed = by_call[calls[1].trace_id], by_call[calls[2].trace_id]
    assert len(by_call) == 2
    assert (blocked["gained"], blocked["lost"], blocked["missed"]) == (["blocked"], ["would block"], [])
    assert (missed["gained"], missed["lost"], missed["missed"], missed["rules"]) == (
        [], ["changed"], ["EMAIL_ADDRESS"], ["mail-out"],
    )  # fmt: skip
    assert missed["span_id"] == calls[2].span_id


def test_a_dry_run_is_bounded_ended_and_one_at_a_time(
    at: tuple[TestClient, Desk], store: Store, tmp_path: Path
) -> None:
    api, desk = at
    put(store, tmp_path, [Call(round(NOW * 1000) - n, said=f"hello {n}") for n in range(1, 200)])
    few = finished(api, ok(api.post("/api/policies/dry-runs", json=draft(POLICY, calls=3)))["id"])
    assert (few["state"], few["calls"], few["most"]) == ("done", 3, 3)
    begun = ok(api.post("/api/policies/dry-runs", json=draft(POLICY)))
    again = api.post("/api/policies/dry-runs", json=draft(POLICY))
    assert (again.status_code, again.json()) == (
        409, {"message": "another dry run is on its way; wait for it, or stop it"},
    )  # fmt: skip
    ok(api.delete(f"/api/policies/dry-runs/{begun['id']}"))
    told = finished(api, begun["id"])
    assert told["state"] == "cancelled"
    assert told["result"]["calls"] == told["calls"] < 199
    desk.dry_runs._seconds = 0.0
    stopped = finished(api, ok(api.post("/api/policies/dry-runs", json=draft(POLICY)))["id"])
    assert (stopped["state"], stopped["calls"]) == ("stopped", 20)
    wrong = api.post("/api/policies/dry-runs", json=draft("version: 2\nrules: []\n"))
    assert wrong.status_code == 400
    assert api.get("/api/policies/dry-runs/nothing").status_code == 404


def texts(file: Path, api: TestClient) -> dict[str, str]:
    return {"text": file.read_text(), "base": ok(api.get("/api/policies/in-force"))["files"][0]["digest"]}


def until_in_force(api: TestClient, hash_: str) -> None:
    deadline = time.monotonic() + 20
    while (now := ok(api.get("/api/policies/status")))["hash"] != hash_:
        assert time.monotonic() < deadline, now
        time.sleep(0.05)


def test_a_save_is_audited_taken_up_and_can_be_gone_back_to(api: TestClient, file: Path, audit: Audited) -> None:
    before = load(file).hash
    base = texts(file, api)["base"]
    text = POLICY.replace("EMAIL_ADDRESS: 0.4", "EMAIL_ADDRESS: 0.5")
    told = ok(api.put("/api/policies/in-force/text", json={"text": text, "base": base}))
    after = load(file).hash
    assert (file.read_text(), told["hash"], told["file"]) == (text, after, str(file))
    assert audit[0] == ("", "policy.save", str(file), {"policy": "shop", "from": before, "to": after})
    until_in_force(api, after)
    assert [entry[1] for entry in audit] == ["policy.save", "policy.reload"]
    kept = ok(api.get(f"/api/policies/versions/{before}"))
    assert (kept["hash"], kept["files"]) == (before, {str(file): POLICY})
    back = ok(api.get(f"/api/policies/{after}/diff?against={before}"))
    assert back["rules"][0]["words"] == ["EMAIL_ADDRESS (pii) from: 0.4 → 0.5"]


def test_nothing_is_saved_over_what_another_wrote_or_what_is_wrong(api: TestClient, file: Path, audit: Audited) -> None:
    base = texts(file, api)["base"]
    wrong = api.put("/api/policies/in-force/text", json={"text": "version: 1\nrulez: []\n", "base": base})
    assert wrong.status_code == 400
    assert wrong.json()["message"].startswith("not saved, for the check found 1 error: line 2: ")
    file.write_text(POLICY + "# another\n")
    conflict = api.put("/api/policies/in-force/text", json={"text": POLICY, "base": base})
    assert conflict.status_code == 409
    assert "was changed meanwhile" in conflict.json()["message"]
    assert file.read_text() == POLICY + "# another\n"
    file.unlink()
    gone = api.put("/api/policies/in-force/text", json={"text": POLICY, "base": base})
    assert gone.status_code == 400
    assert not file.exists()
    assert ok(api.get("/api/policies/in-force"))["card"]["problem"]
    assert ok(api.get("/api/policies"))["in_force"]["name"] == "shop"
    assert [entry for entry in audit if entry[1].startswith("policy.save")] == []


def test_line_ends_of_the_file_are_kept(api: TestClient, file: Path) -> None:
    file.write_bytes(POLICY.replace("\n", "\r\n").encode())
    base = texts(file, api)["base"]
    text = POLICY.replace("0.4", "0.6")
    ok(api.put("/api/policies/in-force/text", json={"text": text, "base": base}))
    assert file.read_bytes() == text.replace("\n", "\r\n").encode()


def test_a_folder_is_edited_file_by_file(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    head, _, rest = POLICY.partition("  - name: cards")
    (folder / "a.yaml").write_text(head)
    (folder / "b.yaml").write_text("version: 1\nrules:\n  - name: cards" + rest)
    with desk_app(store, tmp_path, str(folder) + "/", []) as (app, _, _):
        api = TestClient(app)
        told = ok(api.get("/api/policies/in-force"))
        assert [each["name"] for each in told["files"]] == ["a.yaml", "b.yaml"]
        unnamed = api.post("/api/policies/check", json=draft(head))
        assert (unnamed.status_code, unnamed.json()["message"]) == (400, "file='' is none of a.yaml, b.yaml")
        twice = ok(api.post("/api/policies/check", json=draft(told["files"][0]["text"], file="b.yaml")))
        assert any("there is a rule 'mail-out' already" in each["text"] for each in twice["findings"])
        text = told["files"][1]["text"].replace("0.4", "0.5")
        saved = {"text": text, "base": told["files"][1]["digest"], "file": "b.yaml"}
        ok(api.put("/api/policies/in-force/text", json=saved))
        assert ((folder / "b.yaml").read_text(), (folder / "a.yaml").read_text()) == (text, head)


def test_a_shipped_policy_is_saved_as_a_file_of_ones_own(store: Store, tmp_path: Path) -> None:
    audit: Audited = []
    with desk_app(store, tmp_path, "default", audit) as (app, _, _):
        api = TestClient(app)
        shown = ok(api.get("/api/policies/in-force"))["files"][0]
        refused = api.put("/api/policies/in-force/text", json={"text": shown["text"], "base": shown["digest"]})
        assert refused.status_code == 400
        assert "it is shipped" in refused.json()["message"]
        text = shown["text"].replace("name: default", "name: mine")
        told = ok(api.post("/api/policies/files", json=draft(text, as_file="mine.yaml")))
        file = tmp_path / "policies" / "mine.yaml"
        assert (told["file"], told["option"], file.read_text()) == ("mine.yaml", f"--policy {file}", text)
        assert audit == [("", "policy.create", str(file), {"policy": "mine", "to": load(file).hash})]
        assert load(file).hash == told["hash"]
        again = api.post("/api/policies/files", json=draft(text, as_file="mine.yaml"))
        assert (again.status_code, file.read_text()) == (409, text)
        for name in ("../mine.yaml", "mine", ".yaml", "a/b.yaml", "x" * 70 + ".yaml"):
            assert api.post("/api/policies/files", json=draft(text, as_file=name)).status_code == 400
        assert ok(api.get("/api/policies/mine.yaml"))["in_force"] is False
        assert [path.name for path in (tmp_path / "policies").iterdir()] == ["mine.yaml"]


def test_a_rule_is_promoted(api: TestClient, file: Path, audit: Audited) -> None:
    hash_ = load(file).hash
    old = api.post("/api/policies/promote", json={"rules": ["cards"], "hash": "0" * 12})
    assert old.status_code == 409
    told = ok(api.post("/api/policies/promote", json={"rules": ["cards"], "hash": hash_}))
    assert file.read_text() == POLICY.replace("mode: shadow", "mode: enforce")
    assert audit[0] == ("", "policy.promote", str(file), {
        "rules": "cards", "policy": "shop", "from": hash_, "to": told["hash"],
    })  # fmt: skip
    assert told["hash"] == load(file).hash
    until_in_force(api, told["hash"])
    again = api.post("/api/policies/promote", json={"rules": ["cards"], "hash": told["hash"]})
    assert (again.status_code, "is in force already" in again.json()["message"]) == (400, True)


def test_what_rules_in_shadow_would_have_done(api: TestClient, store: Store, tmp_path: Path) -> None:
    shadow = {
        semconv.GUARDRAIL_RULE: "cards", semconv.GUARDRAIL_MODE: "shadow", semconv.GUARDRAIL_VERDICT: "deny",
        semconv.GUARDRAIL_CATEGORY: "CREDIT_CARD",
    }  # fmt: skip
    call = Call(round(NOW * 1000) - 60_000, guards=[shadow, {}])
    put(store, tmp_path, [call, Call(round(NOW * 1000) - 60_000)])
    assert ok(api.get("/api/policies/shadow")) == {
        "calls": 2, "days": 7, "rules": [{
            "rule": "cards", "verdict": "deny", "would": "blocked", "calls": 1, "labels": ["CREDIT_CARD"],
            "traces": [call.trace_id],
        }],
    }  # fmt: skip


CHANGES = [
    ("POST", "/api/policies/check", draft(POLICY)),
    ("POST", "/api/policies/test", draft(POLICY, cases=CASES)),
    ("POST", "/api/policies/diff", draft(POLICY)),
    ("POST", "/api/policies/dry-runs", draft(POLICY)),
    ("DELETE", "/api/policies/dry-runs/x", None),
    ("POST", "/api/policies/promote", {"rules": ["cards"], "hash": "x"}),
    ("POST", "/api/policies/files", draft(POLICY, as_file="x.yaml")),
    ("PUT", "/api/policies/in-force/text", {"text": POLICY, "base": "x"}),
]
LOOKS = ["", "/status", "/words", "/history", "/shadow", "/in-force", "/default", "/in-force/diff?against=strict"]


def test_who_may_only_look_looks_and_changes_nothing(store: Store, tmp_path: Path, file: Path, audit: Audited) -> None:
    with desk_app(store, tmp_path, file, audit, authorize=nobody_but("see_content")) as (app, _, _):
        api = TestClient(app)
        for method, path, body in CHANGES:
            answer = api.request(method, path, json=body)
            assert (answer.status_code, answer.json()) == (403, {"message": "edit_policy needs another key"}), path
        for path in LOOKS:
            assert api.get(f"/api/policies{path}").status_code == 200, path
        assert ok(api.get("/api/policies"))["may_edit"] is False
    assert (file.read_text(), audit) == (POLICY, [])


def test_words_help_at_every_place(api: TestClient) -> None:
    told = ok(api.get("/api/policies/words"))
    at = {(each["at"], each["word"]): each for each in told}
    assert at["rules/-", "action"]["values"] == ["allow", "block", "flag", "pseudonymise", "redact"]
    assert at["rules/-/when", "stage"]["values"] == ["input", "output", "retrieval", "tool_call", "tool_result"]
    assert ("rules/-/detect/pii/entities", "EMAIL_ADDRESS") in at
    assert len(json.dumps(told)) < 40_000


@pytest.mark.parametrize("name", ["nothing", "..%2F..%2Fetc", "x.yaml", "%00", "a" * 300])
def test_a_policy_that_is_not_there(api: TestClient, name: str) -> None:
    assert api.get(f"/api/policies/{name}").status_code == 404

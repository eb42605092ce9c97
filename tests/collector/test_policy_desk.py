"""Policies worked on from the page, at a real sidecar: saved, taken up, written down, known after a restart."""

from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx

from spanward.guards.policy import load

from .otlp import body, call, said
from .sidecar_process import Running, serving, until

POLICY = """\
version: 1
name: shop
rules:
  - name: mail-out
    when: { stage: input }
    detect: { pii: { entities: { EMAIL_ADDRESS: 0.4 } } }
    action: redact
"""
EDITED = POLICY.replace("action: redact", "action: block")


def test_a_saved_policy_is_in_force_audited_and_kept_over_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text(POLICY)
    before = load(file).hash
    with serving(tmp_path / "data", "--policy", file) as running:
        shown = running.http.get("/api/policies/in-force").json()
        base = shown["files"][0]["digest"]
        saved = running.http.put("/api/policies/in-force/text", json={"text": EDITED, "base": base})
        assert saved.status_code == 200, saved.text
        after = saved.json()["hash"]
        assert (file.read_text(), after) == (EDITED, load(file).hash)
        assert until(lambda: status(running)["hash"], lambda now: now == after) == after
        rows = until(lambda: audited(running), lambda found: len(found) == 2)
        assert rows == [["policy.save", before, after], ["policy.reload", before, after]]
        running.post(body("shop", call(1, INPUT_MESSAGES=said("user", "write to b@example.org"))))
        assert until(lambda: running.count("llm_calls", "shop"), bool) == 1
        assert dry_run(running) == {"state": "done", "calls": 1, "differing": 1, "lost": ["blocked"]}
        assert running.end() == 0
    with serving(tmp_path / "data", "--policy", file) as running:
        told = running.http.get("/api/policies/history").json()["entries"]
        assert [(entry["action"], entry["from_kept"], entry["to_kept"]) for entry in told] == [
            ("policy.reload", True, True), ("policy.save", True, True),
        ]  # fmt: skip
        version = running.http.get(f"/api/policies/versions/{before}").json()
        assert version["files"] == {str(file): POLICY}
        in_force = running.http.get("/api/policies").json()["in_force"]
        assert (in_force["hash"], in_force["by"]) == (after, "somebody on this machine")
        file.unlink()
        problem = until(lambda: status(running)["problem"], bool)
        assert "No such file" in problem
        assert running.http.get("/api/policies").json()["in_force"]["hash"] == after


def test_a_viewer_looks_and_changes_nothing(tmp_path: Path) -> None:
    file, config = tmp_path / "shop.yaml", tmp_path / "config.yaml"
    file.write_text(POLICY)
    digests = {role: sha256(role.encode()).hexdigest() for role in ("viewer", "policy_editor")}
    config.write_text("keys:\n" + "".join(f"  {r}: {{ sha256: {d}, role: {r} }}\n" for r, d in digests.items()))
    with serving(tmp_path / "data", "--policy", file, "--config", config) as running:
        viewer, editor = ({"Authorization": f"Bearer {role}"} for role in ("viewer", "policy_editor"))
        shown = running.http.get("/api/policies/in-force", headers=viewer)
        assert (shown.status_code, shown.json()["may_edit"]) == (200, False)
        change = {"text": EDITED, "base": shown.json()["files"][0]["digest"]}
        refused = running.http.put("/api/policies/in-force/text", json=change, headers=viewer)
        assert refused.status_code == 403
        assert "policy_editor" in refused.json()["message"]
        assert running.http.get("/api/schema", headers=viewer).status_code == 403
        assert file.read_text() == POLICY
        assert running.http.put("/api/policies/in-force/text", json=change, headers=editor).status_code == 200
        assert file.read_text() == EDITED
        entries = until(
            lambda: running.http.get("/api/policies/history", headers=viewer).json()["entries"],
            lambda found: len(found) == 2,
        )
        assert [entry["actor"] for entry in entries] == ["file change", "policy_editor"]
        # the log is told before the policy is in force
        brought = until(lambda: running.http.get("/api/policies", headers=viewer).json()["in_force"]["by"], bool)
        assert brought == "policy_editor"


def status(running: Running) -> dict[str, Any]:
    told: dict[str, Any] = running.http.get("/api/policies/status").json()
    return told


def audited(running: Running) -> list[list[Any]]:
    return running.query("SELECT action, detail['from'], detail['to'] FROM audit ORDER BY ts, seq")


def dry_run(running: Running) -> dict[str, Any]:
    """Of the text before, against what is in force now."""
    begun = running.http.post("/api/policies/dry-runs", json={"name": "in-force", "text": POLICY})
    assert begun.status_code == 200, begun.text

    def look() -> httpx.Response:
        return running.http.get(f"/api/policies/dry-runs/{begun.json()['id']}")

    told = until(look, lambda answer: answer.json()["state"] != "running").json()
    result = told["result"]
    changed = result["changed"][0]["lost"]
    return {"state": told["state"], "calls": told["calls"], "differing": result["differing"], "lost": changed}

"""The edges of the API: headers, failures, health, and the page's files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from spanward.collector.store import Store
from spanward.dashboards.ask import QueryFailed, Table

from .conftest import NOW, Put, api_of
from .serving import app_of
from .traffic import Call


def nothing(sql: str, parameters: Mapping[str, Any] | None = None) -> Table:
    return Table((), ())


def failing(error: Exception) -> TestClient:
    def ask(sql: str, parameters: Mapping[str, Any] | None = None) -> Table:
        raise error

    return TestClient(app_of(ask, dict))


@pytest.mark.parametrize(
    ("error", "status", "says"),
    [
        (QueryFailed("timeout exceeded"), 503, "The store could not answer: timeout exceeded"),
        (RuntimeError("secret text"), 500, "Internal error; the sidecar's log says more."),
    ],
)
@pytest.mark.parametrize(
    "path", ["overview", "calls", "facets", "health", f"calls/{1:032x}/{1:016x}", f"spans/{1:032x}/{1:016x}/said"]
)
def test_failures_are_told_as_json(error: Exception, status: int, says: str, path: str) -> None:
    answer = failing(error).get(f"/api/{path}")
    assert (answer.status_code, answer.json()) == (status, {"message": says})


@pytest.mark.parametrize(
    "path",
    ["/", "/calls", f"/calls/{1:032x}/{1:016x}", "/api/calls", "/api/calls?x=1", "/assets/theme.js", "/assets/no.js"],
)
def test_nothing_but_our_own_files_may_run(shelf: Store, path: str) -> None:
    headers = api_of(shelf).get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def test_what_models_said_is_not_kept_by_caches(api: TestClient) -> None:
    assert api.get("/api/calls").headers["cache-control"] == "no-store"


def page(tmp_path: Path) -> TestClient:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html>page")
    (tmp_path / "assets" / "index-a1b2.js").write_text("let x = 1;" * 100)
    (tmp_path / "assets" / "theme.js").write_text("theme")
    (tmp_path.parent / "secret.txt").write_text("secret")
    return TestClient(app_of(nothing, dict, static=tmp_path))


@pytest.mark.parametrize("path", ["/", "/calls", "/calls/a/b"])
def test_deep_links_are_the_page(tmp_path: Path, path: str) -> None:
    answer = page(tmp_path).get(path)
    assert (answer.text, answer.headers["content-type"]) == ("<!doctype html>page", "text/html; charset=utf-8")
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    ("name", "status", "cache"),
    [
        ("index-a1b2.js", 200, "public, max-age=31536000, immutable"),
        ("theme.js", 200, "no-cache"),
        ("none.js", 404, "no-store"),
        ("..%2F..%2Fsecret.txt", 404, None),
        ("../index.html", 404, None),
    ],
)
def test_assets(tmp_path: Path, name: str, status: int, cache: str | None) -> None:
    answer = page(tmp_path).get(f"/assets/{name}")
    assert answer.status_code == status
    if cache:
        assert answer.headers["cache-control"] == cache


@pytest.mark.parametrize(("accepted", "encoding"), [("gzip", "gzip"), ("identity", None)])
def test_assets_travel_small(tmp_path: Path, accepted: str, encoding: str | None) -> None:
    answer = page(tmp_path).get("/assets/index-a1b2.js", headers={"accept-encoding": accepted})
    assert (answer.headers.get("content-encoding"), answer.text) == (encoding, "let x = 1;" * 100)


def test_without_a_built_page_it_says_how_to_build_one(tmp_path: Path) -> None:
    client = TestClient(app_of(nothing, dict, static=tmp_path / "no"))
    assert "make ui" in client.get("/").text


def test_health_says_what_is_missing_from_the_picture(api: TestClient, stored: Put) -> None:
    silent = {"spanward.content.withheld": "off", "spanward.usage.source": "none"}
    stored([
        Call(NOW - 1000, env="demo"),
        Call(NOW - 2000, model="house", cost=None, attributes={"spanward.guard.verdict": "fail_open"}),
        Call(NOW - 3000, model="house", cost=None, tokens=(0, 0), attributes=silent),
        Call(NOW - 2 * 86_400_000, model="old", cost=None),
    ])  # fmt: skip
    assert api.get("/api/health").json() == {
        "sidecar": {"status": "ok"},
        "reports": [],
        "unpriced": [{"provider": "openai", "model": "house", "calls": 1}],
        "day": {
            "calls": 3,
            "failed_open": 1,
            "unguarded": 0,
            "degraded": 0,
            "withheld": 1,
            "uncounted": 1,
            "newest_us": (NOW - 1000) * 1000,
        },
        "stored": {"calls": 4, "demo": 1},
    }


def test_health_of_an_empty_store(api: TestClient) -> None:
    answer = api.get("/api/health").json()
    assert (answer["day"]["newest_us"], answer["stored"]) == (None, {"calls": 0, "demo": 0})


@pytest.mark.parametrize("number", ["9" * 5000, "0", "-1", "1.5", "²"])
def test_a_number_that_is_none_is_refused(api: TestClient, number: str) -> None:
    answer = api.get(f"/api/calls?limit={number}")
    assert (answer.status_code, len(answer.text) < 200) == (400, True)


def test_what_stands_in_an_address_is_not_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    failing(RuntimeError("x")).get("/api/users/ada@example.com")
    assert [record.getMessage() for record in caplog.records] == ["the dashboards failed on GET /api/users/{user:path}"]


def test_a_number_beyond_all_numbers_is_left_out_and_the_page_stays(api: TestClient, stored: Put) -> None:
    """Of two costs that are numbers each, as an application may tell them."""
    stored([Call(NOW - n, cost=1.5e308) for n in (1000, 2000)])
    for path in ("overview", "cost", "users"):
        answer = api.get(f"/api/{path}?from=now-1h")
        assert answer.status_code == 200
    assert (
        api.get("/api/overview?from=now-1h").json()["totals"] | {"calls": 2, "cost": None}
        == api.get("/api/overview?from=now-1h").json()["totals"]
    )

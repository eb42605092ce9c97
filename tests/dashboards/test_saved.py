"""Views that people keep."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from spanward.collector.store import Store

from .conftest import NOW, api_of
from .serving import app_of, nobody_but

SLOW = {"name": "Slow ones", "address": "/calls?min_latency=5000&from=now-24h"}


@pytest.fixture
def api(shelf: Store) -> TestClient:
    return api_of(shelf)


def kept(api: TestClient) -> list[dict[str, Any]]:
    answer = api.get("/api/saved/view")
    assert answer.status_code == 200
    saved: list[dict[str, Any]] = answer.json()["saved"]
    return saved


def test_a_view_is_kept_changed_and_removed(api: TestClient) -> None:
    assert kept(api) == []
    first = {"id": "slow", **SLOW, "version": 1, "changed": NOW, "actor": ""}
    answer = api.put("/api/saved/view/slow", json=SLOW)
    assert (answer.status_code, answer.json()) == (200, first)
    assert kept(api) == [first]

    second = first | {"name": "Very slow", "version": 2}
    assert api.put("/api/saved/view/slow", json=SLOW | {"name": "Very slow", "version": 1}).json() == second
    assert kept(api) == [second]

    assert api.delete("/api/saved/view/slow?version=1").status_code == 409
    assert kept(api) == [second]
    assert api.delete("/api/saved/view/slow?version=2").json() == {"removed": "slow"}
    assert kept(api) == []
    assert api.delete("/api/saved/view/slow?version=2").status_code == 404


def test_nobody_writes_over_what_they_have_not_seen(api: TestClient) -> None:
    api.put("/api/saved/view/slow", json=SLOW)
    for version in (0, 2):
        answer = api.put("/api/saved/view/slow", json=SLOW | {"name": "mine", "version": version})
        assert (answer.status_code, answer.json()) == (
            409, {"message": "view slow was changed meanwhile; load it again"},
        )  # fmt: skip
    assert [one["name"] for one in kept(api)] == ["Slow ones"]


def test_the_list_is_by_name(api: TestClient) -> None:
    for id_, name in (("b", "Überblick"), ("a", "zebra"), ("c", "Apple")):
        api.put(f"/api/saved/view/{id_}", json=SLOW | {"name": name})
    assert [one["id"] for one in kept(api)] == ["c", "a", "b"]


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "", "calls", "/a b",
        "/calls\n", "/" + "x" * 8000,
    ],
)  # fmt: skip
def test_an_address_is_on_this_page(api: TestClient, address: str) -> None:
    answer = api.put("/api/saved/view/x", json=SLOW | {"address": address})
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("address: ")


@pytest.mark.parametrize("address", ["/", "/calls", "/calls?q=a%20b&from=now-1h"])
def test_addresses_that_are(api: TestClient, address: str) -> None:
    assert api.put("/api/saved/view/x", json=SLOW | {"address": address}).json()["address"] == address


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("view/a.b", 400, "an id is 1 to 80 letters"),
        ("view/" + "x" * 81, 400, "an id is 1 to 80 letters"),
        ("query/a", 404, ""),
    ],
)
def test_what_cannot_be_kept(api: TestClient, path: str, status: int, says: str) -> None:
    answer = api.put(f"/api/saved/{path}", json=SLOW)
    assert answer.status_code == status
    assert says in answer.text


def test_a_viewer_opens_views_and_keeps_none(shelf: Store) -> None:
    viewer = TestClient(app_of(shelf, authorize=nobody_but()))
    assert kept(viewer) == []
    for answer in (viewer.put("/api/saved/view/x", json=SLOW), viewer.delete("/api/saved/view/x?version=1")):
        assert (answer.status_code, answer.json()) == (403, {"message": "keep needs another key"})


def test_who_kept_it_is_known(shelf: Store) -> None:
    kim = TestClient(app_of(shelf, authorize=nobody_but("keep")))
    assert kim.put("/api/saved/view/x", json=SLOW).json()["actor"] == "kim"

"""The table of who may do what, asked through the real question."""

from hashlib import sha256
from typing import cast

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route
from starlette.testclient import TestClient

from spanward.collector.authorize import Authorizer, NotAuthorized
from spanward.collector.demo_route import DemoRoute
from spanward.collector.roles import EVERYTHING, ROLES, Key
from spanward.collector.store import Store


def request(key: str = "", scheme: str = "Bearer") -> Request:
    headers = [(b"authorization", f"{scheme} {key}".encode())] if key else []
    return Request({"type": "http", "headers": headers})


def keys(**roles: str) -> dict[str, Key]:
    return {
        name: Key.model_validate({"sha256": sha256(f"key of {name}".encode()).hexdigest(), "role": role})
        for name, role in roles.items()
    }


def allowed(authorizer: Authorizer, asked: Request) -> set[str]:
    granted: set[str] = set()
    for action in EVERYTHING:
        try:
            authorizer.authorize(action, asked)
        except NotAuthorized:
            continue
        granted.add(action)
    return granted


SHARED = {"see_content", "run_sql", "keep", "review", "configure", "edit_policy"}


@pytest.mark.parametrize(
    ("authorizer", "asked", "may"),
    [
        (Authorizer(loopback=True), request(), set(EVERYTHING)),
        (Authorizer(loopback=False), request("shared"), SHARED),
        (Authorizer(loopback=True, keys=keys(ada="admin")), request(), SHARED),
        (Authorizer(loopback=True, keys=keys(ada="admin")), request("key of ada"), set(EVERYTHING)),
        (Authorizer(loopback=False, keys=keys(ada="revealer")), request("key of ada"), set(ROLES["revealer"])),
        (Authorizer(loopback=False, keys=keys(ada="revealer")), request("key of bob"), SHARED),
        (Authorizer(loopback=False, keys=keys(ada="viewer")), request("key of ada"), set()),
    ],
)
def test_who_may_do_what(authorizer: Authorizer, asked: Request, may: set[str]) -> None:
    assert allowed(authorizer, asked) == may


def test_the_actor_is_the_owner_of_the_key() -> None:
    authorizer = Authorizer(keys=keys(ada="admin", bob="revealer"))
    assert authorizer.authorize("reveal", request("key of bob")).actor == "bob"
    assert authorizer.authorize("run_sql", request()).actor == ""
    assert (authorizer.knows("key of bob"), authorizer.knows("key of eve"), authorizer.knows("")) == (
        True,
        False,
        False,
    )


@pytest.mark.parametrize("action", ["", "reveal ", "everything"])
def test_unknown_actions_are_refused_for_everybody(action: str) -> None:
    with pytest.raises(NotAuthorized, match="there is no action"):
        Authorizer().authorize(action)


def test_a_viewer_does_not_remove_the_demonstration() -> None:
    route = DemoRoute(cast(Store, None), Authorizer(loopback=False, keys=keys(ada="viewer")))
    api = TestClient(Starlette(routes=[Route("/", route.remove, methods=["POST"])]))
    assert api.post("/", headers={"Authorization": "Bearer key of ada"}).status_code == 403

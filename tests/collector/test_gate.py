"""Who may ask, how much they may send, and what a failure tells."""

import base64
import logging
from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from spanward.collector.gate import ANSWERS, Gate, is_loopback

CANARY = "canary-4111111111111111"


async def length(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def broken(_request: Request) -> Response:
    raise ValueError(CANARY)


def client(*, loopback: bool = True, key: str = "", body_bytes: int = 1000) -> TestClient:
    routes = [Route("/x", length, methods=["GET", "POST"]), Route("/broken", broken)]
    gate = Gate(Starlette(routes=routes, exception_handlers=ANSWERS), loopback, key, body_bytes)
    return TestClient(gate, base_url="http://127.0.0.1:4318")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:4318", 200),
        ("localhost:4318", 200),
        ("LOCALHOST", 200),
        ("[::1]:4318", 200),
        ("127.8.9.1", 200),
        ("evil.example:4318", 403),
        ("localhost.evil.example:4318", 403),
        ("127.0.0.1.evil.example", 403),
        ("10.0.0.1:4318", 403),
        ("", 403),
    ],
)
def test_a_page_that_rebinds_its_name_to_loopback_is_refused(host: str, status: int) -> None:
    assert client().get("/x", headers={"Host": host}).status_code == status


def test_any_name_is_answered_when_bound_to_more_than_loopback() -> None:
    assert client(loopback=False).get("/x", headers={"Host": "sidecar.internal:4318"}).status_code == 200


@pytest.mark.parametrize(
    ("method", "origin", "status"),
    [
        ("POST", None, 200),
        ("POST", "http://127.0.0.1:4318", 200),
        ("POST", "http://127.0.0.1:9999", 403),
        ("POST", "http://evil.example", 403),
        ("POST", "null", 403),
        ("GET", "http://evil.example", 200),
    ],
)
def test_posts_from_a_foreign_page_are_refused(method: str, origin: str | None, status: int) -> None:
    headers = {} if origin is None else {"Origin": origin}
    assert client().request(method, "/x", headers=headers).status_code == status


def basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"anyone:{password}".encode()).decode()


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (None, 401),
        ("Bearer open sesame", 200),
        ("bearer open sesame", 200),
        ("Bearer open", 401),
        ("Bearer ", 401),
        (basic("open sesame"), 200),
        (basic("open"), 401),
        ("Basic !!!", 401),
        ("Digest open sesame", 401),
        ("Bearer öpen", 401),
    ],
)
def test_with_a_key_every_request_must_show_it(authorization: str | None, status: int) -> None:
    headers = [] if authorization is None else [(b"Authorization", authorization.encode("latin-1"))]
    answer = client(loopback=False, key="open sesame").get("/x", headers=headers)
    assert answer.status_code == status
    assert (answer.headers.get("www-authenticate") is not None) == (status == 401)


def chunks(sizes: list[int]) -> Iterator[bytes]:
    yield from (b"x" * size for size in sizes)


@pytest.mark.parametrize(("sizes", "status"), [([1000], 200), ([1001], 413), ([600, 400], 200), ([600, 401], 413)])
def test_bodies_are_bounded_with_and_without_a_length(sizes: list[int], status: int) -> None:
    bounded = client(body_bytes=1000)
    assert bounded.post("/x", content=chunks(sizes)).status_code == status
    told = bounded.post("/x", content=b"x" * sum(sizes))
    assert told.status_code == status
    if status == 413:
        assert told.json() == {"message": "the body is larger than 1000 bytes; send fewer spans at a time"}


def test_a_failure_is_logged_by_its_place_and_says_nothing_of_what_it_says(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = client().get("/broken")
    assert (answer.status_code, answer.json()) == (500, {"message": "Spanward failed; its log says where"})
    assert "GET /broken failed: ValueError at " in caplog.text
    assert "test_gate.py:" in caplog.text
    assert CANARY not in caplog.text


def test_what_nobody_serves_is_told_as_json() -> None:
    assert client().get("/nowhere").json() == {"message": "Not Found"}


@pytest.mark.parametrize(
    ("host", "expected"),
    [("localhost", True), ("127.0.0.1", True), ("::1", True), ("0.0.0.0", False), ("", False), ("::", False)],
)
def test_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected

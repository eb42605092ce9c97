"""Stability's REST API by the HTTP clients that people call it with, through a proxy on loopback."""

import asyncio
import base64
import email
import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import httpx2
import pytest
import requests

from spanward.tracer import semconv

from ..loopback import Reply, Request, Server, serving

MAIL = "ada.lovelace@example.org"
MASKED = "<EMAIL_ADDRESS_1>"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(64))
GENERATE = "http://api.stability.ai/v2beta/stable-image/generate"


class Proxy(Server):
    """Answers for every host; the paths decide."""

    def answer(self, request: Request) -> Reply:
        self.requests.append(request)
        status, headers, body = answer(request.path, request.headers.get("accept", ""))
        return Reply(body, status, headers)

    def fields(self) -> dict[str, str]:
        """What the last form said."""
        kind = self.requests[-1].headers.get("content-type", "")
        whole = f"Content-Type: {kind}\r\n\r\n".encode() + self.body
        parts = [part for part in email.message_from_bytes(whole).walk() if not part.is_multipart()]
        payloads = [part.get_payload(decode=True) for part in parts]
        return {
            str(part.get_param("name", header="content-disposition")): payload.decode(errors="replace")
            for part, payload in zip(parts, payloads, strict=True)
            if isinstance(payload, bytes)
        }


def answer(path: str, accept: str) -> tuple[int, dict[str, str], bytes]:
    if "refused" in path:
        said = {"id": "1", "name": "content_moderation", "errors": [f"{MAIL} was flagged"]}
        return 403, {"content-type": "application/json"}, json.dumps(said).encode()
    image = base64.b64encode(PNG).decode()
    if "/v1/" in path:
        said1 = {"artifacts": [{"base64": image, "seed": 7, "finishReason": "SUCCESS"}]}
        return 200, {"content-type": "application/json"}, json.dumps(said1).encode()
    if accept == "application/json":
        said2 = {"image": image, "finish_reason": "SUCCESS", "seed": 7}
        return 200, {"content-type": "application/json; type=image/png"}, json.dumps(said2).encode()
    return 200, {"content-type": "image/png", "finish-reason": "SUCCESS", "seed": "7"}, PNG


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxy]:
    proxy = Proxy()
    with serving(proxy.answer) as proxy.address:
        yield proxy


Post = Callable[..., Any]


def by_requests(proxy: Proxy, url: str, **rest: Any) -> Any:
    return requests.post(url, proxies={"http": proxy.address}, timeout=10, **rest)


def by_session(proxy: Proxy, url: str, **rest: Any) -> Any:
    with requests.Session() as session:
        session.proxies = {"http": proxy.address}
        return session.request("post", url, timeout=10, **rest)


def by_httpx(proxy: Proxy, url: str, **rest: Any) -> Any:
    return httpx.post(url, proxy=proxy.address, **rest)


def by_httpx_base_url(proxy: Proxy, url: str, **rest: Any) -> Any:
    with httpx.Client(base_url="http://api.stability.ai", proxy=proxy.address) as client:
        return client.post(url.removeprefix("http://api.stability.ai"), **rest)


def by_httpx_async(proxy: Proxy, url: str, **rest: Any) -> Any:
    async def main() -> Any:
        async with httpx.AsyncClient(proxy=proxy.address) as client:
            return await client.post(url, **rest)

    return asyncio.run(main())


def by_httpx2(proxy: Proxy, url: str, **rest: Any) -> Any:
    return httpx2.post(url, proxy=proxy.address, **rest)


POSTS = [by_requests, by_session, by_httpx, by_httpx_base_url, by_httpx_async, by_httpx2]


@pytest.mark.parametrize("post", POSTS)
def test_an_image_for_a_form(post: Post, proxy: Proxy, spans: Any) -> None:
    said = {"prompt": f"a card for {MAIL}", "negative_prompt": f"no {MAIL}", "output_format": "png", "seed": "7"}
    answer = post(proxy, f"{GENERATE}/core", headers={"accept": "image/*"}, files={"none": ("", b"")}, data=said)
    assert answer.content == PNG
    masked = {name: value.replace(MAIL, MASKED) for name, value in said.items()}
    assert {name: value for name, value in proxy.fields().items() if name in said} == masked
    span = spans.one()
    told = dict(span.attributes)
    assert span.name == "image_generation stable-image-core"
    assert told[semconv.PROVIDER] == "stability_ai"
    assert told[semconv.SERVER_ADDRESS] == "api.stability.ai"
    assert told[semconv.FINISH_REASONS] == ("SUCCESS",)
    assert told["gen_ai.request.seed"] == "7"
    (image,) = json.loads(told[semconv.OUTPUT_MESSAGES])[0]["parts"]
    assert (image["modality"], image["mime_type"], image["uri"][:7]) == ("image", "image/png", "sha256:")
    assert MAIL not in span.to_json()


@pytest.mark.parametrize("post", [by_requests, by_httpx])
def test_json_for_json(post: Post, proxy: Proxy, spans: Any) -> None:
    body = {"text_prompts": [{"text": f"for {MAIL}", "weight": 1}], "cfg_scale": 7, "samples": 1, "steps": 30}
    answer = post(proxy, "http://api.stability.ai/v1/generation/stable-diffusion-xl-1024-v1-0/text-to-image", json=body)
    assert answer.json()["artifacts"][0]["base64"] == base64.b64encode(PNG).decode()
    assert proxy.got["text_prompts"] == [{"text": f"for {MASKED}", "weight": 1}]
    told = dict(spans.one().attributes)
    assert told[semconv.REQUEST_MODEL] == "stable-diffusion-xl-1024-v1-0"
    assert told[semconv.FINISH_REASONS] == ("SUCCESS",)
    assert told["gen_ai.request.cfg_scale"] == 7
    assert base64.b64encode(PNG).decode()[:30] not in spans.one().to_json()


@pytest.mark.parametrize(
    ("sent", "place"),
    [
        ({"data": json.dumps({"text_prompts": [{"text": MAIL}]})}, "data"),
        ({"data": json.dumps({"text_prompts": [{"text": MAIL}]}).encode()}, "data"),
        ({"files": {"prompt": (None, MAIL)}}, "files"),
        ({"files": [("prompt", (None, MAIL.encode()))]}, "files"),
        ({"data": [("prompt", MAIL)], "files": {"image": ("a.png", PNG, "image/png")}}, "data"),
    ],
)
def test_nothing_goes_out_unmasked(sent: dict[str, Any], place: str, proxy: Proxy, spans: Any) -> None:
    by_requests(proxy, f"{GENERATE}/sd3", **sent)
    assert MAIL.encode() not in proxy.body
    assert MASKED.encode() in proxy.body
    assert MAIL not in spans.one().to_json()


def test_a_model_named_in_a_field(proxy: Proxy, spans: Any) -> None:
    accept = {"accept": "application/json"}
    answer = by_requests(
        proxy, f"{GENERATE}/sd3", headers=accept, files={"none": ""}, data={"prompt": "x", "model": "sd3.5-large"}
    )
    assert answer.json()["seed"] == 7
    told = dict(spans.one().attributes)
    assert told[semconv.REQUEST_MODEL] == "sd3.5-large"
    assert told[semconv.FINISH_REASONS] == ("SUCCESS",)


@pytest.mark.parametrize("post", [by_requests, by_httpx])
def test_refused(post: Post, proxy: Proxy, spans: Any) -> None:
    assert post(proxy, f"{GENERATE}/refused", data={"prompt": "x"}, files={"none": ("", b"")}).status_code == 403
    span = spans.one()
    assert span.attributes[semconv.ERROR_TYPE] == "403"
    assert not span.status.is_ok
    assert MAIL not in span.to_json()


def test_an_answer_that_the_application_streams_is_not_read(proxy: Proxy, spans: Any) -> None:
    with by_requests(proxy, f"{GENERATE}/core", data={"prompt": "x"}, stream=True) as answer:
        assert not answer.raw.closed
        assert b"".join(answer.iter_content(8)) == PNG
    assert semconv.OUTPUT_MESSAGES not in spans.one().attributes


def test_the_request_is_a_span_below(proxy: Proxy, spans: Any) -> None:
    by_requests(proxy, f"{GENERATE}/core", data={"prompt": "x"})
    (attempt,) = [span for span in spans.all() if semconv.HTTP_STATUS in span.attributes]
    assert attempt.parent.span_id == spans.one().context.span_id
    assert attempt.attributes[semconv.URL] == f"{GENERATE}/core"


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("GET", f"{GENERATE}/core"),
        ("POST", "http://api.stability.ai/v1/user/account"),
        ("POST", "http://example.org/v2beta/?for=api.stability.ai"),
        ("POST", "http://api.stability.ai.example.org/v2beta/stable-image/generate/core"),
    ],
)
def test_other_requests_are_none_of_ours(method: str, url: str, proxy: Proxy, spans: Any) -> None:
    requests.request(method, url, data={"prompt": MAIL}, proxies={"http": proxy.address}, timeout=10)
    assert MAIL.encode() in proxy.body.replace(b"%40", b"@")
    assert spans.calls() == []


def test_other_requests_cost_a_few_function_calls(proxy: Proxy, spans: Any) -> None:
    """Counted, not timed: what is added to a request that is not for us."""
    made: list[str] = []

    def count(frame: Any, event: str, _: Any) -> None:
        if event == "call" and "tracer" in frame.f_code.co_filename:
            made.append(frame.f_code.co_name)

    sys.setprofile(count)
    try:
        requests.post(f"{proxy.address}/elsewhere", data={"a": "b"}, timeout=10)
    finally:
        sys.setprofile(None)
    asked = made[: made.index("applies") + 1]
    assert len(asked) <= 6, made
    assert "request" not in made

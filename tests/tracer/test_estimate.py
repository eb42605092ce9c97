"""Tokens that nobody told: estimated where there is something to estimate from, and said to be so."""

from collections.abc import Callable
from typing import Any

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

import spanward
from spanward.collector.demo.provider import Provider
from spanward.guards.messages import Message, Part
from spanward.tracer import estimate, semconv
from spanward.tracer.call import ModelCall, Usage

from .conftest import NOWHERE, Spooled

PROSE = (
    "The parcel left our warehouse this morning and should arrive within two working days. You can change the "
    "delivery date in the app until midnight; the invoice has been sent again."
)


@pytest.mark.parametrize(
    ("text", "truth"),
    [
        # truth: what the encoding o200k_base of OpenAI makes of it
        ("", 0),
        ("hello world", 2),
        (PROSE, 34),
        ('{"name": "get_weather", "arguments": {"city": "Berlin", "unit": "celsius"}}', 23),
        ("def edit(root: Any, edits: Edits) -> None:\n    for path, text in edits.items():\n", 23),
        ("Der Rechnungsbetrag wurde bereits überwiesen.", 9),
        ("Счёт уже отправлен на вашу почту.", 11),
        ("发票已经再次发送，地址已更正。", 11),  # noqa: RUF001  as it is written
        ("請求書は再送され、住所は訂正されました。", 15),
        ("인보이스가 다시 전송되었습니다.", 9),
    ],
)
def test_it_is_about_right(text: str, truth: int) -> None:
    assert abs(estimate.tokens(text) - truth) <= max(2.0, 0.45 * truth)


@given(st.text(st.characters(codec=None)), st.text(st.characters(codec=None)))
def test_texts_add_up_and_any_text_can_be_counted(one: str, two: str) -> None:
    assert estimate.tokens(one + two) == pytest.approx(estimate.tokens(one) + estimate.tokens(two))
    assert estimate.tokens(one) >= 0


def test_a_long_text_costs_no_more_calls_than_a_short_one() -> None:
    import sys

    def calls(text: str) -> int:
        counted = [0]
        sys.setprofile(lambda frame, event, arg: counted.__setitem__(0, counted[0] + event.endswith("call")))
        estimate.tokens(text)
        sys.setprofile(None)
        return counted[0]

    assert calls("a b, c" * 100_000) == calls("a b, c") <= 20
    assert calls("größe 发票 " * 100_000) == calls("größe 发票 ") <= 30


def asked(operation: str = "chat", **also: Any) -> ModelCall:
    return ModelCall(operation, "p", messages=(Message("user", (Part("text", PROSE),)),), **also)


def answered(text: str = PROSE, operation: str = "chat", **also: Any) -> ModelCall:
    return asked(operation, output=(Message("assistant", (Part("text", text),)),), **also)


@pytest.mark.parametrize(
    ("call", "how", "source", "output"),
    [
        (answered(), {}, "estimated", True),
        (answered(operation="text_completion"), {}, "estimated", True),
        (asked("embeddings"), {}, "estimated", False),
        (asked("image_generation"), {}, "none", False),
        (answered(operation="transcription"), {}, "none", False),
        (answered(usage=Usage(input=5, output=30, source="provider")), {}, "provider", True),
        (answered(usage=Usage(input=5, output=1, source="provider")), {}, "provider", True),
        (answered(usage=Usage(input=5, output=1, source="provider")), {"complete": False}, "estimated", True),
        (answered(usage=Usage(input=5, output=30, source="provider")), {"complete": False}, "provider", True),
    ],
)
def test_what_is_estimated(call: ModelCall, how: dict[str, Any], source: str, output: bool) -> None:
    told = call.usage.input
    estimate.fill(call, **how)
    assert (call.usage.source, call.usage.output > 0) == (source, output)
    assert call.usage.input == told or not told


def test_images_tools_and_what_was_not_kept_count() -> None:
    plain, image, tool = answered(), answered(), answered()
    image.messages += (Message("user", (Part("media", mime="image/png", uri="sha256:1"),)),)
    tool.tools = (Message("system", (Part("tool_definition", '{"description": "' + PROSE + '"}', json=True),)),)
    estimate.fill(plain)
    estimate.fill(image)
    estimate.fill(tool)
    assert image.usage.input == plain.usage.input + estimate.IMAGE + estimate.MESSAGE
    assert 10 < tool.usage.input - plain.usage.input < 40
    cut = answered()
    estimate.fill(cut, left_out=len(PROSE))
    assert cut.usage.output == pytest.approx(2 * plain.usage.output, abs=1)


@pytest.fixture
def client(provider: Provider, spooled: Spooled) -> Any:
    spanward.instrument(endpoint=NOWHERE, guards="off", spool=spooled.folder, usage_hosts=[])
    with openai.OpenAI(base_url=f"{provider.address}/v1", api_key="demo", max_retries=0) as asking:
        yield asking


def stream(client: openai.OpenAI, model: str = "gpt-4o-mini-echo-chunks20", **also: Any) -> Any:
    return client.chat.completions.create(
        model=model,
        messages=[{"role": "user", "content": PROSE}],
        stream=True,
        stream_options={"include_usage": False},
        **also,
    )


def to_its_end(client: openai.OpenAI) -> None:
    list(stream(client))


def closed(client: openai.OpenAI) -> None:
    with stream(client) as chunks:
        for _ in range(10):
            next(chunks)


def abandoned(client: openai.OpenAI) -> None:
    chunks = stream(client)
    for _ in range(10):
        next(chunks)
    del chunks


def dropped_by_the_server(client: openai.OpenAI) -> None:
    with pytest.raises(openai.APIError):
        list(stream(client, "gpt-4o-mini-echo-chunks20-midstream"))


ENDS: dict[str, tuple[Callable[[openai.OpenAI], None], float]] = {
    "complete": (to_its_end, 1.0),
    "closed": (closed, 0.45),
    "abandoned": (abandoned, 0.45),
    "error": (dropped_by_the_server, 0.45),
}


@pytest.mark.parametrize("end", ENDS)
def test_a_stream_that_never_told(client: openai.OpenAI, spooled: Spooled, end: str) -> None:
    import gc

    run, share = ENDS[end]
    run(client)
    gc.collect()
    call = spooled.one().attributes
    assert (call[semconv.STREAM_END], call[semconv.USAGE_SOURCE]) == (end, "estimated")
    assert call[semconv.INPUT_TOKENS] == pytest.approx(33 + 7, rel=0.3)
    assert call[semconv.OUTPUT_TOKENS] == pytest.approx(33 * share, rel=0.4)


@pytest.mark.parametrize("how", ["err-500", "err-429", "err-400"])
def test_a_call_that_failed_has_no_estimate(client: openai.OpenAI, spooled: Spooled, how: str) -> None:
    with pytest.raises(openai.APIStatusError):
        stream(client, f"gpt-4o-mini-{how}")
    with pytest.raises(openai.APIStatusError):
        client.chat.completions.create(model=f"gpt-4o-mini-{how}", messages=[{"role": "user", "content": "x"}])
    assert [semconv.USAGE_SOURCE in call.attributes for call in spooled.calls] == [False, False]


def test_a_whole_answer_without_usage(spooled: Spooled) -> None:
    import http.server
    import json
    import threading

    class Silent(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            said = {
                "id": "1",
                "object": "chat.completion",
                "created": 1,
                "model": "local",
                "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": PROSE}}],
            }
            body = json.dumps(said).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Silent)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    spanward.instrument(endpoint=NOWHERE, guards="off", spool=spooled.folder)
    try:
        with openai.OpenAI(base_url=f"http://127.0.0.1:{server.server_port}", api_key="x") as client:
            client.chat.completions.create(model="local", messages=[{"role": "user", "content": PROSE}])
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    call = spooled.one().attributes
    assert call[semconv.USAGE_SOURCE] == "estimated"
    assert call[semconv.OUTPUT_TOKENS] == pytest.approx(33, rel=0.3)

"""What a call may cost, in function calls that no other load on the machine changes: Python's and C's together.

Counted by `sys.setprofile` in the calling thread against the same call without us, with the real openai SDK over a
transport that answers from memory. Once with guards off, and once with a guard that lets everything pass, so that all
content is recorded as peers record it.
"""

import gc
import json
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import openai
import pytest

import spanward
from spanward.guards.judgement import Check, Decision
from spanward.tracer import guarding, instrument

from .conftest import NOWHERE, Spooled

A_CALL, A_CHUNK = 500, 10
"""The budget."""
USAGE = {
    "prompt_tokens": 1000,
    "completion_tokens": 20,
    "total_tokens": 1020,
    "prompt_tokens_details": {"cached_tokens": 256, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
}
HEAD = {"id": "chatcmpl-1", "created": 1, "model": "gpt-4o-2024-08-06"}
PROMPT = ("four kilobytes of words " * 200)[:4096]
ANSWER = "an answer of some length " * 10


def completion() -> dict[str, Any]:
    message = {"role": "assistant", "content": ANSWER, "refusal": None}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    return {**HEAD, "object": "chat.completion", "choices": [choice], "usage": USAGE}


def chunks(number: int, *, asked: bool) -> bytes:
    """Asked for usage, each chunk but the last says that it has none."""
    none = {"usage": None} if asked else {}

    def event(*deltas: tuple[dict[str, Any], str | None], **more: Any) -> str:
        choices = [{"index": 0, "delta": delta, "finish_reason": reason} for delta, reason in deltas]
        return (
            f"data: {json.dumps({**HEAD, 'object': 'chat.completion.chunk', 'choices': choices, **none, **more})}\n\n"
        )

    texts = "".join(event(({"content": f"word{i} "}, None)) for i in range(number))
    last = event(({}, "stop")) + (event(usage=USAGE) if asked else "") + "data: [DONE]\n\n"
    return (event(({"role": "assistant", "content": ""}, None)) + texts + last).encode()


@pytest.fixture(scope="module")
def client() -> Iterator[openai.OpenAI]:
    streams: dict[tuple[int, bool], bytes] = {}

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked = json.loads(request.content)
        if not asked.get("stream"):
            return httpx2.Response(200, json=completion())
        number, usage = int(asked["user"]), bool((asked.get("stream_options") or {}).get("include_usage"))
        body = streams.setdefault((number, usage), chunks(number, asked=usage))
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=body)

    http = httpx2.Client(transport=httpx2.MockTransport(answer))
    with openai.OpenAI(api_key="none", base_url="http://model.test/v1", max_retries=0, http_client=http) as made:
        yield made


def chat(client: openai.OpenAI) -> None:
    client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": PROMPT}])


def stream(number: int, **options: Any) -> Callable[[openai.OpenAI], None]:
    def read(client: openai.OpenAI) -> None:
        for _ in client.chat.completions.create(
            model="gpt-4o", messages=[{"role": "user", "content": PROMPT}], stream=True, user=str(number), **options
        ):
            pass

    return read


def counted(call: Callable[[], None]) -> int:
    """The least of several, each after an uncounted one: our thread closes the spool's file after a second, which
    collecting the garbage of a whole suite may take, and the next call opens another."""
    return min(_counted(call, warm=True) for _ in range(3))


def _counted(call: Callable[[], None], *, warm: bool = False) -> int:
    number = 0

    def profile(_: Any, event: str, __: Any) -> None:
        nonlocal number
        number += event in {"call", "c_call"}

    gc.collect()
    gc.disable()
    if warm:
        call()
    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        call()
    finally:
        sys.setprofile(before)
        gc.enable()
    return number


class Everything:
    def check(self, check: Check) -> Decision:
        return Decision(check.messages)


@pytest.fixture(params=["guards off", "content"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def traced(mode: str, spooled: Spooled) -> Callable[[], None]:
    """Starts us."""

    def start() -> None:
        spanward.instrument(guards="off", endpoint=NOWHERE, spool=spooled.folder, usage_hosts=["model.test"])
        running = instrument.running()
        assert running is not None
        if mode == "content":
            running.engine.judge = guarding.Judge(Everything(), guarding.Summary)

    return start


def added(
    client: openai.OpenAI,
    call: Callable[[openai.OpenAI], None],
    start: Callable[[], None],
    plain: Callable[[openai.OpenAI], None] | None = None,
) -> int:
    """What `call` costs more with us than `plain`, or itself, without."""
    bare = plain or call
    bare(client)
    raw = _counted(lambda: bare(client))  # which nothing disturbs
    start()
    call(client)
    ours = counted(lambda: call(client))
    spanward.uninstrument()
    return ours - raw


def test_a_chat(client: openai.OpenAI, mode: str, traced: Callable[[], None], spooled: Spooled) -> None:
    number = added(client, chat, traced)
    assert 0 < number <= A_CALL
    span = spooled.calls[-1].attributes
    assert (span["gen_ai.usage.input_tokens"], span["gen_ai.usage.output_tokens"]) == (1000, 20)
    if mode == "content":
        assert PROMPT in span["gen_ai.input.messages"]
        assert ANSWER in span["gen_ai.output.messages"]
    else:
        assert span["spanward.content.withheld"] == "guards_off"


ASKS = {"stream_options": {"include_usage": True}}


@pytest.mark.parametrize("options", [ASKS, {}], ids=["asked", "asked by us"])
def test_a_streamed_chunk(
    client: openai.OpenAI, mode: str, traced: Callable[[], None], spooled: Spooled, options: dict[str, Any]
) -> None:
    """Everything that a stream of 200 chunks costs, shared among them; a chunk alone costs the same in a longer one.

    Where the question for usage is ours, against a stream of the application's that asks: what the SDK does with the
    answer is its own work.
    """
    plain = stream(200, **ASKS)
    number = added(client, stream(200, **options), traced, plain)
    assert 0 < number <= 200 * A_CHUNK
    span = spooled.calls[-1].attributes
    assert (span["gen_ai.usage.input_tokens"], span["spanward.stream.chunks"]) == (1000, 203)
    if mode == "content":
        assert "word0 word1 word2" in span["gen_ai.output.messages"]
    longer = added(client, stream(400, **options), traced, stream(400, **ASKS))
    assert (longer - number) / 200 <= A_CHUNK
    assert longer - number <= number


def test_a_call_costs_the_same_whatever_came_before(client: openai.OpenAI, traced: Callable[[], None]) -> None:
    chat(client)
    traced()
    for _ in range(5):
        chat(client)
    early = least(client)
    for _ in range(300):
        chat(client)
    assert least(client) == early


def least(client: openai.OpenAI) -> int:
    """Of three calls: in one of them the spool may begin another file."""
    return min(counted(lambda: chat(client)) for _ in range(3))


def test_nothing_heavy_is_loaded_beside_the_application(spooled: Spooled) -> None:
    """Neither OpenTelemetry's spans, nor protobuf, nor a resource of openai that the application does not use."""
    program = """
        import sys
        import openai
        openai.OpenAI(api_key="none").chat.completions
        before = set(sys.modules)
        import spanward
        spanward.instrument(guards="off", endpoint=sys.argv[1], spool=sys.argv[2])
        heavy = ("opentelemetry.sdk.trace", "google.protobuf", "opentelemetry.exporter", "presidio", "openai.resources",
                 "spanward.tracer.stream", "spanward.guards.holdback", "yaml", "pydantic")
        print(sorted(name for name in set(sys.modules) - before if name.startswith(heavy)))
    """
    command = [sys.executable, "-c", textwrap.dedent(program), NOWHERE, str(spooled.folder)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=250, check=True)
    assert ended.stdout.strip() == "[]"

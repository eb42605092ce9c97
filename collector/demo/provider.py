"""A model provider on loopback that speaks the real HTTP protocols of OpenAI, Azure OpenAI and Anthropic.

`python -m spanward.collector.demo.provider --port 0` prints its address and serves until it is ended. What it answers
is steered by the model's name (see `provider_answers`), or by the same words in the header `x-behaviour`.
"""

import argparse
import asyncio
import json
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from types import ModuleType
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from . import provider_anthropic as anthropic
from . import provider_openai as openai
from .provider_answers import DROP_AFTER, Behaviour

Json = dict[str, Any]
BEHAVIOUR_HEADER = "x-behaviour"


@dataclass(frozen=True, slots=True)
class Recorded:
    """One request as it arrived; header names are in lower case."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class Provider:
    """The server's state: what it received, if it is to keep that, and which calls it has failed once already."""

    keep: int = 0
    """How many of the last requests to keep; 0 keeps none."""
    address: str = ""
    _kept: deque[Recorded] = field(default_factory=deque)
    _failed: set[bytes] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._kept = deque(maxlen=self.keep)

    @property
    def record(self) -> list[Recorded]:
        """The requests kept, oldest first."""
        return list(self._kept)

    def clear(self) -> None:
        self._kept.clear()

    def app(self) -> Starlette:
        ask = {
            "/v1/chat/completions": (openai, openai.chat, openai.chat_events),
            "/openai/deployments/{deployment}/chat/completions": (openai, openai.chat, openai.chat_events),
            "/v1/responses": (openai, openai.response, openai.response_events),
            "/v1/embeddings": (openai, openai.embeddings, None),
            "/openai/deployments/{deployment}/embeddings": (openai, openai.embeddings, None),
            "/v1/messages": (anthropic, anthropic.message, anthropic.message_events),
            "/v1/messages/count_tokens": (anthropic, anthropic.count, None),
        }
        return Starlette(
            routes=[
                Route(path, partial(self._answer, dialect, whole, events), methods=["POST"])
                for path, (dialect, whole, events) in ask.items()
            ]
        )

    async def _answer(
        self,
        dialect: ModuleType,
        whole: Callable[[Json], Json],
        events: Callable[[Json], Iterator[str]] | None,
        request: Request,
    ) -> Response:
        raw = await request.body()
        if self.keep:
            self._kept.append(Recorded(request.url.path, dict(request.headers), raw))
        headers = dialect.headers(f"req_{abs(hash(raw)):x}")
        refused = _refusal(dialect, request, raw)
        if refused is not None:
            return JSONResponse(refused[1], refused[0], headers)
        body = json.loads(raw)
        body.setdefault("model", request.path_params.get("deployment", ""))
        if words := request.headers.get(BEHAVIOUR_HEADER):
            body["model"] = f"{body['model']}-{words}"
        how: Behaviour = dialect.steering(body)
        if how.error and not self._forgiven(how, raw):
            said = f" Received: {dialect.last_text(body)}" if "echo" in how.words else ""
            retry = {"retry-after": "1", "retry-after-ms": "20"} if how.error in {429, 529} else {}
            return JSONResponse(dialect.error(how.error, said), how.error, {**headers, **retry})
        if body.get("stream") and events:
            return StreamingResponse(_paced(how, events(body)), 200, headers, "text/event-stream; charset=utf-8")
        if how.pause:
            await asyncio.sleep(2)
        return JSONResponse(whole(body), 200, headers)

    def _forgiven(self, how: Behaviour, raw: bytes) -> bool:
        """Whether a call that fails once has failed before."""
        if not how.error_once:
            return False
        if raw in self._failed:
            self._failed.discard(raw)
            return True
        self._failed.add(raw)
        return False


def _refusal(dialect: ModuleType, request: Request, raw: bytes) -> tuple[int, Json] | None:
    """What the real providers refuse before a model sees it: no key, no JSON, no question."""
    if not any(request.headers.get(name) for name in ("authorization", "api-key", "x-api-key")):
        return 401, dialect.error(401)
    try:
        body = json.loads(raw)
    except ValueError:
        return 400, dialect.error(400, " The body is not JSON.")
    if not isinstance(body, dict) or not any(body.get(name) for name in ("messages", "input", "prompt")):
        return 400, dialect.error(400, " Missing required parameter: 'messages'.")
    return None


async def _paced(how: Behaviour, frames: Iterator[str]) -> AsyncIterator[str]:
    for sent, frame in enumerate(frames):
        if how.pause:
            await asyncio.sleep(how.pause)
        if "midstream" in how.words and sent == DROP_AFTER:
            raise ConnectionAbortedError("the connection drops here, as the model's name asks")
        yield frame


class _Server(uvicorn.Server):
    """Says where it listens as soon as it does."""

    def __init__(self, provider: Provider, port: int) -> None:
        super().__init__(
            uvicorn.Config(
                provider.app(),
                host="127.0.0.1",
                port=port,
                log_config=None,
                log_level="critical",
                lifespan="off",
                timeout_graceful_shutdown=1,
                timeout_keep_alive=60,  # longer than clients keep an idle connection, or they take up one that closes
                ws="none",
            )
        )
        self.provider = provider
        self.listening = threading.Event()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets=sockets)
        port = self.servers[0].sockets[0].getsockname()[1]
        self.provider.address = f"http://127.0.0.1:{port}"
        self.listening.set()


@contextmanager
def serve_in_thread(*, keep: int = 0) -> Iterator[Provider]:
    """Serve on a free loopback port until the block is left; `address` and `record` are on what it gives.

    Raises TimeoutError if nothing listens within ten seconds.
    """
    provider = Provider(keep=keep)
    server = _Server(provider, 0)
    thread = threading.Thread(target=server.run, name="demo-provider", daemon=True)
    thread.start()
    try:
        if not server.listening.wait(10):
            raise TimeoutError("the local provider did not start")
        yield provider
    finally:
        server.should_exit = True
        thread.join(10)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m spanward.collector.demo.provider", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port on loopback (default 0: any free one)")
    asked = parser.parse_args(arguments)
    provider = Provider()
    server = _Server(provider, asked.port)
    threading.Thread(target=_announce, args=(server,), daemon=True).start()
    server.run()


def _announce(server: _Server) -> None:
    server.listening.wait()
    print(server.provider.address, flush=True)


if __name__ == "__main__":
    main()

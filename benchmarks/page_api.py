"""How fast the page's questions are answered: `python benchmarks/page_api.py [--calls 50000] [--json FILE]`.

The demonstration's two weeks, repeated until there are enough calls, in an embedded store of its own; each question
is asked many times through the API as the page asks it, without the network. Milliseconds of the clock, and of all
processors: on a busy machine the second tells more. From 500,000 calls on, ClickHouse makes the rows itself
(`many_calls.py`, 30 days); `--keep DIR` leaves that store there, and asks the one it finds there.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import many_calls
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from spanward.collector.demo import history
from spanward.collector.documents import DocumentFile
from spanward.collector.store import Store
from spanward.dashboards.api.means import Means
from spanward.dashboards.api.routes import routes
from spanward.tracer.segment import frame

ROUNDS = 40
MANY = 500_000
PATIENCE_SECONDS = 20.0
"""A question that takes long is asked fewer times, but three at least."""
QUESTIONS = {
    "overview, 24 hours": "/api/overview?from=now-24h",
    "overview, 14 days": "/api/overview?from=now-14d",
    "overview, 14 days, by prompt": "/api/overview?from=now-14d&prompt=answer",
    "list, newest": "/api/calls?from=now-14d",
    "list, slowest": "/api/calls?from=now-14d&sort=-latency",
    "list, flagged by guards": "/api/calls?from=now-14d&guard=flagged",
    "list, text search": "/api/calls?from=now-14d&q=oak",
    "facets, 14 days": "/api/facets?from=now-14d",
    "health": "/api/health",
}
OF_MANY = {
    f"{name}, {words}": f"{path}{sign}from=now-{span}"
    for span, words in (("24h", "24 hours"), ("30d", "30 days"))
    for name, path, sign in (
        ("overview", "/api/overview", "?"),
        ("overview by model", "/api/overview?model=model-3", "&"),
        ("overview by prompt", "/api/overview?prompt=prompt-1-1", "&"),
        ("list, newest", "/api/calls", "?"),
        ("list, slowest", "/api/calls?sort=-latency", "&"),
        ("list, failures", "/api/calls?status=error", "&"),
        ("list, modified by guards", "/api/calls?guard=modified", "&"),
        ("list, one user", "/api/calls?user=user-77", "&"),
        ("list, text search", "/api/calls?q=damaged", "&"),
        ("facets", "/api/facets", "?"),
        ("facets under filters", "/api/facets?model=model-3&status=error", "&"),
    )
} | {"health": "/api/health", "health, store": "/api/health/store"}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--calls", type=int, default=50_000)
    options.add_argument("--keep", type=Path, metavar="DIR", help="where the store of many calls is, or shall be")
    options.add_argument("--json", type=Path, help="write the numbers here as well")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = measure(chosen.keep or Path(folder), chosen.calls)
    print(f"{result['calls']} calls\n{'question':38}{'p50':>8}{'p95':>8}{'CPU':>8}")
    for name, (middle, high, processors) in result["ms"].items():
        print(f"{name:38}{middle:8.1f}{high:8.1f}{processors:8.1f}")
    if chosen.json:
        chosen.json.write_text(json.dumps(result, indent=1))


def measure(folder: Path, calls: int) -> dict[str, Any]:
    folder.mkdir(parents=True, exist_ok=True)
    store = Store.open(f"chdb:///{(folder / 'store').resolve()}", folder)
    try:
        store.migrate()
        stored = fill(store, folder, calls)
        api = TestClient(Starlette(routes=routes(means(store))))
        questions = OF_MANY if calls >= MANY else QUESTIONS
        return {"calls": stored, "ms": {name: times(api, path) for name, path in questions.items()}}
    finally:
        store.close()


def means(store: Store) -> Means:
    """As the sidecar's, for somebody who may do everything."""
    documents = DocumentFile(":memory:")
    return Means(store.ask, store.raw, store.insert, documents, lambda *_: "", lambda *_: None, dict, time.time)


def fill(store: Store, folder: Path, calls: int) -> int:
    count = "SELECT count() FROM llm_calls"
    if calls >= MANY:
        if not store.ask(count).rows[0][0]:
            many_calls.fill(store, calls, round(time.time() * 1000))
        made: int = store.ask(count).rows[0][0]
        return made
    for number, body in enumerate(repeated()):
        segment = folder / f"{number}"
        segment.write_bytes(frame(body))
        store.ingest(segment, segment.name)
        segment.unlink()
        if number % 10 == 0 and store.ask(count).rows[0][0] >= calls:
            break
    stored: int = store.ask(count).rows[0][0]
    return stored


def repeated() -> Iterator[bytes]:
    end = history.now()
    for turn in range(1, 1000):
        for body in history.bodies(end - timedelta(minutes=turn), spans_a_body=4096):
            yield renamed(body, turn.to_bytes(2))


def renamed(body: bytes, turn: bytes) -> bytes:
    """The same spans under ids of their own."""
    request = ExportTraceServiceRequest.FromString(body)
    for resource in request.resource_spans:
        for span in (span for scope in resource.scope_spans for span in scope.spans):
            span.trace_id = turn + span.trace_id[2:]
            span.span_id = turn + span.span_id[2:]
            span.parent_span_id = span.parent_span_id and turn + span.parent_span_id[2:]
    return request.SerializeToString()


def times(api: TestClient, path: str) -> tuple[float, float, float]:
    """p50, p95 and the processors' mean."""
    taken: list[float] = []
    begun_cpu = time.process_time()
    while len(taken) < ROUNDS and (len(taken) < 3 or sum(taken) < 1000 * PATIENCE_SECONDS):
        begun = time.perf_counter()
        answer = api.get(path)
        taken.append(1000 * (time.perf_counter() - begun))
        if answer.status_code != 200:
            print(f"{path}: {answer.text}")
            break
    cpu = 1000 * (time.process_time() - begun_cpu) / len(taken)
    high = statistics.quantiles(taken, n=20)[18] if len(taken) > 1 else taken[0]
    return statistics.median(taken), high, cpu


if __name__ == "__main__":
    main()

"""How fast the page's questions are answered: `python benchmarks/page_api.py [--calls 50000] [--json FILE]`.

The demonstration's two weeks, repeated until there are enough calls, in an embedded store of its own; each question
is asked many times through the API as the page asks it, without the network. Milliseconds.
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


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--calls", type=int, default=50_000)
    options.add_argument("--json", type=Path, help="write the numbers here as well")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = measure(Path(folder), chosen.calls)
    print(f"{result['calls']} calls\n{'question':32}{'p50':>8}{'p95':>8}")
    for name, (middle, high) in result["ms"].items():
        print(f"{name:32}{middle:8.1f}{high:8.1f}")
    if chosen.json:
        chosen.json.write_text(json.dumps(result, indent=1))


def measure(folder: Path, calls: int) -> dict[str, Any]:
    store = Store.open(f"chdb:///{folder / 'store'}", folder)
    try:
        store.migrate()
        stored = fill(store, folder, calls)
        api = TestClient(Starlette(routes=routes(means(store))))
        return {"calls": stored, "ms": {name: times(api, path) for name, path in QUESTIONS.items()}}
    finally:
        store.close()


def means(store: Store) -> Means:
    """As the sidecar's, for somebody who may do everything."""
    documents = DocumentFile(":memory:")
    return Means(store.ask, store.raw, store.insert, documents, lambda *_: "", lambda *_: None, dict, time.time)


def fill(store: Store, folder: Path, calls: int) -> int:
    count = "SELECT count() FROM llm_calls"
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


def times(api: TestClient, path: str) -> tuple[float, float]:
    taken = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        answer = api.get(path)
        taken.append(1000 * (time.perf_counter() - begun))
        if answer.status_code != 200:
            raise SystemExit(f"{path}: {answer.text}")
    return statistics.median(taken), statistics.quantiles(taken, n=20)[18]


if __name__ == "__main__":
    main()

"""How fast spans get from HTTP into the store: `python benchmarks/ingest.py [--spans N] [--policy NAME]`.

What is measured: a real `spanward serve` with an embedded store in a new directory takes model calls of about 3.9 KB
(as OTLP protobuf, distinct texts, prices found by the sidecar), sent over loopback HTTP by this process. Building the
spans is not counted; sending them is not part of the sidecar's CPU, but shares the machine with it.

1. bulk: all spans in bodies of 100, four connections, as fast as they are taken. Rate = spans / (first byte sent until
   the last span can be queried). CPU is the sidecar's own, judging included only as far as it went until then.
2. freshness: one span at a time, every 0.3 s: from its 200 until a query finds it.
"""

import argparse
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles

import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from spanward.collector.otlp_values import to_attributes
from spanward.tracer import semconv

BODY, CONNECTIONS, SINGLES = 100, 4, 30
PATIENCE = 120.0
HEADERS = {"content-type": "application/x-protobuf"}
WORDS = Path(__file__).read_text().split()


def text(chance: random.Random, size: int) -> str:
    words = (chance.choice(WORDS) + str(chance.randrange(1000)) for _ in range(size // 8))
    return " ".join(words)[:size]


def message(role: str, said: str) -> str:
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": said}]}])


def span(chance: random.Random) -> Span:
    now = time.time_ns()
    said = {
        semconv.OPERATION: "chat",
        semconv.PROVIDER: "openai",
        semconv.REQUEST_MODEL: "gpt-4o-mini",
        semconv.RESPONSE_MODEL: "gpt-4o-mini-2024-07-18",
        semconv.INPUT_TOKENS: chance.randrange(10, 2000),
        semconv.OUTPUT_TOKENS: chance.randrange(10, 500),
        semconv.INPUT_MESSAGES: message("user", text(chance, 2500)),
        semconv.OUTPUT_MESSAGES: message("assistant", text(chance, 900)),
    }
    return Span(
        trace_id=chance.randbytes(16),
        span_id=chance.randbytes(8),
        name="chat gpt-4o-mini",
        kind=Span.SPAN_KIND_CLIENT,
        start_time_unix_nano=now - chance.randrange(10**8, 3 * 10**9),
        end_time_unix_nano=now,
        attributes=to_attributes(said),
    )


def body(service: str, spans: Sequence[Span]) -> bytes:
    resource = Resource(attributes=to_attributes({"service.name": service, "deployment.environment.name": "bench"}))
    scoped = ResourceSpans(resource=resource, scope_spans=[ScopeSpans(spans=spans)])
    return ExportTraceServiceRequest(resource_spans=[scoped]).SerializeToString()


def until(look: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not look():
        if time.monotonic() > deadline:
            raise SystemExit("it did not happen in good time")
        time.sleep(0.005)


def count(http: httpx.Client, service: str) -> int:
    asked = {"sql": f"SELECT count() FROM llm_calls WHERE service = '{service}'"}
    return int(http.post("/api/query", json=asked).raise_for_status().json()["rows"][0][0])


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def size_of(directory: Path) -> int:
    """A merge may end meanwhile, and take its files away."""
    sizes = 0
    for folder, _, names in os.walk(directory):
        for name in names:
            with suppress(FileNotFoundError):
                sizes += (Path(folder) / name).stat().st_size
    return sizes


def bulk(http: httpx.Client, pid: int, spans: int) -> dict[str, float]:
    chance = random.Random(1)
    bodies = [body("bulk", [span(chance) for _ in range(BODY)]) for _ in range(spans // BODY)]
    before, started = cpu_seconds(pid), time.monotonic()
    with ThreadPoolExecutor(CONNECTIONS) as senders:
        answers = list(senders.map(lambda sent: http.post("/v1/traces", content=sent, headers=HEADERS), bodies))
    acknowledged = time.monotonic() - started
    assert {answer.status_code for answer in answers} == {200}
    until(lambda: count(http, "bulk") == len(bodies) * BODY)
    queryable, cpu = time.monotonic() - started, cpu_seconds(pid) - before
    total = len(bodies) * BODY
    return {
        "spans": total,
        "bytes a span, as sent": sum(map(len, bodies)) / total,
        "acknowledged: spans/s": total / acknowledged,
        "queryable: spans/s": total / queryable,
        "queryable: spans/CPU-s": total / cpu,
    }


def freshness(http: httpx.Client) -> dict[str, float]:
    chance, waits = random.Random(2), []
    for number in range(SINGLES):
        service = f"single-{number}"
        assert http.post("/v1/traces", content=body(service, [span(chance)]), headers=HEADERS).status_code == 200
        acknowledged = time.monotonic()
        until(lambda service=service: count(http, service) == 1)  # type: ignore[misc]
        waits.append(time.monotonic() - acknowledged)
        time.sleep(0.3)
    cuts = quantiles(waits, n=20)
    return {"from 200 to queryable: p50 s": cuts[9], "from 200 to queryable: p95 s": cuts[18]}


def judged(http: httpx.Client) -> dict[str, float]:
    started = time.monotonic()
    until(lambda: http.get("/healthz").json()["queue_bytes"] == 0)
    return {"until the last is judged: s more": time.monotonic() - started}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spans", type=int, default=10_000)
    parser.add_argument("--policy", default="", help="a policy to judge by after the fact (default: one without rules)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        data, none = Path(place) / "data", Path(place) / "none.yaml"
        none.write_text("version: 1\nname: none\nrules: []\n")
        told = ["--data", str(data), "--port", "0", "--spool", place, "--policy", arguments.policy or str(none)]
        sidecar = subprocess.Popen(
            [sys.executable, "-m", "spanward.collector.cli", "serve", *told], stdout=subprocess.DEVNULL
        )
        try:
            until((data / "sidecar.json").exists)
            address = json.loads((data / "sidecar.json").read_text())["address"]
            with httpx.Client(base_url=address, trust_env=False, timeout=PATIENCE) as http:
                fresh = freshness(http)
                empty = size_of(data / "store")
                result = bulk(http, sidecar.pid, arguments.spans) | fresh
                if arguments.policy:
                    result |= judged(http)
                result["bytes on disk a span"] = (size_of(data / "store") - empty) / arguments.spans
        finally:
            sidecar.terminate()
            sidecar.wait(PATIENCE)
    machine = f"{os.cpu_count()} cores of {platform.machine()}, Python {platform.python_version()}"
    print(f"{datetime.now(UTC):%Y-%m-%d}, {machine}")
    for name, value in result.items():
        print(f"{name:36} {value:12,.2f}" if value < 100 else f"{name:36} {value:12,.0f}")


if __name__ == "__main__":
    main()

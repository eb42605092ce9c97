"""How fast the page's questions are answered: `python benchmarks/page_api.py [--calls 50000] [--only REGEX]`.

The demonstration's two weeks, repeated until there are enough calls, in an embedded store of its own; each question
is asked many times through the API as the page asks it, without the network. Milliseconds of the clock, and of all
processors: on a busy machine the second tells more. From 500,000 calls on, ClickHouse makes the rows itself
(`many_calls.py`, 30 days); `--keep DIR` leaves that store there, and asks the one it finds there.
"""

import argparse
import itertools
import json
import re
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from functools import reduce
from pathlib import Path
from typing import Any

import many_calls
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from spanward.collector.alarms import Alarms
from spanward.collector.demo import history
from spanward.collector.documents import DocumentFile
from spanward.collector.store import Store
from spanward.dashboards.api.means import Means
from spanward.dashboards.api.routes import routes
from spanward.tracer.segment import frame

Asked = str | tuple[str, Any]

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


def _rule(rule: dict[str, Any]) -> tuple[str, Any]:
    return "/api/alert-try", {"rule": {"name": "slow", "threshold": 0.1, "window_s": 300} | rule}


_RANGES = (("24h", "24 hours"), ("30d", "30 days"))
_OF_MANY = {
    "overview": "/api/overview",
    "overview by model": "/api/overview?model=model-3",
    "overview by prompt": "/api/overview?prompt=prompt-1-1",
    "overview by user group": "/api/overview?user_group=pro",
    "overview by tag": "/api/overview?tag=web",
    "list, newest": "/api/calls",
    "list, slowest": "/api/calls?sort=-latency",
    "list, fastest": "/api/calls?sort=latency",
    "list, slowest first word": "/api/calls?sort=-ttft",
    "list, dearest": "/api/calls?sort=-cost",
    "list, most tokens": "/api/calls?sort=-tokens",
    "list, longest input": "/api/calls?sort=-input",
    "list, longest output": "/api/calls?sort=-output",
    "list, one model": "/api/calls?model=model-3",
    "list, errors": "/api/calls?status=error",
    "list, a kind of failure": "/api/calls?failure=timeout",
    "list, modified by guards": "/api/calls?guard=modified",
    "list, flagged by guards": "/api/calls?guard=flagged",
    "list, clean": "/api/calls?guard=clean",
    "list, a rule's": "/api/calls?rule=injection",
    "list, one user": "/api/calls?user=user-77",
    "list, one session": "/api/calls?session=session-1999000",
    "list, one tag": "/api/calls?tag=web",
    "list, above 5 s": "/api/calls?min_latency=5000",
    "list, one version of a prompt": "/api/calls?prompt=prompt-1-1&prompt_version=2",
    "list, text search": "/api/calls?q=damaged",
    "facets": "/api/facets",
    "facets under filters": "/api/facets?model=model-3&status=error",
    "facets of one user": "/api/facets?user=user-77",
    "facets of a guard's": "/api/facets?guard=flagged",
    "facets of a rule": "/api/facets?rule=injection",
    "facets of a tag": "/api/facets?tag=web",
    "failures": "/api/failures",
    "failures by model": "/api/failures?model=model-3",
    "failures, one kind": "/api/failures?failure=timeout",
    "failures, one group": "/api/failures/{group}",
    "cost by model": "/api/cost?by=model",
    "cost by service and model": "/api/cost?by=service&across=model",
    "cost by prompt": "/api/cost?by=prompt",
    "cost by user": "/api/cost?by=user",
    "cost by user group": "/api/cost?by=user_group",
    "cost by tag": "/api/cost?by=tag",
    "cost, unpriced": "/api/cost/unpriced",
    "cost, outlook": "/api/cost/outlook?period=month",
    "compare, two models": "/api/compare?a.model=model-3&b.model=model-4",
    "compare, choices": "/api/compare/choices",
    "guards": "/api/guards",
    "guards, one rule": "/api/guards?rule=pii-in",
    "guards, one app": "/api/guards?service=app-1",
    "guards by model": "/api/guards?model=model-3",
    "guards, findings to label": "/api/guards/review",
    "sessions": "/api/sessions",
    "sessions of an app": "/api/sessions?service=app-1",
    "users": "/api/users",
    "users, most calls": "/api/users?sort=calls",
    "users of an app": "/api/users?service=app-1",
    "one user": "/api/users/user-77",
}
OF_MANY = {
    f"{name}, {words}": f"{path}{'&' if '?' in path else '?'}from=now-{span}"
    for name, path in _OF_MANY.items()
    for span, words in _RANGES
} | {
    "guards, known": "/api/guards/known",
    "drift": "/api/drift",
    "health": "/api/health",
    "health, store": "/api/health/store",
    "one session": "/api/sessions/session-1999000",
    "one call": "/api/calls/{trace}/{span}",
    "alert's chart, 7 days": _rule({"metric": "failure_rate"}),
    "alert's chart, split, 7 days": _rule({"metric": "latency_p95", "by": ["service", "model"]}),
}
"""A path that is not a text is posted: the address and its body."""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--calls", type=int, default=50_000)
    options.add_argument("--keep", type=Path, metavar="DIR", help="where the store of many calls is, or shall be")
    options.add_argument("--only", default="", metavar="REGEX", help="questions whose name has this")
    options.add_argument("--rounds", type=int, default=40, help="how often each question is asked")
    options.add_argument("--json", type=Path, help="write the numbers here as well")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = measure(chosen.keep or Path(folder), chosen.calls, chosen.only, chosen.rounds)
    if chosen.json:
        chosen.json.write_text(json.dumps(result, indent=1))


def measure(folder: Path, calls: int, only: str = "", rounds: int = 40) -> dict[str, Any]:
    """Prints a line a question as it goes."""
    folder.mkdir(parents=True, exist_ok=True)
    store = Store.open(f"chdb:///{(folder / 'store').resolve()}", folder)
    try:
        store.migrate()
        stored = fill(store, folder, calls)
        lent = means(store)
        api, alarms = TestClient(Starlette(routes=routes(lent))), Alarms(lent, str)
        names = re.compile(only)
        questions = {name: asked for name, asked in questions_of(store, calls).items() if names.search(name)}
        print(f"{stored} calls\n{'question':44}{'p50':>8}{'p95':>8}{'CPU':>8}", flush=True)
        told = {}
        for name, asked in questions.items():
            alarms.look_ahead()  # a sidecar's thread does, every half minute
            told[name] = times(api, asked, rounds)
            print(f"{name:44}" + "".join(f"{ms:8.1f}" for ms in told[name]), flush=True)
        return {"calls": stored, "ms": told}
    finally:
        store.close()


def questions_of(store: Store, calls: int) -> dict[str, Asked]:
    if calls < MANY:
        return dict(QUESTIONS)
    trace, span = store.ask("SELECT trace_id, span_id FROM llm_calls ORDER BY ts DESC LIMIT 1").rows[0]
    group = store.ask("SELECT failure_group FROM failure_groups ORDER BY calls DESC LIMIT 1").rows[0][0]
    filled = {"{trace}": trace, "{span}": span, "{group}": group}
    told: dict[str, Asked] = {}
    for name, asked in OF_MANY.items():
        told[name] = (
            reduce(lambda path, slot: path.replace(*slot), filled.items(), asked) if isinstance(asked, str) else asked
        )
    return told


def means(store: Store) -> Means:
    """As the sidecar's, for somebody who may do everything; now is a second after the newest call, and moves on with
    each question as it does for people: what the store remembers of the same condition is of no use then.
    """
    documents = DocumentFile(":memory:")
    newest = store.ask("SELECT toUnixTimestamp64Micro(max(ts)) FROM llm_calls").rows[0][0]
    ticks = itertools.count(1)
    return Means(
        store.ask, store.raw, store.insert, documents, lambda *_: "", lambda *_: None, dict,
        lambda: newest / 1e6 + next(ticks),
    )  # fmt: skip


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


def times(api: TestClient, asked: Asked, rounds: int) -> tuple[float, float, float]:
    """p50, p95 and the processors' mean."""
    taken: list[float] = []
    begun_cpu = time.process_time()
    while len(taken) < rounds and (len(taken) < 3 or sum(taken) < 1000 * PATIENCE_SECONDS):
        begun = time.perf_counter()
        answer = api.get(asked) if isinstance(asked, str) else api.post(asked[0], json=asked[1])
        taken.append(1000 * (time.perf_counter() - begun))
        if answer.status_code != 200:
            print(f"{asked}: {answer.text}")
            break
    cpu = 1000 * (time.process_time() - begun_cpu) / len(taken)
    high = statistics.quantiles(taken, n=20)[18] if len(taken) > 1 else taken[0]
    return statistics.median(taken), high, cpu


if __name__ == "__main__":
    main()

"""The first rows of long lists: found in a part of the range, and the same as if all of it had been sorted."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from spanward.collector.store import Store
from spanward.dashboards import first_rows, stretch
from spanward.dashboards.sorting import SORTS

from .conftest import NOW, api_of
from .test_calls import ask
from .traffic import Call, put

MINUTE = 60_000
HOUR = 60 * MINUTE
HOURS = 30


def spread() -> list[Call]:
    """Two calls an hour; values repeat, some are missing, and the largest stand where few look."""
    return [
        Call(
            NOW - n * HOUR // 2 - MINUTE, latency_ms=10 + (n * 37) % 23, ttft_ms=n % 4, tokens=((n * 11) % 17, n % 5),
            cost=None if n % 7 == 0 else (n * 13) % 19 / 100, said=f"parcel {'lost' if n % 9 == 4 else 'sent'}",
            answered="Größe" if n % 10 == 0 else "yes",
        )
        for n in range(2 * HOURS)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def calls() -> list[Call]:
    return spread()


@pytest.fixture(scope="module")
def api(shelf: Store, calls: list[Call], tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    put(shelf, tmp_path_factory.mktemp("spread"), calls)
    return api_of(shelf)


VALUES: dict[str, Callable[[Call], float]] = {
    "latency": lambda call: call.latency_ms,
    "ttft": lambda call: call.ttft_ms,
    "cost": lambda call: -1 if call.cost is None else call.cost,
    "tokens": lambda call: sum(call.tokens),
    "input": lambda call: call.tokens[0],
    "output": lambda call: call.tokens[1],
}


@pytest.mark.parametrize("sort", VALUES)
@pytest.mark.parametrize("down", [True, False])
@pytest.mark.parametrize(
    ("one_in", "more", "limit"), [(12, 8, 1), (3, 8, 2), (2, 8, 7), (2, 8, 60), (1, 8, 5), (3, 0, 4), (4, 1, 12)]
)
def test_a_part_that_is_looked_at_first_changes_no_row(
    api: TestClient, calls: list[Call], monkeypatch: pytest.MonkeyPatch, sort: str, down: bool, one_in: int, more: int,
    limit: int,
) -> None:  # fmt: skip
    """Where `more` is small, what the part says is not enough in some of these, and it is asked again."""
    monkeypatch.setattr(first_rows, "_ONE_IN", one_in)
    monkeypatch.setattr(first_rows, "_MORE", more)
    answer = ask(api, f"/api/calls?from=now-{HOURS}h&sort={'-' if down else ''}{sort}&limit={limit}")
    ordered = sorted(calls, key=lambda call: (VALUES[sort](call), call.at, call.trace_id), reverse=down)
    assert [row["span_id"] for row in answer["calls"]] == [call.span_id for call in ordered[:limit]]
    assert answer["total"] == len(calls)


@pytest.mark.parametrize("sort", VALUES)
def test_the_index_of_what_a_list_is_sorted_by_is_taken(shelf: Store, api: TestClient, sort: str) -> None:
    """ClickHouse takes none for some expressions that it has one of, and reads all, without a word."""
    told = SORTS[sort]
    where = f"{told.column} >= {{reach:{told.column_kind}}}"
    plan = shelf.ask(f"EXPLAIN indexes = 1 SELECT count() FROM llm_calls WHERE {where}", {"reach": 10**6}).rows
    assert any("Name: range_" in line for (line,) in plan)
    assert "Granules: 0/" in "".join(line for (line,) in plan)


def walk(api: TestClient, path: str) -> tuple[list[str], list[dict[str, Any]]]:
    """Span ids of all pages, and all answers."""
    answers = [ask(api, path)]
    while answers[-1]["next"]:
        answers.append(ask(api, f"{path}&cursor={answers[-1]['next']}"))
    return [row["span_id"] for answer in answers for row in answer["calls"]], answers


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("LOST", lambda n: n % 9 == 4),
        ("parcel", lambda n: True),
        ("größe", lambda n: n % 10 == 0),
        ("parcels", lambda n: False),
    ],
)
@pytest.mark.parametrize("sort", ["", "&sort=time"])
@pytest.mark.parametrize("limit", [2, 100])
@pytest.mark.parametrize("most", [1, 5, 1000])
def test_a_search_goes_through_the_range_stretch_by_stretch(
    api: TestClient, calls: list[Call], monkeypatch: pytest.MonkeyPatch,
    text: str, fits: Callable[[int], bool], sort: str, limit: int, most: int,
) -> None:  # fmt: skip
    monkeypatch.setattr(stretch, "MOST_CALLS", most)
    expected = [call.span_id for n, call in enumerate(calls) if fits(n)]
    seen, answers = walk(api, f"/api/calls?from=now-{HOURS}h&q={text}&limit={limit}{sort}")
    assert seen == (expected[::-1] if sort else expected)
    assert answers[-1]["total"] == len(expected)
    assert answers[-1]["searched"] == {"since": NOW if sort else NOW - HOURS * HOUR, "whole": True}
    totals = [answer["total"] for answer in answers]
    assert totals == sorted(totals)
    stretches = {1: HOURS, 5: HOURS // 3, 1000: 1}[most]
    assert len({answer["searched"]["since"] for answer in answers}) == pytest.approx(stretches, abs=HOURS // 6)


def test_other_orders_and_filters_go_with_a_search(
    api: TestClient, calls: list[Call], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stretch, "MOST_CALLS", 5)
    slowest = sorted((c for n, c in enumerate(calls) if n % 9 == 4), key=lambda call: -call.latency_ms)
    by_latency = ask(api, f"/api/calls?from=now-{HOURS}h&q=lost&sort=-latency")
    assert [row["latency_ms"] for row in by_latency["calls"]] == [call.latency_ms for call in slowest]
    assert by_latency["searched"] is None
    none, answers = walk(api, f"/api/calls?from=now-{HOURS}h&q=lost&service=desk")
    assert (none, answers[-1]["total"]) == ([], 0)


def test_calls_that_arrive_meanwhile_neither_shift_nor_repeat(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stretch, "MOST_CALLS", 4)
    calls = spread()
    put(store, tmp_path, calls)
    api = api_of(store)
    path = f"/api/calls?from=now-{HOURS}h&q=parcel&limit=3"
    first = ask(api, path)
    put(store, tmp_path, [Call(NOW - n * 10, said="parcel") for n in range(1, 9)])
    seen = [row["span_id"] for row in first["calls"]]
    while first["next"]:
        first = ask(api, f"{path}&cursor={first['next']}")
        seen += [row["span_id"] for row in first["calls"]]
    assert seen == [call.span_id for call in calls]

"""Pricing again: exactly the calls that are ours, every rollup with them, and no harm however often it is cut off."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from spanward.collector.documents import DocumentFile
from spanward.collector.pricing import Pricing
from spanward.collector.repricing import KIND, Repricing
from spanward.collector.store import Store
from spanward.dashboards.ask import QueryFailed
from spanward.dashboards.asker import ASKER, Asker
from spanward.dashboards.view import Found, View
from spanward.tracer import semconv

from ..dashboards.traffic import Call, put

NOW = 1_795_219_200_000
DAY = 86_400_000
VIEW = View(NOW - 40 * DAY, NOW)
PRICES = (
    "prices:\n  - {provider: openai, model: gpt-4o, input: 10, output: 100}\n  - {model: house, input: 1, output: 2}\n"
)

SUMS = {
    "llm_calls": "SELECT sum(cost_usd), countIf(cost_usd IS NULL AND input_tokens > 0), count() FROM llm_calls",
    "llm_1m": "SELECT sum(cost_usd), sum(unpriced), sum(calls) FROM llm_1m",
    "cost_1h": "SELECT sum(cost_usd), sum(unpriced), sum(calls) FROM cost_1h",
    "cost_1d": "SELECT sum(cost_usd), sum(unpriced), sum(calls) FROM cost_1d",
    "user_1d": "SELECT sum(cost_usd), sum(unpriced), sum(calls) FROM user_1d",
    "sessions": "SELECT sum(cost_usd), sum(unpriced), sum(calls) FROM sessions",
}


def sums(store: Store) -> dict[str, tuple[float, int, int]]:
    rows = {name: store.ask(sql).rows[0] for name, sql in SUMS.items()}
    return {name: (row[0], row[1], row[2]) for name, row in rows.items()}


def approximately(told: dict[str, tuple[float, int, int]]) -> dict[str, Any]:
    """Floats are summed up in whatever order the engine's threads take."""
    return {name: (pytest.approx(cost), *counts) for name, (cost, *counts) in told.items()}


def traffic() -> list[Call]:
    """100 calls of gpt-4o that cost 1 cent each, 10 without a price, 5 whose app told the cost, 3 of a riddle."""
    of = {semconv.CONVERSATION: "s", semconv.USER_ID: "u", semconv.PROMPT_NAME: "p"}
    told = {**of, semconv.PRICE_VERSION: ""}
    return [
        *(Call(NOW - n * 8 * 3_600_000 - 5000, tokens=(1000, 100), cost=0.01, attributes=of) for n in range(100)),
        *(Call(NOW - n * DAY - 7000, "house", "acme", tokens=(1000, 500), cost=None, attributes=of) for n in range(10)),
        *(Call(NOW - n * DAY - 9000, tokens=(1000, 100), cost=5.0, attributes=told) for n in range(5)),
        *(Call(NOW - n * DAY - 9500, "riddle", "acme", cost=None, attributes=of) for n in range(3)),
        Call(NOW - DAY, cost=None, tokens=(0, 0), attributes=of, error="Timeout"),
    ]


@pytest.fixture
def prices(tmp_path: Path) -> Pricing:
    path = tmp_path / "prices.yaml"
    path.write_text(PRICES)
    return Pricing(path)


def test_a_preview_says_what_would_change_and_changes_nothing(store: Store, tmp_path: Path, prices: Pricing) -> None:
    put(store, tmp_path, traffic())
    before = approximately(sums(store))
    told = Repricing(store, prices, DocumentFile(":memory:")).preview(VIEW)
    assert told == {
        "version": prices.version, "applied": False, "calls": 110, "old": pytest.approx(1.0),
        "new": pytest.approx(100 * 0.02 + 10 * 0.002),
        "models": [
            {"provider": "openai", "model": "gpt-4o", "calls": 100, "unpriced": 0, "old": pytest.approx(1.0),
             "new": pytest.approx(2.0)},
            {"provider": "acme", "model": "house", "calls": 10, "unpriced": 10, "old": 0.0, "new": pytest.approx(0.02)},
        ],
        "left_out": [{"provider": "acme", "model": "riddle", "calls": 3}],
    }  # fmt: skip
    assert sums(store) == before


def test_every_table_agrees_afterwards_and_a_second_time_changes_nothing(
    store: Store, tmp_path: Path, prices: Pricing
) -> None:
    put(store, tmp_path, traffic())
    documents = DocumentFile(":memory:")
    work = Repricing(store, prices, documents)
    assert work.apply(VIEW)["applied"]
    after = sums(store)
    assert after == approximately(dict.fromkeys(SUMS, (2.0 + 0.02 + 25.0, 3, 119)))
    assert store.ask("SELECT price_version, count() FROM llm_calls GROUP BY 1 ORDER BY 2").rows == (
        ("", 9), (prices.version, 110),
    )  # fmt: skip
    for name in SUMS:
        store.command(f"OPTIMIZE TABLE {name} FINAL")  # else a merge in between would change the count
    rows = {name: store.ask(f"SELECT count() FROM {name}").rows for name in SUMS}
    assert work.apply(VIEW)["calls"] == 0
    work._run(VIEW)
    assert {name: store.ask(f"SELECT count() FROM {name}").rows for name in SUMS} == rows
    assert sums(store) == approximately(after)
    assert documents.all(KIND) == []
    assert store.ask("SELECT min(first), max(last) FROM sessions").rows == (
        store.ask("SELECT min(ts), max(ts) FROM llm_calls").rows
    )


def test_only_the_range_and_the_selection_are_priced_again(store: Store, tmp_path: Path, prices: Pricing) -> None:
    put(store, tmp_path, traffic())
    view = View(NOW - 10 * 8 * 3_600_000, NOW, chosen={"model": ("gpt-4o",)})
    assert Repricing(store, prices, DocumentFile(":memory:")).apply(view)["calls"] == 10
    assert sums(store) == approximately(dict.fromkeys(SUMS, (1.0 + 0.1 + 25.0, 13, 119)))


def test_what_the_calls_no_longer_hold_stays_in_the_rollups(store: Store, tmp_path: Path, prices: Pricing) -> None:
    put(store, tmp_path, traffic())
    gone = "ts < fromUnixTimestamp64Milli({t:Int64}) SETTINGS mutations_sync = 2"
    store.command(f"ALTER TABLE llm_calls DELETE WHERE {gone}", {"t": NOW - 20 * DAY})
    Repricing(store, prices, DocumentFile(":memory:")).apply(VIEW)
    older = store.ask(
        "SELECT sum(cost_usd) FROM llm_1m WHERE t < toDateTime({t:Int64})", {"t": (NOW - 20 * DAY) // 1000}
    )
    assert older.rows[0][0] == pytest.approx(0.4)
    assert store.ask("SELECT sum(calls) FROM llm_1m").rows == ((119,),)


class Fragile:
    """A store that breaks off at its `at`-th statement that changes something, once."""

    def __init__(self, store: Store, at: int) -> None:
        self._store, self._left = store, at
        self.command, self.correct = self._counted(store.command), self._counted(store.correct)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def _counted(self, method: Callable[..., None]) -> Callable[..., None]:
        def call(*arguments: Any) -> None:
            self._left -= 1
            if self._left == 0:
                raise QueryFailed("the store went away")
            method(*arguments)

        return call


def test_what_a_request_could_not_end_is_ended_without_a_restart(store: Store, tmp_path: Path, prices: Pricing) -> None:
    put(store, tmp_path, traffic())
    documents = DocumentFile(":memory:")
    work = Repricing(cast(Store, Fragile(store, 3)), prices, documents)
    work.start()
    with pytest.raises(QueryFailed):
        work.apply(VIEW)
    end = time.monotonic() + 60
    while documents.get(KIND, "running"):
        assert time.monotonic() < end, work.problem
        time.sleep(0.02)
    work.stop()
    assert sums(store) == approximately(dict.fromkeys(SUMS, (27.02, 3, 119)))


def test_the_next_selection_does_not_forget_what_is_left_of_the_last(
    store: Store, tmp_path: Path, prices: Pricing
) -> None:
    put(store, tmp_path, traffic())
    documents = DocumentFile(":memory:")
    work = Repricing(cast(Store, Fragile(store, 3)), prices, documents)
    with pytest.raises(QueryFailed):
        work.apply(View(VIEW.start, VIEW.end, chosen={"model": ("gpt-4o",)}))
    work.apply(View(VIEW.start, VIEW.end, chosen={"model": ("house",)}))
    assert sums(store) == approximately(dict.fromkeys(SUMS, (27.02, 3, 119)))


def test_a_selection_by_what_was_said_is_ended_too(store: Store, tmp_path: Path, prices: Pricing) -> None:
    put(store, tmp_path, traffic())
    keys = store.ask("SELECT call_key FROM llm_calls WHERE model = 'house'").rows
    view = replace(VIEW, text="x", inside="content", found=Found(tuple(key for (key,) in keys), VIEW.start, whole=True))
    work = Repricing(cast(Store, Fragile(store, 2)), prices, DocumentFile(":memory:"))
    with pytest.raises(QueryFailed):
        work.apply(view)
    assert work.finish()
    assert sums(store) == approximately(dict.fromkeys(SUMS, (1.0 + 25.0 + 0.02, 3, 119)))


def test_what_has_begun_is_ended_though_its_asker_left(store: Store, tmp_path: Path, prices: Pricing) -> None:
    """Half of it done would be worse than what the page no longer waits for."""
    put(store, tmp_path, traffic())
    asker = Asker(60)

    class Leaving(DocumentFile):
        def put(self, *arguments: Any, **how: Any) -> Any:
            asker.leave()
            return super().put(*arguments, **how)

    asker.begin()
    token = ASKER.set(asker)
    try:
        Repricing(store, prices, Leaving(":memory:")).apply(VIEW)
    finally:
        ASKER.reset(token)
    assert sums(store) == approximately(dict.fromkeys(SUMS, (27.02, 3, 119)))


CHILD = """
import os, signal, sys
from pathlib import Path
from spanward.collector.documents import DocumentFile
from spanward.collector.pricing import Pricing
from spanward.collector.repricing import Repricing
from spanward.collector.store import Store
from tests_of.collector.test_repricing import VIEW, sums, traffic
from tests_of.dashboards.traffic import put

data, last = Path(sys.argv[1]), int(sys.argv[2])
store = Store.open(f"chdb:///{data}/store", data)
store.migrate()
work = Repricing(store, Pricing(data / "prices.yaml"), DocumentFile(data / "documents.db"))
if not store.ask("SELECT count() FROM llm_calls").rows[0][0]:
    put(store, data, traffic())
if last < 0:
    work.finish()
    import json
    print(json.dumps([sums(store), work.preview(VIEW)["calls"], work.finish()]))
    sys.exit()
done = 0
def counted(method):
    def call(*arguments):
        global done
        method(*arguments)
        done += 1
        if done == last:
            os.kill(os.getpid(), signal.SIGKILL)
    return call
class Watched:
    def __init__(self): self.command, self.correct = counted(store.command), counted(store.correct)
    def __getattr__(self, name): return getattr(store, name)
work = Repricing(Watched(), Pricing(data / "prices.yaml"), DocumentFile(data / "documents.db"))
work.apply(VIEW)
print("survived")
"""


@pytest.mark.slow
@pytest.mark.parametrize("statements", [1, 2, 60, 100])
def test_killed_after_any_statement_the_next_start_ends_it(tmp_path: Path, statements: int) -> None:
    (tmp_path / "prices.yaml").write_text(PRICES)
    root = Path(__file__).parents[2]
    (tmp_path / "names").mkdir()
    (tmp_path / "names" / "tests_of").symlink_to(root / "tests")
    paths = os.pathsep.join([str(tmp_path / "names"), os.environ.get("PYTHONPATH", "")])

    def child(last: int) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", CHILD, str(tmp_path), str(last)]
        return subprocess.run(
            command, capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": paths}
        )

    killed = child(statements)
    assert killed.returncode == -signal.SIGKILL, killed.stdout + killed.stderr
    told = child(-1)
    assert told.returncode == 0, told.stderr
    tables, left, again = json.loads(told.stdout)
    assert tables == {name: [pytest.approx(27.02), 3, 119] for name in SUMS}
    assert (left, again) == (0, False)

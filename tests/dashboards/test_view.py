"""What an address means, and what is refused with a word on what would be right."""

from dataclasses import replace

import pytest

from spanward.dashboards.conditions import calls
from spanward.dashboards.grid import STEPS_S, lay
from spanward.dashboards.view import BadView, View, read

NOW = 1_795_219_200_000
DAY = 24 * 3_600_000
HOUR = 3_600_000


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ([], View(NOW - DAY, NOW, live=True)),
        ([("from", "now-7d")], View(NOW - 7 * 24 * HOUR, NOW, live=True)),
        ([("from", "now-2h"), ("to", "now-1h")], View(NOW - 2 * HOUR, NOW - HOUR)),
        ([("from", "2026-11-20T10:00:00Z"), ("to", "2026-11-20T12:00:00+01:00")], View(1795168800000, 1795172400000)),
        ([("from", "1795168800000"), ("to", "2026-11-20T11:00:00")], View(1795168800000, 1795172400000)),
        (
            [("model", "a"), ("model", "b"), ("status!", "ok"), ("min_latency", "250"), ("q", " card ")],
            View(
                NOW - DAY, NOW, True, {"model": ("a", "b")}, {"status": ("ok",)}, {"min_latency": 250.0}, text="card"
            ),
        ),
    ],
)  # fmt: skip
def test_read(query: list[tuple[str, str]], expected: View) -> None:
    assert read(query, NOW) == replace(expected, asked_at=NOW)


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ([("modle", "a")], "unknown filter 'modle'; did you mean 'model'?"),
        ([("sort", "cost")], "unknown filter 'sort'"),
        ([("from", "yesterday")], "from='yesterday' is no time"),
        ([("from", "now-1y")], "is no time"),
        ([("from", "now"), ("to", "now-1h")], "the range is empty"),
        ([("from", "now"), ("to", "now")], "the range is empty"),
        ([("from", "now-900d")], "longer than 400 days"),
        ([("min_latency", "slow")], "min_latency='slow' is no number"),
        ([("min_latency", "-1")], "is no number"),
        ([("min_latency", "inf")], "is no number"),
        ([("model", "m")] * 51, "at most 50 values"),
        ([("user", "u" * 501)], "at most 50 values of 500 characters"),
        ([("q", "x" * 501)], "longer than 500 characters"),
    ],
)
def test_what_cannot_be_read_is_refused(query: list[tuple[str, str]], says: str) -> None:
    with pytest.raises(BadView) as refused:
        read(query, NOW)
    assert says in str(refused.value)


def test_values_of_an_address_never_become_sql() -> None:
    evil = "x') OR 1=1 --"
    view = read([("model", evil), ("q", evil), ("tag!", evil), ("rule", evil), ("priced", evil)], NOW)
    condition = calls(view)
    assert evil not in condition.sql
    assert [*condition.parameters.values()].count([evil]) == 4


@pytest.mark.parametrize(
    ("span", "step", "rolled"),
    [
        ("1m", 1, False),
        ("15m", 10, False),
        ("1h", 30, False),
        ("2h", 60, True),
        ("24h", 900, True),
        ("14d", 10800, True),
    ],
)
def test_a_chart_has_few_points_at_round_times(span: str, step: int, rolled: bool) -> None:
    grid = lay(read([("from", f"now-{span}")], NOW))
    assert (grid.step, grid.rolled) == (step, rolled)
    assert (grid.view.start % (step * 1000), grid.view.end % (step * 1000)) == (0, 0)
    assert grid.view.start <= NOW - 60_000


def test_a_filter_the_rollup_does_not_know_is_counted_call_by_call() -> None:
    assert lay(read([("from", "now-24h"), ("model", "m")], NOW)).rolled
    assert not lay(read([("from", "now-24h"), ("user", "u")], NOW)).rolled
    assert not lay(read([("from", "now-24h"), ("min_cost", "1")], NOW)).rolled


def test_every_length_of_time_has_a_step() -> None:
    assert all(lay(View(NOW - hours * HOUR, NOW)).step in STEPS_S for hours in range(1, 9600, 97))

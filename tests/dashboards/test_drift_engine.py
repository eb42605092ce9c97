"""The drift engine on counts alone: what it must find, what it must leave, and what must not move its baseline."""

import math

import numpy as np
import pytest
from numpy.random import Generator, default_rng

from spanward.dashboards.drift import cause, distance, null, typical
from spanward.dashboards.drift.cause import Counted
from spanward.dashboards.drift.reference import seasons
from spanward.dashboards.drift.series import DAY, MONDAY, OTHER, WEEK, Counts, Series, features, monday, series
from spanward.dashboards.drift.walk import FORGIVEN, LEARNING, Judged, walk
from spanward.dashboards.drift.windows import ENOUGH, LEAST, cut

FIRST = MONDAY + 2900 * WEEK
KEY = ("shop", "error")


def binary(share: Counts, calls: int, dice: Generator) -> Series:
    hits = dice.binomial(calls, share).astype(float)
    return Series(FIRST, np.column_stack([hits, calls - hits]), ("error", "no error"))


def judged(share: Counts, calls: int = 300, seed: int = 5, accepted: int = 0) -> Judged:
    one = binary(share, calls, default_rng(seed))
    return walk({KEY: one}, len(share), {KEY: accepted} if accepted else None)[KEY]


def level(days: float, share: float) -> Counts:
    return np.full(round(days * DAY), share)


def test_monday_is_a_monday() -> None:
    assert monday(FIRST) == monday(FIRST + WEEK - 1) == FIRST
    assert monday(FIRST - 1) == FIRST - WEEK


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        ([ENOUGH], [(0, 1)]),
        ([ENOUGH - 1, 1, 5], [(0, 2)]),
        ([0, 0, ENOUGH], [(2, 3)]),  # empty hours begin no window
        ([ENOUGH - 1] * 3, [(0, 2)]),
        ([LEAST / DAY] * DAY, [(0, DAY)]),  # few calls, but enough for a day
        ([(LEAST - 12) / DAY] * DAY * 2, []),
        ([0] * (WEEK - 1) + [ENOUGH - 1] + [1] * 5, []),  # Sunday's rest never goes into Monday's window
    ],
)
def test_windows(calls: list[float], expected: list[tuple[int, int]]) -> None:
    windows = cut(np.array(calls, dtype=float))
    assert list(zip(windows.begin.tolist(), windows.end.tolist(), strict=True)) == expected


def test_a_closed_window_stays_as_it_is_when_hours_follow() -> None:
    n = default_rng(1).poisson(90, 3 * WEEK).astype(float)
    whole = cut(n)
    for hours in range(WEEK, 3 * WEEK, 31):
        some = cut(n[:hours])
        assert some.end.tolist() == [end for end in whole.end.tolist() if end <= hours]


def test_rare_names_are_one_bucket_and_still_known_by_name() -> None:
    told = {"a": ([FIRST], [960]), "b": ([FIRST], [20]), "c": ([FIRST], [10]), "d": ([FIRST], [10])}
    one = series(FIRST, DAY, told)
    assert one.buckets == ("a", "b", OTHER)
    assert one.counts[0].tolist() == [960, 20, 20]
    assert one.names((1, 2)) == ["b", "c", "d"]


@pytest.mark.parametrize(
    ("buckets", "counts", "sizes", "expected"),
    [
        (("a", "b"), [90, 10], False, [(1,)]),
        (("a", "b", "c"), [90, 5, 5], False, [(0,), (1,), (2,)]),
        (("a",), [90], False, []),
        (("1", "2", "3"), [50, 30, 20], True, [(1, 2), (2,)]),
        (("1", "2", "3"), [1, 998, 1], True, []),
    ],
)
def test_what_is_measured(
    buckets: tuple[str, ...], counts: list[int], sizes: bool, expected: list[tuple[int, ...]]
) -> None:
    assert features(Series(FIRST, np.array([counts], dtype=float), buckets, sizes)).within == tuple(expected)


def test_the_reference_knows_the_hours_and_leaves_out_the_day_itself() -> None:
    """Nights differ by 30 points; an hour of one day, however wild, is not what that hour is compared with."""
    night = np.arange(4 * WEEK) % DAY < 6
    share = np.where(night, 0.5, 0.2)
    hits, n = (share * 1000)[:, None], np.full(4 * WEEK, 1000.0)
    wild = hits.copy()
    wild[10 * DAY + 12] = 1000
    trusted = np.ones(4 * WEEK, dtype=bool)
    for given in (hits, wild):
        expected = seasons(given, n, trusted, 0).share[:, 0]
        inner = np.flatnonzero((np.arange(4 * WEEK) % DAY > 7) & (np.arange(4 * WEEK) % DAY < 22))
        assert np.abs(expected[inner] - 0.2).max() < 0.02
        assert np.abs(expected[np.arange(4 * WEEK) % DAY == 3] - 0.5).max() < 0.02


@pytest.mark.parametrize("share", [0.0, 0.003, 0.1, 0.5, 1.0])
def test_the_same_all_the_time_is_steady(share: float) -> None:
    counts = np.tile([[share * 400, (1 - share) * 400]], (6 * WEEK, 1))
    one = walk({KEY: Series(FIRST, counts, ("error", "no error"))}, 6 * WEEK)[KEY]
    assert (one.state, one.episodes) == ("steady", [])


@pytest.mark.parametrize("seed", range(8))
def test_chance_alone_is_steady(seed: int) -> None:
    one = judged(level(42, 0.1), seed=seed)
    assert (one.state, one.episodes) == ("steady", [])


def test_daily_and_weekly_ups_and_downs_are_steady() -> None:
    at = np.arange(42 * DAY)
    share = 0.2 + 0.1 * np.sin(2 * np.pi * at / DAY) + 0.1 * (at % WEEK >= 5 * DAY)
    assert judged(share).episodes == []


@pytest.mark.parametrize(("before", "after"), [(0.1, 0.2), (0.5, 0.62), (0.2, 0.1), (0.02, 0.08), (0.9, 0.75)])
def test_a_change_is_found_with_its_size_and_begin(before: float, after: float) -> None:
    begins = 30 * DAY + 9
    one = judged(np.concatenate([level(begins / DAY, before), level(2, after)]))
    assert one.state == "drifting"
    (episode,) = one.episodes
    assert 0 <= episode.found - FIRST - begins <= 10
    assert abs(episode.since - FIRST - begins) <= 4
    of_error = one.told.within[episode.feature] == (0,)  # the rarer of two names is the one that is told
    assert (episode.share > episode.expected) == ((after > before) == of_error)
    assert abs(abs(episode.expected - episode.share) - abs(after - before)) < 0.06


def test_a_larger_change_is_found_no_later() -> None:
    delays = []
    for after in (0.3, 0.35, 0.45, 0.6, 0.9):
        begins = 30 * DAY
        one = judged(np.concatenate([level(30, 0.2), level(2, after)]))
        delays.append(one.episodes[0].found - FIRST - begins)
    assert delays == sorted(delays, reverse=True)


@pytest.mark.parametrize("after", [0.11, 0.12])
def test_a_change_below_the_floor_is_none_however_certain(after: float) -> None:
    one = judged(np.concatenate([level(30, 0.1), level(5, after)]), calls=100_000)
    assert one.episodes == []


def test_one_wild_window_is_none() -> None:
    share = level(35, 0.1)
    share[30 * DAY + 5 : 30 * DAY + 7] = 0.9
    assert judged(share).episodes == []


def test_below_two_hundred_calls_a_day_nothing_is_said() -> None:
    one = judged(np.concatenate([level(30, 0.1), level(5, 0.9)]), calls=6)
    assert (one.state, one.episodes) == ("too few calls", [])


def test_before_two_weeks_it_learns() -> None:
    one = judged(np.concatenate([level(10, 0.1), level(3, 0.9)]))
    assert (one.state, one.left, one.episodes) == ("learning", LEARNING - 13 * DAY, [])


def test_a_change_lasts_as_long_as_it_lasts_and_does_not_become_its_own_baseline() -> None:
    for days in (2, 5, 10):
        one = judged(np.concatenate([level(28, 0.1), level(days, 0.25)]))
        assert one.state == "drifting", days
        assert len(one.episodes) == 1


def test_after_it_ended_the_stream_is_steady_and_its_time_no_baseline() -> None:
    one = judged(np.concatenate([level(28, 0.1), level(4, 0.25), level(4, 0.1), level(1, 0.25)]))
    assert one.state == "drifting"
    first, second = one.episodes
    assert first.end is not None
    assert abs(first.end - FIRST - 32 * DAY) <= 6
    assert abs(second.expected - 0.1) < 0.02


def test_what_nobody_accepts_is_normal_after_two_weeks() -> None:
    one = judged(np.concatenate([level(21, 0.1), level(20, 0.25)]))
    (episode,) = one.episodes
    assert episode.end == episode.since + FORGIVEN
    assert one.state == "steady"


def test_an_accepted_change_begins_the_baseline_anew() -> None:
    share = np.concatenate([level(20, 0.1), level(10, 0.25)])
    one = judged(share, accepted=FIRST + 20 * DAY)
    assert (one.state, one.left) == ("learning", LEARNING - 10 * DAY)
    later = judged(np.concatenate([level(20, 0.1), level(18, 0.25), level(2, 0.1)]), accepted=FIRST + 20 * DAY)
    assert later.state == "drifting"
    assert abs(later.episodes[0].expected - 0.25) < 0.03


def test_when_the_calls_stop_so_does_the_alarm() -> None:
    one = binary(np.concatenate([level(28, 0.1), level(2, 0.3), level(5, 0.3)]), 300, default_rng(3))
    one.counts[30 * DAY :] = 0
    (episode,) = walk({KEY: one}, 35 * DAY)[KEY].episodes
    assert episode.end == FIRST + 30 * DAY


def test_longer_answers_are_told_as_the_share_above_a_size() -> None:
    dice = default_rng(2)
    edges = np.arange(8)

    def mix(middle: float) -> Counts:
        weights = np.exp(-0.5 * ((edges - middle) / 1.5) ** 2)
        share: Counts = weights / weights.sum()
        return share

    counts = np.vstack([dice.multinomial(300, mix(3), 30 * DAY), dice.multinomial(300, mix(4), DAY)]).astype(float)
    one = walk({KEY: Series(FIRST, counts, tuple(map(str, edges)), sizes=True)}, 31 * DAY)[KEY]
    assert one.state == "drifting"
    assert one.told.within[one.episodes[0].feature][-1] == 7
    assert one.episodes[0].effect > 0


def test_remembered_days_give_the_same() -> None:
    one = binary(np.concatenate([level(30, 0.1), level(2, 0.2)]), 300, default_rng(5))
    known: dict[bytes, object] = {}
    first = walk({KEY: one}, 32 * DAY, None, known)  # type: ignore[arg-type]  # what it holds is the walk's own
    size = len(known)
    again = walk({KEY: one}, 32 * DAY, None, known)  # type: ignore[arg-type]
    assert len(known) == size
    assert first[KEY].episodes == again[KEY].episodes == walk({KEY: one}, 32 * DAY)[KEY].episodes


def test_rarity_falls_with_the_score_and_is_a_share() -> None:
    past = default_rng(1).chisquare(1, 500)
    scores = np.linspace(0, 40, 200)
    rare = null.rarity(past, scores)
    assert (np.diff(rare) <= 1e-12).all()
    assert (rare > 0).all()
    assert rare[0] == 1
    assert 1e-8 < rare[-1] < 1e-5
    assert null.rarity(past[:9], scores).tolist() == [1.0] * 200


@pytest.mark.parametrize(
    ("rarities", "share", "expected"),
    [
        ([0.01, 0.02, 0.03, 0.5], 0.05, 0.03),
        ([0.02, 0.02], 0.03, 0.02),
        ([0.04, 0.9], 0.05, 0.0),
        ([0.001, 1.0, 1.0, 1.0], 0.005, 0.001),
        ([], 0.05, 0.0),
    ],
)
def test_benjamini_and_hochberg(rarities: list[float], share: float, expected: float) -> None:
    assert null.believed(np.array(rarities), share) == expected


def test_distances_against_the_formulas() -> None:
    now, before = np.array([30.0, 70.0]), np.array([10.0, 90.0])
    p, q = np.array([30.5, 70.5]) / 101, np.array([10.5, 90.5]) / 101
    assert distance.psi(now, before) == pytest.approx(float(((p - q) * np.log(p / q)).sum()))
    assert distance.hellinger(now, before) == pytest.approx(math.sqrt(1 - math.sqrt(0.03) - math.sqrt(0.63)))
    assert distance.psi(now, 3 * now) == pytest.approx(0, abs=1e-3)
    assert distance.hellinger(now, 3 * now) == pytest.approx(0, abs=1e-7)


NAMES = {"prompt_version": "Prompt version", "model": "Model", "user_group": "User group"}


@pytest.mark.parametrize(
    ("counted", "expected"),  # rows: key, value, calls and hits since, calls and hits before
    [
        # a new prompt version brings it, and its model is everybody's
        ([("", "", 1000, 300, 1000, 50), ("prompt_version", "v4", 500, 275, 0, 0),
          ("prompt_version", "v3", 500, 25, 1000, 50),
          ("model", "m", 1000, 300, 1000, 50)], ("prompt_version", "v4")),
        # one group's own share rises
        ([("", "", 1000, 300, 1000, 100), ("user_group", "free", 300, 230, 300, 30),
          ("user_group", "paid", 700, 70, 700, 70)],
         ("user_group", "free")),
        # everybody's share rises alike
        ([("", "", 1000, 300, 1000, 100), ("user_group", "free", 500, 150, 500, 50),
          ("user_group", "paid", 500, 150, 500, 50)],
         ("", "")),
        # one that had most of the hits is gone
        ([("", "", 600, 20, 1000, 300), ("model", "chatty", 0, 0, 400, 280), ("model", "m", 600, 20, 600, 20)],
         ("model", "chatty")),
        ([], ("", "")),
    ],
)  # fmt: skip
def test_who_carries_a_change(counted: list[tuple[str, str, int, int, int, int]], expected: tuple[str, str]) -> None:
    told = cause.judged([Counted(*row) for row in counted], NAMES)
    assert (told["key"], told["value"]) == expected


def test_the_excess_of_the_segments_is_the_whole_change() -> None:
    rows = [("", "", 1000, 300, 800, 80), ("model", "a", 300, 200, 400, 20), ("model", "b", 700, 100, 400, 60)]
    told = cause.judged([Counted(*row) for row in rows], NAMES)
    assert sum(segment["excess"] for segment in told["segments"]) == pytest.approx(1)


def test_typical_inputs_have_the_new_words_and_no_text_twice() -> None:
    usual = ["where is my parcel", "is my order on its way", "my parcel is late"] * 20
    fresh = [("t", str(n), n, text) for n, text in enumerate(["explain the contract please", "where is my parcel"] * 5)]
    first, second = typical.picked(fresh, usual)
    assert first["preview"] == "explain the contract please"
    assert set(first["words"]) == {"explain", "the", "contract", "please"}
    assert second["words"] == []
    assert typical.picked([], usual) == []

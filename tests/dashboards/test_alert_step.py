"""What one group of a rule does over time: a table of stories, and what holds of every story."""

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanward.dashboards.alerts.burn import LANES, burn
from spanward.dashboards.alerts.measuring import _Slide
from spanward.dashboards.alerts.reading import Lane, Reading
from spanward.dashboards.alerts.rule import Rule
from spanward.dashboards.alerts.step import Event, State, breaks, clears, state_of, step, stop
from spanward.dashboards.alerts.sums import Sums, together

MINUTE = 60_000
RULE = Rule(name="r", metric="failure_rate", threshold=0.1, clear=0.05, for_s=120, repeat_s=600)


def told(values: Sequence[float | None], rule: Rule = RULE, muted: tuple[int, ...] = ()) -> list[tuple[int, str, bool]]:
    """(minute, event, whether people are told); one value a minute."""
    state = State()
    found: list[tuple[int, str, bool]] = []
    for minute, value in enumerate(values):
        at = minute * MINUTE
        state, events = step(state, Reading((), value), rule, at, gap_ms=5 * MINUTE, muted=minute in muted)
        found += [(minute, event.kind, event.tell) for event in events]
    return found


@pytest.mark.parametrize(
    ("values", "events"),
    [
        ([0.1] * 10, []),  # at the threshold is not above it
        ([0.2, 0.2], []),  # not for long enough
        ([0.2, 0.2, 0.05, 0.2, 0.2], []),  # begins again
        ([0.2, 0.2, 0.2], [(2, "firing", True)]),
        ([0.2, 0.2, 0.2, 0.08, 0.11, 0.06], [(2, "firing", True)]),  # between both thresholds it stays
        ([0.2, 0.2, 0.2, 0.05], [(2, "firing", True), (3, "resolved", True)]),
        ([0.2] * 13, [(2, "firing", True), (12, "repeated", True)]),
        ([0.2] * 3 + [None] * 9, [(2, "firing", True)]),  # too few calls to say: not over yet
        ([0.2] * 3 + [None] * 10, [(2, "firing", True), (12, "resolved", True)]),
        ([None] * 5, []),
        ([0.2, None, 0.2, 0.2], []),  # what is not known does not count as time above
    ],
)
def test_stories(values: list[float | None], events: list[Any]) -> None:
    assert told(values) == events


def test_nobody_is_told_while_it_is_snoozed_and_once_when_that_ends() -> None:
    assert told([0.2] * 6, muted=(0, 1, 2, 3)) == [(2, "firing", False), (4, "repeated", True)]
    assert told([0.2] * 4 + [0.0], muted=(0, 1, 2, 3, 4)) == [(2, "firing", False), (4, "resolved", False)]


def test_a_sidecar_that_was_away_does_not_take_that_time_for_time_above() -> None:
    pending, _ = step(State(), Reading((), 0.2), RULE, 0, gap_ms=5 * MINUTE)
    after, events = step(pending, Reading((), 0.2), RULE, 60 * MINUTE, gap_ms=5 * MINUTE)
    assert (after.phase, after.since, events) == ("pending", 60 * MINUTE, [])


def test_below_is_the_other_way_round() -> None:
    rule = Rule(name="r", metric="calls_per_minute", condition="below", threshold=10, clear=20)
    assert told([10, 9, 15, 19, 20], rule) == [(1, "firing", True), (4, "resolved", True)]


def test_a_rule_that_is_removed_tells_that_it_is_over_only_who_was_told_of_it() -> None:
    assert stop(State("firing", told=5, value=0.2), 9, "gone")[1] == [Event("resolved", 0.2, True, "gone")]
    assert stop(State("firing", told=0, value=0.2), 9, "gone")[1] == [Event("resolved", 0.2, False, "gone")]
    assert stop(State("pending"), 9, "gone")[1] == []


rules = st.builds(
    lambda above, gap, for_s, repeat_s: Rule(
        name="r", metric="failure_rate" if above else "calls_per_minute", condition="above" if above else "below",
        threshold=0.5, clear=0.5 - gap if above else 0.5 + gap, for_s=for_s, repeat_s=repeat_s,
    ),
    st.booleans(), st.floats(0, 0.4), st.integers(0, 600), st.integers(0, 1200),
)  # fmt: skip
looks = st.lists(st.tuples(st.integers(-60, 900), st.one_of(st.none(), st.floats(0, 1)), st.booleans()), max_size=60)


@given(rules, looks)
def test_what_holds_of_every_story(rule: Rule, story: list[tuple[int, float | None, bool]]) -> None:
    state, at, firing, known, last_told, above_since = State(), 0, False, False, None, None
    for seconds, value, muted in story:
        at += seconds * 1000
        before = state
        state, events = step(state, Reading((), value), rule, at, gap_ms=300_000, muted=muted)
        assert state_of(state.as_json()) == state
        assert state.seen >= before.seen
        assert len(events) <= 1
        clock = state.seen
        above_since = (above_since if above_since is not None else clock) if breaks(rule, value) else None
        for event in events:
            if event.kind == "firing":
                assert not firing
                assert above_since is not None
                assert clock - above_since >= rule.for_s * 1000
                assert event.tell is not muted
                firing, known = True, event.tell
            elif event.kind == "resolved":
                assert firing
                assert value is None or clears(rule, value)
                assert event.tell is known
                firing, known = False, False
            else:
                assert firing
                assert not muted
                if known:
                    assert last_told is not None
                    assert rule.repeat_s
                    assert clock - last_told >= rule.repeat_s * 1000
                known = True
            if event.tell:
                last_told = clock
        assert firing == (state.phase == "firing")
        assert known == (state.told > 0) or (known and clock == 0)


def lanes(**bad_of_thousand: int) -> list[Sums]:
    return [Sums(calls=1000, bad=bad_of_thousand.get(f"s{seconds}", 0)) for seconds in LANES]


@pytest.mark.parametrize(
    ("bad", "level"),
    [
        ({"s3600": 144, "s300": 144}, 1.0),  # 14.4 times the 1 % that may fail
        ({"s3600": 143, "s300": 500}, 14.3 / 14.4),
        ({"s3600": 500, "s300": 72}, 0.5),  # it was bad and is nearly over
        ({"s21600": 60, "s1800": 90, "s3600": 60}, 1.0),
        ({"s259200": 10, "s21600": 10}, 1.0),
        ({}, 0.0),
    ],
)
def test_burn_rates(bad: dict[str, int], level: float) -> None:
    found = burn(lanes(**bad), 0.99, 1)
    assert found is not None
    assert found.level == pytest.approx(level)


def test_a_burn_rate_needs_calls_in_its_long_window() -> None:
    few = [replace(sums, calls=5) for sums in lanes()]
    assert burn(few, 0.99, 6) is None
    assert burn(few, 0.99, 5) is not None


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"metric": "p42"}, "there is no metric 'p42'"),
        ({"scope": {"modle": ["a"]}}, "'modle' is no filter"),
        ({"kind": "blocked"}, "failure_rate has no kind 'blocked'"),
        ({"clear": 0.2}, "what clears the alert must lie below what raises it"),
        ({"condition": "below", "clear": 0.05}, "what clears the alert must lie above what raises it"),
        ({"window_s": 61}, "window_s is one of 60, 300"),
        ({"name": "a\nb"}, "give it a name of one line"),
        ({"metric": "budget_share"}, "say which budget"),
        ({"metric": "ingest_lag", "scope": {"service": ["a"]}}, "it takes no filters"),
        ({"metric": "guard_rate", "by": ["model"]}, "cannot be split by model"),
    ],
)
def test_rules_that_mean_nothing_are_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Rule.model_validate({"name": "r", "metric": "failure_rate", "threshold": 0.1} | wrong)


@pytest.mark.parametrize("ahead", [1, 6, 60 * 24 * 365])
def test_a_clock_that_was_ahead_holds_nothing_up(ahead: int) -> None:
    """Minutes: a little, and time stands until it is later; far, and waiting begins anew."""
    state, _ = step(State(), Reading((), 0.2), RULE, ahead * MINUTE, gap_ms=5 * MINUTE)
    kinds = []
    for minute in range(6):
        state, events = step(state, Reading((), 0.2), RULE, minute * MINUTE, gap_ms=5 * MINUTE)
        kinds += [event.kind for event in events]
    assert kinds == ["firing"]
    assert max(state.since, state.told, state.seen) <= 5 * MINUTE


@pytest.mark.parametrize("window", [1, 2, 5, 40])
def test_sums_that_slide_are_the_sums_of_each_window(window: int) -> None:
    dice = random.Random(window)
    bins = [
        (at, Sums(calls=dice.randrange(9), last=at, latency={dice.randrange(30): 1 + dice.randrange(3)}))
        for at in range(120)
        if dice.random() < 0.6
    ]
    slide = _Slide(bins)
    for end in range(1, 140):
        told, whole = slide.to(Lane(end - window, end)), together(s for at, s in bins if end - window <= at < end)
        assert (told.calls, {key: n for key, n in told.latency.items() if n}) == (whole.calls, whole.latency)
        assert told.last == max([at for at, _ in bins if at < end], default=0)

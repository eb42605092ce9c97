"""Why cost changed: the arithmetic, on anything that can be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanward.dashboards.cost import since
from spanward.dashboards.cost.change import Segment, Used, cause, effects, factors, together
from spanward.dashboards.cost.since import Stretch

USED = st.builds(
    Used, st.integers(0, 10**7), st.integers(0, 10**12), st.floats(0, 1e9, allow_subnormal=False)
)  # fmt: skip
SEGMENT = st.builds(
    Segment, st.fixed_dictionaries({"model": st.sampled_from("ab"), "service": st.sampled_from("xy")}), USED, USED
)


@given(USED, USED)
def test_effects_add_up_to_the_change(before: Used, now: Used) -> None:
    parts = effects(before, now)
    assert parts["calls"] + parts["tokens"] + parts["price"] == pytest.approx(
        now.cost - before.cost, abs=1e-6 * max(1, before.cost, now.cost)
    )


@given(st.lists(SEGMENT, max_size=8))
def test_so_do_those_of_any_traffic(segments: list[Segment]) -> None:
    change = sum(s.change for s in segments)
    most = max([1.0, *(s.before.cost for s in segments), *(s.now.cost for s in segments)])
    parts = together(segments)
    assert parts["calls"] + parts["tokens"] + parts["price"] == pytest.approx(change, abs=1e-6 * most)


@given(st.lists(SEGMENT, max_size=8))
def test_a_cause_is_part_of_the_traffic_and_its_share_is_right(segments: list[Segment]) -> None:
    found = cause(segments)
    if found is None:
        return
    inside = [s for s in segments if all(s.values[name] == value for name, value in found.values.items())]
    change = sum(s.change for s in segments)
    assert found.share == pytest.approx(sum(s.change for s in inside) / change)
    assert found.share >= 0.5


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (Used(10, 100, 1.0), Used(20, 200, 2.0), "calls"),
        (Used(10, 100, 1.0), Used(10, 200, 2.0), "tokens"),
        (Used(10, 100, 1.0), Used(10, 100, 2.0), "price"),
        (Used(), Used(10, 100, 2.0), "calls"),
        (Used(10, 100, 2.0), Used(), "calls"),
        (Used(10, 0, 0.0), Used(10, 100, 2.0), "tokens"),
        (Used(10, 100, 0.0), Used(10, 100, 2.0), "price"),
        (Used(10, 100, 2.0), Used(10, 100, 0.0), "price"),
    ],
)
def test_one_factor_alone_carries_all(before: Used, now: Used, expected: str) -> None:
    parts = dict(effects(before, now))
    change = now.cost - before.cost
    none = {"calls": 0.0, "tokens": 0.0, "price": 0.0}
    assert parts == {name: pytest.approx(value) for name, value in (none | {expected: change}).items()}


def test_factors_of_what_was_not_there_are_unknown() -> None:
    assert factors(Used(), Used(1, 1, 1.0)) == {"calls": None, "tokens_per_call": None, "price_per_token": None}
    assert dict(factors(Used(100, 1000, 1.0), Used(104, 1383, 1.383))) == {
        "calls": pytest.approx(0.04), "tokens_per_call": pytest.approx(0.33, abs=0.001),
        "price_per_token": pytest.approx(0),
    }  # fmt: skip


def segment(model: str, service: str, before: float, now: float) -> Segment:
    return Segment({"model": model, "service": service}, Used(10, 10, before), Used(10, 10, now))


@pytest.mark.parametrize(
    ("segments", "expected"),
    [
        ([segment("a", "x", 1, 9), segment("a", "y", 1, 1), segment("b", "x", 1, 1)], {"model": "a", "service": "x"}),
        # all apps of one model: the app is not named
        ([segment("a", "x", 1, 5), segment("a", "y", 1, 5), segment("b", "x", 1, 1)], {"model": "a"}),
        # everything twice as dear: nothing is named, although `a` carries 90 % of it
        ([segment("a", "x", 9, 18), segment("b", "x", 1, 2)], None),
        # one app only: its name tells nothing
        ([segment("a", "x", 1, 9), segment("b", "x", 1, 1)], {"model": "a"}),
        # a fall is explained as a rise is
        ([segment("a", "x", 9, 1), segment("b", "y", 5, 5)], {"model": "a", "service": "x"}),
        # two that cancel each other out leave nothing to explain
        ([segment("a", "x", 1, 5), segment("b", "y", 5, 1)], None),
        # nearly all of the model's cost is of one app, but so is nearly all of the traffic: the app is not named
        (
            [
                segment("a", "x", 1, 9),
                segment("b", "x", 98, 98),
                segment("a", "y", 0.01, 0.02),
                segment("b", "y", 1, 1),
            ],
            {"model": "a"},
        ),
        # a trickle of another model beside it hides nothing
        (
            [segment("a", "x", 5, 25), segment("b", "x", 0, 0.1), segment("b", "y", 3, 3)],
            {"model": "a", "service": "x"},
        ),
        ([], None),
    ],
)
def test_the_narrowest_selection_that_carries_it_is_named(
    segments: list[Segment], expected: dict[str, str] | None
) -> None:
    found = cause(segments)
    assert (found and found.values) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 1, 1, 1, 1, 5, 5, 5], Stretch(5, 8)),
        ([1, 1, 1, 1, 5, 5, 1, 1], Stretch(4, 6)),
        ([1.0] * 8, None),
        ([0.0] * 8, None),
        ([], None),
        ([5, 5, 5, 1, 1, 1, 1, 1], None),  # what is dear lies before the time that may be named
    ],
)
def test_since_when(values: list[float], expected: Stretch | None) -> None:
    assert since.stretch(values, min(4, len(values)), up=True) == expected


def test_a_fall_has_a_begin_too() -> None:
    assert since.stretch([5, 5, 5, 5, 5, 1, 1, 1], 4, up=False) == Stretch(5, 8)

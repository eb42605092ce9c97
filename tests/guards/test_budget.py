"""What a check may take: who is left out for want of time, that it is told, and that it is no clean pass."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanward.guards import policy
from spanward.guards.detectors.detector import Detector, Hit
from spanward.guards.judgement import Check, Decision
from spanward.guards.messages import Message, Part
from spanward.guards.pace import RECENT, Pace
from spanward.guards.pipeline import Pipeline
from spanward.guards.scan import Scanner


class Clock:
    """Seconds, moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Slow:
    """Takes so many milliseconds on the clock, and says when it was asked."""

    name: ClassVar[str] = "pii"
    noun: ClassVar[str] = "entities"
    labels: ClassVar[Mapping[str, float]] = {"US_SSN": 0.5, "EMAIL_ADDRESS": 0.5, "AWS_ACCESS_KEY": 0.5}
    engine: ClassVar[str] = "slow"
    degraded: ClassVar[str] = ""

    clock: Clock
    ms: float
    called: str = ""
    order: list[str] = field(default_factory=list)

    def detect(self, texts: Sequence[str], labels: frozenset[str]) -> list[list[Hit]]:
        self.clock.now += self.ms / 1000
        self.order.append(self.called)
        return [[] for _ in texts]


TEXT = "x" * 100
CHECK = Check("input", (Message("user", (Part("text", TEXT),)),))
BLOCKS = "  - {name: blocks, detect: {secrets: {labels: [AWS_ACCESS_KEY]}}, action: block, on_timeout: %s%s}\n"
HIDES = "  - {name: hides, detect: {pii: {entities: [EMAIL_ADDRESS]}}, action: pseudonymise, on_timeout: %s%s}\n"


@dataclass
class Bench:
    """A pipeline on a clock of its own."""

    pipeline: Pipeline
    clock: Clock
    detectors: dict[str, Slow]
    order: list[str]

    def asked(self) -> list[str]:
        """Who was asked in one more check."""
        self.order.clear()
        self.pipeline.check(CHECK)
        return list(self.order)


@pytest.fixture
def bench(tmp_path: Path) -> Callable[..., Bench]:
    def made(rules: str, budget: int | None, secrets_ms: float, pii_ms: float) -> Bench:
        path = tmp_path / "p.yaml"
        said = f"latency_budget_ms: {budget}, " if budget else ""
        path.write_text(f"version: 1\ndefaults: {{{said}timeout_ms: 60000}}\nrules:\n{rules}")
        clock, order = Clock(), list[str]()
        detectors = {
            "secrets": Slow(clock, secrets_ms, "secrets", order),
            "pii": Slow(clock, pii_ms, "pii", order),
        }
        pipeline = Pipeline(policy.load(path), detectors)
        scanned: Mapping[str, Detector] = detectors
        pipeline._scanner = Scanner(scanned, 60_000, clock=clock)
        return Bench(pipeline, clock, detectors, order)

    return made


def told(decision: Decision) -> list[tuple[str, str, str, str, str]]:
    return [(e.rule, e.detector, e.verdict, e.action, e.reason) for e in decision.events]


def test_what_blocks_goes_first_whatever_the_order_of_the_rules(bench: Callable[..., Bench]) -> None:
    assert bench(HIDES % ("flag", "") + BLOCKS % ("flag", ""), 100, 10, 10).asked() == ["secrets", "pii"]


def test_what_does_not_fit_is_left_out_and_told(bench: Callable[..., Bench]) -> None:
    tried = bench(HIDES % ("flag", "") + BLOCKS % ("block", ""), 60, 20, 50)
    assert tried.asked() == ["secrets", "pii"]  # nothing is known of either: both are tried
    decision = tried.pipeline.check(CHECK)
    reason = "pii was skipped: about 50 ms expected, 40 of 60 ms left"
    assert told(decision) == [
        ("hides", "pii", "none", "none", reason),
        ("hides", "pii", "fail_open", "allow", reason),
    ]
    assert (decision.verdict, decision.action, decision.withhold) == ("fail_open", "allow", "guard failed: hides")


@pytest.mark.parametrize(
    ("on_timeout", "action", "verdict", "withheld"),
    [
        ("block", "block", "deny", ""),
        ("flag", "allow", "fail_open", "guard failed: hides"),
        ("allow", "allow", "fail_open", ""),
    ],
)
def test_a_skipped_detector_is_followed_by_on_timeout(
    bench: Callable[..., Bench], on_timeout: str, action: str, verdict: str, withheld: str
) -> None:
    tried = bench(HIDES % (on_timeout, ""), 60, 0, 70)
    tried.asked()
    decision = tried.pipeline.check(CHECK)
    assert (decision.action, decision.verdict, decision.withhold) == (action, verdict, withheld)
    assert [event.verdict for event in decision.events] == ["none", verdict]


def test_what_fits_exactly_is_asked(bench: Callable[..., Bench]) -> None:
    tried = bench(HIDES % ("flag", "") + BLOCKS % ("flag", ""), 60, 20, 40)
    assert [tried.asked() for _ in range(3)] == [["secrets", "pii"]] * 3


def test_without_a_budget_everybody_is_asked(bench: Callable[..., Bench]) -> None:
    tried = bench(HIDES % ("flag", "") + BLOCKS % ("flag", ""), None, 5000, 5000)
    assert [sorted(tried.asked()) for _ in range(3)] == [["pii", "secrets"]] * 3


def test_a_budget_of_one_rule_is_for_its_detectors_only(bench: Callable[..., Bench]) -> None:
    tried = bench(HIDES % ("flag", ", latency_budget_ms: 30") + BLOCKS % ("flag", ""), None, 0, 40)
    assert sorted(tried.asked()) == ["pii", "secrets"]
    assert tried.asked() == ["secrets"]


def test_the_most_patient_rule_decides_for_a_detector_of_two(bench: Callable[..., Bench]) -> None:
    both = HIDES % ("flag", ", latency_budget_ms: 30") + (HIDES % ("flag", "")).replace("hides", "also")
    tried = bench(both, 100, 0, 50)
    assert [tried.asked() for _ in range(3)] == [["pii"]] * 3


def test_nothing_starts_once_the_budget_is_spent(bench: Callable[..., Bench]) -> None:
    """Even what is expected to take no time: the promise is to the caller."""
    tried = bench(HIDES % ("flag", "") + BLOCKS % ("flag", ""), 60, 60, 0)
    assert tried.asked() == ["secrets"]
    assert told(tried.pipeline.check(CHECK))[0][4] == "pii was skipped: about 0 ms expected, 0 of 60 ms left"


def test_who_is_left_out_long_enough_is_tried_again(bench: Callable[..., Bench]) -> None:
    """One bad moment, a cold start, keeps nobody out for good."""
    tried = bench(HIDES % ("flag", ""), 60, 0, 500)
    assert tried.asked() == ["pii"]
    tried.detectors["pii"].ms = 5
    assert [tried.asked() for _ in range(4)] == [[], ["pii"], ["pii"], ["pii"]]


def test_who_is_too_slow_for_good_is_tried_now_and_then(bench: Callable[..., Bench]) -> None:
    tried = bench(HIDES % ("flag", ""), 60, 0, 500)
    asked = [len(tried.asked()) for _ in range(40)]
    assert sum(asked) == 20  # a time is forgotten with each skip, and one is learnt with each try


def test_what_only_watches_has_no_budget(bench: Callable[..., Bench]) -> None:
    flagging = (HIDES % ("flag", ", latency_budget_ms: 30")).replace("pseudonymise", "flag")
    tried = bench(flagging, 10, 0, 500)
    for _ in range(3):
        tried.pipeline.review(CHECK)
    assert tried.order == ["pii"] * 3


@pytest.mark.parametrize(
    ("known", "characters", "expected"),
    [
        ([], 100, 0.0),
        ([(100, 10.0)], 100, 10.0),
        ([(100, 10.0)], 120, 12.0),
        ([(100, 10.0)], 1000, 100.0),
        ([(1000, 10.0)], 100, 1.0),
        ([(100, 10.0), (1000, 20.0)], 4000, 80.0),
        ([(100, 10.0), (4000, 20.0)], 1000, 100.0),
        ([(100, 1.0), (100, 2.0), (100, 90.0)], 100, 2.0),
        ([(0, 3.0)], 0, 3.0),
    ],
)
def test_expected_time(known: list[tuple[int, float]], characters: int, expected: float) -> None:
    pace = Pace()
    for length, ms in known:
        pace.note("d", length, ms)
    assert pace.expected("d", characters) == pytest.approx(expected)
    assert pace.expected("another", characters) == 0


@given(st.lists(st.tuples(st.integers(0, 10**7), st.floats(0, 10**6)), max_size=200), st.integers(0, 10**7))
def test_memory_is_bounded_and_the_answer_a_time_that_was_seen(seen: list[tuple[int, float]], asked: int) -> None:
    pace = Pace()
    for length, ms in seen:
        pace.note("d", length, ms)
    kept = pace._times.get("d", {})
    assert all(len(times) <= RECENT for times in kept.values())
    assert len(kept) <= 25
    assert pace.expected("d", asked) >= 0
    for _ in range(len(seen)):
        pace.forget_one("d", asked)
    assert pace.expected("d", asked) == 0

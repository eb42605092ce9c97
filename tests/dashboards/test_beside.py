"""Questions side by side: on behalf of the same asker, at most so many at once, and a failure is told."""

import threading

import pytest

from spanward.dashboards.ask import QueryFailed
from spanward.dashboards.asker import ASKER, Asker
from spanward.dashboards.beside import AT_ONCE, side_by_side


def test_they_are_asked_at_once_and_for_the_same_asker() -> None:
    asker = Asker()
    meet = threading.Barrier(AT_ONCE, timeout=10)

    def who(number: int) -> tuple[int, Asker | None]:
        meet.wait()
        return number, ASKER.get()

    token = ASKER.set(asker)
    try:
        with side_by_side() as beside:
            answers = [beside(who, number) for number in range(AT_ONCE)]
            assert [answer() for answer in answers] == [(number, asker) for number in range(AT_ONCE)]
    finally:
        ASKER.reset(token)


def test_a_failure_is_raised_when_all_that_began_have_ended() -> None:
    ended: list[str] = []

    def fails() -> None:
        raise QueryFailed("no such table")

    def slow() -> None:
        ended.append(threading.current_thread().name)

    def ask_both() -> None:
        with side_by_side() as beside:
            first, _ = beside(fails), beside(slow)
            first()

    with pytest.raises(QueryFailed, match="no such table"):
        ask_both()
    assert all(name.startswith("spanward-ask") for name in ended)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("spanward-ask")]

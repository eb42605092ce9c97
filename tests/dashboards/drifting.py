"""Sixteen days of a service whose new prompt version makes answers break off, and of one where nothing happens."""

import random
from collections.abc import Iterator
from pathlib import Path

from spanward.collector.store import Store
from spanward.tracer import semconv

from .conftest import NOW
from .traffic import Call, put

HOUR = 3_600_000
DAYS = 17
CLOCK = NOW + 10 * 60_000
"""Ten minutes past an hour: the one before is judged."""
LAST = NOW // HOUR
"""The running hour, in hours since 1970."""
SINCE = LAST - 36
"""The hour in which the new prompt version came."""
USUAL = ("where is my parcel", "change my address please", "is the blue chair in stock", "how long does delivery take")
NEW = ("translate this contract clause", "summarise the attached contract", "explain clause nine of the contract")


def calls(days: int = DAYS, *, drift: bool = True) -> Iterator[Call]:
    """40 calls an hour of `shop`, 6 of `desk`, of which one is to answer in JSON and does not always."""
    dice = random.Random(11)
    for hour in range(LAST - days * 24, LAST):
        for _ in range(40):
            yield _shop(hour, dice, drift=drift and hour >= SINCE)
        for n in range(6):
            yield _desk(hour, dice, '{"parcel": 1}' if hour % 7 else "I cannot say", json=n == 0)


def put_all(store: Store, folder: Path, made: Iterator[Call]) -> None:
    batch: list[Call] = []
    for call in made:
        batch.append(call)
        if len(batch) == 4000:
            put(store, folder, batch)
            batch = []
    put(store, folder, batch)


def _shop(hour: int, dice: random.Random, *, drift: bool) -> Call:
    new = drift and dice.random() < 0.5
    cut = dice.random() < (0.6 if new else 0.04)
    version = {semconv.PROMPT_NAME: "triage", semconv.PROMPT_VERSION: "4" if new else "3"}
    who = {semconv.USER_GROUP: dice.choice(("free", "paid")), semconv.GUARD_POLICY_HASH: "a1b2c3"}
    said = dice.choice(NEW if new else USUAL)
    tokens = round(dice.lognormvariate(5, 0.4)), round(dice.lognormvariate(4, 0.4))
    return Call(
        _moment(hour, dice), latency_ms=dice.lognormvariate(6.5, 0.5), tokens=tokens, said=said,
        cost=0.00001 * sum(tokens), attributes=version | who | _said("length" if cut else "stop"),
    )  # fmt: skip


def _desk(hour: int, dice: random.Random, answered: str, *, json: bool) -> Call:
    asked = {"gen_ai.output.type": "json"} if json else {}
    return Call(
        _moment(hour, dice), service="desk", said=dice.choice(USUAL), answered=answered if json else "hi there",
        attributes=_said("stop") | asked,
    )  # fmt: skip


def _said(reason: str) -> dict[str, object]:
    return {semconv.FINISH_REASONS: [reason]}


def _moment(hour: int, dice: random.Random) -> int:
    return hour * HOUR + dice.randrange(HOUR)

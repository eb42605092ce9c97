"""The sampler of texts on planted ones: what it says, that it says it once, and what it must not keep."""

import json
import random
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from spanward.collector.documents import DocumentFile
from spanward.collector.store import Store
from spanward.collector.traits.language import Languages
from spanward.collector.traits.sampler import FEWEST_CALLS, Traits
from spanward.collector.traits.text import form, vector, words
from spanward.collector.traits.topics import Words, learn, topic_of
from spanward.collector.traits.window import LONGEST_US, SETTLE_US, Watermark, Window, share_out
from spanward.dashboards.ask import QueryFailed

from ..dashboards.traffic import Call, put

NOW = 1_795_219_200_000
MINUTE = 60_000

REFUNDS = (
    "where is the refund for my order, the money was not paid back to my account",
    "please refund the payment of my last invoice",
    "the invoice was charged twice and I want the money back",
    "refund the order, the payment was taken twice from my account",
)
TRAVEL = (
    "book a flight to Lisbon with a window seat and a hotel near the beach",
    "which hotel has a pool and is near the airport",
    "change the flight to Sunday and keep the hotel room",
    "is breakfast in the hotel, and how long is the flight",
)
GERMAN = (
    "bitte erstatten Sie mir das Geld für die Bestellung zurück, sie kam nie an",
    "wo bleibt die Rückzahlung der doppelten Rechnung, ich warte schon lange",
    "ich möchte die Bestellung stornieren und mein Geld zurückbekommen",
)
COOKING = (
    "which spices belong into a lentil soup with carrots and cumin",
    "how long must the bread dough rise before baking it",
    "a recipe for mushroom risotto without butter",
)


def calls(texts: tuple[str, ...], count: int, at: int, service: str = "shop", **more: Any) -> list[Call]:
    chance = random.Random(len(texts[0]) + at)
    return [
        Call(at + n, service=service, said=f"{chance.choice(texts)}, {chance.choice(texts)}", **more)
        for n in range(count)
    ]


class Clock:
    """Seconds since 1970, set by hand."""

    def __init__(self, ms: int) -> None:
        self.ms = ms

    def __call__(self) -> float:
        return self.ms / 1000


@pytest.fixture
def documents() -> DocumentFile:
    return DocumentFile(":memory:")


def traits_of(store: Any, tmp_path: Path, documents: DocumentFile, clock: Clock, days: int = 0) -> Traits:
    return Traits(store, tmp_path / "traits", documents, clock, days=days)


def look(store: Store, folder: Path, traits: Traits, clock: Clock, said: list[Call]) -> int:
    """A minute goes by in which this was said."""
    put(store, folder, said)
    clock.ms += 3 * MINUTE
    return traits.look()


def shares(store: Store, column: str, since: int) -> dict[str, int]:
    after = "ts >= fromUnixTimestamp64Milli({since:Int64})"
    sql = f"SELECT toString({column}), count() FROM traits WHERE {after} GROUP BY 1"
    return dict(store.ask(sql, {"since": since}).rows)


def test_a_planted_shift_of_language_and_topic_is_seen(store: Store, tmp_path: Path, documents: DocumentFile) -> None:
    clock = Clock(NOW)
    traits = traits_of(store, tmp_path, documents, clock)
    looked = 0
    for _ in range(3):
        looked += look(
            store, tmp_path, traits, clock, [*calls(REFUNDS, 120, clock.ms), *calls(TRAVEL, 60, clock.ms + 1000)]
        )
    usual = clock.ms
    looked += look(store, tmp_path, traits, clock, [*calls(REFUNDS, 80, clock.ms), *calls(TRAVEL, 40, clock.ms + 1000)])
    assert looked == 660
    before = shares(store, "topic", usual)
    assert set(before) <= {f"t{n}" for n in range(1, 13)}
    assert shares(store, "language", usual) == {"en": 120}

    shifted = clock.ms
    look(store, tmp_path, traits, clock, [*calls(GERMAN, 60, clock.ms), *calls(COOKING, 60, clock.ms + 1000)])
    assert shares(store, "language", shifted) == {"de": 60, "en": 60}
    after = shares(store, "topic", shifted)
    assert after.get("other", 0) >= 110
    far = store.ask(
        "SELECT avgIf(new_words, ms < {since:Int64}), avgIf(new_words, ms >= {since:Int64}), "
        "avgIf(centroid_distance, ms < {since:Int64}), avgIf(centroid_distance, ms >= {since:Int64}) "
        "FROM (SELECT *, toUnixTimestamp64Milli(ts) AS ms FROM traits) WHERE ms >= {usual:Int64}",
        {"since": shifted, "usual": usual},
    ).rows[0]
    assert far[0] < 0.01
    assert far[1] > 0.5
    assert far[3] > far[2] + 0.2


def test_what_goes_into_the_rollup_of_drift(store: Store, tmp_path: Path, documents: DocumentFile) -> None:
    clock = Clock(NOW)
    traits = traits_of(store, tmp_path, documents, clock)
    look(store, tmp_path, traits, clock, [*calls(REFUNDS, 30, NOW), *calls(GERMAN, 10, NOW + 50)])
    rows = store.ask(
        "SELECT stream, bucket, sum(n) FROM drift_1h "
        "WHERE stream IN ('language', 'topic', 'input_form', 'new_words', 'centroid_shift') "
        "GROUP BY stream, bucket ORDER BY stream, bucket"
    ).rows
    assert rows == (("input_form", "prose", 40), ("language", "de", 10), ("language", "en", 30))


def test_a_restart_looks_at_each_call_once(store: Store, tmp_path: Path, documents: DocumentFile) -> None:
    clock = Clock(NOW)
    first = traits_of(store, tmp_path, documents, clock)
    assert look(store, tmp_path, first, clock, calls(REFUNDS, 30, NOW)) == 30
    again = traits_of(store, tmp_path, documents, clock)
    assert again.look() == 0
    assert look(store, tmp_path, again, clock, calls(TRAVEL, 20, clock.ms)) == 20
    assert store.ask("SELECT count(), uniqExact(trace_id, span_id), sum(sampled_of) FROM traits").rows == (
        (50, 50, 50.0),
    )


class Broken:
    """A store that takes the rows and then breaks off: nobody knows whether they are there."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def ask(self, sql: str, parameters: Mapping[str, Any] | None = None, **how: Any) -> Any:
        return self._store.ask(sql, parameters, **how)

    def insert(self, table: str, rows: Any, *, token: str = "") -> None:
        self._store.insert(table, rows, token=token)
        raise QueryFailed("the connection broke off")


def test_what_was_written_before_a_break_is_not_written_again(
    store: Store, tmp_path: Path, documents: DocumentFile
) -> None:
    clock = Clock(NOW)
    put(store, tmp_path, calls(REFUNDS, 30, NOW))
    clock.ms += 3 * MINUTE
    with pytest.raises(QueryFailed):
        traits_of(Broken(store), tmp_path, documents, clock).look()
    clock.ms += MINUTE
    assert traits_of(store, tmp_path, documents, clock).look() == 30
    for sql in ("SELECT count() FROM traits", "SELECT sum(n) FROM drift_1h WHERE stream = 'language'"):
        assert store.ask(sql).rows == ((30,),)


def test_a_loud_service_does_not_fill_the_sample(store: Store, tmp_path: Path, documents: DocumentFile) -> None:
    clock = Clock(NOW)
    traits = traits_of(store, tmp_path, documents, clock)
    assert (
        look(store, tmp_path, traits, clock, [*calls(REFUNDS, 900, NOW, "loud"), *calls(TRAVEL, 40, NOW, "quiet")])
        == 300
    )
    sql = "SELECT toString(service), count(), round(sum(sampled_of)) FROM traits GROUP BY service ORDER BY service"
    assert store.ask(sql).rows == (("loud", 260, 900.0), ("quiet", 40, 40.0))


def test_only_what_many_calls_said_is_kept_in_words(store: Store, tmp_path: Path, documents: DocumentFile) -> None:
    clock = Clock(NOW)
    traits = traits_of(store, tmp_path, documents, clock)
    for n in range(4):
        said = [*calls(REFUNDS, 100, clock.ms), *calls(TRAVEL, 80, clock.ms + 500)]
        said[0].said += " my name is Bartholomew Featherstonehaugh" if n == 3 else ""
        look(store, tmp_path, traits, clock, said)
    body = documents.all("topics")[0].body
    named = {word for topic in body["topics"] for word in topic["words"]}
    assert {"hotel", "flight"} & named
    assert {"refund", "payment", "money", "invoice"} & named
    kept = json.dumps(body) + "".join(path.read_bytes().decode("latin1") for path in (tmp_path / "traits").iterdir())
    assert "atherston" not in kept.lower()
    assert "atherston" not in str(store.ask("SELECT * FROM traits").rows).lower()


def test_a_failure_is_told_and_tried_again(store: Store, tmp_path: Path, documents: DocumentFile) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise QueryFailed("canary text")

    broken = Broken(store)
    broken.ask = refuse  # type: ignore[method-assign]
    traits = traits_of(broken, tmp_path, documents, Clock(NOW))
    turns = iter([False, True])
    traits._stopping.wait = lambda timeout=None: next(turns)  # type: ignore[method-assign]
    traits._run()
    assert traits.report()["problem"].startswith("texts are not looked at: QueryFailed")
    assert "canary" not in traits.report()["problem"]


def test_after_a_long_night_it_is_at_most_an_hour_behind(tmp_path: Path) -> None:
    mark = Watermark(tmp_path / "w.json")
    window = mark.next(10 * LONGEST_US)
    assert window is not None
    assert (window.start, window.end) == (9 * LONGEST_US - SETTLE_US, 10 * LONGEST_US - SETTLE_US)
    assert Watermark(tmp_path / "w.json").next(11 * LONGEST_US) == window  # begun, so it is finished first
    mark.finish(window)
    later = mark.next(15 * LONGEST_US)
    assert later is not None
    assert (later.start, mark.passed_over_us) == (14 * LONGEST_US - SETTLE_US, 4 * LONGEST_US)


@pytest.mark.parametrize(
    ("calls_", "cap"),
    [
        ({"a": 10, "b": 20}, 20),
        ({"a": 1000, "b": 20}, 280),
        ({"a": 1000, "b": 1000}, 150),
        ({str(n): 9 for n in range(400)}, 1),
    ],
)
def test_the_sample_is_shared_out(calls_: dict[str, int], cap: int) -> None:
    assert share_out(calls_, 300) == cap


LANGUAGES = [
    ("where is the refund for my order, it never came", "en"),
    ("bitte erstatten Sie mir das Geld für die Bestellung", "de"),
    ("où est le remboursement de ma commande, je l'attends", "fr"),
    ("注文した品物がまだ届きません", "ja"),
    ("我的订单还没有到", "zh"),
    ("주문한 물건이 아직 안 왔어요", "ko"),
    ("\u0433\u0434\u0435 мой заказ, я жду его уже две недели", "ru"),  # noqa: RUF001  Russian
    ("πού είναι η παραγγελία μου", "el"),
    ("ok thanks", "und"),
    ("", "und"),
    ("12345 !!!", "und"),
]


def test_languages() -> None:
    languages = Languages()
    assert [(text, languages.of(text)) for text, _ in LANGUAGES] == LANGUAGES


@pytest.mark.parametrize(
    ("text", "is_"),
    [
        ('{"a": 1}', "json"), ('{"a": ', "short"), ("[1, 2, 3]", "json"), ("where is my order?", "question"),
        ("", "empty"), ("hi", "short"), ("def f():\n  return 1", "code"), ("- a\n- b\n- c\nsort these", "list"),
        ("Write a poem about the sea and about the people who live by it.", "prose"),
        ("[" * 1999, "prose"), ('{"a":' * 399, "prose"),
    ],
)  # fmt: skip
def test_forms(text: str, is_: str) -> None:
    assert form(text) == is_


def test_topics_are_the_same_each_time_and_the_largest_comes_first() -> None:
    import numpy as np

    chance = random.Random(1)
    texts = [chance.choice(REFUNDS) for _ in range(120)] + [chance.choice(TRAVEL) for _ in range(60)]
    vectors = np.stack([vector(words(text)) for text in texts])
    one, floors = learn(vectors)
    assert (one == learn(vectors)[0]).all()
    of = Counter(topic_of(vector_, one, floors) for vector_ in vectors)
    assert next(topic for topic, _ in of.most_common()) == "t1"
    refunds = {topic_of(vector_, one, floors) for vector_ in vectors[:120]}
    assert not refunds & {topic_of(vector_, one, floors) for vector_ in vectors[120:]}
    assert topic_of(vector(words(COOKING[0])), one, floors) == "other"


def test_a_name_needs_enough_calls() -> None:
    counted = Words(FEWEST_CALLS)
    for n in range(FEWEST_CALLS):
        counted.add("t1", ["refund", *(["rare"] * (n > 0))])
        counted.add("t2", ["hotel"])
    assert counted.names() == {"t1": ["refund"], "t2": ["hotel"]}


def test_a_clock_that_was_years_ahead_stops_nothing(tmp_path: Path) -> None:
    mark = Watermark(tmp_path / "w.json")
    window = mark.next(900 * LONGEST_US)
    assert window is not None
    mark.finish(window)
    assert mark.next(10 * LONGEST_US) is None
    assert mark.next(10 * LONGEST_US + 60_000_000) == Window(
        10 * LONGEST_US - SETTLE_US, 10 * LONGEST_US - SETTLE_US + 60_000_000
    )

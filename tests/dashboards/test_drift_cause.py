"""Who carries a change, where that is the language: known of a sample of calls, told of all."""

from datetime import UTC, datetime
from pathlib import Path

from spanward.collector.store import Store
from spanward.dashboards.drift.cause import Counted, cause, scaled
from spanward.dashboards.drift.typical import typical
from spanward.tracer import semconv

from .conftest import NOW
from .traffic import Call, put

HOUR = 3_600_000
SINCE = NOW - 6 * HOUR
CUT, WHOLE = {semconv.FINISH_REASONS: ["length"]}, {semconv.FINISH_REASONS: ["stop"]}


def traffic() -> list[Call]:
    """Since the change every German answer is cut, as one in twenty of the others ever was; half ask in German then.

    The texts of one call in four were looked at.
    """
    calls = []
    for n in range(1200):
        at = SINCE - 24 * HOUR + n * 6 * HOUR // 1200 if n < 600 else SINCE + (n - 600) * 6 * HOUR // 600
        german = (n % 2 == 0 and n >= 600) or n % 50 == 0
        cut = (german and n >= 600) or n % 20 == 1
        said = "wo bleibt mein paket" if german else "where is my parcel"
        calls.append(Call(at, said=said, attributes=CUT if cut else WHOLE))
    return calls


def looked_at(call: Call) -> dict[str, object]:
    language = "de" if call.said.startswith("wo ") else "en"
    return {
        "tenant": "", "ts": datetime.fromtimestamp(call.at / 1000, UTC), "trace_id": call.trace_id,
        "span_id": call.span_id, "service": call.service, "env": call.env, "model": call.model,
        "language": language, "sampled_of": 4.0,
    }  # fmt: skip


def test_a_language_carries_it(store: Store, tmp_path: Path) -> None:
    calls = traffic()
    put(store, tmp_path, calls)
    store.insert("traits", [looked_at(call) for n, call in enumerate(calls) if n % 7 < 2])
    told = cause(store.ask, "finish_reason", "shop", SINCE, NOW, ["length"])
    assert (told["key"], told["value"]) == ("language", "de")
    assert told["text"].startswith("Language de carries it: without it the change would be ")
    german = next(one for one in told["segments"] if one["value"] == "de")
    assert german["share"] == 1.0
    assert abs(german["calls"] - 306) < 15
    inputs = typical(store.ask, "finish_reason", "shop", SINCE, NOW, ["length"], ("language", "de"))
    assert [one["preview"] for one in inputs] == ["wo bleibt mein paket"]


def test_without_a_sample_nothing_is_said_of_languages(store: Store, tmp_path: Path) -> None:
    put(store, tmp_path, traffic())
    told = cause(store.ask, "finish_reason", "shop", SINCE, NOW, ["length"])
    assert told["key"] == ""
    assert "language" not in {one["key"] for one in told["segments"]}


def test_a_sample_stands_for_all() -> None:
    whole = Counted("", "", 1000, 100, 2000, 100)
    sample = [Counted("", "", 100, 12, 500, 20), Counted("language", "de", 50, 6, 100, 4)]
    assert scaled(sample, [whole]) == [Counted("language", "de", 500, 60, 400, 16)]
    assert scaled([Counted("", "", 10, 1, 0, 0), Counted("language", "de", 10, 1, 0, 0)], [whole]) == []

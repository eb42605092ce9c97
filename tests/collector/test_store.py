"""Opening and asking the store."""

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from spanward.collector.store import Store, StoreUnavailable
from spanward.dashboards.ask import QueryFailed, Table


@pytest.mark.parametrize("url", ["sqlite:///x", "/some/dir", "http://localhost:8123", ""])
def test_an_unknown_store_is_refused_with_what_to_give(tmp_path: Path, url: str) -> None:
    with pytest.raises(ValueError, match="give chdb:///DIR or clickhouse://"):
        Store.open(url, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_does_not_answer_says_so_without_the_password(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable) as refused:
        Store.open("clickhouse://me:canary@127.0.0.1:1/db", tmp_path)
    assert "canary" not in str(refused.value)


def test_values_come_back_as_pythons(store: Store) -> None:
    sql = """SELECT 1 AS i, 0.5 AS f, 'x' AS s, NULL AS n, [1, 2] AS l, map('a', 'b') AS m,
             toDateTime('2026-01-02 03:04:05') AS t, toDateTime64('2026-01-02 03:04:05.678901', 6) AS u"""
    assert store.ask(sql) == Table(
        ("i", "f", "s", "n", "l", "m", "t", "u"),
        (
            (
                1, 0.5, "x", None, [1, 2], {"a": "b"},
                datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
            ),
        ),
    )  # fmt: skip


def test_parameters_are_values_and_never_sql(store: Store) -> None:
    text = "'; DROP TABLE spans; -- {x:String}\n\\"
    assert store.ask(
        "SELECT {text:String} AS t, {list:Array(String)} AS l", {"text": text, "list": [text, ""]}
    ).rows == ((text, [text, ""]),)


def test_a_wrong_question_says_what_is_wrong_and_the_next_is_answered(store: Store) -> None:
    with pytest.raises(QueryFailed, match="colour"):
        store.ask("SELECT colour FROM spans")
    assert store.ask("SELECT 1").rows == ((1,),)


def test_many_threads_ask_at_once(store: Store) -> None:
    answers: list[int] = []

    def ask(number: int) -> None:
        sql = "SELECT {n:Int32} + sum(number) * 0 FROM numbers(1000)"
        answers.extend(store.ask(sql, {"n": number}).rows[0][0] for _ in range(5))

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(answers) == sorted(n for n in range(8) for _ in range(5))


def test_demonstration_data_can_be_removed(store: Store) -> None:
    for env in ("demo", "prod"):
        store.command("INSERT INTO llm_calls (ts, env) VALUES (now(), {env:String})", {"env": env})
    store.command("DELETE FROM llm_calls WHERE env = 'demo'")
    assert store.ask("SELECT env FROM llm_calls").rows == (("prod",),)


def test_databases_beside_each_other_do_not_see_each_other(engine: Store, store: Store) -> None:
    other = engine.beside("beside")
    other.migrate()
    other.command("INSERT INTO spans (ts, name) VALUES (now(), 'x')")
    assert store.ask("SELECT count() FROM spans").rows == ((0,),)
    other.drop()
    other.close()
    assert store.ask("SELECT count() FROM spans").rows == ((0,),)


def test_nothing_is_left_in_the_working_directory(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ClickHouse given a schema as text would write it to `__cache__` there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "segment").write_bytes(b"")
    store.ingest(tmp_path / "segment", "token")
    assert [path.name for path in tmp_path.iterdir()] == ["segment"]

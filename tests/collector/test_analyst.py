"""What SQL of people gets through, with what only looks alike."""

from pathlib import Path

import pytest

from spanward.collector.analyst import NotAllowed, check
from spanward.collector.store import Store
from spanward.dashboards.ask import QueryFailed

ALLOWED = [
    "SELECT 1",
    "select count() from llm_calls",
    "SELECT model, count(*) AS n, quantile(0.5)(latency_ms) FROM llm_calls GROUP BY model ORDER BY n DESC LIMIT 3",
    "SELECT sumMap(lat_hist), sum(calls), countIf(errors > 0) FROM llm_1m WHERE t > now() - INTERVAL 1 DAY",
    "SELECT toStartOfInterval(ts, INTERVAL 5 MINUTE) AS m, avg(cost_usd) FROM llm_calls GROUP BY m",
    "SELECT c.model, length(k.input) FROM llm_calls AS c JOIN content AS k ON c.span_id = k.span_id",
    "WITH slow AS (SELECT span_id FROM llm_calls WHERE latency_ms > 10) SELECT count() FROM slow",
    "WITH 3 AS k SELECT k",
    "SELECT span_id FROM spans WHERE trace_id IN (SELECT trace_id FROM llm_calls)",
    "SELECT span_id FROM spans WHERE (trace_id, span_id) IN (SELECT trace_id, span_id FROM content)",
    "SELECT span_id FROM llm_calls WHERE model IN ('a', 'b') AND status NOT IN ('ok')",
    "SELECT attributes['gen_ai.operation.name'], `events.name`, events.attributes FROM spans",
    "SELECT arrayMap(x -> lower(x), tags) FROM llm_calls",
    "SELECT arrayFilter((x, y) -> x > y, [1, 2], [2, 1])",
    "SELECT tag, count() FROM llm_calls ARRAY JOIN tags AS tag GROUP BY tag",
    "SELECT row_number() OVER (PARTITION BY model ORDER BY ts) FROM llm_calls",
    "SELECT max(ts) OVER w FROM llm_calls WINDOW w AS (PARTITION BY model)",
    "SELECT model FROM llm_calls UNION ALL SELECT name FROM spans",
    "SELECT * EXCEPT (input_preview) FROM llm_calls LIMIT 1",
    "SELECT CAST(input_tokens AS Nullable(UInt64)), ts::Date, toString(ts) FROM llm_calls",
    "SELECT CASE WHEN status = 'ok' THEN 1 ELSE 0 END FROM llm_calls",
    "SELECT uniq(user_id), topK(3)(model), any(service) FROM llm_calls -- a comment",
    "SELECT 'file(''/etc/passwd'') and system.users are text here', \"name\" FROM spans",
    "SELECT JSONExtractString(input, 1, 'role') FROM content WHERE input ILIKE '%hello%';",
    "SELECT model FROM llm_calls LIMIT 2 BY model",
]


@pytest.mark.parametrize("sql", ALLOWED)
def test_questions_about_our_tables_are_answered(engine_with_schema: Store, sql: str) -> None:
    engine_with_schema.ask(check(sql))


REFUSED = {
    "SELECT * FROM file('/etc/passwd', 'LineAsString')": "table functions",
    "SELECT * FROM (SELECT * FROM url('http://127.0.0.1/', 'CSV'))": "table functions",
    "SELECT count() FROM llm_calls, remote('127.0.0.1', system.one)": "table functions",
    "SELECT * FROM merge('system', '.*')": "table functions",
    "SELECT * FROM numbers(10)": "table functions",
    "SELECT 1 FROM view(SELECT 1)": "table functions",
    "WITH x AS (SELECT * FROM file('/etc/passwd')) SELECT * FROM x": "table functions",
    "SELECT file('/etc/passwd')": "the function file",
    "SELECT FILE('/etc/passwd')": "the function FILE",
    "SELECT \"file\"('/etc/passwd')": "the function file",
    "SELECT `file` ('/etc/passwd')": "the function file",
    "SELECT /* lower( */ file/**/('/etc/passwd')": "the function file",
    "SELECT arrayMap(x -> file(x), ['/etc/passwd'])": "the function file",
    "SELECT arrayMap(file, ['/etc/passwd'])": "no column file",
    "SELECT arrayMap(`file`, ['/etc/passwd'])": "no column file",
    "SELECT 'x' AS file, arrayMap(file, ['/etc/passwd'])": "the name file",
    "SELECT arrayMap(file -> 1, [1])": "the name file",
    "SELECT * REPLACE (file('/etc/passwd') AS name) FROM spans": "the function file",
    "SELECT dictGet('d', 'a', 1)": "the function dictGet",
    "SELECT joinGet('j', 'a', 1)": "the function joinGet",
    "SELECT aiGenerate('hello')": "the function aiGenerate",
    "SELECT getSetting('max_threads')": "the function getSetting",
    "SELECT hasColumnInTable('system', 'users', 'name')": "the function hasColumnInTable",
    "SELECT sleep(3)": "the function sleep",
    "SELECT * FROM system.users": "without a database",
    'SELECT * FROM "system"."users"': "without a database",
    "SELECT * FROM spanward.llm_calls": "without a database",
    "SELECT * FROM schema_migrations": "no table schema_migrations",
    "SELECT * FROM llm_call": "no table llm_call; there are otel_traces, spans",
    "SELECT 'default' IN system.users": "right of IN",
    "SELECT 'default' IN (system.users)": "right of IN",
    "SELECT 1 SETTINGS readonly = 0": "SETTINGS",
    "SELECT * FROM (SELECT 1 SETTINGS max_execution_time = 0)": "SETTINGS",
    "SELECT 1 FORMAT Native": "FORMAT",
    "SELECT 1 INTO OUTFILE '/tmp/x'": "line 1, column",
    "SELECT 1; SELECT 2": "one statement",
    "": "one statement",
    ";": "one statement",
    "-- nothing": "one statement",
    "EXPLAIN SELECT 1": "only SELECT",
    "SHOW TABLES": "only SELECT",
    "DESCRIBE TABLE spans": "only SELECT",
    "SET readonly = 0": "only SELECT",
    "USE system": "only SELECT",
    "INSERT INTO spans (name) VALUES ('x')": "only SELECT",
    "INSERT INTO FUNCTION file('/tmp/x') SELECT 1": "only SELECT",
    "DELETE FROM spans WHERE 1": "only SELECT",
    "ALTER TABLE spans DELETE WHERE 1": "only SELECT",
    "DROP TABLE spans": "only SELECT",
    "CREATE TABLE x (a Int8) ENGINE = File(CSV)": "only SELECT",
    "ATTACH TABLE x": "line 1, column|only SELECT",
    "SYSTEM SHUTDOWN": "line 1, column|only SELECT",
    "KILL QUERY WHERE 1": "line 1, column|only SELECT",
    "SELECT colour FROM spans": "no column colour",
    "SELECT FROM WHERE": "line 1, column",
    "SELECT " + "(" * 5000 + "1" + ")" * 5000: "nested too deep|cannot be read|line 1",
    "SELECT 1 -- " + "x" * 50_000: "longer than 50000",
}


@pytest.mark.parametrize(("sql", "why"), REFUSED.items(), ids=[sql[:60] for sql in REFUSED])
def test_anything_else_is_refused_and_says_why(sql: str, why: str) -> None:
    with pytest.raises(NotAllowed, match=why):
        check(sql)


def test_what_is_refused_would_have_worked(engine: Store, tmp_path: Path) -> None:
    """The engine itself stops none of this: the check is all there is."""
    (tmp_path / "secret").write_text("canary")
    for sql in (f"SELECT file('{tmp_path}/secret')", f"SELECT arrayMap(file, ['{tmp_path}/secret'])[1]"):
        assert engine.ask(sql).rows == (("canary",),)
        with pytest.raises(NotAllowed):
            check(sql)


def test_asking_cannot_write(engine_with_schema: Store) -> None:
    with pytest.raises(QueryFailed, match="readonly"):
        engine_with_schema.ask("INSERT INTO spans (name) VALUES ('x')")
    with pytest.raises(QueryFailed, match="readonly"):
        engine_with_schema.ask("DROP TABLE spans")
    assert engine_with_schema.ask("SELECT count() FROM spans").rows == ((0,),)


def test_asking_ends_in_time_and_within_bounds(engine: Store) -> None:
    with pytest.raises(QueryFailed, match="TIMEOUT_EXCEEDED"):
        engine.ask("SELECT sum(sleepEachRow(0.1)) FROM numbers(100) SETTINGS max_block_size = 1", limit_seconds=0.3)
    with pytest.raises(QueryFailed, match=r"TOO_MANY_ROWS|at most 100000"):
        engine.ask("SELECT number FROM numbers(100001)")
    assert engine.ask("SELECT 1 AS one").records() == [{"one": 1}]


def test_an_answer_that_breaks_off_is_not_quoted(engine: Store) -> None:
    """The client would put rows that came before the failure into the text, in hexadecimal."""
    sql = "SELECT number, repeat('canary', 100), throwIf(number = 99999) FROM numbers(200000)"
    with pytest.raises(QueryFailed) as failed:
        engine.ask(sql + " SETTINGS max_block_size = 1000")
    assert "canary" not in str(failed.value)
    assert b"canary".hex() not in str(failed.value)
    assert len(str(failed.value)) < 1000
    assert engine.ask("SELECT 1").rows == ((1,),)


@pytest.fixture(scope="module")
def engine_with_schema(engine: Store) -> Store:
    """One empty store for all questions: none of them changes it."""
    asked = engine.beside("asked_by_people")
    asked.migrate()
    return asked

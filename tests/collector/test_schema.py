"""The SQL files: the same text for one node and for a cluster, with names that the tracer writes."""

import re
from pathlib import Path
from typing import Any

import pytest

from spanward.collector import landing
from spanward.collector.schema import SQL, TABLES, Form, Retention
from spanward.collector.store import Store
from spanward.tracer import semconv

EMBEDDED, CLUSTER = Form("spanward"), Form("spanward", "main")


def columns(store: Store, table: str) -> list[tuple[str, str]]:
    sql = """SELECT name, type FROM system.columns
             WHERE database = {database:String} AND table = {table:String} ORDER BY position"""
    return [(name, kind) for name, kind in store.ask(sql, {"database": store.database, "table": table}).rows]


def test_all_tables_are_there_and_a_second_migration_changes_nothing(store: Store) -> None:
    sql = "SELECT name, create_table_query FROM system.tables WHERE database = {database:String} ORDER BY name"
    before = store.ask(sql, {"database": store.database}).rows
    assert set(TABLES) <= {name for name, _ in before}
    store.migrate()
    assert store.ask(sql, {"database": store.database}).rows == before


def test_the_landing_table_has_the_columns_of_the_official_exporter(store: Store) -> None:
    attributes = "Map(LowCardinality(String), String)"
    assert columns(store, "otel_traces") == [
        ("Timestamp", "DateTime64(9)"), ("TraceId", "String"), ("SpanId", "String"), ("ParentSpanId", "String"),
        ("TraceState", "String"), ("SpanName", "LowCardinality(String)"), ("SpanKind", "LowCardinality(String)"),
        ("ServiceName", "LowCardinality(String)"), ("ResourceAttributes", attributes), ("ScopeName", "String"),
        ("ScopeVersion", "String"), ("SpanAttributes", attributes), ("Duration", "UInt64"),
        ("StatusCode", "LowCardinality(String)"), ("StatusMessage", "String"),
        ("Events.Timestamp", "Array(DateTime64(9))"), ("Events.Name", "Array(LowCardinality(String))"),
        ("Events.Attributes", f"Array({attributes})"), ("Links.TraceId", "Array(String)"),
        ("Links.SpanId", "Array(String)"), ("Links.TraceState", "Array(String)"),
        ("Links.Attributes", f"Array({attributes})"),
    ]  # fmt: skip


@pytest.mark.parametrize("table", TABLES[1:])
def test_every_table_that_keeps_rows_can_tell_a_repeat(store: Store, table: str) -> None:
    """One table without the window, and a repeated segment counts twice from there on."""
    sql = "SELECT create_table_query FROM system.tables WHERE database = {database:String} AND name = {table:String}"
    ((created,),) = store.ask(sql, {"database": store.database, "table": table}).rows
    assert "non_replicated_deduplication_window = 1000" in created
    assert f"TTL {Retention().by_table()[table]}" in created


def test_retention_follows_the_configuration(store: Store) -> None:
    store.migrate(Retention(content=7))
    sql = "SELECT name, create_table_query FROM system.tables WHERE database = {database:String}"
    created = dict(store.ask(sql, {"database": store.database}).rows)
    assert "toIntervalDay(7)" in created["content"]
    assert "toIntervalDay(30)" in created["spans"]


def test_two_weeks_of_history_outlive_every_default() -> None:
    kept = Retention()
    assert min(kept.spans, kept.content, kept.llm_calls, kept.guard_events, kept.reports, kept.rollups) > 14


@pytest.mark.parametrize("form", [EMBEDDED, CLUSTER], ids=["one node", "cluster"])
def test_every_statement_parses(engine: Store, form: Form) -> None:
    statements = [statement for file in form.files() for statement in form.statements(file)]
    statements += [form.keep(table, ttl) for table, ttl in Retention().by_table().items()]
    for statement in statements:
        assert "${" not in statement
        with engine._client() as client:
            client.command(f"EXPLAIN AST {statement}")


def test_the_statement_for_a_server_parses(engine: Store) -> None:
    """No more than that is known of it here: it has not been run against a server."""
    statement = landing.insert(f"input('{landing.structure().replace(chr(39), chr(92) + chr(39))}')")
    with engine._client() as client:
        assert "InsertQuery" in str(client.command(f"EXPLAIN AST {statement} FORMAT Protobuf"))


def test_a_cluster_replicates_and_distributes_every_table() -> None:
    sql = "\n".join(statement for file in CLUSTER.files() for statement in CLUSTER.statements(file))
    for table in TABLES:
        assert f"CREATE TABLE IF NOT EXISTS {table}_local ON CLUSTER 'main'" in sql
        spread = f"ENGINE = Distributed('main', `spanward`, {table}_local"
        assert f"CREATE TABLE IF NOT EXISTS {table} ON CLUSTER 'main' AS {table}_local {spread}" in sql
    assert sql.count("ENGINE = Replicated") >= len(TABLES) - 1
    assert sql.count("replicated_deduplication_window = 1000") == sql.count("ENGINE = Replicated")
    assert "non_replicated" not in sql
    views = re.findall(
        r"CREATE MATERIALIZED VIEW IF NOT EXISTS (\w+) ON CLUSTER 'main' TO (\w+) AS.*?FROM (\w+)", sql, re.DOTALL
    )
    assert {f"{table}_local" for table in TABLES} - {to for _, to, _ in views} == {
        f"{table}_local" for table in ("otel_traces", "audit", "reviews", "traits", "alert_events")
    }
    assert all(name.endswith("_local") for view in views for name in view)


def test_one_node_knows_nothing_of_clusters() -> None:
    sql = "\n".join(statement for file in EMBEDDED.files() for statement in EMBEDDED.statements(file))
    assert not re.search(r"_local|ON CLUSTER|Replicated|Distributed", sql)


FOREIGN = {
    "gen_ai.system", "gen_ai.output.type", "deployment.environment", "deployment.environment.name", "spanward.tenant",
}  # fmt: skip


def test_the_views_read_names_that_the_tracer_writes() -> None:
    names = {value for value in vars(semconv).values() if isinstance(value, str)}
    names.add(semconv.REQUEST_PREFIX + "response_format")  # a setting of the request
    names |= {semconv.CALL_PREFIX + name for name in semconv.OF_GUARDED_CALL}
    sql = "\n".join(file.read_text() for file in SQL.glob("*.sql"))
    read = set(re.findall(r"\['([a-z_.]+)'\]", sql))
    assert read - FOREIGN <= names
    assert read >= FOREIGN


def test_the_reduced_schema_is_part_of_the_official_one() -> None:
    """Same field numbers, names and kinds as OTLP has, for all that is read."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
    from opentelemetry.proto.common.v1.common_pb2 import (
        AnyValue,
        ArrayValue,
        InstrumentationScope,
        KeyValue,
        KeyValueList,
    )
    from opentelemetry.proto.resource.v1.resource_pb2 import Resource
    from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

    official: dict[str, Any] = {
        "Request": ExportTraceServiceRequest, "ResourceSpans": ResourceSpans, "ScopeSpans": ScopeSpans, "Span": Span,
        "Event": Span.Event, "Link": Span.Link, "Status": Status, "Resource": Resource, "Scope": InstrumentationScope,
        "Value": AnyValue, "Middle": AnyValue, "Inner": AnyValue, "Attribute": KeyValue, "MiddlePair": KeyValue,
        "InnerPair": KeyValue, "MiddleArray": ArrayValue, "InnerArray": ArrayValue, "MiddlePairs": KeyValueList,
        "InnerPairs": KeyValueList,
    }  # fmt: skip
    text = landing.PROTO.read_text()
    messages = dict(re.findall(r"^message (\w+) \{(.*?)\}\n(?=message |\n|\Z)", text, re.MULTILINE | re.DOTALL))
    assert set(messages) == set(official)
    for name, fields in messages.items():
        known = {field.name: field.number for field in official[name].DESCRIPTOR.fields}
        ours = {field: int(number) for field, number in re.findall(r"(\w+) = (\d+);", fields)}
        assert ours
        assert ours.items() <= known.items(), name


def test_package_data_is_where_the_code_looks_for_it() -> None:
    assert landing.PROTO.is_file()
    assert (Path(landing.__file__).parent / "sql").samefile(SQL)
    assert len(list(SQL.glob("[0-9]*.sql"))) >= 7

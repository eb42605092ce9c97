"""Saved queries of the SQL page, and the tables that they may ask."""

import re
from functools import cache
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict  # pydantic needs it below Python 3.12

from ..dashboards.api.operation import BadQuestion, NotThere, Operation, Question
from ..dashboards.documents import Document
from .schema import SQL, TABLES

KIND = "query"
_TABLE = re.compile(r"((?:^--[^\n]*\n)*)^CREATE TABLE IF NOT EXISTS (\w+)", re.MULTILINE)
_COLUMNS = """
SELECT table, name, type, is_in_sorting_key
FROM system.columns WHERE database = currentDatabase() AND table IN {tables:Array(String)} ORDER BY table, position
"""
_KEPT_NOWHERE = ("otel_traces",)
"""Spans pass through; a question to it finds nothing."""


class Column(TypedDict):
    """`key`: in the order that rows are kept in, so that a condition on it reads less."""

    name: str
    type: str
    text: str
    key: bool


class TableShown(TypedDict):
    name: str
    text: str
    columns: list[Column]


class Tables(TypedDict):
    tables: list[TableShown]


class SavedQuery(TypedDict):
    """`changed` in milliseconds since 1970. `show` is how the page shows the result: keys of its address."""

    id: str
    name: str
    sql: str
    show: str
    version: int
    changed: int
    actor: str


class SavedQueries(TypedDict):
    queries: list[SavedQuery]
    may_keep: bool


class Removed(TypedDict):
    removed: bool


class QueryBody(BaseModel):
    """`version` is the one that was read, 0 for a new one; without it the last word wins."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=120)]
    sql: Annotated[str, Field(min_length=1, max_length=50_000)]
    show: Annotated[str, Field(max_length=1000)] = ""
    version: int | None = None


TEXTS = {
    "ts": "start, UTC", "t": "minute, UTC", "trace_id": "links to the call", "span_id": "links to the call",
    "service": "the application", "env": "environment", "model": "that answered", "request_model": "that was asked",
    "status": "ok, error or blocked", "latency_ms": "milliseconds", "ttft_ms": "first token, milliseconds; 0: none",
    "cost_usd": "US dollars; NULL: no price", "cost": "US dollars", "tenant": "'default' unless told",
    "error_type": "class or status", "user_id": "as the application says", "session_id": "conversation",
    "input_tokens": "cached ones included", "cached_tokens": "read from a cache", "guard_verdict": "of all rules",
    "rule": "of the policy", "label": "what was found", "mode": "enforce or shadow", "policy_hash": "in force then",
    "input_preview": "200 characters", "output_preview": "200 characters", "calls": "sum() it",
}  # fmt: skip
"""A word about columns that need one."""


OF_ROLLUPS = {
    "llm_1m": "Calls a minute by app, model and more: what charts read",
    "guard_1m": "What rules found a minute: what charts read",
    "guard_1h": "What rules found and did, by the hour",
    "guarded_1h": "How calls were guarded, by the hour",
}
"""Two of them share one comment."""


@cache
def purposes() -> dict[str, str]:
    """What the comment above each table says first."""
    found = {}
    for file in sorted(SQL.glob("[0-9]*.sql")):
        for comment, table in _TABLE.findall(file.read_text()):
            said = " ".join(line.removeprefix("--").strip() for line in comment.splitlines())
            found[table] = re.split(r"(?<=[.:])\s", said)[0].rstrip(":.")
    return found | OF_ROLLUPS


def tables(question: Question) -> Any:
    wanted = [table for table in TABLES if table not in _KEPT_NOWHERE]
    rows = question.means.ask(_COLUMNS, {"tables": wanted}).records()
    shown = [
        {
            "name": table, "text": purposes().get(table, ""),
            "columns": [
                {
                    "name": row["name"], "type": _type(row["type"]), "text": TEXTS.get(row["name"], ""),
                    "key": bool(row["is_in_sorting_key"]),
                }
                for row in rows if row["table"] == table
            ],
        }
        for table in wanted
    ]  # fmt: skip
    return {"tables": shown}


def _type(whole: str) -> str:
    """Without what only the engine cares for."""
    inner = re.fullmatch(r"(?:LowCardinality|SimpleAggregateFunction)\((?:\w+, )?(.*)\)", whole)
    return inner[1] if inner else whole


def saved(question: Question) -> Any:
    shown = [_shown(each) for each in question.means.documents.all(KIND)]
    return {"queries": sorted(shown, key=lambda each: each["name"].casefold()), "may_keep": question.allowed("keep")}


def keep(question: Question) -> Any:
    id_ = question.id("id")
    if not re.fullmatch(r"[a-z0-9]{1,40}", id_):
        raise BadQuestion("the id of a query is of small letters and digits")
    body = question.body.model_dump(exclude={"version"})
    put = question.means.documents.put(KIND, id_, body, actor=question.actor, version=question.body.version)
    return _shown(put)


def remove(question: Question) -> Any:
    if not question.means.documents.remove(KIND, question.id("id")):
        raise NotThere("there is no such saved query")
    return {"removed": True}


def _shown(document: Document) -> dict[str, Any]:
    body = document.body
    return {
        "id": document.id, "name": body["name"], "sql": body["sql"], "show": body.get("show", ""),
        "version": document.version, "changed": document.changed, "actor": document.actor,
    }  # fmt: skip


QUERIES = (
    Operation("GET", "/api/schema", "Tables and columns that SQL may ask", tables, Tables, needs="run_sql"),
    Operation("GET", "/api/queries", "Saved queries", saved, SavedQueries, needs="run_sql"),
    Operation("PUT", "/api/queries/{id}", "Saves a query", keep, SavedQuery, body=QueryBody, needs="keep"),
    Operation("DELETE", "/api/queries/{id}", "Removes a saved query", remove, Removed, needs="keep"),
)

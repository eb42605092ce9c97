"""The calls of a view as a file. The store writes it to disk first, so that a slow reader holds nothing of it."""

import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

from starlette.responses import Response, StreamingResponse

from . import conditions
from .api.answering import SECURITY
from .api.operation import BadQuestion, Busy, Question
from .call_columns import chosen, selected
from .sorting import Order

MOST = 100_000
"""Calls in one file: the first in the order of the list."""
AT_ONCE = 1
_CHUNK = 256 << 10
_turns = threading.BoundedSemaphore(AT_ONCE)


@dataclass(frozen=True, slots=True)
class Form:
    """`name` as ClickHouse calls it."""

    name: str
    media_type: str
    spreadsheet: bool


FORMS = {
    "csv": Form("CSVWithNames", "text/csv; charset=utf-8", spreadsheet=True),
    "parquet": Form("Parquet", "application/vnd.apache.parquet", spreadsheet=False),
}


def export(question: Question, by: Order) -> Response:
    """Raises `Busy` while another one is being written."""
    ending = question.get("format", "csv")
    if ending not in FORMS:
        raise BadQuestion(f"format={ending!r} is unknown: take {' or '.join(FORMS)}")
    form = FORMS[ending]
    names = chosen(question.get("columns"), see_content=question.allowed("see_content"))
    if not names:
        raise BadQuestion("none of these columns may be seen without see_content")
    where = conditions.calls(question.view())
    total = question.means.ask(f"SELECT count() FROM llm_calls WHERE {where.sql}", where.parameters).rows[0][0]
    inner = f"""SELECT {selected(names, spreadsheet=form.spreadsheet)} FROM llm_calls WHERE {where.sql}
ORDER BY {by.sql()} LIMIT {MOST}"""
    sql = f"SELECT {', '.join(f'out_{name} AS `{name}`' for name in names)} FROM ({inner})"
    headers = {
        **SECURITY,
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="calls.{ending}"',
        "X-Spanward-Calls": str(total),
        "X-Spanward-Rows": str(min(total, MOST)),
        "X-Spanward-Cut": "yes" if total > MOST else "no",
    }
    file = _written(question, sql, where.parameters, form)
    return StreamingResponse(_chunks(file), media_type=form.media_type, headers=headers)


def _written(question: Question, sql: str, parameters: dict[str, Any], form: Form) -> IO[bytes]:
    if not _turns.acquire(blocking=False):
        raise Busy("another export is being written; try again in a moment")
    try:
        file = tempfile.TemporaryFile()  # noqa: SIM115  closed by who reads it
        try:
            for chunk in question.means.raw(sql, parameters, form.name):
                file.write(chunk)
            file.seek(0)
        except BaseException:
            file.close()
            raise
        return file
    finally:
        _turns.release()


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while chunk := file.read(_CHUNK):
            yield chunk

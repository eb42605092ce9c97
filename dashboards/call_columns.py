"""What an export of calls can hold, and how a spreadsheet is kept from running what a model said."""

from dataclasses import dataclass

from .view import BadView


@dataclass(frozen=True, slots=True)
class Column:
    """`sql` on `llm_calls`. `text`: it may begin with anything. `said`: only for those who may see content."""

    sql: str
    text: bool = False
    said: bool = False


_FORMULA = r"'^[=+\\-@\t\r\n\\x{FF1D}\\x{FF0B}\\x{FF0D}\\x{FF20}]'"
"""In SQL: how a formula begins, in letters of full width too."""


def _text(name: str) -> Column:
    return Column(f"toString({name})", text=True)


COLUMNS: dict[str, Column] = {
    "time": Column("ts"),
    "trace_id": Column("trace_id"),
    "span_id": Column("span_id"),
    **{name: _text(name) for name in ("service", "env", "operation", "provider", "request_model", "model")},
    **{name: _text(name) for name in ("status", "error_type")},
    "failure": Column("leftUTF8(status_message, 200)", text=True),
    "finish_reason": _text("finish_reason"),
    "stream": Column("stream"),
    "stream_end": _text("stream_end"),
    "input_tokens": Column("input_tokens"),
    "cached_tokens": Column("cached_tokens"),
    "cache_write_tokens": Column("cache_write_tokens"),
    "output_tokens": Column("output_tokens"),
    "reasoning_tokens": Column("reasoning_tokens"),
    "usage_source": _text("usage_source"),
    "cost_usd": Column("cost_usd"),
    "price_version": _text("price_version"),
    "latency_ms": Column("latency_ms"),
    "ttft_ms": Column("ttft_ms"),
    **{name: _text(name) for name in ("guard_verdict", "guard_action", "policy_hash")},
    "degraded": Column("degraded"),
    "content_withheld": _text("content_withheld"),
    **{name: _text(name) for name in ("session_id", "user_id", "user_group", "prompt_name", "prompt_version")},
    "tags": Column("arrayStringConcat(tags, ', ')", text=True),
    "input_preview": Column("input_preview", text=True, said=True),
    "output_preview": Column("output_preview", text=True, said=True),
}
"""Name -> column, in the order of the file. Costs in US dollars, times in milliseconds."""


def chosen(names: str, *, see_content: bool) -> list[str]:
    """`a,b` as names; empty is all that the reader may see. Raises `BadView`."""
    wanted = [name for name in names.split(",") if name] or list(COLUMNS)
    for name in wanted:
        if name not in COLUMNS:
            raise BadView(f"there is no column {name!r}; there are {', '.join(COLUMNS)}")
    return [name for name in dict.fromkeys(wanted) if see_content or not COLUMNS[name].said]


def selected(names: list[str], *, spreadsheet: bool) -> str:
    """What stands after SELECT. `spreadsheet`: a text that would be a formula there gets an apostrophe before it."""
    return ", ".join(f"{_told(COLUMNS[name], spreadsheet=spreadsheet)} AS out_{name}" for name in names)


def _told(column: Column, *, spreadsheet: bool) -> str:
    if not (column.text and spreadsheet):
        return column.sql
    return f"if(match({column.sql}, {_FORMULA}), concat('\\'', {column.sql}), {column.sql})"

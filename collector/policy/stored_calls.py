"""Calls as they were recorded, with what was said in them: read from a store page by page, or from a file of lines."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from ...guards.judgement import Check, Context
from ...guards.messages import Message, Part
from ..command import FAILED, CommandError
from ..query import Question
from ..stored_messages import messages_of, system_of

PAGE = 200
HOUR_US = 3_600_000_000


@dataclass(frozen=True, slots=True)
class StoredCall:
    """One call. `system`, `input` and `output` are JSON text as the conventions have it, or structured alike.

    `recorded` is the verdict, the action and the policy hash of the time, and why there is no content.
    """

    id: str
    trace_id: str
    span_id: str
    ts_us: int
    context: Context
    system: Any = ""
    input: Any = ""
    output: Any = ""
    verdict: str = ""
    action: str = ""
    policy_hash: str = ""
    withheld: str = ""
    labels: tuple[str, ...] | None = None

    @property
    def checks(self) -> tuple[Check, ...]:
        """What was asked and what was answered, as far as it is there. ValueError for content of another form."""
        asked = system_of(self.system) + _said("user", self.input)
        answered = _said("assistant", self.output)
        sides = (("input", asked), ("output", answered))
        return tuple(Check(side, said, self.context) for side, said in sides if said)  # type: ignore[arg-type]


def _said(role: str, value: Any) -> tuple[Message, ...]:
    """Plain text is one message: files of lines are also written by hand."""
    if isinstance(value, str) and value and not value.lstrip().startswith("["):
        return (Message(role, (Part("text", value),)),)
    return messages_of(value)


_CONTEXT: Mapping[str, str] = {
    "app": "service",
    "environment": "env",
    "provider": "provider",
    "model": "request_model",
    "operation": "operation",
    "prompt_name": "prompt_name",
    "prompt_version": "prompt_version",
    "user_id": "user_id",
    "user_group": "user_group",
    "session_id": "session_id",
    "tags": "tags",
}
"""Field of a `Context` -> column of `llm_calls`."""
_RECORDED = ("guard_verdict", "guard_action", "policy_hash", "content_withheld")
_COLUMNS = ", ".join(("toUnixTimestamp64Micro(ts) AS us", "trace_id", "span_id", *_CONTEXT.values(), *_RECORDED))


def from_store(ask: Question, since_us: int) -> Iterator[StoredCall]:
    """The newest first. One page of calls is held at a time, however many there are. Raises `CommandError`."""
    hours = f"SELECT intDiv(toUnixTimestamp64Micro(ts), {HOUR_US}) AS hour FROM llm_calls"  # noqa: S608  ours
    found = ask(f"{hours} WHERE {_at('ts', '>=', since_us)} GROUP BY hour ORDER BY hour DESC")
    for (hour,) in found.rows:
        yield from _of_hour(ask, max(since_us, int(hour) * HOUR_US), (int(hour) + 1) * HOUR_US)


def _of_hour(ask: Question, start: int, end: int) -> Iterator[StoredCall]:
    where = f"{_at('ts', '>=', start)} AND {_at('ts', '<', end)}"
    before = ""
    while True:
        page = ask(
            f"SELECT {_COLUMNS} FROM llm_calls WHERE {where}{before} "  # noqa: S608  numbers, and ids that are quoted
            f"ORDER BY us DESC, trace_id DESC, span_id DESC LIMIT {PAGE}"
        )
        rows = [dict(zip(page.columns, row, strict=True)) for row in page.rows]
        if rows:
            yield from _with_content(ask, rows)
        if len(rows) < PAGE:
            return
        last = rows[-1]
        key = f"{last['us']}, {_text(last['trace_id'])}, {_text(last['span_id'])}"
        before = f" AND (toUnixTimestamp64Micro(ts), trace_id, span_id) < ({key})"


def _with_content(ask: Question, rows: Sequence[Mapping[str, Any]]) -> Iterator[StoredCall]:
    content = dict(_content(ask, rows))
    for row in rows:
        said = content.get((row["trace_id"], row["span_id"]), ("", "", ""))
        yield _stored(row, *said)


def _content(ask: Question, rows: Sequence[Mapping[str, Any]]) -> Iterable[tuple[tuple[str, str], tuple[str, ...]]]:
    """What was said in these calls. Very long ones may be more than one answer holds: then by halves."""
    spans = ", ".join(_text(row["span_id"]) for row in rows)
    times = [row["us"] for row in rows]
    try:
        answer = ask(
            f"SELECT trace_id, span_id, system, input, output FROM content "  # noqa: S608  as above
            f"WHERE {_at('ts', '>=', min(times))} AND {_at('ts', '<=', max(times))} AND span_id IN ({spans})"
        )
    except CommandError:
        if len(rows) == 1:
            raise
        half = len(rows) // 2
        return [*_content(ask, rows[:half]), *_content(ask, rows[half:])]
    return [((row[0], row[1]), tuple(row[2:])) for row in answer.rows]


def _stored(row: Mapping[str, Any], system: str, input_: str, output: str) -> StoredCall:
    told = {field: row[column] for field, column in _CONTEXT.items()}
    return StoredCall(
        id=f"{row['trace_id']}/{row['span_id']}",
        trace_id=row["trace_id"],
        span_id=row["span_id"],
        ts_us=int(row["us"]),
        context=Context(**{**told, "tags": tuple(told["tags"])}),
        system=system,
        input=input_,
        output=output,
        verdict=row["guard_verdict"],
        action=row["guard_action"],
        policy_hash=row["policy_hash"],
        withheld=row["content_withheld"],
    )


def _at(column: str, how: str, us: int) -> str:
    return f"{column} {how} fromUnixTimestamp64Micro({us})"


def _text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def to_line(call: StoredCall) -> str:
    """A call as one line of JSON, its messages structured."""
    told = {each.name: getattr(call, each.name) for each in fields(call)}
    told["context"] = {key: value for key, value in asdict(call.context).items() if value}
    for key in ("system", "input", "output"):
        told[key] = _structured(told[key])
    return json.dumps({key: value for key, value in told.items() if value not in ("", None)}, ensure_ascii=False)


def _structured(value: Any) -> Any:
    try:
        return json.loads(value) if isinstance(value, str) and value else value
    except ValueError:
        return value


def from_lines(path: Path) -> Iterator[StoredCall]:
    """The calls of a file as `to_line` writes them, or shorter ones written by hand. Raises `CommandError`."""
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield _from_line(line, f"{path}:{number}", str(number))
    except OSError as problem:
        raise CommandError(f"{path}: {problem.strerror}") from None
    except UnicodeDecodeError:
        raise CommandError(f"{path}: not UTF-8 text") from None


def from_text(line: str) -> StoredCall:
    """What `to_line` wrote. Raises `CommandError`."""
    return _from_line(line, "call", "")


def _from_line(line: str, where: str, number: str) -> StoredCall:
    """What is not said is empty; an id that is not given is that of the span, else the number of the line."""
    try:
        told = json.loads(line)
        context = told.pop("context", {})
        labels = told.pop("labels", None)
        told["id"] = str(told.get("id") or _span(told) or number)
        call = StoredCall(
            **{"trace_id": "", "span_id": "", "ts_us": 0} | told,
            context=Context(**context | {"tags": tuple(context.get("tags", ()))}),
            labels=None if labels is None else tuple(map(str, labels)),
        )
        has_content = bool(call.checks)
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise CommandError(f"{where}: {_NO_CALL}", FAILED) from None
    if not has_content and not call.withheld and not call.trace_id:
        raise CommandError(f"{where}: {_NO_CALL}", FAILED)
    return call


_NO_CALL = (
    'not a call; one JSON object a line: {"input": "text or messages", "output": …, "context": {"app": …}, '
    '"labels": […]}, or what `spanward policy export` writes'
)


def _span(told: Mapping[str, Any]) -> str:
    ids = [str(told.get(key) or "") for key in ("trace_id", "span_id")]
    return "/".join(ids) if all(ids) else ""

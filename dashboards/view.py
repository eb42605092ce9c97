"""What a page shows, as its address says it: a span of time and the conditions on calls."""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from .guard_columns import GUARD_COLUMNS

COLUMNS = {
    "service": "service",
    "env": "env",
    "provider": "provider",
    "model": "model",
    "operation": "operation",
    "status": "status",
    "error_type": "error_type",
    "finish_reason": "finish_reason",
    "guard_verdict": "guard_verdict",
    "guard_action": "guard_action",
    "policy": "policy_hash",
    "session": "session_id",
    "user": "user_id",
    "user_group": "user_group",
    "prompt": "prompt_name",
    "prompt_version": "prompt_version",
    "usage": "usage_source",
    "stream_end": "stream_end",
    "tenant": "tenant",
    "trace": "trace_id",
    "failure": "llm_calls.failure",
    "failure_group": "llm_calls.failure_group",
}
"""Filter -> column of `llm_calls`. A filter may be given several times (any of them), `name!` turns it round."""

FILTERS = (*COLUMNS, "tag", *GUARD_COLUMNS, "guard", "priced")
NUMBERS = {
    "min_latency": ("latency_ms", ">="),
    "max_latency": ("latency_ms", "<="),
    "min_ttft": ("ttft_ms", ">="),
    "min_tokens": ("input_tokens + output_tokens", ">="),
    "min_cost": ("ifNull(cost_usd, -1)", ">="),
}
"""Bound -> what it bounds; milliseconds, tokens, US dollars."""

SEARCHED_IN = ("previews", "content")
"""Where `q` is looked for: the first words of prompt and answer, or all of what was said."""

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
LONGEST_S = 400 * 86400
MOST_VALUES = 50
LONGEST_TEXT = 500


@dataclass(frozen=True, slots=True)
class Found:
    """What a search in all of what was said came to. `keys` are `guard_kind.KEY` of the newest that fit.

    Everything from `since` (milliseconds) to the view's end was looked at; `whole`: that is the view's whole range.
    """

    keys: tuple[int, ...]
    since: int
    whole: bool


class BadView(ValueError):  # noqa: N818  says what is wrong with an address
    """An address that cannot be read; the text says which part and what would be right."""


@dataclass(frozen=True, slots=True)
class View:
    """`start` and `end` in milliseconds since 1970, UTC, end exclusive. `live`: the end moves with the clock.
    `asked_at` is when somebody asked, 0 where nobody said.

    `text` is looked for in the previews, or `inside` content: then `found` says where it was found, once it is known.
    """

    start: int
    end: int
    live: bool = False
    chosen: dict[str, tuple[str, ...]] = field(default_factory=dict)
    refused: dict[str, tuple[str, ...]] = field(default_factory=dict)
    bounds: dict[str, float] = field(default_factory=dict)
    text: str = ""
    inside: str = SEARCHED_IN[0]
    found: Found | None = None
    asked_at: int = 0

    @property
    def open_ended(self) -> bool:
        """Whether nothing has happened after its end yet."""
        return 0 < self.asked_at <= self.end

    @property
    def named(self) -> frozenset[str]:
        """Every condition beside time, by its name in the address."""
        return frozenset((*self.chosen, *self.refused, *self.bounds, *(("q",) if self.text else ())))

    def without(self, *names: str) -> "View":
        """Less the filters of these names."""
        chosen, refused = (
            {name: values for name, values in filters.items() if name not in names}
            for filters in (self.chosen, self.refused)
        )
        return replace(self, chosen=chosen, refused=refused)


def read(query: Iterable[tuple[str, str]], now: int, *, also: Iterable[str] = ()) -> View:
    """The view that a query string describes; `now` in milliseconds. `also` names keys that others read.

    Without `from` it is the last 24 hours, as on the page. Raises `BadView`.
    """
    single: dict[str, str] = {}
    chosen: dict[str, list[str]] = {}
    refused: dict[str, list[str]] = {}
    bounds: dict[str, float] = {}
    theirs = frozenset(also)
    for key, value in query:
        name = key.removesuffix("!")
        if key in ("from", "to", "q", "in"):
            single[key] = value
        elif name in FILTERS:
            (refused if key.endswith("!") else chosen).setdefault(name, []).append(value)
        elif key in NUMBERS:
            bounds[key] = _number(key, value)
        elif key not in theirs:
            raise BadView(f"unknown filter {key!r}{_nearest(key, theirs)}")
    _refuse_excess(chosen, refused, single)
    end = moment(single.get("to", "now"), now, "to")
    start = moment(single.get("from", "now-24h"), now, "from")
    if start >= end:
        raise BadView("the range is empty: `from` must lie before `to`")
    if end - start > LONGEST_S * 1000:
        raise BadView(f"the range is longer than {LONGEST_S // 86400} days")
    if single.get("in", SEARCHED_IN[0]) not in SEARCHED_IN:
        raise BadView(f"in={single['in']!r} is unknown: look in {' or '.join(SEARCHED_IN)}")
    return View(
        start=start,
        end=end,
        live=single.get("to", "now") == "now",
        chosen={name: tuple(values) for name, values in chosen.items()},
        refused={name: tuple(values) for name, values in refused.items()},
        bounds=bounds,
        text=single.get("q", "").strip(),
        inside=single.get("in", SEARCHED_IN[0]),
        asked_at=now,
    )


def moment(text: str, now: int, name: str = "time") -> int:
    """`now`, `now-15m`, milliseconds since 1970 or ISO 8601 (UTC unless it says otherwise) as milliseconds."""
    if relative := re.fullmatch(r"now(?:-(\d{1,6})([smhdw]))?", text):
        return now - int(relative[1] or 0) * UNITS[relative[2] or "s"] * 1000
    if re.fullmatch(r"\d{12,14}", text):
        return int(text)
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise BadView(f"{name}={text!r} is no time: write now, now-15m or 2026-01-31T09:00:00Z") from None
    return round((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp() * 1000)


def _number(key: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    if not 0 <= number < 1e15:
        raise BadView(f"{key}={value!r} is no number")
    return number


def _nearest(key: str, theirs: frozenset[str]) -> str:
    near = difflib.get_close_matches(key.removesuffix("!"), [*FILTERS, *NUMBERS, "from", "to", "q", "in", *theirs], 1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _refuse_excess(chosen: dict[str, list[str]], refused: dict[str, list[str]], single: dict[str, str]) -> None:
    for values in (*chosen.values(), *refused.values()):
        if len(values) > MOST_VALUES or any(len(value) > LONGEST_TEXT for value in values):
            raise BadView(f"a filter takes at most {MOST_VALUES} values of {LONGEST_TEXT} characters")
    if len(single.get("q", "")) > LONGEST_TEXT:
        raise BadView(f"the search text is longer than {LONGEST_TEXT} characters")

"""One operation of the API: its address, what it takes and answers, and what one must be allowed to do."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel
from starlette.requests import Request

from ..asker import LIMIT_SECONDS
from ..content_search import resolved
from ..said import hide
from ..view import View, read
from .means import Means

Method = Literal["GET", "POST", "PUT", "DELETE"]
_LONGEST_NUMBER = 18
"""Digits."""


class NotThere(Exception):  # noqa: N818  a state of the world
    """Nothing is stored under this name."""


class BadQuestion(ValueError):  # noqa: N818  says what is wrong with a request
    """A parameter or a body that cannot be used; the text says which and what would be right."""


class Busy(Exception):  # noqa: N818  a state of the world
    """As many as may are already being answered; the text says to come again."""


class Forbidden(Exception):  # noqa: N818  an answer
    """The request may not do this; the text says who may."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One key of the query string. `schema` is JSON Schema."""

    name: str
    text: str
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})


@dataclass(frozen=True, slots=True)
class Question:
    """What a judge of an operation is handed. `body` is what `Operation.body` made of the request's."""

    means: Means
    request: Request
    operation: "Operation"
    actor: str = ""
    body: Any = None

    @property
    def now(self) -> int:
        """Milliseconds since 1970."""
        return round(self.means.clock() * 1000)

    def view(self) -> View:
        """Raises `BadView`, and `Forbidden` for a search text of one who may not see what was said."""
        return resolved(self.means.ask, self.allowed_view())

    def allowed_view(self) -> View:
        """As `view`, without looking for its search text inside content."""
        view = read(self.request.query_params.multi_items(), self.now, also=[p.name for p in self.operation.takes])
        self.may_search(view)
        return view

    def may_search(self, *views: View) -> None:
        """Raises `Forbidden` for a search text of one who may not see what was said: what it finds tells that."""
        if any(view.text for view in views):
            self.means.authorize("see_content", self.request)

    def get(self, name: str, default: str = "") -> str:
        return self.request.query_params.get(name, default)

    def whole(self, name: str, default: int, *, most: int, least: int = 1) -> int:
        """A whole number of the query string. Raises `BadQuestion`."""
        text = self.get(name, str(default))
        if not text.isdecimal() or len(text) > _LONGEST_NUMBER or not least <= int(text) <= most:
            raise BadQuestion(f"{name}={text[:40]!r} is no number from {least} to {most}")
        return int(text)

    def id(self, name: str) -> str:
        """A part of the path."""
        return str(self.request.path_params[name])

    def allowed(self, action: str) -> bool:
        """For what is shown only in part to those who may not see all of it."""
        try:
            self.means.authorize(action, self.request)
        except Forbidden:
            return False
        return True

    def hide_said(self, rows: Iterable[dict[str, Any]]) -> bool:
        """Takes what was said out of rows of calls if the reader may not see it; says whether."""
        return not self.allowed("see_content") and hide(rows)


@dataclass(frozen=True, slots=True)
class Operation:
    """`judge` blocks and runs in a thread; it gives what `answers` describes, or a `Response` of its own.

    `view`: takes the filters and the range of a view (`view.FILTERS`) beside `takes`. `needs` is an action of
    `collector.roles`; empty lets every reader in. `media_types` are of an answer that is no refusal. Its statements
    are stopped after `limit_seconds` together, and when the page leaves.
    """

    method: Method
    path: str
    summary: str
    judge: Callable[[Question], Any]
    answers: Any = dict[str, Any]
    takes: tuple[Parameter, ...] = ()
    body: type[BaseModel] | None = None
    view: bool = False
    needs: str = ""
    media_types: tuple[str, ...] = ("application/json",)
    limit_seconds: float = LIMIT_SECONDS

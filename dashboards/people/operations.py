"""Operations of the API: sessions and users."""

from ..api.operation import NotThere, Operation, Parameter, Question
from . import session as one_session
from . import sessions as many_sessions
from . import users as many_users
from .session import Opened
from .sessions import Sessions
from .user import OneUser, user
from .users import SORTS, Users

CURSOR = Parameter("cursor", "`next` of the page before")
SEE = "see_content"


def _limit(most: int) -> Parameter:
    return Parameter("limit", "Rows on a page", {"type": "integer", "minimum": 1, "maximum": most})


def _sessions(question: Question) -> Sessions:
    return many_sessions.sessions(
        question.means.ask, question.view(), size=question.whole("limit", 50, most=many_sessions.MOST),
        cursor=question.get("cursor"), content=question.allowed(SEE),
    )  # fmt: skip


def _session(question: Question) -> Opened:
    found = one_session.session(
        question.means.ask, question.id("session"), size=question.whole("limit", 30, most=one_session.MOST),
        cursor=question.get("cursor"), content=question.allowed(SEE),
    )  # fmt: skip
    if found is None:
        raise NotThere("no call is of this session: none was stored, or their time to live is over")
    return found


def _users(question: Question) -> Users:
    sort = question.get("sort", "cost").removeprefix("-")
    size = question.whole("limit", 50, most=many_users.MOST)
    return many_users.users(question.means.ask, question.view(), sort, size=size, cursor=question.get("cursor"))


def _user(question: Question) -> OneUser:
    return user(question.means.ask, question.view(), question.id("user"), question.now)


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "GET", "/api/sessions", "Sessions with a call that the view shows, the latest first", _sessions, Sessions,
        view=True, takes=(CURSOR, _limit(many_sessions.MOST)),
    ),
    Operation(
        "GET", "/api/sessions/{session:path}", "One session, call by call", _session, Opened,
        takes=(CURSOR, _limit(one_session.MOST)),
    ),
    Operation(
        "GET", "/api/users", "Users of the calls of a view", _users, Users, view=True,
        takes=(
            Parameter("sort", "What to sort by, the largest first", {"enum": list(SORTS)}), CURSOR,
            _limit(many_users.MOST),
        ),
    ),
    Operation("GET", "/api/users/{user:path}", "One user", _user, OneUser, view=True),
)  # fmt: skip

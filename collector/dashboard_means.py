"""What the sidecar lends to the dashboards, in their own words."""

from collections.abc import Callable, Mapping

from starlette.requests import Request

from ..dashboards.api.means import NotRecorded, Record
from ..dashboards.api.operation import Forbidden
from .audit.log import Audit, AuditUnavailable
from .authorize import Authorizer, NotAuthorized


def authorize(authorizer: Authorizer) -> Callable[[str, Request], str]:
    def ask(action: str, request: Request) -> str:
        try:
            return authorizer.authorize(action, request).actor
        except NotAuthorized as no:
            raise Forbidden(str(no)) from None

    return ask


def record(audit: Audit) -> Record:
    def write(actor: str, action: str, subject: str, detail: Mapping[str, str]) -> None:
        try:
            audit.write(action, subject, detail, actor)
        except AuditUnavailable as problem:
            raise NotRecorded(str(problem)) from None

    return write

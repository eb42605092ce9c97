"""Saved views as operations."""

import re

from typing_extensions import TypedDict

from ..api.operation import BadQuestion, NotThere, Operation, Parameter, Question
from . import kept
from .kept import Keeping, Kept, KeptList


class Removed(TypedDict):
    removed: str


def _all(question: Question) -> KeptList:
    return kept.all_of(question.means.documents)


def _put(question: Question) -> Kept:
    return kept.put(question.means.documents, _id(question), question.body, question.actor)


def _remove(question: Question) -> Removed:
    version = question.whole("version", 0, most=2**31)
    if not kept.remove(question.means.documents, _id(question), version):
        raise NotThere("nothing is kept under this id")
    return {"removed": question.id("id")}


def _id(question: Question) -> str:
    id_ = question.id("id")
    if not re.fullmatch(kept.ID, id_):
        raise BadQuestion("an id is 1 to 80 letters, digits, - or _")
    return id_


OPERATIONS: tuple[Operation, ...] = (
    Operation("GET", "/api/saved/view", "Saved views, by name", _all, KeptList),
    Operation(
        "PUT", "/api/saved/view/{id}", "Keep a view, new (version 0) or over the version that was read",
        _put, Kept, body=Keeping, needs="keep",
    ),
    Operation(
        "DELETE", "/api/saved/view/{id}", "Remove the version that was read", _remove, Removed, needs="keep",
        takes=(Parameter("version", "The version that was read", {"type": "integer", "minimum": 1}),),
    ),
)  # fmt: skip

"""Views that people keep under a name: small documents, each with an address of the page."""

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from ..documents import Changed, Document, Documents

KIND = "view"
ID = r"^[\w-]{1,80}$"
LONGEST_ADDRESS = 8000


class Keeping(BaseModel):
    """What is kept. `version` is the one that was read, 0 for a new one."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=80, pattern=r"\S")
    address: str = Field(max_length=LONGEST_ADDRESS, pattern=r"^/([^/\\\s][^\s\\]*)?$")
    """Path and query on this page, never another host."""
    version: int = Field(default=0, ge=0)


class Kept(TypedDict):
    """`changed` in milliseconds since 1970 by `actor`, who is '' where nobody is told apart."""

    id: str
    name: str
    address: str
    version: int
    changed: int
    actor: str


class KeptList(TypedDict):
    saved: list[Kept]


def all_of(documents: Documents) -> KeptList:
    """By name."""
    return {"saved": sorted(map(_kept, documents.all(KIND)), key=lambda one: (one["name"].casefold(), one["id"]))}


def put(documents: Documents, id_: str, what: Keeping, actor: str) -> Kept:
    """Raises `Changed` unless `what.version` is the one that is kept."""
    body = {"name": what.name.strip(), "address": what.address}
    return _kept(documents.put(KIND, id_, body, actor=actor, version=what.version))


def remove(documents: Documents, id_: str, version: int) -> bool:
    """Whether there was one. Raises `Changed` if it is another version by now."""
    there = documents.get(KIND, id_)
    if there is not None and there.version != version:
        raise Changed(f"{KIND} {id_} was changed meanwhile; load it again")
    return documents.remove(KIND, id_)


def _kept(document: Document) -> Kept:
    body = document.body
    return {
        "id": document.id,
        "name": str(body["name"]),
        "address": str(body["address"]),
        "version": document.version,
        "changed": document.changed,
        "actor": document.actor,
    }

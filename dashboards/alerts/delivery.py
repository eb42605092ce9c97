"""The outbox at work: each notification to each channel, and again after a while where it was not taken.

The outbox is among the documents, so what waits survives the sidecar. It is bounded, and what does not fit is told too.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from typing_extensions import TypedDict

from ..api.means import Insert
from ..ask import QueryFailed
from ..documents import Document, Documents
from . import happened, kept
from .channel import Email, Slack, Webhook, channel_of
from .notification import Notification
from .refused import Refused

WAITS_S = (30, 60, 300, 900, 3600)
"""After the first, the second … attempt that failed; the last one again and again."""
GIVE_UP_MS = 24 * 3_600_000
AT_ONCE = 50
"""Notifications in one turn."""
PATIENCE_S = 3.0
"""A channel that takes longer for one is left for the next turn: the others are not to wait for it fifty times."""

Send = Callable[[Webhook | Slack | Email, Notification, int], None]


class Undelivered(TypedDict):
    """Times in milliseconds. `why` is what the last attempt ended with, empty before the first."""

    id: str
    title: str
    rule: str
    channel: str
    since: int
    next: int
    attempts: int
    why: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """`send` raises `Refused`. One thread at a time."""

    documents: Documents
    insert: Insert
    send: Send

    def turn(self, now: int) -> str:
        """Send what is due, the oldest first. Gives what went wrong with the history, or nothing."""
        due = [document for document in self.documents.all(kept.OUTBOX) if _due(document.body["next"], now)]
        problem, hanging = "", set[str]()
        for document in sorted(due, key=lambda one: (one.body["since"], one.id))[:AT_ONCE]:
            if document.body["channel"] not in hanging:
                begun = time.monotonic()
                problem = self._deliver(document, now) or problem
                if time.monotonic() - begun > PATIENCE_S:
                    hanging.add(document.body["channel"])
        return problem

    def _deliver(self, document: Document, now: int) -> str:
        body = dict(document.body)
        if "ended" not in body:
            body = self._attempted(body, now)
            # how it ended is kept before it is a row: were the store away now, it would be sent again instead
            self.documents.put(kept.OUTBOX, document.id, body)
        if "ended" not in body:
            return ""
        try:
            self.insert(happened.TABLE, [happened.row(_ended(document.id, body))])
        except QueryFailed as failed:
            return f"the history of deliveries cannot be written: {failed}"
        self.documents.remove(kept.OUTBOX, document.id)
        return ""

    def _attempted(self, body: dict[str, Any], now: int) -> dict[str, Any]:
        body |= {"attempts": body["attempts"] + 1}
        try:
            self.send(self._channel(body["channel"]), body["notification"], now)
        except Refused as no:
            wait = WAITS_S[min(body["attempts"], len(WAITS_S)) - 1] * 1000
            last = not no.again or now + wait - body["since"] > GIVE_UP_MS
            told = {"ended": "failed", "at": now} if last else {"next": now + wait}
            return body | {"why": no.why} | told
        return body | {"ended": "delivered", "at": now, "why": ""}

    def _channel(self, id_: str) -> Webhook | Slack | Email:
        found = self.documents.get(kept.CHANNEL, id_)
        if found is None:
            raise Refused("the channel was removed", again=False)
        try:
            return channel_of(found.body)
        except ValidationError:
            raise Refused("the channel cannot be read: save it again", again=True) from None


def _due(next_: int, now: int) -> bool:
    """Also what would wait longer than anything does: the clock was ahead when it was put off."""
    return next_ <= now or next_ > now + 1000 * max(WAITS_S)


def undelivered(documents: Documents) -> list[Undelivered]:
    """What waits in the outbox, the oldest first."""
    names = {channel.id: str(channel.body["name"]) for channel in documents.all(kept.CHANNEL)}
    return [
        {
            "id": one.id,
            "title": one.body["notification"]["title"],
            "rule": one.body["notification"]["rule"],
            "channel": names.get(one.body["channel"], "a channel that was removed"),
            "since": one.body["since"],
            "next": one.body["next"],
            "attempts": one.body["attempts"],
            "why": one.body["why"],
        }
        for one in sorted(kept.unsent(documents), key=lambda document: (document.body["since"], document.id))
    ]


def _ended(id_: str, body: Mapping[str, Any]) -> dict[str, Any]:
    told = body["notification"]
    return {
        "id": f"{id_}-{body['ended']}",
        "at": body["at"],
        "rule": told["rule"],
        "name": told["name"],
        "group": happened.shown(tuple(told["group"].values())),
        "event": body["ended"],
        "value": told["value"],
        "threshold": told["threshold"],
        "channel": body["channel"],
        "attempts": body["attempts"],
        "detail": body["why"] or told["status"],
    }

"""A server that answers the next request with one recorded answer."""

from collections.abc import Iterator
from contextlib import contextmanager

from ..loopback import Reply, Request, serving
from .tape import Exchange


class Player:
    def __init__(self) -> None:
        self.next: Exchange | None = None
        self.address = ""

    def answer(self, _: Request) -> Reply:
        assert self.next is not None
        return Reply(self.next.body, self.next.status, self.next.headers)


@contextmanager
def playing() -> Iterator[Player]:
    player = Player()
    with serving(player.answer) as player.address:
        yield player

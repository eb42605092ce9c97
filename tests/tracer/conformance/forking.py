"""A program that asks, forks, and asks on both sides: `python -m … SPOOL '{"subject": "address of its fake", …}'`."""

import json
import os
import sys

import spanward

from ..conftest import NOWHERE
from .collected import named
from .driver import at_once, settled
from .subject import Ask


def ask(addresses: dict[str, str], where: str) -> None:
    for name, address in addresses.items():
        subject = named(name)
        client = subject.client(address, 0, 30)  # connections are not to be shared with another process
        answer = at_once(settled(subject.ask(client, Ask(f"{subject.model}-{name}-{where}-echo", "hello"))))
        assert subject.text(answer) == "hello"


def main() -> None:
    spool, addresses = sys.argv[1], json.loads(sys.argv[2])
    spanward.instrument(guards="off", endpoint=NOWHERE, spool=spool)
    ask(addresses, "before")
    child = os.fork()
    if child == 0:
        ask(addresses, "child")
        sys.exit(0)
    _, status = os.waitpid(child, 0)
    ask(addresses, "parent")
    sys.exit(os.waitstatus_to_exitcode(status))


main()

"""Models for the tests of the worker: a window is a word, its scores say how long it is, and some words are trouble.

Run as the worker's module. `gibberish`, `refuse` and `exit` as the first argument: what it does instead of starting.
"""

import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from spanward.guards.detectors.pieces import Piece
from spanward.guards.detectors.worker_process import serve


class Words(NamedTuple):
    """`log` takes a line for each batch: the words in it."""

    log: Path
    labels: tuple[str, ...] = ("length", "toxicity")

    @property
    def about(self) -> Mapping[str, Any]:
        return {"name": "words", "labels": self.labels, "pid": os.getpid()}

    def pieces(self, text: str) -> Iterator[Piece]:
        if text == "uncut":
            raise ValueError(text)
        start = 0
        for word in text.split(" "):
            if word:
                yield Piece([ord(letter) for letter in word], start, start + len(word))
            start += len(word) + 1

    def scores(self, batch: Sequence[Sequence[int]]) -> list[list[float]]:
        words = ["".join(map(chr, ids)) for ids in batch]
        with self.log.open("a") as log:
            log.write(" ".join(words) + "\n")
        for word in words:
            act(word)
        return [[len(word) / 1000, float("nan") if word == "nan" else 0.5] for word in words]


def act(word: str) -> None:
    if word == "die":
        os._exit(3)
    if word == "hang":
        os.kill(os.getpid(), signal.SIGSTOP)
    if word == "fail":
        raise ValueError(word)
    if word == "print":
        sys.stdout.write("printed\n")
        sys.stdout.flush()
    if word.startswith("slow"):
        time.sleep(0.05)
    if word.startswith("wait"):
        gate = Path(os.environ["WORDS_GATE"])
        while not gate.exists():
            time.sleep(0.005)


def main(how: str, log: str) -> None:
    if how == "gibberish":
        sys.stdout.write("hello\n")
        sys.stdout.flush()
        time.sleep(60)
    if how == "exit" or Path(f"{log}.gone").exists():
        sys.exit(4)

    def start() -> Words:
        if how == "refuse":
            raise ValueError("no such model")
        return Words(Path(log))

    serve(start)


if __name__ == "__main__":
    main(*sys.argv[1:])

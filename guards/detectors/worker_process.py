"""The worker's own side: one model, questions of several askers in one stream, answers as they are ready.

Lines of JSON, questions on standard input and answers on what was standard output. `{"id", "texts", "alone"}` asks,
`{"cancel"}` takes it back, and is answered as failed. Answers: once `{"about"}` or `{"refused"}`, then for each
question `{"id", "answer"}` or `{"id", "failed"}`, and before each run of the model `{"working"}`, the questions that
it is for.
"""

import json
import os
from collections import deque
from collections.abc import Callable, Mapping
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import Any

from .pieces import Batch, Encoder, Job, Memory, next_batch

COMPANY_S = 0.002
"""How long a first question waits for others to share a batch with."""

Message = Mapping[str, Any]


def serve(load: Callable[[], Encoder]) -> None:
    """Answer until standard input ends: then whoever asks is gone."""
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "r+b") as nowhere:  # noqa: PTH123  a library that prints must not print into our answers
        os.dup2(nowhere.fileno(), 0)
        os.dup2(nowhere.fileno(), 1)

    def say(message: Message) -> None:
        outgoing.write(json.dumps(message).encode() + b"\n")
        outgoing.flush()

    try:
        encoder = load()
    except Exception as error:  # noqa: BLE001  whatever it is, the parent must say it
        say({"refused": f"{error}" or type(error).__name__})
        return
    say({"about": encoder.about})
    inbox: SimpleQueue[Message] = SimpleQueue()

    def read() -> None:
        for line in incoming:
            inbox.put(json.loads(line))
        os._exit(0)  # the model may be at work and nobody wants its answer

    Thread(target=read, daemon=True).start()
    desk = Desk(encoder, say)
    while True:
        desk.receive(inbox)
        desk.work()


class Desk:
    """The questions at hand. They take turns, a batch each, so a long one does not keep a short one waiting."""

    def __init__(self, encoder: Encoder, say: Callable[[Message], None]) -> None:
        self._encoder, self._say = encoder, say
        self._jobs: deque[Job] = deque()
        self._memory = Memory()

    def receive(self, inbox: "SimpleQueue[Message]") -> None:
        """What has come; where nothing is at hand, wait for a question and for a moment longer for its company."""
        until = 0.0
        if not self._jobs:
            self._accept(inbox.get())
            until = monotonic() + COMPANY_S
        while True:
            try:
                self._accept(inbox.get(timeout=max(0.0, until - monotonic())))
            except Empty:
                return

    def work(self) -> None:
        """One run of the model, for the question whose turn it is and those that fit to it."""
        for job in list(self._jobs):
            self._fill(job)
        if not self._jobs:
            return
        batch = next_batch(self._jobs)
        self._jobs.rotate(-1)
        sharing = list({job.number: job for job, _, _ in batch}.values())
        self._say({"working": [job.number for job in sharing]})
        try:
            rows = self._encoder.scores([piece.ids for _, _, piece in batch])
            for (job, place, piece), row in zip(batch, rows, strict=True):
                job.take(place, piece, row)
                self._memory.put(piece.ids, row)
        except Exception as error:  # noqa: BLE001  one question must not end the process
            self._failed(batch, sharing, error)
            return
        for job in sharing:
            self._fill(job)

    def _accept(self, message: Message) -> None:
        if "cancel" in message:
            for job in [job for job in self._jobs if job.number == message["cancel"]]:
                self._jobs.remove(job)
                self._say({"id": job.number, "failed": "taken back"})
        else:
            self._jobs.append(Job(message["id"], message["texts"], self._encoder, alone=message["alone"]))

    def _fill(self, job: Job) -> None:
        """Cut on; what has no window left is answered."""
        try:
            job.fill(self._memory.get)
        except Exception as error:  # noqa: BLE001  as above
            self._fail(job, error)
            return
        if not job.ready:
            self._jobs.remove(job)
            self._say({"id": job.number, "answer": job.found})

    def _failed(self, batch: Batch, sharing: list[Job], error: Exception) -> None:
        """Where several share a batch, nobody knows whose fault it is: each is tried again by itself."""
        if len(sharing) == 1:
            self._fail(sharing[0], error)
            return
        for job, place, piece in batch:
            job.alone = True
            job.ready.append((place, piece))

    def _fail(self, job: Job, error: Exception) -> None:
        """The text of `error` may quote content."""
        self._jobs.remove(job)
        self._say({"id": job.number, "failed": f"the model failed with {type(error).__name__}"})

"""kill -9 at random moments of appending and ingesting: what was acknowledged is in the store, once."""

import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from spanward.tracer.segment import frame

from .otlp import body, call, said

ROUNDS, BODIES, CALLS = 4, 400, 5
CHILD = """
import sys
from pathlib import Path
from spanward.collector.bodies import KnownBodies
from spanward.collector.ingest import Ingestor
from spanward.collector.pricing import Pricing
from spanward.collector.receiver import Receiver
from spanward.collector.store import Store
from spanward.collector.wal import WriteAheadLog

data = Path(sys.argv[1])
store = Store.open(f"chdb:///{data}/store", data)
store.migrate()
# small segments, so that every moment of their lives is hit
wal = WriteAheadLog(data / "log", segment_bytes=8192, segment_seconds=0.01, between_seconds=0)
receiver = Receiver(wal, KnownBodies(data / "log"), Pricing())
ingestor = Ingestor(store, wal, lambda segment: None)
ingestor.start()
print("ready", flush=True)
for line in sys.stdin:
    if line == "count\\n":
        assert ingestor.wait_empty(60)
        questions = [
            "count() FROM spans", "uniqExact(span_id) FROM spans", "count() FROM llm_calls", "count() FROM content",
            "sum(calls) FROM llm_1m", "arraySum(mapValues(sumMap(in_hist))) FROM llm_1m",
        ]
        print(*(store.ask("SELECT " + question).rows[0][0] for question in questions), ingestor.bad, flush=True)
    else:
        receiver.accept(bytes.fromhex(line)).result(30)
        print("kept", flush=True)
"""


class Child:
    """A process that stores what it is told."""

    def __init__(self, data: Path) -> None:
        command = [sys.executable, "-c", CHILD, str(data)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        assert self.process.stdout.readline() == "ready\n"

    def tell(self, line: str) -> str:
        """Its answer; empty, or BrokenPipeError, when it is gone."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline()

    def end(self) -> None:
        self.process.kill()
        self.process.wait(30)
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe
            try:
                pipe.close()
            except BrokenPipeError:
                continue


@pytest.mark.slow
def test_whenever_it_is_killed_every_acknowledged_span_is_there_once(tmp_path: Path) -> None:
    chance = random.Random(20261121)
    content = {"INPUT_MESSAGES": said("user", "hello")}
    bodies = [body("svc", *(call(1 + n * CALLS + k, **content) for k in range(CALLS))).hex() for n in range(BODIES)]
    kept = 0
    for _ in range(ROUNDS):
        child = Child(tmp_path)
        timer = threading.Timer(chance.uniform(0.1, 1.2), child.process.kill)
        timer.start()
        try:
            # as a sender does: the same bytes again until they are acknowledged
            while kept < BODIES and child.tell(bodies[kept]) == "kept\n":
                kept += 1
                time.sleep(0.002)
        except BrokenPipeError:
            pass
        timer.join()
        child.end()
    assert kept > 0
    child = Child(tmp_path)
    for again in bodies[max(0, kept - 20) : kept + 1]:
        assert child.tell(again) == "kept\n"
    stored = min(kept + 1, BODIES) * CALLS
    assert child.tell("count").split() == [*[str(stored)] * 6, "0"]
    child.end()


ONCE = """
import sys
from pathlib import Path
from spanward.collector.store import Store

data = Path(sys.argv[1])
store = Store.open(f"chdb:///{data}/store", data)
store.migrate()
store.ingest(data / "segment", "segment")
questions = ["count() FROM spans", "count() FROM llm_calls", "sum(calls) FROM llm_1m", "sum(calls) FROM llm_1h"]
print(*(store.ask("SELECT " + question).rows[0][0] for question in questions))
store.close()
"""


def test_the_process_that_migrated_names_blocks_as_the_next_does(tmp_path: Path) -> None:
    (tmp_path / "segment").write_bytes(frame(body("svc", *(call(1 + k) for k in range(CALLS)))))
    command = [sys.executable, "-c", ONCE, str(tmp_path)]
    counts = [subprocess.run(command, capture_output=True, text=True, check=True).stdout.split() for _ in range(2)]
    assert counts == [[str(CALLS)] * 4] * 2

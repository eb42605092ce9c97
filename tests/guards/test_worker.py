"""A model in a process of its own: what askers see of its deaths, and what it makes of many askers."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from spanward.guards.detectors import worker as workers
from spanward.guards.detectors.worker import State, Worker, WorkerError, states

MODULE = str(Path(__file__).with_name("worker_models.py"))
Make = Callable[..., Worker]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "batches"


@pytest.fixture
def make(log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Workers of `worker_models.py`, by its path: it is in no package."""
    monkeypatch.setenv("WORDS_GATE", str(tmp_path / "gate"))
    monkeypatch.setattr(workers, "_STARTER", ["-P"])
    made: list[Worker] = []

    def one(how: str = "words", **limits: float) -> Worker:
        made.append(Worker(MODULE, [how, str(log)], **{"timeout_s": 20, "startup_s": 20, "silent_s": 20, **limits}))
        return made[-1]

    yield one
    for worker in made:
        worker.close()


def until(seen: Callable[[], Any], what: str = "") -> Any:
    deadline = time.monotonic() + 20
    while not (found := seen()):
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.01)
    return found


def batches(log: Path) -> list[list[str]]:
    return [line.split() for line in log.read_text().splitlines()] if log.exists() else []


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_answers_go_to_whom_they_belong(make: Make) -> None:
    worker = make()
    texts = [[f"{'a' * n} {'b' * (n + 1)}", "", "c"] for n in range(1, 30)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(worker.ask, texts))
    assert answers == [
        [
            {"length": [(n + 1) / 1000, n + 1, 2 * n + 2], "toxicity": [0.5, 0, n]},
            {},
            {"length": [0.001, 0, 1], "toxicity": [0.5, 0, 1]},
        ]
        for n in range(1, 30)
    ]
    assert worker.state == State("words", True, 0, 0, 0, 0, "")
    assert states() == [worker.state]


def test_what_waits_together_is_scored_together(make: Make, log: Path, tmp_path: Path) -> None:
    worker = make()
    with ThreadPoolExecutor(9) as pool:
        first = pool.submit(worker.ask, ["wait"])
        until(lambda: batches(log) == [["wait"]])
        others = [pool.submit(worker.ask, [word]) for word in ("aa", "bb", "cc", "x" * 40, "dd")]
        until(lambda: worker.state.waiting == 6)
        (tmp_path / "gate").touch()
        for future in (first, *others):
            assert future.result()
    assert sorted(map(sorted, batches(log)[1:])) == [["aa", "bb", "cc", "dd"], ["x" * 40]]


def test_a_short_question_does_not_wait_for_the_end_of_a_long_one(make: Make) -> None:
    worker = make()
    worker.ask(["up"])
    done: list[str] = []
    long = " ".join("slow" + "y" * (20 * (n % 12)) + str(n) for n in range(60))

    def ask(text: str, name: str) -> None:
        worker.ask([text])
        done.append(name)

    askers = [threading.Thread(target=ask, args=(long, "long"))]
    askers[0].start()
    until(lambda: worker.state.waiting == 1)
    askers.append(threading.Thread(target=ask, args=("z" * 500, "short")))
    askers[1].start()
    for asker in askers:
        asker.join(30)
    assert done == ["short", "long"]


def test_a_window_is_scored_once_however_often_it_comes(make: Make, log: Path) -> None:
    worker = make()
    first = worker.ask(["one two", "three"])
    assert worker.ask(["one two", "three"]) == first
    worker.ask(["two four"])
    assert sorted(word for batch in batches(log) for word in batch) == ["four", "one", "three", "two"]


@pytest.mark.parametrize("text", ["fail", "good fail", "uncut", "nan"])
def test_a_failure_is_its_own_questions_and_quotes_nothing(make: Make, log: Path, tmp_path: Path, text: str) -> None:
    worker = make()
    with ThreadPoolExecutor(9) as pool:
        first = pool.submit(worker.ask, ["wait"])
        until(lambda: batches(log))
        failing = pool.submit(worker.ask, [text])
        others = [pool.submit(worker.ask, [word]) for word in ("fall", "fell", "good")]
        until(lambda: worker.state.waiting == 5)
        (tmp_path / "gate").touch()
        for future in (first, *others):
            assert future.result()[0]["toxicity"][0] == 0.5
        with pytest.raises(WorkerError, match=r"^the model failed with (ValueError|ArithmeticError)$"):
            failing.result()
    assert worker.state.restarts == 0


def test_what_a_library_prints_is_no_answer(make: Make) -> None:
    assert make().ask(["print"])[0]["length"] == [0.005, 0, 5]


def test_killed_in_the_middle_of_a_question(make: Make, log: Path, tmp_path: Path) -> None:
    """Who is at hand is told at once, who waits is answered by the next process."""
    worker = make()
    old = worker.pid
    assert old is not None
    with ThreadPoolExecutor(3) as pool:
        at_hand = pool.submit(worker.ask, ["wait"])
        until(lambda: batches(log))
        behind = pool.submit(worker.ask, ["behind"])
        until(lambda: worker.state.waiting == 2)
        os.kill(old, signal.SIGKILL)
        with pytest.raises(WorkerError, match=r"^the model's process died; another is started$"):
            at_hand.result(timeout=60)
        assert behind.result(timeout=60)[0]["length"] == [0.006, 0, 6]
    assert worker.pid not in {None, old}
    assert worker.state == State("words", True, 1, 0, 0, 0, "")


def test_trouble_shows_until_a_question_is_answered_again(make: Make, tmp_path: Path) -> None:
    worker = make()
    (tmp_path / "gate").touch()
    with pytest.raises(WorkerError):
        worker.ask(["fail"])
    assert worker.trouble == "the model failed with ValueError"
    worker.ask(["good"])
    assert worker.trouble == ""


def test_a_hung_process_is_killed_and_each_asker_keeps_its_own_limit(make: Make) -> None:
    worker = make(silent_s=1)
    old = worker.pid
    assert old is not None
    started = time.monotonic()
    with pytest.raises(WorkerError, match=r"^the model gave no answer within 0\.2 s$"):
        worker.ask(["hang"], timeout_s=0.2)
    assert time.monotonic() - started < 1
    assert "no answer within 0.2 s" in worker.trouble
    assert worker.ask(["behind"])[0]["length"] == [0.006, 0, 6]
    assert worker.pid not in {None, old}
    assert gone(old)
    assert (worker.state.restarts, worker.state.timeouts) == (1, 1)


def test_a_question_larger_than_the_pipe_does_not_hang_on_a_stopped_process(make: Make) -> None:
    worker = make(silent_s=1)
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGSTOP)
    with pytest.raises(WorkerError, match=r"no answer within 0\.3 s"):
        worker.ask(["x" * 5_000_000], timeout_s=0.3)
    assert worker.ask(["y"], timeout_s=20)


def test_an_answer_that_comes_too_late_is_nobody_elses(make: Make, log: Path, tmp_path: Path) -> None:
    worker = make()
    with pytest.raises(WorkerError, match="no answer"):
        worker.ask(["wait" + "w" * 30], timeout_s=0.1)
    with ThreadPoolExecutor(1) as pool:
        next_one = pool.submit(worker.ask, ["next"])
        until(lambda: worker.state.waiting == 1)
        (tmp_path / "gate").touch()
        assert next_one.result()[0]["length"] == [0.004, 0, 4]
    assert worker.state.restarts == 0


def test_what_is_taken_back_is_not_scored(make: Make, log: Path, tmp_path: Path) -> None:
    worker = make()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(worker.ask, ["wait"])
        until(lambda: batches(log))
        with pytest.raises(WorkerError):
            worker.ask(["x" * 50], timeout_s=0.05)
        (tmp_path / "gate").touch()
        first.result()
    worker.ask(["last"])
    assert batches(log) == [["wait"], ["last"]]


def test_a_poisoned_question_kills_twice_and_no_more(make: Make, log: Path, tmp_path: Path) -> None:
    """Who shared its batch is a suspect at first, is then asked alone, and cleared."""
    worker = make()
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(worker.ask, ["wait"])
        until(lambda: batches(log))
        both = [pool.submit(worker.ask, [word]) for word in ("die", "yes")]
        until(lambda: worker.state.waiting == 3)
        (tmp_path / "gate").touch()
        first.result()
        for future in both:
            with pytest.raises(WorkerError, match="process died; another is started"):
                future.result()
    assert sorted(batches(log)[-1]) == ["die", "yes"]
    assert worker.ask(["yes"])
    with pytest.raises(WorkerError, match="process died"):
        worker.ask(["die"])
    with pytest.raises(
        WorkerError, match=r"^the model's process died 2 times at this question; it is not asked again$"
    ):
        worker.ask(["die"])
    until(lambda: worker.state.alive)
    assert worker.ask(["fine and well"])
    assert worker.state.restarts == 2
    assert worker.state.refused == 1


def test_a_process_that_keeps_dying_is_started_again_less_and_less_often(make: Make) -> None:
    """After the second early death there is a pause; who asks then is told at once."""
    worker = make()
    for word in ("die one", "die two"):
        with pytest.raises(WorkerError, match="process died"):
            worker.ask([word])
    started = time.monotonic()
    with pytest.raises(WorkerError, match=r"process died.*\(not tried again at once\)$"):
        worker.ask(["fine"])
    assert time.monotonic() - started < 0.5
    assert not worker.state.alive
    assert "died" in worker.trouble
    until(lambda: worker.state.alive)
    assert worker.ask(["fine"])


def test_a_process_that_cannot_start_any_more(make: Make, log: Path) -> None:
    worker = make()
    Path(f"{log}.gone").touch()
    with pytest.raises(WorkerError):
        worker.ask(["die"])
    until(lambda: "before its model was loaded" in worker.trouble)
    with pytest.raises(WorkerError, match="not tried again at once"):
        worker.ask(["fine"])
    Path(f"{log}.gone").unlink()
    until(lambda: worker.state.alive)
    assert worker.ask(["fine"])
    assert worker.trouble == ""


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("refuse", "^no such model$"),
        ("exit", "^the model's process died before its model was loaded$"),
        ("gibberish", "^the model's process spoke gibberish: JSONDecodeError$"),
    ],
)
def test_a_model_that_does_not_come_up_says_why_at_once(make: Make, how: str, why: str) -> None:
    with pytest.raises(WorkerError, match=why):
        make(how)
    assert states() == []


def test_closing_ends_the_process_and_tells_who_waits(make: Make, log: Path) -> None:
    worker = make()
    pid = worker.pid
    assert pid is not None
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(worker.ask, ["wait"])
        until(lambda: batches(log))
        worker.close()
        with pytest.raises(WorkerError, match="closed"):
            asked.result(timeout=60)
    until(lambda: gone(pid))
    with pytest.raises(WorkerError, match=r"^the model was closed$"):
        worker.ask(["x"])
    assert states() == []
    worker.close()


def test_a_fork_has_a_worker_of_its_own(log: Path, tmp_path: Path) -> None:
    """In a program of its own: a fork of the test process would have all of its threads' locks."""
    program = f"""
import json, os, sys
from spanward.guards.detectors import worker as workers
workers._STARTER[:] = ["-P"]
worker = workers.Worker({MODULE!r}, ["words", {str(log)!r}])
before = worker.pid
worker.ask(["warm"])
child = os.fork()
if child == 0:
    answer = worker.ask(["forked"])
    os.write(1, (json.dumps([answer[0]["length"], worker.pid]) + "\\n").encode())
    worker.close()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert worker.ask(["parents"])[0]["length"] == [0.007, 0, 7]
assert worker.pid == before and worker.state.restarts == 0
os.write(1, json.dumps(before).encode())
worker.close()
"""
    ended = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", program],
        capture_output=True,
        text=True,
        check=False,
        timeout=250,
    )
    assert ended.returncode == 0, ended.stderr
    (length, theirs), ours = map(json.loads, ended.stdout.splitlines())
    assert length == [0.006, 0, 6]
    assert theirs not in {None, ours}


def test_the_process_ends_with_its_parent(log: Path) -> None:
    program = f"""
import os
from spanward.guards.detectors import worker as workers
workers._STARTER[:] = ["-P"]
worker = workers.Worker({MODULE!r}, ["words", {str(log)!r}])
print(worker.pid, flush=True)
os.kill(os.getpid(), 9)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=250)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    until(lambda: gone(int(ended.stdout)))

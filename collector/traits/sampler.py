"""What texts are like: a thread that looks at a sample of new calls each minute and writes `traits`."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from ...dashboards.ask import Table
from ...dashboards.documents import Documents
from ..gate import place_of
from .baseline import Baseline
from .language import Languages
from .text import READ, form, hashes, vector, words
from .topics import Words
from .window import Watermark, Window, share_out

log = logging.getLogger(__name__)

EVERY_SECONDS = 60.0
MOST_TEXTS = 300
"""A minute, over all services."""
MOST_SERVICES = 100
BASELINE_DAYS = 14
FEWEST_CALLS = 20
"""Calls that must have said a word before it names a topic."""
AT_ONCE = 100
KIND = "topics"

_IN_WINDOW = "ts >= fromUnixTimestamp64Micro({start:Int64}) AND ts < fromUnixTimestamp64Micro({end:Int64})"
_CALLS = f"""SELECT toString(service), count() FROM llm_calls WHERE {_IN_WINDOW} AND content_withheld = ''
GROUP BY service ORDER BY count() DESC, service LIMIT {MOST_SERVICES}"""  # noqa: S608  ours
_SAMPLE = f"""SELECT toString(tenant) AS tenant, toUnixTimestamp64Micro(ts) AS us, trace_id, span_id,
       toString(service) AS service, toString(env) AS env, toString(model) AS model,
       toString(prompt_name) AS prompt_name, toString(prompt_version) AS prompt_version
FROM llm_calls WHERE {_IN_WINDOW} AND content_withheld = '' AND service IN {{services:Array(String)}}
ORDER BY cityHash64(trace_id, span_id) LIMIT {{cap:UInt32}} BY service LIMIT {MOST_TEXTS}"""  # noqa: S608  ours
_TEXTS = f"""SELECT trace_id, span_id, leftUTF8(arrayLast(t -> t != '', arrayMap(
    m -> if(JSONExtractString(m, 'role') = 'user', arrayStringConcat(arrayFilter(t -> t != '', arrayMap(
        p -> if(JSONExtractString(p, 'type') = 'text', JSONExtractString(p, 'content'), ''),
        JSONExtractArrayRaw(m, 'parts'))), ' '), ''),
    JSONExtractArrayRaw(input))), {READ}) AS said
FROM content WHERE {_IN_WINDOW} AND trace_id IN {{traces:Array(String)}} AND span_id IN {{spans:Array(String)}}"""  # noqa: S608  ours


Seen = tuple[str, str, list[str], bool]
"""Service, topic, words, and whether the baseline learned from them."""


class TraitStore(Protocol):
    """The store, as far as it is needed here."""

    def ask(self, sql: str, parameters: Mapping[str, Any] | None = None, *, limit_seconds: float = 30) -> Table: ...

    def insert(self, table: str, rows: Iterable[Mapping[str, Any]], *, token: str = "") -> None: ...


class Traits:
    """`folder` keeps what is usual, `documents` the names of topics. `clock` is in seconds since 1970.

    What was said is looked at and let go of: hashes and numbers stay, and words that many calls said.
    """

    def __init__(
        self,
        store: TraitStore,
        folder: Path,
        documents: Documents,
        clock: Callable[[], float] = time.time,
        *,
        days: int = BASELINE_DAYS,
    ) -> None:
        self._store = store
        self._folder = folder
        self._documents = documents
        self._clock = clock
        self._days = days
        self._languages = Languages()
        self._baselines: dict[str, Baseline] = {}
        self._words: dict[str, Words] = {}
        self._watermark: Watermark | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="spanward-traits", daemon=True)
        self.problem = ""
        self.looked_at = 0

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float = 10) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def report(self) -> dict[str, Any]:
        """For /healthz. `behind_seconds` is how old the newest call is that was looked at; None before the first."""
        done = self._watermark.done if self._watermark else 0
        behind = round(self._clock() - done / 1e6, 1) if done else None
        passed_over = round(self._watermark.passed_over_us / 1e6) if self._watermark else 0
        return {
            "problem": self.problem,
            "behind_seconds": behind,
            "looked_at": self.looked_at,
            "passed_over_seconds": passed_over,
        }

    def look(self) -> int:
        """One round: the texts that were looked at. Raises `QueryFailed`, OSError, ValueError."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._watermark = self._watermark or Watermark(self._folder / "watermark.json")
        window = self._watermark.next(round(self._clock() * 1e6))
        if window is None:
            return 0
        try:
            rows, seen = self._look_at(window)
            self._store.insert("traits", rows, token=window.token)
            for service in sorted({service for service, *_, changed in seen if changed}):
                self._baselines[service].save(self._path(service))
            self._watermark.finish(window)
        except Exception:
            self._baselines.clear()  # they learned from texts that will be looked at again
            raise
        self._name(seen)
        self.looked_at += len(rows)
        return len(rows)

    def _look_at(self, window: Window) -> tuple[list[dict[str, Any]], list[Seen]]:
        """Rows of `traits`, and what they were made of."""
        span = {"start": window.start, "end": window.end}
        calls = dict(self._ask(_CALLS, span).rows)
        if not calls:
            return [], []
        cap = share_out(calls, MOST_TEXTS)
        sample = self._ask(_SAMPLE, {**span, "cap": cap, "services": sorted(calls)}).records()
        sample.sort(key=lambda call: (call["us"], call["trace_id"], call["span_id"]))
        texts = self._texts(span, sample)
        taken = Counter(call["service"] for call in sample)
        rows: list[dict[str, Any]] = []
        seen: list[Seen] = []
        for call in sample:
            service, text = call["service"], texts.get((call["trace_id"], call["span_id"]), "")
            if text:
                traits, found, changed = self._traits(service, text, call["us"])
                rows.append(_row(call, traits, calls[service] / taken[service]))
                seen.append((service, traits["topic"], found, changed))
        return rows, seen

    def _texts(self, span: Mapping[str, int], sample: list[dict[str, Any]]) -> dict[tuple[str, str], str]:
        texts: dict[tuple[str, str], str] = {}
        for start in range(0, len(sample), AT_ONCE):
            some = sample[start : start + AT_ONCE]
            ids = {"traces": [call["trace_id"] for call in some], "spans": [call["span_id"] for call in some]}
            texts |= {(trace, span_id): said for trace, span_id, said in self._ask(_TEXTS, {**span, **ids}).rows}
        return texts

    def _traits(self, service: str, text: str, us: int) -> tuple[dict[str, Any], list[str], bool]:
        found = words(text)
        plain = {"language": self._languages.of(text), "input_form": form(text)}
        baseline = self._baseline(service)
        if baseline is None:
            return {**plain, "topic": "", "new_words": None, "centroid_distance": None}, found, False
        hashed, vector_ = hashes(found), vector(found)
        traits = {
            **plain,
            "topic": baseline.topic(vector_),
            "new_words": baseline.new_words(hashed, us, self._days),
            "centroid_distance": baseline.distance(vector_),
        }
        return traits, found, baseline.learn(vector_, hashed, us, self._days)

    def _baseline(self, service: str) -> Baseline | None:
        """None for services beyond the first `MOST_SERVICES`: names that change all the time must not fill the disk."""
        if service not in self._baselines:
            path = self._path(service)
            if path.exists():
                self._baselines[service] = Baseline.load(path)
            elif len({path.name for path in self._folder.glob("*.npz")} | set(self._baselines)) < MOST_SERVICES:
                self._baselines[service] = Baseline()
        return self._baselines.get(service)

    def _path(self, service: str) -> Path:
        return self._folder / f"{sha256(service.encode()).hexdigest()[:32]}.npz"

    def _name(self, seen: list[Seen]) -> None:
        """Names that were found stay: what is counted is forgotten at a restart."""
        for service, topic, found, _ in seen:
            if topic:
                self._words.setdefault(service, Words(FEWEST_CALLS)).add(topic, found)
        for service in sorted({service for service, topic, *_ in seen if topic}):
            self._name_of(service, self._words[service])

    def _name_of(self, service: str, counted: Words) -> None:
        before = self._documents.get(KIND, service)
        names = {topic["id"]: topic["words"] for topic in before.body["topics"]} if before else {}
        named = {topic: list(found) for topic, found in counted.names().items() if found}
        if any(names.get(topic) != found for topic, found in named.items()):
            all_ = sorted((names | named).items(), key=lambda item: int(item[0].removeprefix("t")))
            topics = [{"id": topic, "words": found} for topic, found in all_]
            self._documents.put(KIND, service, {"service": service, "topics": topics})

    def _ask(self, sql: str, parameters: Mapping[str, Any]) -> Table:
        return self._store.ask(sql, parameters, limit_seconds=20)

    def _run(self) -> None:
        while not self._stopping.wait(EVERY_SECONDS):
            try:
                self.look()
            except Exception as failure:  # noqa: BLE001  told on /healthz; the same window is tried again
                self.problem = f"texts are not looked at: {place_of(failure)}"
                log.warning("%s", self.problem)
            else:
                self.problem = ""


def _row(call: Mapping[str, Any], traits: Mapping[str, Any], sampled_of: float) -> dict[str, Any]:
    kept = {name: value for name, value in call.items() if name != "us"}
    return {**kept, "ts": datetime.fromtimestamp(call["us"] / 1e6, UTC), **traits, "sampled_of": sampled_of}

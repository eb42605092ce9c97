"""Stored calls are priced again by the prices of today, and every rollup with them.

First the calls are changed (their costs are set, not added to), then each rollup gets rows of the difference
between what the calls say now and what it says. Both can be done over again at any moment, so what was cut off
is just repeated: a document holds what is to be done until it is done.
"""

import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from typing_extensions import TypedDict

from ..dashboards import conditions
from ..dashboards.asker import ASKER
from ..dashboards.documents import Documents
from ..dashboards.view import Found, View
from .gate import place_of
from .pricing import Pricing, names_of
from .rates import Rates
from .rollup_corrections import correct
from .store import Store

log = logging.getLogger(__name__)

KIND = "reprice"
MOST_MODELS = 500
DAY_MS = 86_400_000
_GROUPS_AT_ONCE = 50
_PAUSE_S = 60
_OURS = "(price_version != '' OR cost_usd IS NULL) AND input_tokens + output_tokens > 0"
"""Not those whose cost the application itself told: it knows its contract better."""


class Model(TypedDict):
    """Calls of one model whose cost changes; `unpriced` of them had none. `old` and `new` in US dollars."""

    provider: str
    model: str
    calls: int
    unpriced: int
    old: float
    new: float


class LeftOut(TypedDict):
    """Calls that stay as they are because no price is known, or one that depends on the time of day."""

    provider: str
    model: str
    calls: int


class Repriced(TypedDict):
    """`version` of the prices. `applied` is False for a preview. `old` and `new` are of the calls that change."""

    version: str
    applied: bool
    calls: int
    old: float
    new: float
    models: list[Model]
    left_out: list[LeftOut]


@dataclass(frozen=True, slots=True)
class _Group:
    """Calls with one price: of one model, from one day (UTC, milliseconds) to another."""

    provider: str
    asked: str
    answered: str
    start: int
    end: int
    rates: Rates


class Repricing:
    """Thread-safe; one run at a time."""

    def __init__(self, store: Store, pricing: Pricing, documents: Documents) -> None:
        self._store = store
        self._pricing = pricing
        self._documents = documents
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._finish, name="spanward-reprice", daemon=True)
        self.problem = ""

    def start(self) -> None:
        """End what the last run of the sidecar, or a request, could not, in a thread of its own."""
        self._left.set()
        self._thread.start()

    def stop(self, timeout: float = 10) -> None:
        self._stopping.set()
        self._left.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _finish(self) -> None:
        while self._left.wait() and not self._stopping.is_set():
            self._left.clear()
            try:
                if self.finish():
                    log.info("pricing again that was cut off is done")
            except Exception as failure:  # noqa: BLE001  told on /healthz, and tried again
                self.problem = f"prices are half put right: {place_of(failure)}"
                log.warning("%s; next try in %d s", self.problem, _PAUSE_S)
                self._stopping.wait(_PAUSE_S)
                self._left.set()
            else:
                self.problem = ""

    def preview(self, view: View) -> Repriced:
        """What `apply` would change. Raises `QueryFailed`, and ValueError for too many models at once."""
        groups, left_out = self._groups(view)
        models = [row for some in _some(groups) for row in self._changes(view, some)]
        models.sort(key=lambda row: (-abs(row["new"] - row["old"]), row["provider"], row["model"]))
        return {
            "version": self._pricing.version,
            "applied": False,
            "calls": sum(row["calls"] for row in models),
            "old": sum(row["old"] for row in models),
            "new": sum(row["new"] for row in models),
            "models": models,
            "left_out": left_out,
        }

    def apply(self, view: View) -> Repriced:
        """As `preview`, done when it returns. Raises as it; what is left then, the thread does."""
        with self._lock:
            self._end()
            told = self.preview(view)
            if told["calls"]:
                self._documents.put(KIND, "running", asdict(view))
                self._end()
            return {**told, "applied": True}

    def finish(self) -> bool:
        """Do over again what was cut off; whether there was something. Raises as `apply`."""
        with self._lock:
            return self._end()

    def _end(self) -> bool:
        left = self._documents.get(KIND, "running")
        if left is None:
            return False
        asker = ASKER.set(None)  # what has begun is ended, however long it takes and whoever leaves
        try:
            self._run(_view(left.body))
        except BaseException:
            self._left.set()
            raise
        finally:
            ASKER.reset(asker)
        self._documents.remove(KIND, "running")
        return True

    def _run(self, view: View) -> None:
        groups, _ = self._groups(view)
        for some in _some(groups):
            where, parameters = _where(view, some)
            new = _new_cost(some, parameters)
            parameters["version"] = self._pricing.version
            # the version first: both assignments read the row as it was
            self._store.command(
                self._store.render(
                    f"ALTER TABLE llm_calls${{local}} ${{on_cluster}} UPDATE price_version = {{version:String}}, "
                    f"cost_usd = {new} WHERE {where} AND {_differs(new)} SETTINGS mutations_sync = 2"
                ),
                parameters,
            )
        correct(self._store, view.start, view.end)

    def _groups(self, view: View) -> tuple[list[_Group], list[LeftOut]]:
        where = conditions.calls(view)
        sql = f"""SELECT provider, request_model, model, count() AS calls, countIf(cost_usd IS NULL) AS unpriced
FROM llm_calls WHERE {where.sql} AND {_OURS} GROUP BY ALL ORDER BY ALL LIMIT {MOST_MODELS + 1}"""
        rows = self._store.ask(sql, where.parameters).rows
        if len(rows) > MOST_MODELS:
            raise ValueError(f"more than {MOST_MODELS} models at once: choose a provider, an app or a shorter range")
        groups: list[_Group] = []
        left_out: list[LeftOut] = []
        for provider, asked, answered, calls, unpriced in rows:
            found = self._of_model(view, provider, asked, answered)
            groups += found
            if not found:
                left_out.append({"provider": provider, "model": answered, "calls": unpriced or calls})
        return groups, left_out

    def _of_model(self, view: View, provider: str, asked: str, answered: str) -> list[_Group]:
        found: list[_Group] = []
        for day in range(view.start // DAY_MS * DAY_MS, view.end, DAY_MS):
            rates = self._rates(provider, asked, answered, day)
            if found and found[-1].rates == rates and found[-1].end == day:
                found[-1] = replace(found[-1], end=day + DAY_MS)
            elif rates:
                found.append(_Group(provider, asked, answered, day, day + DAY_MS, rates))
        return found

    def _rates(self, provider: str, asked: str, answered: str, day: int) -> Rates | None:
        at = datetime.fromtimestamp(day / 1000, UTC)
        for name in names_of(provider, answered, asked):
            if rates := self._pricing.rates(provider, name, at):
                return rates
        return None

    def _changes(self, view: View, groups: Sequence[_Group]) -> list[Model]:
        where, parameters = _where(view, groups)
        new = _new_cost(groups, parameters)
        sql = f"""SELECT provider, model, count() AS calls, countIf(isNull(was)) AS unpriced,
  sum(ifNull(was, 0)) AS old, sum(becomes) AS new FROM (
  SELECT provider, model, cost_usd AS was, {new} AS becomes FROM llm_calls WHERE {where} AND {_differs(new)}
) GROUP BY provider, model"""
        rows: Any = self._store.ask(sql, parameters).records()
        return list(rows)


def _view(body: Mapping[str, Any]) -> View:
    """From the JSON of a view, which has lists where it has tuples."""
    chosen, refused = ({name: tuple(v) for name, v in body[key].items()} for key in ("chosen", "refused"))
    found = body["found"] and Found(**{**body["found"], "keys": tuple(body["found"]["keys"])})
    return View(**{**body, "chosen": chosen, "refused": refused, "found": found})


def _some(groups: Sequence[_Group]) -> Iterator[Sequence[_Group]]:
    """Of one model only together: what is summed up by model must not come in two parts."""
    by_model = sorted(groups, key=lambda group: (group.provider, group.answered))
    while by_model:
        some, by_model = by_model[:_GROUPS_AT_ONCE], by_model[_GROUPS_AT_ONCE:]
        while by_model and (by_model[0].provider, by_model[0].answered) == (some[-1].provider, some[-1].answered):
            some.append(by_model.pop(0))
        yield some


def _where(view: View, groups: Sequence[_Group]) -> tuple[str, dict[str, Any]]:
    """SQL and parameters: calls of the view, of these models, whose cost is ours."""
    where = conditions.calls(view)
    models = sorted({(group.provider, group.answered) for group in groups})
    parameters = where.parameters | {"providers": [p for p, _ in models], "models": [m for _, m in models]}
    named = "provider IN {providers:Array(String)} AND model IN {models:Array(String)}"
    return f"{where.sql} AND {_OURS} AND {named}", parameters


def _new_cost(groups: Sequence[_Group], parameters: dict[str, Any]) -> str:
    """SQL of the new cost, NULL for none; puts the names of the models into `parameters`."""
    steps = []
    for i, group in enumerate(groups):
        parameters |= {f"p{i}": group.provider, f"q{i}": group.asked, f"m{i}": group.answered}
        parameters |= {f"s{i}": group.start, f"e{i}": group.end}
        steps.append(
            f"provider = {{p{i}:String}} AND request_model = {{q{i}:String}} AND model = {{m{i}:String}} AND "
            f"ts >= fromUnixTimestamp64Milli({{s{i}:Int64}}) AND ts < fromUnixTimestamp64Milli({{e{i}:Int64}}), "
            f"{group.rates.sql()}"
        )
    return f"toNullable(toFloat64(multiIf({', '.join(steps)}, NULL)))"


def _differs(new: str) -> str:
    return f"ifNull({new} IS NOT NULL AND (cost_usd IS NULL OR abs({new} - cost_usd) > 1e-9 * {new} + 1e-12), 0)"

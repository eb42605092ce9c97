"""The threads that evaluate alert rules and send what there is to tell, and what /metrics shows of them."""

import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ..dashboards.alerts import kept, pulse
from ..dashboards.alerts.delivery import Delivery
from ..dashboards.alerts.engine import Engine, Round
from ..dashboards.alerts.prometheus import FIRING, ROUND
from ..dashboards.alerts.sending import send
from ..dashboards.alerts.sources import others
from ..dashboards.api.means import Means
from ..dashboards.documents import Documents
from ..dashboards.drift.rounds import KEPT_MS, round_at
from .gate import place_of

log = logging.getLogger(__name__)
DELIVER_SECONDS = 5.0
STOP_SECONDS = 5.0
FIRST_SECONDS = 5.0
"""Before the first round: a sidecar that was just started has a log to ingest."""
UNMEASURED = "a rule could not be measured, or its history not written: the page Alerts says why"


def report_of(documents: Documents, now: int, begun: int) -> dict[str, Any]:
    """For Health, in no words but ours: what a store says of a question may quote it. Times as for `pulse.problem`."""
    last = kept.last_round(documents)
    problem = pulse.problem(documents, now, begun) or (UNMEASURED if last.problem else "")
    return {"problem": problem, "waiting": last.waiting, "lost": last.lost}


class Alarms(Collector):
    """Two threads, so that a receiver that hangs delays no judgement. `address` is where the page is by itself."""

    def __init__(self, means: Means, address: Callable[[], str]) -> None:
        self._means = means
        self._own_address = address
        self.engine = Engine(means.ask, means.insert, means.documents, others(means), self._address)
        self.delivery = Delivery(means.documents, means.insert, send)
        self._last: Round | None = None
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._rounds, name="alerts", daemon=True),
            threading.Thread(target=self._deliveries, name="notifications", daemon=True),
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """What is being sent now is sent again after the next start, if it cannot end in time."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(STOP_SECONDS)

    def round(self) -> None:
        """One round, now. A failure of ours is told and costs this round only."""
        try:
            self._last = self.engine.round(round(self._means.clock() * 1000))
        except Exception as failure:  # noqa: BLE001  the next round tries again
            log.error("alert rules could not be evaluated: %s", place_of(failure))  # noqa: TRY400
            return
        if self._last.problem:
            log.warning("alerts: %s", self._last.problem)

    def look_ahead(self) -> None:
        """Judges drift anew before what is kept of it grows old, so that whoever opens its page need not wait."""
        now = round(self._means.clock() * 1000)
        try:
            round_at(self._means.ask, now, self._means.documents, kept_ms=KEPT_MS // 2)
        except Exception as failure:  # noqa: BLE001  the page tells it when it asks itself
            log.warning("drift could not be judged: %s", place_of(failure))

    def deliver(self) -> None:
        try:
            problem = self.delivery.turn(round(self._means.clock() * 1000))
        except Exception as failure:  # noqa: BLE001  the outbox keeps what was not sent
            log.error("notifications could not be sent: %s", place_of(failure))  # noqa: TRY400
            return
        if problem:
            log.warning("alerts: %s", problem)

    def collect(self) -> Iterator[Metric]:
        last = self._last
        firing = GaugeMetricFamily(FIRING, "Whether an alert rule fires", labels=("rule", "name", "group", "severity"))
        for one in last.shown if last else ():
            firing.add_metric((one.rule, one.name, one.group, one.severity), float(one.firing))
        yield firing
        yield GaugeMetricFamily(ROUND, "When alert rules were last evaluated", last.at / 1000 if last else 0.0)

    def _address(self) -> str:
        return str(kept.settings_of(self._means.documents).get("address", "")) or self._own_address()

    def _rounds(self) -> None:
        pause = FIRST_SECONDS
        while not self._stopping.wait(pause):
            self.round()
            self.look_ahead()
            pause = self._pause()

    def _pause(self) -> float:
        try:
            return kept.every_s(self._means.documents)
        except Exception as failure:  # noqa: BLE001  a disk that is full for a minute must not end the thread
            log.error("the settings of alerts cannot be read: %s", place_of(failure))  # noqa: TRY400
            return kept.DEFAULT_EVERY_S

    def _deliveries(self) -> None:
        while not self._stopping.wait(DELIVER_SECONDS):
            self.deliver()

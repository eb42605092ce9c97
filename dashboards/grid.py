"""The time axis of a chart: which step, and which table answers for it."""

from dataclasses import dataclass, replace

from .conditions import ROLLED
from .view import View

STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 259200, 604800)
MOST_POINTS = 120


@dataclass(frozen=True, slots=True)
class Grid:
    """`view` widened to whole steps, `step` in seconds. `rolled`: the rollup by the minute can answer exactly."""

    view: View
    step: int
    rolled: bool

    @property
    def seconds(self) -> range:
        """When each step begins."""
        return range(self.view.start // 1000, self.view.end // 1000, self.step)


def lay(view: View) -> Grid:
    """The finest step that keeps a chart under `MOST_POINTS` points, begun at a whole step of the clock (UTC)."""
    span_s = (view.end - view.start) / 1000
    step = next((s for s in STEPS_S if span_s / s <= MOST_POINTS), STEPS_S[-1])
    width = step * 1000
    start, end = view.start // width * width, -(-view.end // width) * width
    return Grid(replace(view, start=start, end=end), step, rolled=step >= 60 and view.named <= ROLLED)


def before(grid: Grid, now: int) -> View:
    """The stretch of the same length before it, to compare with; a running period is compared up to the same minute."""
    length = min(grid.view.end, max(now // 60000 * 60000 + 60000, grid.view.start + 60000)) - grid.view.start
    return replace(grid.view, start=grid.view.start - length, end=grid.view.start)

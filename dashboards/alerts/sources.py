"""Where rules look that are not counted in the store; one line a source."""

from ..api.means import Means
from ..drift.rounds import drifting
from .drift_alarms import of_drift
from .measuring import Others, of_sidecar


def others(means: Means) -> Others:
    """Of one sidecar."""
    return {
        "sidecar": of_sidecar(means.sidecar),
        "drift": of_drift(means.ask, lambda ask, now: drifting(ask, now, means.documents)),
    }

"""Where rules look that are not counted in the store; one line a source."""

from ..api.means import Means
from .measuring import Others, of_sidecar


def others(means: Means) -> Others:
    """Of one sidecar."""
    return {"sidecar": of_sidecar(means.sidecar)}

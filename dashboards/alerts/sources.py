"""Where rules look that are not counted in the store; one line a source."""

from collections.abc import Callable, Mapping
from typing import Any

from ..ask import Ask
from .measuring import Others, of_sidecar


def others(_ask: Ask, sidecar: Callable[[], Mapping[str, Any]]) -> Others:
    """`sidecar` gives what /healthz says."""
    return {"sidecar": of_sidecar(sidecar)}

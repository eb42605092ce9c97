"""Where the spans of this user's applications wait: the tracer writes there, the sidecar takes over from the dead."""

import os
from collections.abc import Mapping
from pathlib import Path


def spool_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """`$SPANWARD_SPOOL`, else under the XDG state folder, which counts only if it is absolute."""
    if given := environ.get("SPANWARD_SPOOL"):
        return Path(given)
    state = environ.get("XDG_STATE_HOME", "")
    return (Path(state) if state.startswith("/") else Path.home() / ".local" / "state") / "spanward" / "spool"

"""One rule for where spools lie, for those who write and for the sidecar that takes over."""

from pathlib import Path

import pytest

from spanward.tracer.spool_folder import spool_folder

HOME = Path.home() / ".local" / "state" / "spanward" / "spool"


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({}, HOME),
        ({"SPANWARD_SPOOL": "/spool", "XDG_STATE_HOME": "/state"}, Path("/spool")),
        ({"SPANWARD_SPOOL": ""}, HOME),
        ({"XDG_STATE_HOME": "/state"}, Path("/state/spanward/spool")),
        ({"XDG_STATE_HOME": "state"}, HOME),
        ({"XDG_STATE_HOME": ""}, HOME),
    ],
)
def test_where_spools_lie(environ: dict[str, str], folder: Path) -> None:
    assert spool_folder(environ) == folder

"""`python -m spanward.dashboards.grafana [FOLDER]`: writes the boards, of a checkout to docker/grafana/dashboards."""

import sys
from pathlib import Path

from .board import board
from .boards import BOARDS

FOLDER = Path(__file__).parents[2] / "docker" / "grafana" / "dashboards"


def main(arguments: list[str]) -> None:
    folder = Path(arguments[0]) if arguments else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for name, (title, panels) in BOARDS.items():
        (folder / f"{name}.json").write_text(board(name, title, panels))


if __name__ == "__main__":
    main(sys.argv[1:])

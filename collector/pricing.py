"""What a call cost."""

from pathlib import Path


class Pricing:
    """`Pricing(overrides: Path | None = None)`; the file holds private prices (YAML or JSON). ValueError if it is wrong."""

    version: str

    def __init__(self, overrides: Path | None = None) -> None: ...

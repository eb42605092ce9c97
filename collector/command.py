"""What every command of the command line shares: how it says that it cannot go on."""

FAILED, CANNOT = 1, 2
"""Exit codes: it was tried and failed; what was asked for cannot be done."""


class CommandError(Exception):
    """Ends a command with this text on stderr; it says what is wrong and what to do next."""

    def __init__(self, text: str, code: int = CANNOT) -> None:
        super().__init__(text)
        self.code = code

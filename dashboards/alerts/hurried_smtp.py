"""A mail server that is hung up on when its time is over, however busy it goes on talking."""

import smtplib
import socket
import threading
from contextlib import suppress

from .refused import LONGEST_S


class Hurried(smtplib.SMTP):
    """Hangs up after `LONGEST_S`, whatever comes meanwhile."""

    def connect(self, host: str = "localhost", port: int = 0, source_address: object = None) -> tuple[int, bytes]:
        self._end = threading.Timer(LONGEST_S, self._hang_up)
        self._end.daemon = True
        self._end.start()
        return super().connect(host, port, source_address)  # type: ignore[arg-type]  # as smtplib itself hands it on

    def close(self) -> None:
        self._end.cancel()
        super().close()

    def _hang_up(self) -> None:
        with suppress(OSError):
            if self.sock:
                self.sock.shutdown(socket.SHUT_RDWR)


class HurriedTls(Hurried, smtplib.SMTP_SSL):
    """From the first byte on."""

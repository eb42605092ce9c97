"""From the log into the store, in order, exactly once."""

from collections.abc import Callable


class Ingestor:
    """`Ingestor(store, wal, review)`: a thread between `.start()` and `.stop()`.

    `review(segment bytes)` gives the bytes of a companion segment (run_guardrail spans of rules that only flag) or
    None. `.lag_seconds`: age of the oldest span that is acknowledged and not yet queryable (0.0 when none).
    `.queue_bytes`: bytes of the log that wait. `.bad`: segments set aside. `.ingested_segments`, `.errors`: counters.
    """

    review: Callable[[bytes], bytes | None]

    def start(self) -> None: ...
    def stop(self, timeout: float = 10) -> None: ...
    def wait_empty(self, timeout: float) -> bool:
        """Whether all that was acknowledged before this call is queryable within `timeout` seconds."""
        raise NotImplementedError

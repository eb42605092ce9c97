"""One `instrument()` for the tests of a module, with guards in this process and spans in memory."""

from ..inmemory import instrumented, spans, untraced

__all__ = ["instrumented", "spans", "untraced"]

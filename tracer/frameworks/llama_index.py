"""LlamaIndex: query engines, retrievers, agents, workflows and tools, as its own dispatcher tells them."""

from collections.abc import Callable
from typing import Any

from ..adapter import Adapter, Narrator


def listen(narrator: Narrator) -> Callable[[], None]:
    """Add a handler of spans and one of events to the root dispatcher, which hears of all."""
    from llama_index_instrumentation import root_dispatcher

    from .llama_index_listener import Listener

    listener: Any = Listener(narrator)  # by the names of its methods, not by its bases
    root_dispatcher.span_handlers = [*root_dispatcher.span_handlers, listener]
    root_dispatcher.event_handlers = [*root_dispatcher.event_handlers, listener]
    unfollow = narrator.follow(listener.here)

    def undo() -> None:
        unfollow()
        root_dispatcher.span_handlers = [one for one in root_dispatcher.span_handlers if one is not listener]
        root_dispatcher.event_handlers = [one for one in root_dispatcher.event_handlers if one is not listener]

    return undo


ADAPTER = Adapter(
    library="llama_index.core",
    distribution="llama-index-core",
    oldest="0.14.0",
    below="0.15",
    listen=listen,
)

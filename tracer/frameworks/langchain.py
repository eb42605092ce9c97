"""LangChain and LangGraph: the outermost chain or graph, agents, tools and retrievers, as their callbacks tell them."""

from collections.abc import Callable, Hashable
from contextvars import ContextVar
from typing import Any

from ..adapter import Adapter, Narrator


def listen(narrator: Narrator) -> Callable[[], None]:
    """Have LangChain add our handler to every run, as a configure hook does: its way for tracers."""
    from langchain_core.runnables.config import var_child_runnable_config
    from langchain_core.tracers import context

    from .langchain_listener import Listener

    listener = Listener(narrator)
    hook: ContextVar[Any] = ContextVar("spanward_langchain", default=listener)
    context.register_configure_hook(hook, inheritable=True)

    def running() -> Hashable | None:
        config = var_child_runnable_config.get()
        run = getattr(config.get("callbacks"), "parent_run_id", None) if config else None
        return None if run is None else listener.place(run)

    followed = (narrator.follow(running), narrator.follow(listener.here))

    def undo() -> None:
        listener.over = True
        context._configure_hooks[:] = [h for h in context._configure_hooks if h[0] is not hook]  # noqa: SLF001  the only way back
        for unfollow in followed:
            unfollow()

    return undo


ADAPTER = Adapter(
    library="langchain_core",
    distribution="langchain-core",
    oldest="1.0",
    below="2",
    listens_to="langchain_core.tracers.context",
    listen=listen,
)

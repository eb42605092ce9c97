"""The handler that LlamaIndex's dispatcher tells of every span and event, and where the code that runs now belongs.

Imports LlamaIndex: only to be imported where that is there already.
"""

import threading
import time
import weakref
from collections.abc import Hashable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from llama_index_instrumentation.span import active_span_id

from ...guards.messages import Message
from .. import health
from ..adapter import Narrator
from ..call import ModelCall
from . import llama_index_records as records
from .llama_index_records import Record, Told

MOST_SPANS = 10_000
"""Of the framework's, at the same time, that we remember the place of."""
UUID_LENGTH = 37
"""Of what follows the method's name in the id of a span, with its hyphen."""
STREAMS = {
    "LLMChatInProgressEvent", "LLMCompletionInProgressEvent", "LLMChatEndEvent", "LLMCompletionEndEvent",
    "ExceptionEvent",
}  # fmt: skip

_lately: ContextVar[str] = ContextVar("spanward_llama_index", default="")
"""The operation that gave a stream here last. Its model may be asked only when that is read, by nobody's span."""


@dataclass(slots=True, eq=False)
class Place:
    """One of the framework's spans. `around` is the nearest one that is told, `operation` that of what runs in it."""

    id: str
    around: "Place | None"
    instance: Any = None
    told: Told | None = None
    given: Mapping[str, Any] | None = None
    record: Record | None = None
    streams: bool = False
    """It gave a stream, and ends with that."""
    latest: Any = None
    """What a model said so far, all of it."""

    @property
    def operation(self) -> str | None:
        """A model call is none: it may turn out to be told by our own span of it."""
        if self.record is not None and not isinstance(self.record, ModelCall):
            return self.id
        return self.around.operation if self.around is not None else None


class Listener:
    """A handler of spans and of events in one, by the names of the methods that the dispatcher calls."""

    def __init__(self, narrator: Narrator) -> None:
        self._narrator = narrator
        self._places: dict[str, Place] = {}
        self.open_spans: dict[str, Any] = {}

    def span_enter(
        self, id_: str, bound_args: Any, instance: Any = None, parent_id: str | None = None, **_: Any
    ) -> None:
        health.fenced("llama_index.enter", self._enter, id_, bound_args, instance, parent_id)

    def span_exit(self, id_: str, bound_args: Any, instance: Any = None, result: Any = None, **_: Any) -> None:  # noqa: ARG002  the dispatcher gives them by name
        health.fenced("llama_index.exit", self._exit, id_, result)

    def span_drop(self, id_: str, bound_args: Any, instance: Any = None, err: Any = None, **_: Any) -> None:  # noqa: ARG002  as above
        health.fenced("llama_index.drop", self._drop, id_, err)

    def handle(self, event: Any, **_: Any) -> None:
        if type(event).__name__ in STREAMS:
            health.fenced("llama_index.event", self._streamed, event)

    async def ahandle(self, event: Any, **_: Any) -> None:
        self.handle(event)

    def capture_propagation_context(self) -> dict[str, Any]:
        return {}

    def restore_propagation_context(self, context: dict[str, Any]) -> None:
        """Nothing of ours crosses a process."""

    def close(self) -> None:
        """What is open is told by its own end."""

    def here(self) -> Hashable | None:
        """The operation that the calling code runs in."""
        place = self._places.get(active_span_id.get() or "")
        if place is not None:
            return place.operation
        lately = _lately.get()
        return lately if lately in self._places else None

    def _enter(self, id_: str, bound_args: Any, instance: Any, parent_id: str | None) -> None:
        told = None if instance is None else records.kind_of(type(instance), id_[:-UUID_LENGTH].rpartition(".")[2])
        above = self._places.get(parent_id or "")
        if above is None and (told is None or told.family == "model"):
            above = self._places.get(_lately.get())
        around = above if above is None or above.record is not None else above.around
        place = self._places[id_] = Place(id_, around, instance)
        self._bound()
        if told is None or _is_step(told, instance, around):
            return
        given = bound_args.arguments
        place.told, place.given, place.record = told, given, told.begin(instance, given)
        self._narrator.begin(id_, place.record, around.operation if around is not None else None)

    def _exit(self, id_: str, result: Any) -> None:
        place = self._places.get(id_)
        if place is None:
            return
        if place.record is not None and _gives_later(result):
            place.streams = True
            if not isinstance(place.record, ModelCall):
                _lately.set(id_)
            self._forget_with(result, id_)
            return
        self._places.pop(id_, None)
        if place.record is not None:
            self._fill(place, result)
            self._narrator.end(id_)

    def _drop(self, id_: str, error: BaseException | None) -> None:
        place = self._places.pop(id_, None)
        if place is not None and place.record is not None:
            if isinstance(place.record, ModelCall):
                self._fill(place, None)
            self._narrator.end(id_, error=None if _is_no_failure(error) else error)

    def _fill(self, place: Place, result: Any) -> None:
        if place.told is not None and place.record is not None and self._narrator.waits(place.id):
            health.fenced("llama_index.result", place.told.end, place.record, place.given or {}, result)

    def _streamed(self, event: Any) -> None:
        place = self._places.get(event.span_id or "")
        if place is None or not place.streams or not isinstance(place.record, ModelCall):
            return
        call, name = place.record, type(event).__name__
        if name.endswith("InProgressEvent"):
            call.stream = True
            call.first_chunk_ns = call.first_chunk_ns or time.time_ns()
            call.chunks += 1
            place.latest = event.response
            return
        error = getattr(event, "exception", None)
        response = getattr(event, "response", None) or place.latest
        call.stream_end = "complete" if error is None else "closed" if _is_no_failure(error) else "error"
        self._over(place, response, None if _is_no_failure(error) else error)

    def _over(self, place: Place, response: Any, error: BaseException | None) -> None:
        """The stream of a model ended, and with it what gave it to the application."""
        self._places.pop(place.id, None)
        self._fill(place, response)
        self._narrator.end(place.id, error=error)
        found = records.streamed(records.text_of(response))
        above = place.around
        while above is not None:
            if above.streams:
                self._end(above, found, error)
            above = above.around

    def _end(self, place: Place, found: tuple[Message, ...] = (), error: BaseException | None = None) -> None:
        if self._places.pop(place.id, None) is not None:
            self._narrator.end(place.id, found, error)

    def _forget_with(self, result: Any, id_: str) -> None:
        """A stream that nobody ever began to read tells nothing of its end."""
        held = vars(result) if hasattr(result, "__dict__") else {}
        stream = held.get("response_gen") or held.get("_async_response_gen") or result
        try:
            weakref.finalize(stream, self._unread, id_).atexit = False
        except TypeError:  # no weak references: it is told at the end of the process
            return

    def _unread(self, id_: str) -> None:
        """If a model was asked, its own stream says that it was closed, or is still read."""
        place = self._places.get(id_)
        if place is None or any(one.around is place for one in list(self._places.values())):
            return
        if isinstance(place.record, ModelCall):
            if place.record.chunks:
                return
            self._places.pop(id_, None)
            self._narrator.drop(id_)
            place = place.around
        if place is not None and place.streams:
            # not here: a collection of garbage may come at any moment, and the guards have locks
            threading.Thread(target=self._end, args=(place,), daemon=True).start()

    def _bound(self) -> None:
        if len(self._places) > MOST_SPANS:
            for id_ in list(self._places)[: MOST_SPANS // 10]:
                self._places.pop(id_, None)


def _is_step(told: Told, instance: Any, around: Place | None) -> bool:
    """Whether the same object called another of its methods for the same purpose."""
    return (
        around is not None
        and around.told is not None
        and around.told.family == told.family
        and around.instance is instance
    )


def _gives_later(result: Any) -> bool:
    """Generators, and answers around them. Nothing else is asked of it."""
    name = type(result).__name__
    return hasattr(result, "__next__") or hasattr(result, "__anext__") or "Streaming" in name


def _is_no_failure(error: BaseException | None) -> bool:
    """A stream that was closed, or a step that waits for a person."""
    return isinstance(error, GeneratorExit) or type(error).__name__ in {"WaitingForEvent", "WorkflowCancelledByUser"}

"""What becomes of each chunk of a stream: read, held back, restored, and recorded once the stream ends."""

from collections.abc import Callable, Hashable
from time import monotonic, time_ns
from typing import TYPE_CHECKING, Any, cast

from ..guards.judgement import Decision, StreamPlan
from ..guards.messages import Message, Part, Path
from . import bound, estimate, health, logprobs, paths
from .adapter import ChunkView, Delta, Lane, QuickReader, never
from .blocked import ModelCallBlocked
from .call import StreamEnd
from .outgoing import judges_output, merged

if TYPE_CHECKING:
    from ..guards.holdback import HoldBack, Released
    from .run import Run

TRIM_EVERY = 256
"""Whether too much was kept is looked at once in so many chunks."""


def _lane(recorded: dict[Hashable, list[str]], free: set[Hashable] | None) -> Lane:
    """Where texts of a channel may be added, None where somebody has to look at them: it is not `free`.

    It does not know the passage, which knows the reader that it is for.
    """

    def lane(channel: Hashable) -> list[str] | None:
        return recorded.setdefault(channel, []) if free is None or channel in free else None

    return lane


class Passage:
    """What becomes of each chunk. `take` and `last` may block (a guard is asked) when `blocks` is set.

    `adds(chunk)` is whether a chunk only added to a text that nobody has to look at, as nearly all of a stream do: then
    all is done but for the time, by the library's reader alone. Whoever asks it himself takes one in `TRIM_EVERY`.
    """

    def __init__(self, run: "Run") -> None:
        self.run = run
        reader = None if run.unreadable else run.endpoint.reader
        self._reader = health.fenced("reader", reader, run.call) if reader else None
        self._codec = run.endpoint.codec
        self.reading = False
        self._recorded: dict[Hashable, list[str]] = {}
        self._delivered: dict[Hashable, list[str]] = {}
        self._held: dict[Hashable, HoldBack] = {}
        self._decisions: list[Decision] = []
        self._json: set[Hashable] = set()
        self._measured: dict[Hashable, tuple[int, int]] = {}
        self._left_out: dict[Hashable, int] = {}
        self._silent = False
        self.last_s = 0.0
        self.longest_s = -1.0
        self._taken = self._noted = 0
        """Chunks that were taken, and texts that are kept of them: all others were added."""
        self._until_trim = TRIM_EVERY
        self._hides = run.hides
        decision = run.call.guarded_input
        self._plan = decision.stream if decision else None
        self._pseudonyms = decision.pseudonyms if decision else {}
        self.blocks = decision is not None and judges_output(decision)
        self._touches = self.blocks or bool(self._pseudonyms)
        self._free: set[Hashable] = set()
        self.adds: Callable[[Any], bool] = never
        if self._reader is None:
            self._go_blind()
        elif not self._touches or (self._plan is not None and self._plan.mode == "none" and not self._pseudonyms):
            self._let_pass()

    def _let_pass(self) -> None:
        if not hasattr(self._reader, "adds"):
            return
        reader, hides = cast("QuickReader", self._reader), self._hides
        reader.lane = _lane(self._recorded, self._free if self._touches else None)
        adds = reader.adds
        self.adds = adds if hides is None else lambda chunk: not hides(chunk) and adds(chunk)

    def passes(self, chunk: Any) -> bool:
        """Whether it need not be taken: it was added to what came before."""
        try:
            if not self.adds(chunk):
                return False
        except Exception:  # noqa: BLE001  `take` meets it again, and counts it
            return False
        self._clock()
        self._until_trim -= 1
        if not self._until_trim:
            self._trim()
        return True

    def take(self, chunk: Any) -> tuple[Any, ...]:
        """The chunks to deliver for one that arrived. Raises ModelCallBlocked."""
        self._taken += 1
        self._clock()
        self._trim()
        delivered: tuple[Any, ...] = (chunk,)
        try:
            if self._hides is not None and self._hides(chunk):
                delivered = ()
            if self._reader is None:
                return delivered
            opened = chunk if self._codec is None else self._codec.open(chunk)
            deltas, closes = self._reader.read(opened)
            if self._touches:
                fillers, edits = self._rewrite(ChunkView(deltas, closes))
                dropped = self.blocks and logprobs.drop(opened)
                if edits or dropped:
                    paths.edit(opened, edits)
                    if self._codec is not None and delivered:
                        delivered = (self._codec.put(chunk, opened),)
                return (*fillers, *delivered)
        except ModelCallBlocked:
            raise
        except Exception as error:  # noqa: BLE001  the application gets its chunks, if the policy allows that
            health.mishap(f"{self.run.adapter.library}.chunk", error)
            self._go_blind()
            return delivered
        for delta in deltas:
            self._note(delta)
        return delivered

    def _note(self, delta: Delta) -> None:
        if not delta.whole or delta.channel not in self._recorded:
            self._recorded.setdefault(delta.channel, []).append(delta.text)
            self._noted += 1

    def last(self) -> tuple[Any, ...]:
        """The provider has no more: chunks with what was still held back. Raises ModelCallBlocked."""
        fillers = [filler for channel in list(self._held) for filler in self._drained(channel)]
        return tuple(fillers)

    def end(self, how: StreamEnd, error: BaseException | None = None) -> None:
        """The stream is over, by whatever end comes first."""
        if not self.run.open:
            return
        call = self.run.call
        recorded = self._recorded.copy()  # of a cancelled task the thread that judges may still be adding to it
        call.chunks = self._taken + sum(map(len, recorded.values())) - self._noted
        try:
            texts = {channel: "".join(pieces) for channel, pieces in recorded.items()}
            for channel in self._left_out:
                texts[channel] = self._cut(channel, texts[channel])
            if self._reader is not None:
                self._reader.finish(call, texts)
                if call.chunks or how != "error":  # a stream that was refused was not counted by anybody
                    estimate.fill(call, left_out=call.cut, complete=how == "complete")
        except Exception as problem:  # noqa: BLE001  the call is recorded without its output
            health.mishap(f"{self.run.adapter.library}.finish", problem)
            self.run.unreadable = "unreadable"
        if self._decisions:
            call.guarded_output = merged(self._decisions)
        self.run.end("blocked" if self._silent else how, error)

    def _trim(self) -> None:
        """What is beyond the bound is not kept until the end: a stream may be endless."""
        self._until_trim = TRIM_EVERY
        most = self.run.engine.bound.part
        for channel, pieces in self._recorded.items():
            measured, size = self._measured.get(channel, (0, 0))
            if len(pieces) - measured < TRIM_EVERY:
                continue
            size += sum(map(len, pieces[measured:]))
            if size > most:
                text = "".join(pieces)
                head = bound.first(text, most)
                self._left_out[channel] = self._left_out.get(channel, 0) + len(text) - len(head)
                self._noted -= len(pieces) - 1
                pieces[:] = [head]
                size = len(head)
            self._measured[channel] = len(pieces), size

    def _cut(self, channel: Hashable, text: str) -> str:
        head = bound.first(text, self.run.engine.bound.part)
        lost = self._left_out[channel] + len(text) - len(head)
        self.run.call.cut += lost
        return head + bound.mark(lost)

    def _go_blind(self) -> None:
        """From here on nothing can be read, judged or recorded; whoever decides for the guards says what then."""
        self._reader, self.adds = None, never
        self._held.clear()
        self.run.unreadable = "unreadable"
        if self.blocks:
            self._block(self.run.judge("output", ()))

    def _clock(self) -> None:
        now = monotonic()
        if now - self.last_s > self.longest_s:
            self.waited(now)
        self.last_s = now

    def waited(self, now: float) -> None:
        """It took longer than any chunk before, or it is the first one."""
        call = self.run.call
        if call.first_chunk_ns:
            self.longest_s = now - self.last_s
            call.longest_gap_ns = int(self.longest_s * 1e9)
        else:
            call.first_chunk_ns = time_ns()

    def _rewrite(self, view: ChunkView) -> tuple[list[Any], dict[Path, str]]:
        """Chunks that have to go before this one, and what may be delivered of it where that differs."""
        places: dict[Hashable, Delta] = {}
        texts: dict[Hashable, str] = {}
        for delta in view.deltas:
            if self._is_free(delta):
                self._note(delta)
                continue
            known = self._delivered.get(delta.channel)
            if delta.whole and known is not None:
                continue
            texts[delta.channel] = texts.get(delta.channel, "") + self._fed(delta)
            if delta.whole:
                texts[delta.channel] += self._closed(delta.channel)
            places[delta.channel] = delta
        fillers: list[Any] = []
        for channel in view.closes:
            if channel in places:
                texts[channel] += self._closed(channel)
            else:
                fillers += self._drained(channel)
        edits = {delta.where: texts[channel] for channel, delta in places.items() if texts[channel] != delta.text}
        for delta in view.deltas:
            if delta.whole and delta.channel not in places and delta.channel not in self._free:
                edits[delta.where] = "".join(self._delivered[delta.channel])
        return fillers, edits

    def _is_free(self, delta: Delta) -> bool:
        """Whether nothing of this text is judged, held back or restored, though something of the answer may be."""
        from ..guards.holdback import mode_of

        if self._silent or self._pseudonyms or mode_of(self._plan or StreamPlan(), json=delta.json) != "none":
            return False
        self._free.add(delta.channel)
        return True

    def _fed(self, delta: Delta) -> str:
        if delta.channel not in self._held:
            self._held[delta.channel] = self._hold_back(delta)
        held = self._held[delta.channel]
        return self._let(delta.channel, lambda: held.feed(delta.text))

    def _closed(self, channel: Hashable) -> str:
        held = self._held.pop(channel, None)
        return self._let(channel, held.close) if held else ""

    def _drained(self, channel: Hashable) -> list[Any]:
        text = self._closed(channel)
        return [self._reader.filler(channel, text)] if text and self._reader else []

    def _let(self, channel: Hashable, release: "Callable[[], Released]") -> str:
        """What may go to the application now; what may be recorded is kept."""
        from ..guards.holdback import StreamBlocked

        if self._silent:
            return ""
        try:
            released = release()
        except StreamBlocked as stop:
            self._keep(channel, "", stop.recorded)
            reply = self._block(stop.decision, json=channel in self._json)
            self._keep(channel, reply, reply)
            return reply
        self._keep(channel, released.delivered, released.recorded)
        return released.delivered

    def _keep(self, channel: Hashable, delivered: str, recorded: str) -> None:
        self._delivered.setdefault(channel, []).append(delivered)
        self._recorded.setdefault(channel, []).append(recorded)
        self._noted += 1

    def _block(self, decision: Decision, *, json: bool = False) -> str:
        """The reply in the place of the rest of the answer; ModelCallBlocked if there is none, or no place for it."""
        if decision not in self._decisions:
            self._decisions.append(decision)
        if decision.action != "block":
            return ""
        self._silent = True
        self.adds = never
        if decision.reply is None or json:
            raise ModelCallBlocked(decision, "output")
        return decision.reply

    def _hold_back(self, delta: Delta) -> "HoldBack":
        from ..guards.holdback import HoldBack

        if delta.json:
            self._json.add(delta.channel)

        def judge(text: str) -> Decision:
            part = Part(delta.kind, text, json=delta.json)
            decision = self.run.judge("output", (Message("assistant", (part,)),))
            self._decisions.append(decision)
            return decision

        return HoldBack(self._pseudonyms, self._plan or StreamPlan(), judge, json=delta.json)

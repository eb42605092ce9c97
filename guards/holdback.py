"""Streamed output on its way to the application: judged in time, and with the originals put back.

Two stages. The first judges: in `window` mode it works in steps of half a window and lets a half go once both it and
the half after it were seen, so it never holds `window` characters or more, judges no character more than twice, and
misses no finding up to three eighths of a window long. A longer one that is masked (a private key) stays masked as far
as it goes on. The second puts originals back and holds only what may be the
beginning of a known placeholder. Both depend on the text alone, not on how it was cut into chunks.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from json import dumps
from typing import NamedTuple

from .judgement import Decision, Edit, StreamMode, StreamPlan
from .pseudonyms import PLACEHOLDER

Judge = Callable[[str], Decision]


@dataclass(frozen=True, slots=True)
class Released:
    """`delivered` goes to the application with originals back; `recorded` is the same stretch with placeholders."""

    delivered: str = ""
    recorded: str = ""

    def __add__(self, other: "Released") -> "Released":
        """What went out first, then `other`."""
        return Released(self.delivered + other.delivered, self.recorded + other.recorded)


class StreamBlocked(Exception):  # noqa: N818  a verdict, not a mistake
    """The policy blocks the rest of the stream. `recorded` is what was held, masked, for the record only."""

    def __init__(self, decision: Decision, recorded: str = "") -> None:
        super().__init__(f"blocked by rule {decision.blocked_by!r}")
        self.decision = decision
        self.recorded = recorded


def restore(text: str, pseudonyms: Mapping[str, str], *, json: bool = False) -> str:
    """`text` with the originals of all placeholders; with `json` they are escaped to stand inside JSON strings."""
    stage = _Restorer(pseudonyms, json=json)
    return (stage.feed(text) + stage.flush()).delivered


class HoldBack:
    """One growing text of one streamed call. What `judge` raises passes through; after `StreamBlocked` all is silent.

    With `json` the text is JSON (tool arguments): it is judged whole, in the mode that the plan has for tool calls.
    """

    def __init__(
        self, pseudonyms: Mapping[str, str], plan: StreamPlan, judge: Judge | None = None, *, json: bool = False
    ) -> None:
        self._mode = mode_of(plan, json=json)
        self._judge = judge
        self._half = max(1, plan.window // 2)
        self._held = ""
        self._seen = 0
        self._lead = ""
        """The beginning of a masked finding that was not at its end yet."""
        self._restorer = _Restorer(pseudonyms, json=json)
        self._names = _Names(pseudonyms)

    def feed(self, text: str) -> Released:
        """What may go out after `text` came in. Raises `StreamBlocked`."""
        if self._mode == "none":
            return self._restorer.feed(text)
        self._held += text
        if self._mode == "observe":
            return Released(delivered=self._restorer.feed(text).delivered)
        released = Released()
        while self._mode == "window" and len(self._held) >= self._seen + self._half:
            released += self._step()
        return released

    def close(self) -> Released:
        """All that is still held. Raises `StreamBlocked`, except in `observe` mode, where it is too late."""
        held, self._held, self._seen = self._held, "", 0
        if self._mode == "observe":
            delivered = self._restorer.flush().delivered
            decision = self._judged(held) if held else None
            return Released(delivered, self._recorded(held, decision.edits, decision) if decision else "")
        if not held:
            return self._restorer.flush()
        decision = self._judged(held)
        self._stop_if_blocked(held, decision)
        return self._release(held, decision.edits, decision) + self._restorer.flush()

    def _step(self) -> Released:
        """Judge what was seen once together with the next half window; let go all but the last half."""
        block = self._held[: self._seen + self._half]
        decision = self._judged(block)
        self._stop_if_blocked(block, decision)
        cut = _cut(block, self._half, decision.edits)
        released = self._release(block[:cut], [edit for edit in decision.edits if edit.end <= cut], decision)
        self._lead = self._lead_of(block, cut, decision)
        self._held, self._seen = self._held[cut:], len(block) - cut
        return released

    def _judged(self, text: str) -> Decision:
        """The decision on `text`, or on what goes on in it: then the first edit has no mask, which went out before."""
        if self._judge is None:
            raise TypeError(f"stream mode {self._mode!r} needs a judge")
        lead = len(self._lead)
        decision = self._judge(self._lead + text) if lead else None
        if decision and any(0 < edit.start < lead < edit.end for edit in decision.edits):
            return replace(decision, edits=tuple(_behind(lead, decision.edits)))
        self._lead = ""
        return self._judge(text)

    def _lead_of(self, block: str, cut: int, decision: Decision) -> str:
        """What shows a detector again that a finding began, if it may go on: a blank stands for what was before it.

        With the blank, a judgement on the whole text is told from one on a part of it.
        """
        last = decision.edits[-1] if decision.edits else None
        if last is None or cut < len(block) or last.end < cut or last.replacement.strip('"') in decision.pseudonyms:
            return ""
        goes_on = self._lead and last.start == 0 and not last.replacement
        return self._lead if goes_on else "\n" + block[last.start : last.start + self._half]

    def _stop_if_blocked(self, text: str, decision: Decision) -> None:
        if decision.action == "block":
            carried = self._restorer.flush().recorded
            self._held, self._seen, self._mode = "", 0, "none"
            raise StreamBlocked(decision, carried + self._recorded(text, decision.edits, decision))

    def _release(self, text: str, edits: Iterable[Edit], decision: Decision) -> Released:
        released = Released()
        for stretch in self._stretches(text, edits, decision):
            if stretch.edited:
                released += self._restorer.flush() + Released(stretch.delivered, stretch.recorded)
            else:
                released += self._restorer.feed(stretch.recorded)
        return released

    def _recorded(self, text: str, edits: Iterable[Edit], decision: Decision) -> str:
        return "".join(stretch.recorded for stretch in self._stretches(text, edits, decision))

    def _stretches(self, text: str, edits: Iterable[Edit], decision: Decision) -> Iterator["_Stretch"]:
        """The text between the edits as it is, and each edit with what the application gets and what is recorded."""
        at = 0
        for edit in edits:
            yield _Stretch(text[at : edit.start])
            original = text[edit.start : edit.end]
            placeholder = edit.replacement.strip('"')
            if placeholder in decision.pseudonyms:
                name = self._names.name(placeholder, decision.pseudonyms[placeholder])
                yield _Stretch(edit.replacement.replace(placeholder, name), original, edited=True)
            else:
                yield _Stretch(edit.replacement, edit.replacement, edited=True)
            at = edit.end
        yield _Stretch(text[at:])


class _Stretch(NamedTuple):
    recorded: str
    delivered: str = ""
    edited: bool = False


def _behind(lead: int, edits: Iterable[Edit]) -> Iterator[Edit]:
    """The edits behind the first `lead` characters, placed as if the text began there."""
    for edit in edits:
        if edit.start >= lead:
            yield replace(edit, start=edit.start - lead, end=edit.end - lead)
        elif edit.end > lead:
            yield replace(edit, start=0, end=edit.end - lead, replacement="")


def mode_of(plan: StreamPlan, *, json: bool) -> StreamMode:
    """JSON takes the stricter of both modes, and the whole text instead of a window."""
    if not json:
        return plan.mode
    if plan.tool_call == "buffer" or plan.mode in {"window", "buffer"}:
        return "buffer"
    return "observe" if "observe" in {plan.tool_call, plan.mode} else "none"


def _cut(block: str, half: int, edits: Sequence[Edit]) -> int:
    """Where to let go: half a window before the end, but neither inside a word (if a border is near) nor a finding."""
    cut = max(0, len(block) - half, *(edit.end for edit in edits if not edit.replacement))  # masked already
    if cut == 0:
        return 0
    border = re.compile(r"\s").search(block, cut, cut + half // 4)
    cut = border.start() if border else cut
    return next((edit.end for edit in edits if edit.start < cut < edit.end), cut)


@dataclass(slots=True)
class _Names:
    """Judges number their placeholders anew each time; over one stream a name stands for one value."""

    pseudonyms: Mapping[str, str]
    _by_original: dict[str, str] = field(default_factory=dict)

    def name(self, placeholder: str, original: str) -> str:
        by_original = self._by_original or {value: name for name, value in self.pseudonyms.items()}
        self._by_original = by_original
        if original not in by_original:
            by_original[original] = self._free(placeholder)
        return by_original[original]

    def _free(self, placeholder: str) -> str:
        used = {*self.pseudonyms, *self._by_original.values()}
        while placeholder in used and (parts := PLACEHOLDER.fullmatch(placeholder)):
            placeholder = f"<{parts[1]}_{int(parts[2]) + 1}>"
        return placeholder


class _Restorer:
    """Puts originals back; holds a suffix only while it is a proper prefix of a known placeholder."""

    def __init__(self, pseudonyms: Mapping[str, str], *, json: bool) -> None:
        self._originals = {
            spelled: dumps(original, ensure_ascii=False)[1:-1] if json else original
            for placeholder, original in pseudonyms.items()
            for spelled in _spellings(placeholder, json=json)
        }
        self._known = re.compile("|".join(map(re.escape, self._originals))) if self._originals else None
        self._prefixes = {spelled[:n] for spelled in self._originals for n in range(1, len(spelled))}
        self._longest = max(map(len, self._prefixes), default=0)
        self._carry = ""

    def feed(self, text: str) -> Released:
        if self._known is None:
            return Released(text, text)
        text = self._carry + text
        held = self._held_suffix(text)
        self._carry = text[len(text) - held :]
        return self._restored(text[: len(text) - held])

    def flush(self) -> Released:
        carry, self._carry = self._carry, ""
        return Released(carry, carry)

    def _restored(self, text: str) -> Released:
        if self._known is None:
            return Released(text, text)
        return Released(self._known.sub(lambda found: self._originals[found.group()], text), text)

    def _held_suffix(self, text: str) -> int:
        sizes = range(min(self._longest, len(text)), 0, -1)
        return next((n for n in sizes if text[-n:] in self._prefixes), 0)


def _spellings(placeholder: str, *, json: bool) -> tuple[str, ...]:
    """How a placeholder may stand in JSON: some writers escape angle brackets."""
    if not json:
        return (placeholder,)
    inside = placeholder[1:-1]
    return placeholder, f"\\u003c{inside}\\u003e", f"\\u003C{inside}\\u003E"

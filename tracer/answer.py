"""A whole answer on its way to the application: read into the record, judged, and edited in place."""

from collections.abc import Generator
from dataclasses import replace
from typing import Any

from ..guards.messages import Message, Path
from . import estimate, health, logprobs, paths
from .blocked import ModelCallBlocked
from .outgoing import changed, judges_output, settled
from .run import Run
from .steps import Own


def delivered(run: Run, result: Any) -> Generator[Own, Any, Any]:
    """A whole answer on its way: the library's object, or what is in it where it cannot be changed."""
    codec = run.endpoint.whole_codec
    said = result if codec is None else health.fenced("codec", codec.open, result)
    edited = yield from deliver(run, said)
    return codec.put(result, said) if codec is not None and edited else result


def deliver(run: Run, answer: Any) -> Generator[Own, Any, bool]:
    """Read a whole answer into the record, judge it, restore originals in it. Whether it was edited."""
    call = run.call
    read(run, answer)
    decision = call.guarded_input
    if decision is None or not guards_output(run):
        return False
    arrived, said, judged = (*call.output, *call.echoes), len(call.output), None
    if judges_output(decision):
        call.guarded_output = judged = yield from run.judged("output", arrived)
    if judged is not None and judged.action == "block":
        call.output = judged.messages[:said]  # everything that was found is masked in it
        if judged.reply is None:
            raise ModelCallBlocked(judged, "output")
    try:
        if judged is not None and judged.action == "block":
            silenced = [_silenced(message, judged.reply or "") for message in arrived[:said]]
            delivered = (*silenced, *(_silenced(message, "") for message in arrived[said:]))
        else:
            delivered, recorded = settled(arrived, judged, decision.pseudonyms)
            call.output = recorded[:said]
        edits: dict[Path, str] = changed(arrived, delivered)
        paths.edit(answer, edits)
        if judged is not None and judged.action in {"modify", "block"}:
            logprobs.drop(answer)
        if edits and run.endpoint.edited is not None:
            run.endpoint.edited(run.asked, answer)
    except Exception as error:  # noqa: BLE001  see below
        health.mishap(f"{run.adapter.library}.restore", error)
        run.unreadable = "unreadable"
        if judged is not None and judged.action in {"modify", "block"}:
            raise ModelCallBlocked(judged, "output") from None  # what a rule wanted out of the answer is still in it
        return False
    return bool(edits)


def read(run: Run, answer: Any) -> None:
    """What it says into the record."""
    call = run.call
    try:
        run.endpoint.response(call, answer)
    except Exception as error:  # noqa: BLE001  the application gets its answer
        health.mishap(f"{run.adapter.library}.response", error)
        run.unreadable = "unreadable"
    else:
        if call.usage.source == "none":
            health.fenced("estimate", estimate.fill, call)


def _silenced(message: Message, reply: str) -> Message:
    """The message with the reply in the place of its first text, and nothing in that of the others."""
    texts = iter((reply,))
    return replace(
        message,
        parts=tuple(
            replace(part, text="{}" if part.json else next(texts, "") if part.kind == "text" else "")
            for part in message.parts
        ),
    )


def guards_output(run: Run) -> bool:
    """Whether what comes back may differ from what the application gets."""
    decision = run.call.guarded_input
    return decision is not None and (bool(decision.pseudonyms) or judges_output(decision))

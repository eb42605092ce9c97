"""The same program with us and without: same objects, same chunks, same exceptions. Bad input and bad answers too."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from ..inmemory import traced
from .driver import App
from .dump import GUARDED, VOLATILE, failed, plain
from .test_calls import PNG, TOOL
from .test_endings import MAIL

TEXT = f"Write to {MAIL} about the parcel, and say when it will come."
NOT_TEXT = "not text: \udce9"
"""What `os.fsdecode` and `errors="surrogateescape"` make of bytes that are not UTF-8."""


class Odd:
    """What no JSON can hold."""

    def __repr__(self) -> str:
        return "<odd>"


WORDS = {"type": "object", "properties": {"where": {"type": "string"}}, "required": ["where"]}
UNASKED = {"a text that is none", "a text that is bytes", "no text at all", "surrogates", "result that is no text"}
"""What may fail before the library is even called."""

Program = Callable[[App], Awaitable[Any]]
WHOLE: dict[str, tuple[tuple[str, ...], Program]] = {
    "answer": ((), lambda app: app.say("echo", text=TEXT)),
    "system": ((), lambda app: app.say("echo", text=TEXT, system="Be brief.")),
    "empty": ((), lambda app: app.say("empty", text=TEXT)),
    "refusal": ((), lambda app: app.say("refusal", text=TEXT)),
    "thinking": ((), lambda app: app.say("echo", "thinking", text=TEXT)),
    "tool": (("tools",), lambda app: app.say("echo", "tool", text=TEXT, tool=TOOL)),
    "result": (("tools", "results"), lambda app: app.say("echo", text=TEXT, tool=TOOL, result=TEXT)),
    "result that is no text": (("tools", "results"), lambda app: app.say(text="Hi", tool=TOOL, result=NOT_TEXT)),
    "schema": (("schema",), lambda app: app.say("echo", text=TEXT, schema=WORDS)),
    "image": (("images",), lambda app: app.say(text="Hi", image=PNG)),
    "400": ((), lambda app: app.say("err-400", text="Hi")),
    "404": ((), lambda app: app.say("err-404", text="Hi")),
    "500": ((), lambda app: app.say("err-500", text="Hi")),
    "timeout": ((), lambda app: app.say("slow", text=TEXT, timeout_s=0.3)),
    "JSON that breaks off": ((), lambda app: app.say("badjson", text="Hi")),
    "an answer that is no text": ((), lambda app: app.say("notutf8", text="Hi")),
    "an answer that is nothing": ((), lambda app: app.say("nobody", text="Hi")),
    "a text that is none": ((), lambda app: app.say("echo", text=Odd())),  # type: ignore[arg-type]  # the point
    "a text that is bytes": ((), lambda app: app.say("echo", text=b"\xff\x00")),  # type: ignore[arg-type]  # as above
    "surrogates": ((), lambda app: app.say("echo", text=NOT_TEXT)),
    "no text at all": ((), lambda app: app.say("echo", text=None)),  # type: ignore[arg-type]  # as above
}
STREAMED: dict[str, tuple[tuple[str, ...], Program]] = {
    "answer": ((), lambda app: heard(app, "echo", "chunks30")),
    "empty": ((), lambda app: heard(app, "empty")),
    "refusal": ((), lambda app: heard(app, "refusal")),
    "thinking": ((), lambda app: heard(app, "echo", "thinking")),
    "tool": (("tools",), lambda app: heard(app, "echo", "tool", "chunks30", tool=TOOL)),
    "400": ((), lambda app: heard(app, "err-400")),
    "500": ((), lambda app: heard(app, "err-500")),
    "drop": ((), lambda app: heard(app, "echo", "midstream", "chunks30")),
    "a frame that is none": ((), lambda app: heard(app, "echo", "badframe", "chunks30")),
}


async def heard(app: App, *words: str, **asked: Any) -> list[Any]:
    """The chunks, and the error after them if there was one."""
    chunks: list[Any] = []
    try:
        await app.hear(*words, text=TEXT, heard=chunks, **asked)
    except Exception as error:  # noqa: BLE001  it is what is compared
        chunks.append(error)
    return chunks


def outcome(app: App, program: Program, without: set[str]) -> Any:
    async def main() -> Any:
        return await program(app)

    try:
        result = app.run(main())
    except Exception as error:  # noqa: BLE001  it is what is compared
        return failed(error)
    if not isinstance(result, list):
        return plain(result, without)
    return [failed(each) if isinstance(each, Exception) else plain(each, without) for each in result]


def programs(app: App, known: dict[str, tuple[tuple[str, ...], Program]]) -> dict[str, Program]:
    return {name: run for name, (features, run) in known.items() if {*features} <= app.subject.features}


def test_whole(app: App, tmp_path: Path) -> None:
    known = programs(app, WHOLE)
    before = {name: outcome(app, run, VOLATILE) for name, run in known.items()}
    with traced(tmp_path / "off", guards="off") as spans:
        for name, run in known.items():
            spans.clear()
            assert (name, outcome(app, run, VOLATILE)) == (name, before[name])
            assert len(spans.calls()) == 1 or name in UNASKED, name
    loose = VOLATILE | GUARDED
    before = {name: outcome(app, run, loose) for name, run in known.items()}
    with traced(tmp_path / "local") as spans:
        for name, run in known.items():
            spans.clear()
            assert (name, outcome(app, run, loose)) == (name, before[name])
            assert len(spans.calls()) == 1 or name in UNASKED, name


def test_streamed(streaming: App, tmp_path: Path) -> None:
    app = streaming
    known = programs(app, STREAMED)
    before = {name: outcome(app, run, VOLATILE) for name, run in known.items()}
    with traced(tmp_path / "off", guards="off") as spans:
        for name, run in known.items():
            spans.clear()
            assert (name, outcome(app, run, VOLATILE)) == (name, before[name])
            assert (name, len(spans.calls())) == (name, 1)

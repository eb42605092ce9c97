"""The result of a run as tables, for people and for docs/overhead.md."""

from collections.abc import Iterable
from typing import Any

from cases import CASES

OURS = ("spanward, content", "spanward, guards off", "spanward, guards local")
NEEDED = {"prompt", "output", "tokens"}
SHOWN = ("prompt", "output", "tokens", "cached tokens", "cost", "time to first chunk", "tool arguments")
TARGET = 0.7

Result = dict[str, Any]


def peers(result: Result) -> list[str]:
    return [name for name in result["subjects"] if name not in OURS and name != "control"]


def added(result: Result, subject: str, case: str, mode: str = "cpu") -> float | None:
    """Microseconds of CPU a call (or chunk). `mode` is 'cpu' for the instrumentation alone, 'export' with the export in
    it.
    """
    cpu = result["subjects"].get(subject, {mode: {}})[mode].get(case)
    return None if cpu is None else float(cpu["added"])


def full(result: Result) -> list[str]:
    """Peers that capture prompt, output and tokens, whole and streamed."""
    captured = {name: result["subjects"][name].get("captured", {}) for name in peers(result)}
    return [name for name, what in captured.items() if all(set(what.get(c, ())) >= NEEDED for c in ("chat", "stream"))]


def leanest(result: Result, case: str, mode: str = "cpu") -> tuple[str, float] | None:
    """The cheapest of those, and what it adds."""
    costs = {name: cost for name in full(result) if (cost := added(result, name, case, mode)) is not None}
    return min(costs.items(), key=lambda item: item[1]) if costs else None


def ratio(result: Result, subject: str, case: str, mode: str = "cpu") -> float | None:
    least, ours = leanest(result, case, mode), added(result, subject, case, mode)
    return None if least is None or ours is None or least[1] <= 0 else ours / least[1]


def void(result: Result) -> list[str]:
    """Cases in which the control, which patches nothing, reads other than nothing."""
    said = result["subjects"]["control"]
    return [
        case if mode == "cpu" else f"{case} with export"
        for mode in ("cpu", "export")
        for case, cpu in said[mode].items()
        if not 0.95 <= 1 + cpu["added"] / cpu["raw"] <= 1.05
    ]


def lines(head: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    """A Markdown table."""
    names = list(head)
    body = [f"| {' | '.join(row)} |" for row in rows]
    return [f"| {' | '.join(names)} |", "|" + "---|" * len(names), *body]


def cost(result: Result) -> list[str]:
    return _cost(result, "cpu")


def exported(result: Result) -> list[str]:
    return _cost(result, "export")


def targets(result: Result) -> list[str]:
    """Every case with content, and whether it is within the target: first where everybody does the same."""
    said = [f"The target is at most {TARGET} of the leanest peer, with all content recorded.", ""]
    for mode, race in (("export", "Export included"), ("cpu", "Instrumentation alone")):
        found = {case: ratio(result, "spanward, content", case, mode) for case in CASES}
        ratios = {case: number for case, number in found.items() if number is not None}
        met, missed = (
            "; ".join(f"{case} {number:.3f}" for case, number in ratios.items() if (number <= TARGET) is within)
            for within in (True, False)
        )
        said.append(f"- **{race}:** met in {met or 'no case'}" + (f". **Not met** in {missed}." if missed else "."))
    return said


def _cost(result: Result, mode: str) -> list[str]:
    raw = result["subjects"]["control"][mode]
    cases = [case for case in CASES if case in raw]
    rows = [
        [name, *(_sure(result["subjects"][name][mode].get(case)) for case in cases)]
        for name in sorted(result["subjects"], key=lambda name: (name not in OURS, name))
    ]
    rows.append(["*raw, for comparison*", *(_number(raw[case]["raw"]) for case in cases)])
    rows += [
        [f"**{name} / leanest peer**", *(_ratio(ratio(result, name, case, mode)) for case in cases)]
        for name in OURS[:2]
        if name in result["subjects"]
    ]
    rows.append(["*leanest peer*", *((leanest(result, case, mode) or ("-",))[0] for case in cases)])
    return lines(["added CPU, µs", *(f"{case} (a {CASES[case].unit})" for case in cases)], rows)


def counts(result: Result) -> list[str]:
    cases = [case for case in CASES if any(case in s.get("calls", {}) for s in result["subjects"].values())]
    rows = []
    for name, said in result["subjects"].items():
        calls, setup = said.get("calls", {}), said["setup"]
        rows.append([name, *(_number(calls.get(case)) for case in cases), f"{setup['ms']:.0f}", f"{setup['mb']:.1f}"])
    heads = [f"{case} (a {CASES[case].unit})" for case in cases]
    return lines(["added function calls", *heads, "import and set-up, ms of CPU", "MB"], rows)


def matrix(result: Result) -> list[str]:
    rows = []
    for name, said in result["subjects"].items():
        if name == "control":
            continue
        kinds = said.get("captured", {})
        rows.append([name, *(_where(what, kinds) for what in SHOWN)])
    return lines(["captured in", *SHOWN], rows)


def steadiness(result: Result) -> list[str]:
    rows = []
    for name, said in result["subjects"].items():
        growth, stall, memory = said.get("growth"), said.get("stall"), said.get("memory")
        if growth or stall or memory:
            rows.append(
                [
                    name,
                    f"{growth['first']:.0f} / {growth['late']:.0f}" if growth else "-",
                    f"{growth['of 200']:.1f} / {growth['of 5000']:.1f}" if growth else "-",
                    f"{stall['added']:.1f}" if stall else "-",
                    f"{memory['mb']:+.1f} in {memory['calls']:,} calls" if memory else "-",
                ]
            )
    head = ["", "CPU of call 100 / 10,000, µs, raw included", "CPU a chunk of 200 / 5,000, µs, raw included"]
    return lines([*head, "longest stall of the event loop over raw, ms", "memory, MB"], rows)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f}" if abs(value) < 100 else f"{value:,.0f}"


def _sure(cpu: dict[str, float] | None) -> str:
    return "-" if cpu is None else f"{_number(cpu['added'])} ±{_number(cpu['spread'])}"


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _where(what: str, kinds: dict[str, list[str]]) -> str:
    """In which kinds of call; 'yes' where it is in all that could have it."""
    able = {"tool arguments": {"tool call"}, "time to first chunk": {"stream"}, "output": {"chat", "stream"}}
    could = able.get(what, set(kinds))
    found = {kind for kind in could if what in kinds.get(kind, ())}
    return "yes" if found and found == could else ", ".join(sorted(found)) or "no"

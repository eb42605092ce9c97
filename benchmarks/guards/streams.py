"""Whether anything gets through held-back streams: `python benchmarks/guards streams [--chunkings N]`.

Texts of ordinary words with canaries planted anywhere (e-mail addresses, cards, phone numbers, credentials; at the very
beginning and end too, several close together) are cut into random chunks, from single characters to hundreds, and sent
through the hold-back that every stream of the tracer goes through, judged by the real pipeline. A leak is a canary, or
more than half of one, in what the application gets.
"""

import argparse
import json
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from spanward.guards.holdback import HoldBack, StreamBlocked
from spanward.guards.judgement import Check, Decision, StreamMode, StreamPlan
from spanward.guards.messages import Message, Part
from spanward.guards.pipeline import Pipeline
from spanward.guards.policy import load

POLICY = """\
version: 1
rules:
  - name: personal
    when: { stage: output }
    detect: { pii: { entities: { EMAIL_ADDRESS: 0.4, CREDIT_CARD: 0.4, PHONE_NUMBER: 0.4, IBAN_CODE: 0.4 } } }
    action: redact
  - name: credentials
    when: { stage: output }
    detect: { secrets: {} }
    action: redact
"""
WINDOWS = (200, 400, 1000)
CHUNKINGS_OF_ONE = 50
WORDS = (Path(__file__).read_text(encoding="utf-8") + (__doc__ or "")).split()
WORDS = [word for word in WORDS if word.isalpha()]

Make = Callable[[random.Random], str]
CANARIES: dict[str, Make] = {
    "e-mail": lambda chance: f"{_letters(chance, 8)}.{_letters(chance, 5)}@{_letters(chance, 9)}.example.com",
    "card": lambda chance: _luhn("4" + _digits(chance, 14)),
    "phone": lambda chance: f"+1 202-555-01{_digits(chance, 2)}",
    "key": lambda chance: "sk-" + "proj-" + _mixed(chance, 48),
    "token": lambda chance: "gh" + "p_" + _mixed(chance, 36),
}


def _letters(chance: random.Random, number: int) -> str:
    return "".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=number))


def _digits(chance: random.Random, number: int) -> str:
    return "".join(chance.choices("0123456789", k=number))


def _mixed(chance: random.Random, number: int) -> str:
    return "".join(chance.choices("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789", k=number))


def _luhn(digits: str) -> str:
    doubled = [int(d) * 2 if i % 2 == 0 else int(d) for i, d in enumerate(reversed(digits))]
    return digits + str(-sum(d - 9 if d > 9 else d for d in doubled) % 10)


def text(chance: random.Random) -> tuple[str, list[tuple[str, str]]]:
    """(an answer, the canaries in it by kind)."""
    words = chance.choices(WORDS, k=chance.randrange(5, 250))
    planted = []
    for kind in chance.choices(list(CANARIES), k=chance.randrange(1, 5)):
        canary = CANARIES[kind](chance)
        planted.append((kind, canary))
        words.insert(chance.choice((0, len(words), chance.randrange(len(words) + 1))), canary)
    return " ".join(words), planted


def chunks(said: str, chance: random.Random) -> Iterator[str]:
    largest = chance.choice((1, 3, 8, 30, 200))
    at = 0
    while at < len(said):
        end = at + chance.randrange(1, largest + 1)
        yield said[at:end]
        at = end


def delivered(said: str, plan: StreamPlan, judge: Callable[[str], Decision], chance: random.Random) -> str:
    hold = HoldBack({}, plan, judge)
    out = ""
    try:
        for chunk in chunks(said, chance):
            out += hold.feed(chunk).delivered
        out += hold.close().delivered
    except StreamBlocked:
        pass
    return out


def leaked(canary: str, out: str) -> bool:
    half = len(canary) // 2 + 1
    return any(canary[at : at + half] in out for at in range(len(canary) - half + 1))


def judge_of(pipeline: Pipeline) -> Callable[[str], Decision]:
    """What is judged depends on the text and not on its chunks, so each piece is judged once."""

    @cache
    def judge(said: str) -> Decision:
        return pipeline.check(Check("output", (Message("assistant", (Part("text", said),)),)))

    return judge


def measure(chunkings: int, folder: Path) -> dict[str, Any]:
    path = folder / "streams.yaml"
    path.write_text(POLICY, encoding="utf-8")
    pipeline = Pipeline(load(path))
    modes: dict[str, tuple[StreamMode, int]] = {f"window {size}": ("window", size) for size in WINDOWS}
    modes["buffer"] = ("buffer", 0)
    found: dict[str, Any] = {}
    for name, (mode, window) in modes.items():
        chance = random.Random(name)
        leaks: Counter[str] = Counter()
        planted = missed_whole = 0
        for number in range(chunkings):
            if number % CHUNKINGS_OF_ONE == 0:
                said, canaries = text(chance)
                judge = judge_of(pipeline)
                whole = delivered(said, StreamPlan("buffer"), judge, chance)
                missed_whole += sum(leaked(canary, whole) for _, canary in canaries)
            out = delivered(said, StreamPlan(mode, window), judge, chance)
            planted += len(canaries)
            leaks.update(kind for kind, canary in canaries if leaked(canary, out))
        found[name] = {
            "chunkings": chunkings, "canaries": planted, "leaks": dict(leaks), "not found in the whole": missed_whole,
        }  # fmt: skip
        print(f"| {name} | {chunkings:,} | {planted:,} | {leaks.total()} | {missed_whole} |", flush=True)
    return found


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--chunkings", type=int, default=10_000, help="of every mode")
    parser.add_argument("--json", type=Path, help="write the result there")
    chosen = parser.parse_args(argv)
    from tempfile import TemporaryDirectory

    print("| mode | chunkings | canaries | leaks | missed in the whole text |\n|---|---|---|---|---|")
    with TemporaryDirectory() as folder:
        result = measure(chosen.chunkings, Path(folder))
    if chosen.json:
        chosen.json.write_text(json.dumps(result, indent=1) + "\n")
    return 1 if any(said["leaks"] for said in result.values()) else 0


if __name__ == "__main__":
    sys.exit(main())

"""What a replay found, for people and for programs: ids of calls, and what was said in them only if it is asked for."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any, TextIO

from ..text_table import Row, table
from .replay import KINDS, Replayed, Score, Side, Tally


def write_text(result: Replayed, out: TextIO) -> None:
    sections = (_head, _kinds, _changes, _pairs, _people, _times, _limits)
    out.write("\n\n".join(text for text in ("\n".join(section(result)) for section in sections) if text) + "\n")


def _head(result: Replayed) -> Iterator[str]:
    for name, side in (("current", result.current), ("candidate", result.candidate)):
        yield f"{name:<10} {side.policy.name} {side.policy.hash} ({side.where})"
    judged = result.calls - result.empty - result.unreadable
    yield f"{result.calls} calls, {judged} of them judged; {result.empty} have no recorded content" + (
        f"; {result.unreadable} cannot be read" if result.unreadable else ""
    )


def _kinds(result: Replayed) -> Iterator[str]:
    current, candidate = result.current.kinds, result.candidate.kinds
    rows = [
        (text, str(current[kind]), str(candidate[kind]))
        for kind, text in KINDS.items()
        if current[kind] or candidate[kind] or kind in ("blocked", "changed", "flagged")
    ]
    yield from table(("calls", "current", "candidate"), rows)


def _changes(result: Replayed) -> Iterator[str]:
    told = [
        *((f"newly {KINDS[kind]}", tally) for kind, tally in _largest(result.gained)),
        *((f"no longer {KINDS[kind]}", tally) for kind, tally in _largest(result.lost)),
        *((f"newly found: {label}", tally) for label, tally in _largest(result.caught)),
        *((f"newly missed: {label}", tally) for label, tally in _largest(result.missed)),
    ]
    if not told:
        yield "the candidate does with these calls what the current policy does"
        return
    yield from table(("what changes", "calls", "for example"), [(text, str(t.calls), _ids(t)) for text, t in told])
    yield from (f"  {excerpt}" for _, tally in told for excerpt in tally.excerpts)


def _pairs(result: Replayed) -> Iterator[str]:
    current, candidate = result.current.pairs, result.candidate.pairs
    found = sorted(current.keys() | candidate.keys())
    rows = [
        (
            rule, label, str(current[rule, label]), str(candidate[rule, label]),
            _calls(result.new.get((rule, label))), _calls(result.gone.get((rule, label))),
        )
        for rule, label in found
    ]  # fmt: skip
    yield from table(("rule", "label", "current", "candidate", "new", "gone"), rows) if rows else ()


def _people(result: Replayed) -> Iterator[str]:
    if not result.labelled:
        return
    yield f"Against people, who labelled {result.labelled} of the calls (only labels that they used somewhere):"
    rows: list[Row] = []
    for noun, now, then in (
        ("label", judged(result.current.labels), judged(result.candidate.labels)),
        ("rule", judged(result.current.rules), judged(result.candidate.rules)),
    ):
        rows += [(f"{noun} {name}", *_shares(now.get(name)), *_shares(then.get(name))) for name in sorted(now | then)]
    yield from table(("", "precision now", "recall now", "precision then", "recall then"), rows)


def judged(scores: Mapping[str, Score]) -> dict[str, Score]:
    """Those that people meant at least once: what they never looked for, nobody can be wrong about."""
    return {name: score for name, score in scores.items() if score.right + score.missed}


def _shares(score: Score | None) -> tuple[str, str]:
    shares = (score.precision, score.recall) if score else (None, None)
    return tuple("-" if share is None else f"{share:.2f}" for share in shares)  # type: ignore[return-value]  # two


def _times(result: Replayed) -> Iterator[str]:
    yield "A call's checks took, on this machine and without what a time limit would have cut off:"
    for name, side in (("current", result.current), ("candidate", result.candidate)):
        limit = side.policy.defaults.timeout_ms
        late = sum(time > limit for time in side.times)
        yield (
            f"  {name:<10} p50 {side.quantile(0.5):.1f} ms, p99 {side.quantile(0.99):.1f} ms"
            f", {late} above the {limit} ms of `timeout_ms`"
        )
    for name, side in (("current", result.current), ("candidate", result.candidate)):
        yield from (f"  {name}: {reason} ({count} calls)" for reason, count in side.failures.most_common(5))


def _limits(result: Replayed) -> Iterator[str]:
    if result.remembered:
        yield (
            f"Calls that hold placeholders: {result.remembered}. Recorded content is guarded already, and what stood "
            "there is gone. Each placeholder counts as found by every rule that looks for its label, at any threshold; "
            "whether a candidate would have found the value itself cannot be known from here."
        )
    if result.foreign:
        yield (
            f"Calls that another policy than `current` guarded when they were made: {result.foreign}. What that one "
            "took out is counted as above, what it left in is judged anew."
        )


def _largest(tallies: Mapping[str, Tally]) -> list[tuple[str, Tally]]:
    return sorted(tallies.items(), key=lambda item: (-item[1].calls, item[0]))


def _ids(tally: Tally) -> str:
    return " ".join(tally.examples)


def _calls(tally: Tally | None) -> str:
    return str(tally.calls) if tally else ""


def write_json(result: Replayed, out: TextIO) -> None:
    json.dump(as_json(result), out, ensure_ascii=False, indent=1)
    out.write("\n")


def as_json(result: Replayed) -> dict[str, Any]:
    """All of it as dicts; rules and labels are lists of rows, for a pair is no key of JSON."""
    told = {
        name: getattr(result, name)
        for name in ("calls", "empty", "unreadable", "remembered", "foreign", "labelled", "first_us", "last_us")
    }
    tallies = {
        name: {key: _tally(tally) for key, tally in _largest(getattr(result, name))}
        for name in ("gained", "lost", "caught", "missed")
    }
    pairs = [
        {
            "rule": rule, "label": label,
            "current": result.current.pairs[rule, label], "candidate": result.candidate.pairs[rule, label],
            "new": _tally(result.new.get((rule, label))), "gone": _tally(result.gone.get((rule, label))),
        }
        for rule, label in sorted(result.current.pairs.keys() | result.candidate.pairs.keys())
    ]  # fmt: skip
    return {
        "current": _side(result.current), "candidate": _side(result.candidate), **told, **tallies, "rules": pairs,
    }  # fmt: skip


def _tally(tally: Tally | None) -> dict[str, Any]:
    return {key: value for key, value in asdict(tally or Tally()).items() if key != "excerpts" or value}


def _side(side: Side) -> dict[str, Any]:
    return {
        "policy": side.policy.name,
        "hash": side.policy.hash,
        "where": side.where,
        "calls": {kind: side.kinds[kind] for kind in KINDS},
        "latency_ms": {"p50": round(side.quantile(0.5), 2), "p99": round(side.quantile(0.99), 2)},
        "failures": dict(side.failures),
        "labels": {name: _score(score) for name, score in sorted(judged(side.labels).items())},
        "rules": {name: _score(score) for name, score in sorted(judged(side.rules).items())},
    }


def _score(score: Score) -> dict[str, Any]:
    return {**asdict(score), "precision": score.precision, "recall": score.recall}


WRITERS = {"text": write_text, "json": write_json}

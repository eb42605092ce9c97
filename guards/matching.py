"""Which rules a call is subject to, and how its streamed output must wait for them."""

from collections.abc import Iterable
from fnmatch import fnmatchcase

from .judgement import Context, Side, Stage, StreamMode, StreamPlan
from .messages import PartKind
from .rules import Rule

_BY_KIND: dict[PartKind, Stage] = {"tool_call": "tool_call", "tool_result": "tool_result", "document": "retrieval"}
_STRICTNESS: tuple[StreamMode, ...] = ("none", "observe", "window", "buffer")


def stage_of(side: Side, kind: PartKind) -> Stage:
    """Tool calls, tool results and documents are stages of their own on either side; everything else is its side."""
    return _BY_KIND.get(kind, side)


def applies(rule: Rule, context: Context) -> bool:
    """Whether every field that the rule names matches one of its patterns."""
    when = rule.when
    asked = (
        (when.app, (context.app,)),
        (when.environment, (context.environment,)),
        (when.provider, (context.provider,)),
        (when.model, (context.model,)),
        (when.prompt, (context.prompt_name,)),
        (when.user_group, (context.user_group,)),
        (when.tags, context.tags),
    )
    return all(not patterns or _any_match(values, patterns) for patterns, values in asked)


def _any_match(values: Iterable[str], patterns: Iterable[str]) -> bool:
    wanted = tuple(patterns)
    return any(fnmatchcase(value, pattern) for value in values for pattern in wanted)


def stream_plan(rules: Iterable[Rule]) -> StreamPlan:
    """The strictest of what the rules in the way of the output ask for."""
    standing = [rule for rule in rules if rule.in_the_way]
    texts = [rule for rule in standing if "output" in rule.when.stage]
    tools = [rule for rule in standing if {"tool_call", "tool_result", "retrieval"} & set(rule.when.stage)]
    mode = _strictest(map(_mode, texts))
    windows = [rule.stream.window if rule.stream else 400 for rule in texts if _mode(rule) == "window"]
    tool_call = _strictest("buffer" if _mode(rule) == "window" else _mode(rule) for rule in tools)
    return StreamPlan(mode, max(windows) if mode == "window" else 0, tool_call)


def _mode(rule: Rule) -> StreamMode:
    """A restored pseudonym changes the record only, so the delivered text need not wait for it."""
    if rule.stream:
        return rule.stream.mode
    return "observe" if rule.restore and rule.actions().isdisjoint({"redact", "block"}) else "window"


def _strictest(modes: Iterable[StreamMode]) -> StreamMode:
    return max(modes, key=_STRICTNESS.index, default="none")

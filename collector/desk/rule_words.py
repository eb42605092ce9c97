"""What changed between two policies, rule by rule, in words.

>>> from spanward.guards.policy import load
>>> changes(load("default"), load("default"))
[]
"""

from collections.abc import Iterator
from typing import Any

from ...guards.policy import Policy, Rule

_KEYS = {
    "action": "action", "restore": "restores the answer", "reply": "reply", "on_error": "on error",
    "on_timeout": "on timeout", "latency_budget_ms": "budget in ms", "stream": "streamed answers",
}  # fmt: skip
_MODES = {"enforce": "in force", "shadow": "only watches (shadow)"}


def changes(before: Policy, after: Policy) -> list[dict[str, Any]]:
    """`{rule, change, words}`; `change` is added, removed or changed. A rule without a name stands for the policy."""
    found = list(_of_policy(before, after))
    old, new = ({rule.name: rule for rule in policy.rules} for policy in (before, after))
    found += [_told(name, "removed", [in_words(rule)]) for name, rule in old.items() if name not in new]
    for name, rule in new.items():
        if name not in old:
            found.append(_told(name, "added", [in_words(rule)]))
        elif words := list(_between(old[name], rule)):
            found.append(_told(name, "changed", words))
    if not found and before.hash != after.hash:
        found.append(_told("", "changed", ["the order of the rules"]))
    return found


def in_words(rule: Rule) -> str:
    """One sentence."""
    mode = "" if rule.mode == "enforce" else ", in shadow"
    labels = [label for found in rule.detect.values() for label in found]
    return f"{rule.action} where {', '.join(rule.detect)} finds {_listed(labels)}{mode}"


def _listed(words: list[str], most: int = 6) -> str:
    more = f" and {len(words) - most} more" if len(words) > most else ""
    return (", ".join(words[:most]) or "nothing") + more


def _told(rule: str, change: str, words: list[str]) -> dict[str, Any]:
    return {"rule": rule, "change": change, "words": words}


def _of_policy(before: Policy, after: Policy) -> Iterator[dict[str, Any]]:
    words = [] if before.name == after.name else [_was("name", before.name, after.name)]
    for key, value in after.defaults.model_dump().items():
        if value != (old := getattr(before.defaults, key)):
            words.append(_was(f"default {key}", old, value))
    for name in sorted(before.detectors.keys() | after.detectors.keys()):
        pair = before.detectors.get(name), after.detectors.get(name)
        if pair[0] != pair[1]:
            words.append(f"detector {name}: {'new' if not pair[0] else 'gone' if not pair[1] else 'other options'}")
    if words:
        yield _told("", "changed", words)


def _between(old: Rule, new: Rule) -> Iterator[str]:
    if old.mode != new.mode:
        yield _was("mode", _MODES[old.mode], _MODES[new.mode])
    for key, words in _KEYS.items():
        pair = getattr(old, key), getattr(new, key)
        if pair[0] != pair[1]:
            yield _was(words, *(each.mode if key == "stream" and each else each for each in pair))
    yield from _when(old, new)
    yield from _labels(old, new)


def _when(old: Rule, new: Rule) -> Iterator[str]:
    for key, value in new.when.model_dump().items():
        if value != (was := getattr(old.when, key)):
            yield _was(f"applies to {key.replace('_', ' ')}", ", ".join(was) or "any", ", ".join(value) or "any")


def _labels(old: Rule, new: Rule) -> Iterator[str]:
    was, now = (
        {(detector, label): choice for detector, found in rule.detect.items() for label, choice in found.items()}
        for rule in (old, new)
    )
    for key in sorted(now.keys() | was.keys()):
        label = f"{key[1]} ({key[0]})"
        if key not in was:
            yield f"also looks for {label} from {now[key].threshold:g}"
        elif key not in now:
            yield f"no longer looks for {label}"
        else:
            if was[key].threshold != now[key].threshold:
                yield _was(f"{label} from", f"{was[key].threshold:g}", f"{now[key].threshold:g}")
            if was[key].action != now[key].action:
                yield _was(f"{label} leads to", was[key].action or old.action, now[key].action or new.action)


def _was(what: str, old: object, new: object) -> str:
    return f"{what}: {_shown(old)} → {_shown(new)}"


def _shown(value: object) -> str:
    if value is None or value == "":
        return "not said"
    return str(value) if not isinstance(value, bool) else "yes" if value else "no"

"""What no single field of a policy file can tell: options that its actions would ignore, and names given twice."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from .policy_file import Place


def rules_in(data: Mapping[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    """The rules of a file that are mappings, each with its number."""
    rules = data.get("rules")
    for n, rule in enumerate(rules if isinstance(rules, list) else ()):
        if isinstance(rule, dict):
            yield n, rule


def rule_mistakes(
    data: Mapping[str, Any], taken: Mapping[str, str], wrong: Collection[int] = ()
) -> Iterator[tuple[Place, str]]:
    """Of rules whose labels are resolved. `taken` are the names of rules in other files of the folder.

    `wrong` are numbers of rules whose detectors or labels are not right: what those would do is not known. So it is
    where a detector is left without labels.
    """
    seen: set[str] = set()
    for n, rule in rules_in(data):
        name, actions = str(rule.get("name")), _actions(rule)
        if name in taken:
            yield ("rules", n, "name"), f"there is a rule {name!r} already, in {taken[name]}"
        elif name in seen:
            yield ("rules", n, "name"), f"there is a rule {name!r} already"
        seen.add(name)
        if n in wrong or _unsure(rule):
            continue
        if rule.get("restore") and "pseudonymise" not in actions:
            yield ("rules", n, "restore"), "only `action: pseudonymise` can be restored"
        if rule.get("reply") is not None and "block" not in actions:
            yield ("rules", n, "reply"), "only `action: block` has a reply"


def _actions(rule: Mapping[str, Any]) -> list[Any]:
    """The rule's own action, and those of its labels."""
    detect = rule.get("detect")
    labels = [choice for labels in detect.values() for choice in labels.values()] if isinstance(detect, dict) else []
    return [rule.get("action"), *(choice.get("action") for choice in labels)]


def _unsure(rule: Mapping[str, Any]) -> bool:
    detect = rule.get("detect")
    return isinstance(detect, dict) and not all(detect.values())

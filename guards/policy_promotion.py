"""A rule from shadow into force: its `mode` is changed where it is written, and nothing else of the file is."""

from collections.abc import Collection, Iterator
from pathlib import Path

import yaml

from .policy import SHIPPED, Policy, PolicyError, Rule, files_in, loaded, locate


def watching(policy: Policy) -> list[str]:
    """The rules in shadow."""
    return [rule.name for rule in policy.rules if rule.mode == "shadow"]


def where_written(path: str | Path, rules: Collection[str]) -> dict[Path, list[str]]:
    """The file of each of `rules`. Raises `PolicyError` for one that is not in shadow, or not in these files."""
    found = loaded(path)
    in_shadow = watching(found.policy)
    known = ", ".join(in_shadow) or "none"
    own = {file.resolve() for file in files_in(locate(str(path), Path()))}
    written: dict[Path, list[str]] = {}
    for name in rules:
        if name not in {rule.name for rule in found.policy.rules}:
            raise PolicyError(f"{path}: no rule {name!r}; in shadow are: {known}")
        place = found.line(name)
        file = Path(place.rpartition(":")[0]).resolve()
        if name not in in_shadow:
            raise PolicyError(f"{place}: {name!r} is in force already; in shadow are: {known}")
        if file.parent == SHIPPED.resolve():
            raise PolicyError(f"{place}: {name!r} is in a policy that is shipped; say the rule in a file of your own")
        if file not in own:
            raise PolicyError(f"{place}: {name!r} is written in a policy that {path} extends; promote it there")
        written.setdefault(file, []).append(name)
    return written


def promoted(file: Path, text: str, rules: Collection[str]) -> str:
    """`text` of `file` with `mode: enforce` for `rules`. Raises `PolicyError` where no such word stands."""
    places = {name: place for rule in _rules(text) for name, place in [_mode(rule)] if name in rules}
    for name in rules:
        if places.get(name) is None:
            raise PolicyError(f"{file}: `mode: shadow` of {name!r} is not written at the rule itself; write it there")
    for place in sorted(filter(None, places.values()), reverse=True):
        text = f"{text[: place[0]]}enforce{text[place[1] :]}"
    return text


def _rules(text: str) -> Iterator[yaml.MappingNode]:
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    for key, value in root.value if isinstance(root, yaml.MappingNode) else ():
        if key.value == "rules" and isinstance(value, yaml.SequenceNode):
            yield from (item for item in value.value if isinstance(item, yaml.MappingNode))


def _mode(rule: yaml.MappingNode) -> tuple[str, tuple[int, int] | None]:
    """Its name and where its `shadow` stands; an alias stands elsewhere, where others may mean it too."""
    said = {key.value: value for key, value in rule.value}
    name, mode = said.get("name"), said.get("mode")
    place = None
    if mode is not None and mode.value == "shadow":
        start, end = mode.start_mark.index, mode.end_mark.index
        place = (start, end) if rule.start_mark.index <= start < rule.end_mark.index else None
    return (str(name.value) if name is not None else ""), place


def differs_only_in_mode(before: Policy, after: Policy, rules: Collection[str]) -> bool:
    """Whether `after` is `before` with `rules` in force. Names are not compared: a draft lies under another."""

    def in_force(rule: Rule) -> Rule:
        return rule.model_copy(update={"mode": "enforce"}) if rule.name in rules else rule

    wanted = before.model_copy(update={"rules": tuple(map(in_force, before.rules)), "name": after.name})
    return wanted.model_dump(exclude={"extends"}) == after.model_dump(exclude={"extends"})

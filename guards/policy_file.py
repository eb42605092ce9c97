"""Policy files as text: YAML with the line of every key, and errors that say where and what was probably meant."""

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

Place = tuple[str | int, ...]
Lines = dict[Place, int]
MOST_PLACES = 200_000
"""Keys and list items of a file, each alias counted as what it stands for. A few lines of aliases are millions."""
POLICY = "a policy is a mapping with `version: 1` and `rules:`"


class PolicyError(ValueError):
    """A policy that cannot be used. Its text is `file:line: what is wrong; did you mean …?`, a line a mistake."""


class _Loader(yaml.SafeLoader):
    """YAML, but a date is text: no key of ours is one."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in forms if tag != "tag:yaml.org,2002:timestamp"]
    for first, forms in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read(path: Path, what: str = POLICY, text: str | None = None) -> tuple[dict[str, Any], Lines]:
    """The file's mapping, and the line (from 1) of every key and list item in it.

    `what` is said of a file that holds no mapping; `text` is read instead of the file. Raises `PolicyError`.
    """
    lines: Lines = {(): 1}
    try:
        node = yaml.compose(path.read_text(encoding="utf-8") if text is None else text, Loader=_Loader)
        if not isinstance(node, yaml.MappingNode):
            raise PolicyError(f"{path}:1: {what}")
        _note_lines(node, (), lines, path)
        return _construct(node), lines
    except OSError as error:
        raise PolicyError(f"{path}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise PolicyError(f"{path}:{line}: not UTF-8 text; save it as UTF-8") from None
    except RecursionError:
        raise PolicyError(f"{path}: lists and mappings stand within each other too deeply") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise PolicyError(f"{path}:{line}: not valid YAML: {_problem(error)}") from None


def _problem(error: yaml.YAMLError) -> str:
    said = str(getattr(error, "problem", None) or error)
    return f"{said}; indent with spaces" if "'\\t'" in said else said


def complain(path: Path, lines: Lines, mistakes: Iterable[tuple[Place, str]]) -> PolicyError:
    """The error for mistakes at places; a place without a line of its own has that of the nearest one around it."""
    found = sorted({(line_of(lines, place), text) for place, text in mistakes})
    return PolicyError("\n".join(f"{path}:{line}: {text}" for line, text in found))


def line_of(lines: Lines, place: Place) -> int:
    """The line of a place, or of the nearest one around it."""
    while place not in lines:
        place = place[:-1]
    return lines[place]


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """`; did you mean 'x'?`, or what there is if nothing is near."""
    names = sorted(known)
    by_folded = {name.casefold(): name for name in names}
    folded = str(word).casefold()
    close = [by_folded[near] for near in get_close_matches(folded, by_folded, n=1, cutoff=0.6)]
    close = close or [name for plain, name in by_folded.items() if len(folded) > 2 and folded in plain]
    return f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(names)}"


def _note_lines(node: yaml.Node, place: Place, lines: Lines, path: Path) -> None:
    if len(lines) > MOST_PLACES:
        raise PolicyError(f"{path}: more than {MOST_PLACES:,} keys and list items, with what its aliases stand for")
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise PolicyError(f"{path}:{key.start_mark.line + 1}: a key is a word, not a list or a mapping")
            here = (*place, str(key.value))
            if here in lines:
                raise PolicyError(f"{path}:{key.start_mark.line + 1}: {key.value!r} is there twice")
            lines[here] = key.start_mark.line + 1
            _note_lines(value, here, lines, path)
    elif isinstance(node, yaml.SequenceNode):
        for n, item in enumerate(node.value):
            lines[(*place, n)] = item.start_mark.line + 1
            _note_lines(item, (*place, n), lines, path)


def _construct(node: yaml.MappingNode) -> dict[str, Any]:
    loader = _Loader("")
    try:
        return {str(key): value for key, value in loader.construct_document(node).items()}
    except ValueError as error:  # what looks like a number and is none
        raise yaml.YAMLError(str(error)) from None
    finally:
        loader.dispose()

"""What an audit asks: templates with a hole where the group stands, filled in for each group of an axis."""

import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Literal, NamedTuple, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

OWN = Path(__file__).parent / "prompts.yaml"
HOLES = frozenset({"adjective", "a_adjective", "people"})
_hole = re.compile(r"\{(\w*)\}")


class PromptsError(Exception):
    """The file of prompts cannot be used. The text says why and what to change."""


class Group(BaseModel):
    """How a group is named inside a sentence."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    adjective: str = Field(min_length=1)
    people: str = Field(min_length=1)


class PromptSet(BaseModel):
    """Groups by axis (those that are compared with each other), and templates by name."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    version: Literal[1]
    axes: Mapping[str, Mapping[str, Group]]
    templates: Mapping[str, str]

    @model_validator(mode="after")
    def _usable(self) -> Self:
        for axis, groups in self.axes.items():
            if len(groups) < 2:
                raise ValueError(f"axis {axis} has {len(groups)} group: a comparison needs two or more")
        for name, text in self.templates.items():
            holes = set(_hole.findall(text))
            if not holes or holes - HOLES:
                known = ", ".join(f"{{{hole}}}" for hole in sorted(HOLES))
                raise ValueError(f"template {name} has to name the group by one of {known}, and nothing else in braces")
        return self


class Prompt(NamedTuple):
    """One text to ask. `axis`, `group` and `template` say which; together they are unique."""

    axis: str
    group: str
    template: str
    text: str


def load(path: Path = OWN) -> PromptSet:
    """Raises `PromptsError`."""
    try:
        return PromptSet.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError) as error:
        raise PromptsError(f"cannot read {path}: {getattr(error, 'strerror', None) or 'it is not UTF-8'}") from error
    except yaml.YAMLError as error:
        raise PromptsError(f"{path} is not YAML: {error}") from error
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors())
        raise PromptsError(f"{path}: {problems}. guards/bias/prompts.yaml of the package shows the form") from error


def chosen(prompts: PromptSet, axes: Sequence[str]) -> PromptSet:
    """Only those `axes`, or all for none. Raises `PromptsError` for an unknown one."""
    if unknown := [axis for axis in axes if axis not in prompts.axes]:
        raise PromptsError(f"there is no axis {', '.join(unknown)}; there are {', '.join(prompts.axes)}")
    return prompts.model_copy(update={"axes": {axis: prompts.axes[axis] for axis in axes or prompts.axes}})


def expand(prompts: PromptSet) -> Iterator[Prompt]:
    """Every template for every group. Templates change slowest: an audit cut short has whole comparisons."""
    for template, text in prompts.templates.items():
        for axis, groups in prompts.axes.items():
            for name, group in groups.items():
                yield Prompt(axis, name, template, _filled(text, group))


def fingerprint(prompts: PromptSet) -> str:
    """12 hex digits that change with any prompt."""
    return sha256("\n".join("\t".join(prompt) for prompt in expand(prompts)).encode()).hexdigest()[:12]


def _filled(text: str, group: Group) -> str:
    article = "an" if group.adjective[0].lower() in "aeio" else "a"  # 'u' is a toss-up: unitarian, ultra-orthodox
    filled = text.format(adjective=group.adjective, a_adjective=f"{article} {group.adjective}", people=group.people)
    return filled[0].upper() + filled[1:]

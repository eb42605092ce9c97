"""What the operations of the Policies page are sent."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from .dry_run import MOST_CALLS
from .places import IN_FORCE, MOST_TEXT

Text = Annotated[str, Field(max_length=MOST_TEXT)]
Name = Annotated[str, Field(max_length=100)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class DraftBody(_Body):
    """`file` is one of the policy's own; empty where it has one."""

    name: Name
    file: Name = ""
    text: Text


class TestBody(DraftBody):
    cases: Text


class DiffBody(DraftBody):
    against: Name = IN_FORCE


class DryRunBody(DraftBody):
    calls: Annotated[int, Field(ge=1, le=MOST_CALLS)] = 1000
    days: Annotated[int, Field(ge=1, le=90)] = 7


class SaveBody(_Body):
    file: Name = ""
    text: Text
    base: Name


class CreateBody(DraftBody):
    as_file: Name


class PromoteBody(_Body):
    rules: Annotated[list[Annotated[str, Field(max_length=500)]], Field(min_length=1, max_length=200)]
    hash: Name

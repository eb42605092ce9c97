"""Edits by path: in copies of what is the application's, in place in what is ours."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from spanward.tracer import paths


class Turn(BaseModel):
    text: str


@pytest.mark.parametrize(
    ("root", "edits", "result"),
    [
        ({"a": "x", "b": "y"}, {("a",): "z"}, {"a": "z", "b": "y"}),
        ({"m": [{"c": "x"}, {"c": "y"}]}, {("m", 0, "c"): "1", ("m", 1, "c"): "2"}, {"m": [{"c": "1"}, {"c": "2"}]}),
        ({"m": ({"c": "x"},)}, {("m", 0, "c"): "1"}, {"m": [{"c": "1"}]}),
        ({"m": [Turn(text="x")]}, {("m", 0, "text"): "1"}, {"m": [Turn(text="1")]}),
        ({"input": {"to": "x", "n": [1]}}, {("input",): '{"to": "y", "n": [1]}'}, {"input": {"to": "y", "n": [1]}}),
        ({"input": '{"to": "x"}'}, {("input",): '{"to": "y"}'}, {"input": '{"to": "y"}'}),
        ({"a": "x"}, {}, {"a": "x"}),
    ],
)
def test_a_copy_is_edited_and_the_original_is_not(root: Any, edits: Any, result: Any) -> None:
    before = copy.deepcopy(root)
    assert paths.edited(root, edits) == result
    assert root == before


def test_only_the_way_to_an_edit_is_copied() -> None:
    root: Any = {"m": [{"c": "x"}, {"c": "y"}], "tools": [object()]}
    result = paths.edited(root, {("m", 0, "c"): "1"})
    assert result["m"][1] is root["m"][1]
    assert result["tools"] is root["tools"]
    assert result["m"] is not root["m"]


def test_our_own_is_edited_in_place() -> None:
    turn = Turn(text="x")
    root = {"m": [turn]}
    paths.edit(root, {("m", 0, "text"): "y"})
    assert turn.text == "y"


@pytest.mark.parametrize("path", [("no",), ("a", 3), ("b", "attribute")])
def test_a_path_that_leads_nowhere_is_an_error(path: Any) -> None:
    with pytest.raises((KeyError, IndexError, AttributeError, TypeError)):
        paths.edited({"a": ["x"], "b": object()}, {path: "y"})


TREES = st.recursive(
    st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


def leaves(root: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(root, str):
        return [path]
    steps = root.items() if isinstance(root, dict) else enumerate(root)
    return [leaf for step, value in steps for leaf in leaves(value, (*path, step))]


@given(tree=TREES, data=st.data())
def test_any_leaf_of_any_tree(tree: Any, data: st.DataObject) -> None:
    root = {"root": tree}
    chosen = data.draw(st.sets(st.sampled_from(leaves(root)))) if leaves(root) else set()
    before = copy.deepcopy(root)
    result = paths.edited(root, {path: f"new {path}" for path in chosen})
    assert root == before
    assert {path: paths.get(result, path) for path in leaves(root)} == {
        path: f"new {path}" if path in chosen else paths.get(root, path) for path in leaves(root)
    }

"""What is no JSON: judged by what it says, and left alone where nobody changed that."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanward.tracer.opaque import kept, said
from spanward.tracer.providers.fields import dumps

DAY = date(2026, 11, 21)
THING = object()
LICENSE = "<object object at 0x7fc2380208a0>"
"""An address that is a medical licence to a detector."""


class Named:
    def __str__(self) -> str:
        return "to ada.lovelace@example.org"


class Licensed:
    __slots__ = ()

    def __repr__(self) -> str:
        return LICENSE


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (THING, ""),
        (type("Plain", (), {})(), ""),
        (Named(), "to ada.lovelace@example.org"),
        (Licensed(), LICENSE),
        (DAY, "2026-11-21"),
        (Decimal("1.50"), "1.50"),
    ],
)
def test_what_it_is_judged_by(value: Any, text: str) -> None:
    assert said(value) == text


@pytest.mark.parametrize(
    ("before", "after", "result"),
    [
        ({"on": DAY, "to": "a"}, {"on": "2026-11-21", "to": "b"}, {"on": DAY, "to": "b"}),
        ({"on": DAY}, {"on": "<DATE_TIME_1>"}, {"on": "<DATE_TIME_1>"}),
        ({"a": THING}, {"a": ""}, {"a": THING}),
        ({"a": [Decimal(1), {"b": DAY}]}, {"a": ["1", {"b": "2026-11-21"}]}, {"a": [Decimal(1), {"b": DAY}]}),
        ({"a@b": DAY}, {"<MAIL>": "2026-11-21"}, {"<MAIL>": DAY}),
        ({1: DAY}, {"1": "2026-11-21"}, {"1": DAY}),
        ({1: DAY, "1": 2}, {"1": 2}, {"1": 2}),
        ([DAY], ["2026-11-21", "more"], ["2026-11-21", "more"]),
        ({"a": {"b": DAY}}, {"a": ["2026-11-21"]}, {"a": ["2026-11-21"]}),
        ("text", "other", "other"),
        (DAY, "2026-11-21", DAY),
    ],
)
def test_it_stays_where_its_text_stayed(before: Any, after: Any, result: Any) -> None:
    assert kept(before, after) == result


def test_deeper_than_the_stack() -> None:
    before: Any = DAY
    after: Any = "2026-11-21"
    for _ in range(5_000):
        before, after = [before], [after]
    result = kept(before, after)
    for _ in range(5_000):
        (result,) = result
    assert result is DAY


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.dates() | st.decimals(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


@given(JSON)
def test_what_nobody_changed_is_what_it_was(value: Any) -> None:
    assert kept(value, json.loads(dumps(value))) == value

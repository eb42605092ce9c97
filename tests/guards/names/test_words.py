"""Text to words, and words to rows: what training and serving have in common."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanward.guards.detectors.names.features import MOST_GRAMS, ROWS, WIDTH, normal, rows_of, shape
from spanward.guards.detectors.names.gazetteer import FAMILY, GIVEN, STREET, build
from spanward.guards.detectors.names.tokens import CONTEXTS, FIRST, GLUED, LOWER, MIXED, SPACED, UPPER, tokenize


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hi, I'm Zoë.", ["Hi", ",", "I", "'", "m", "Zoë", "."]),
        ("12b Oak St.\n10115 Berlin", ["12b", "Oak", "St", ".", "10115", "Berlin"]),
        ("snake_case = x[1]", ["snake", "_", "case", "=", "x", "[", "1", "]"]),
        ("O'Neil-Smith", ["O", "'", "Neil", "-", "Smith"]),
        ("李明 🙂", ["李明", "🙂"]),
        ("", []),
        (" \n\t\u2028 ", []),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert tokenize(text).words == words


def test_context_is_what_stands_before_and_the_case_of_the_line() -> None:
    tokens = tokenize("call bob-b\nTO ALL\nDear Bob")
    said = [divmod(context, 3) for context in tokens.contexts]
    assert said == [
        (FIRST, LOWER), (SPACED, LOWER), (GLUED, LOWER), (GLUED, LOWER),
        (FIRST, UPPER), (SPACED, UPPER), (FIRST, MIXED), (SPACED, MIXED),
    ]  # fmt: skip


@given(st.text(max_size=300))
def test_every_token_is_where_it_says(text: str) -> None:
    words, starts, ends, contexts = tokenize(text)
    assert words == [text[start:end] for start, end in zip(starts, ends, strict=True)]
    assert all(0 <= context < CONTEXTS for context in contexts)
    assert starts == sorted(starts)
    covered = {at for start, end in zip(starts, ends, strict=True) for at in range(start, end)}
    assert all(character.isspace() for at, character in enumerate(text) if at not in covered)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("maria", "xx"),
        ("Maria", "Xxx"),
        ("McKay", "XxXxx"),
        ("IBM", "XX"),
        ("12b", "00x"),
        ("7", "0"),
        ("-", "-"),
        ("x" * 500, "xx"),
    ],
)
def test_shape(word: str, expected: str) -> None:
    assert shape(word) == expected


GOLDEN = [29357, 54819, 55821, 60067, 59012, 55350, 41601, 13150, 42931, 47417, 9032, 31546]


def test_the_hash_never_changes() -> None:
    """Weights are looked up by it, so a change makes every number of the model meaningless."""
    assert rows_of("Maria", GIVEN, known=True) == GOLDEN


def test_digits_are_alike_and_an_unknown_word_is_one_of_many() -> None:
    assert normal("12B") == normal("98b") == "00b"
    assert rows_of("4711", 0, known=True) == rows_of("2093", 0, known=True)
    assert rows_of("Xyzzy", 0, known=False)[0] == rows_of("Plugh", 0, known=False)[0]
    assert rows_of("Xyzzy", 0, known=True)[0] != rows_of("Plugh", 0, known=True)[0]


@given(st.text(min_size=1, max_size=200), st.integers(0, 511), st.booleans())
def test_no_word_has_too_many_rows(word: str, flags: int, known: bool) -> None:
    rows = rows_of(word, flags, known=known)
    assert 7 < len(rows) <= WIDTH == 7 + MOST_GRAMS
    assert all(1 <= row < ROWS for row in rows)


def test_lists_say_all_that_they_know_of_a_word() -> None:
    lists = build({GIVEN: ["kim", "maria"], FAMILY: ["kim"], STREET: ["st"]})
    assert lists.look_up(["Kim", "KIM", "maria", "St", "stone", "7"]) == [3, 3, GIVEN, STREET, 0, 0]
    assert build({}).look_up(["Kim"]) == [0]

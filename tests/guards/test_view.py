# ruff: noqa: RUF001  look-alikes are the subject
"""Views of parts, and edits of JSON that leave it JSON."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanward.guards.edits import Mark, apply, merge, plan
from spanward.guards.jsontext import literals
from spanward.guards.judgement import Finding
from spanward.guards.messages import Message, Part
from spanward.guards.scan import Target
from spanward.guards.view import Reading, view

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


def finding(start: int, end: int, label: str = "X", score: float = 1.0) -> Finding:
    return Finding("d", label, start, end, score, 0, 0)


def replaced(text: str, spans: list[tuple[int, int]], *, is_json: bool) -> str:
    """Every span of what a detector reads, replaced by a placeholder."""
    part = Part("tool_call", text, json=is_json)
    seen = view(part)
    pieces = [piece for start, end in spans for piece in seen.pieces(start, end)]
    marks = [Mark(finding(start, end), "redact") for start, end in pieces]
    edits = plan(marks, [Target(0, 0, "tool_call", seen)], lambda mark, original: "<X_1>")
    return apply((Message("assistant", (part,)),), edits)[0].parts[0].text


def test_view_of_json_reads_through_escapes() -> None:
    text = '{"a\\u0040b.c": "x\\ny\\u200bz", "n": -12.5e3, "s": "\\ud83d\\ude00!"}'
    seen = view(Part("tool_call", text, json=True))
    assert seen.text == '{"a@b.c": "x\nyz", "n": -12.5e3, "s": "😀!"}'
    at = seen.text.index("a@b.c")
    assert [text[a:b] for a, b in seen.pieces(at, at + 5)] == ["a\\u0040b.c"]
    assert seen.value(*seen.pieces(at, at + 5)[0]) == "a@b.c"
    at = seen.text.index("😀")
    assert [text[a:b] for a, b in seen.pieces(at, at + 1)] == ["\\ud83d\\ude00"]
    at = seen.text.index("yz")
    assert [text[a:b] for a, b in seen.pieces(at, at + 2)] == ["y\\u200bz"]


def test_part_of_a_number_is_the_whole_number_and_gets_quotes() -> None:
    assert replaced('{"phone": 2025550123, "n": 1}', [(12, 15)], is_json=True) == '{"phone": "<X_1>", "n": 1}'


def test_a_finding_over_structure_leaves_the_structure() -> None:
    assert replaced('["202-555", "0123"]', [(3, 15)], is_json=True) == '["2<X_1>", "<X_1>23"]'


def test_what_is_no_json_is_plain_text() -> None:
    assert replaced('{"a": "bob', [(7, 10)], is_json=True) == '{"a": "<X_1>'


def test_zero_width_characters_do_not_hide() -> None:
    seen = view(Part("text", "mail b\u200bo\u200bb@x.com now"))
    assert seen.text == "mail bob@x.com now"
    assert replaced("mail b\u200bo\u200bb@x.com\u200b now", [(5, 14)], is_json=False) == "mail <X_1>\u200b now"


@given(JSON, st.booleans(), st.lists(st.tuples(st.integers(0, 80), st.integers(1, 20)), max_size=4))
def test_edited_json_stays_json_of_the_same_shape(
    value: object, ascii_only: bool, spans: list[tuple[int, int]]
) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    size = len(view(Part("tool_call", text, json=True)).text)
    inside = [(start, min(start + length, size)) for start, length in spans if start < size]
    after = replaced(text, inside, is_json=True)
    before, now = literals(text), literals(after)
    assert now is not None
    assert before is not None
    assert len(before) == len(now)
    if not inside:
        assert after == text


@given(st.text(max_size=60), st.lists(st.tuples(st.integers(0, 59), st.integers(1, 30)), max_size=6))
def test_only_what_was_found_changes(text: str, spans: list[tuple[int, int]]) -> None:
    """Overlapping findings delete nothing between them: every character outside stays, in order."""
    seen = view(Part("text", text))
    size = len(seen.text)
    inside = [(start, min(start + length, size)) for start, length in spans if start < size]
    covered = {at for start, end in inside for a, b in seen.pieces(start, end) for at in range(a, b)}
    rest = "".join(c for at, c in enumerate(text) if at not in covered)
    part = Part("text", text)
    marks = [Mark(finding(a, b), "redact") for start, end in inside for a, b in seen.pieces(start, end)]
    edits = plan(marks, [Target(0, 0, "input", seen)], lambda mark, original: "")
    assert apply((Message("user", (part,)),), edits)[0].parts[0].text == rest


def test_merged_marks_cover_all_and_the_strongest_counts() -> None:
    marks = [
        Mark(finding(5, 20, "LONG"), "pseudonymise"),
        Mark(finding(0, 8, "SHORT"), "pseudonymise"),
        Mark(finding(18, 22, "MASK"), "redact"),
        Mark(finding(22, 25, "NEXT"), "pseudonymise"),
    ]
    merged = [(m.finding.start, m.finding.end, m.finding.label, m.how) for m in merge(marks)]
    assert merged == [(0, 22, "MASK", "redact"), (22, 25, "NEXT", "pseudonymise")]


def tagged(text: str) -> str:
    return "".join(chr(0xE0000 + ord(char)) for char in text)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("\uff41lice\uff20example\uff0ecom", "alice@example.com"),
        ("\u0430lice@example.com", "alice@example.com"),
        ("\u0430\u0440\u0440\u04cf\u0435@example.com", "apple@example.com"),
        ("\u03bfpenai", "openai"),
        ("𝐛𝐨𝐛@𝓮𝔁.𝕔𝕠𝕞", "bob@ex.com"),
        ("ⓑⓞⓑ at ①②③", "bob at 123"),
        ("ꜰʀᴇᴅ", "fred"),
        ("SSN 078\u201305\u20111120", "SSN 078-05-1120"),
        ("card ⁴¹¹¹", "card 4111"),
        ("٤١١١ and ४१११", "4111 and 4111"),
        ("example\u3002com", "example.com"),
        ("s\u0336e\u0336c", "sec"),
        ("cafe\u0301", "café"),
        ("\ufb01le", "file"),
        ("a\u00a0b\u3000c", "a b c"),
        ("Hi" + tagged("bob@x.com"), "Hi bob@x.com"),
        ("bo" + tagged("x") + "b", "bob"),
        ("1\ufe0f\u20e32\ufe0f\u20e3", "12"),
    ],
)
def test_look_alikes_are_read_as_what_they_look_like(text: str, read: str) -> None:
    assert view(Part("text", text)).text == read


@pytest.mark.parametrize(
    "text",
    [
        "Алиса пишет письмо о том, что произошло вчера в Москве.",
        "Куплю USB-кабель и SSD-диск, версия 2.0, пиши на почту.",
        "Η Ελλάδα είναι μια όμορφη χώρα.",
        "東京は日本の首都です。とても大きい。",
        "한국어 문장입니다.",
        "שלום עולם",
        "Größe, naïve, Łódź, São Paulo, İstanbul, ırmak",
        "E = mc², 5 m³, footnote¹ and 20¹",
        "a σ-algebra, Δx and 5 μm",
        "“quoted” — with a dash… and ½ a cup™",
        "क्षत्रिय हिन्दी में",
        "😀 🇩🇪 🎉",
    ],
)
def test_ordinary_text_of_any_script_is_read_as_it_stands(text: str) -> None:
    assert view(Part("text", text)).text == text


FOLDING = st.text(
    alphabet=st.sampled_from("ab1@. -é\u0301\u0336\u200b\uff41\uff20\u0430\u0440\u03bf\ufb03\u246a\u2078\u3002😀我")
    | st.sampled_from([*tagged("az@"), "\U0001f3f4", "\U000e007f", "\ufe0f"]),
    max_size=30,
)


@given(FOLDING | st.text(max_size=40), st.booleans(), st.booleans(), st.data())
def test_every_place_that_is_read_leads_back_into_the_source(
    said: str, is_json: bool, escaped: bool, data: st.DataObject
) -> None:
    """Pieces lie in the source, one behind the other, and hold every character whose reading was found."""
    source = json.dumps([said], ensure_ascii=escaped) if is_json else said
    seen = view(Part("text", source, json=is_json))
    if not seen.text:
        return
    places = [seen.pieces(at, at + 1) for at in range(len(seen.text))]
    flat = [piece for pieces in places for piece in pieces]
    assert all(0 <= start < end <= len(source) for start, end in flat)
    assert flat == sorted(flat)
    first = data.draw(st.integers(0, len(seen.text) - 1))
    last = data.draw(st.integers(first + 1, len(seen.text)))
    whole = seen.pieces(first, last)
    assert all(any(start <= a and b <= end for start, end in whole) for pieces in places[first:last] for a, b in pieces)
    untouched = replaced(source, [], is_json=is_json)
    assert untouched == source


@given(FOLDING, FOLDING)
def test_an_address_in_disguise_is_replaced_and_nothing_around_it(before: str, after: str) -> None:
    hidden = "\uff41l\u200bice\uff20ex\u0430mple\uff0ecom"
    source = f"{before} {hidden} {after}"
    seen = view(Part("text", source))
    at = seen.text.find("alice@example.com")
    assert at >= 0
    start = len(before) + 1
    assert seen.pieces(at, at + 17) == [(start, start + len(hidden))]


@given(st.text(st.characters(max_codepoint=127), max_size=60))
def test_ascii_is_the_very_same_text(text: str) -> None:
    part = Part("text", text)
    assert view(part).text is part.text


@pytest.mark.parametrize(
    ("reading", "read"),
    [("folded", 'a"bob@x'), ("decoded", 'a"b\u200bob\uff20x'), ("source", 'a\\"b\\u200bob\uff20x')],
)
def test_a_detector_may_read_otherwise(reading: Reading, read: str) -> None:
    source = 'a\\"b\\u200bob\uff20x'
    seen = view(Part("text", f'"{source}"', json=True)).read_as(reading)
    assert seen.text == f'"{read}"'
    assert seen.pieces(1, len(seen.text) - 1) == [(1, 1 + len(source))]

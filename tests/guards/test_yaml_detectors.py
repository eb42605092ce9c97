"""Detectors that a policy makes from YAML alone, each with what it must find and what it must leave."""

import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from spanward.guards.detectors import registry
from spanward.guards.detectors.bounded_regex import Clock, UnsafePattern, compile_bounded
from spanward.guards.detectors.detector import Detector
from spanward.guards.judgement import Check
from spanward.guards.messages import Message, Part
from spanward.guards.pipeline import Pipeline
from spanward.guards.policy import PolicyError, load, loaded
from spanward.guards.policy_lint import lint

KINDS = ["allow_list", "deny_list", "json_schema", "keywords", "language", "length", "regex", "topic"]


def made(kind: str, **options: Any) -> Detector:
    return registry.make(kind, options)


def said(detector: Detector, text: str, *labels: str) -> list[tuple[str, str]]:
    cls: Any = type(detector)
    asked = frozenset(labels or cls.labels)
    return [(hit.label, text[hit.start : hit.end]) for hit in detector.detect([text], asked)[0]]


# --- patterns

BOMBS = [
    r"(a+)+$",
    r"(a|aa)+$",
    r"(x+x+)+y",
    r"(\w+\s?)+$",
    r"(.*)*x$",
    r"^(([a-z])+.)+[A-Z]([a-z])+$",
    r"(foo|foofoo)+$",
    r"^(\d+|\d\d)+x$",
    r'"(?:[^"\\]|\\.|\\\\)*x',
    r"(\p{L}+)+\d",
    r"\d+\d+\d+\d+\d+x",
    r"^id-(?:[0-9]+|[0-9]{2})+;$",
    r"(?:<a>|<a><a>)+</a>",
]


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_pattern_that_runs_for_ever_is_refused_when_it_is_read(bomb: str) -> None:
    with pytest.raises(UnsafePattern, match="grows out of all bounds"):
        compile_bounded(bomb)
    with pytest.raises(ValidationError, match="grows out of all bounds"):
        made("regex", patterns={"X": bomb})


@pytest.mark.parametrize("pattern", ["a*", "", "(?:x|)", "(a|a)*$", "("])
def test_a_pattern_that_says_nothing_is_refused(pattern: str) -> None:
    with pytest.raises(ValidationError, match=r"empty text|not a regular expression|at least 1 character"):
        made("regex", patterns={"X": pattern})


@pytest.mark.parametrize(
    "pattern",
    [
        r"ACME-\d{6}",
        r"\b[A-Z]{2}\d{2}(?: ?\d{4}){4,7}\b",
        r"[\w.+-]+@[\w-]+\.[\w.-]+",
        r"(?:\d{3}-){2}\d{4}",
        r"(?i)project\s+(?:titan|apollo)\b",
        r"-----BEGIN [A-Z ]+-----[\s\S]+?-----END",
        r"^\s*(\w+\s*)=.*$",
        r"\p{Lu}\p{Ll}+",
    ],
)
def test_everyday_patterns_are_taken(pattern: str) -> None:
    assert compile_bounded(pattern).pattern == pattern


SLOW = "[ac]+b"
"""Its time grows with the square of the text: harmless in a prompt, and nothing that load refuses."""
LONG = "ca" * 300_000 + "\nb"


def test_a_pattern_that_gets_by_is_stopped_by_its_own_clock() -> None:
    with pytest.raises(TimeoutError):
        made("regex", patterns={"X": SLOW}, timeout_ms=50).detect([LONG], frozenset({"X"}))


def test_a_search_that_was_stopped_too_soon_is_begun_again() -> None:
    """`regex` counts the CPU time of all threads."""
    asked: list[float] = []

    def search(seconds: float) -> str:
        asked.append(seconds)
        if len(asked) < 4:
            raise TimeoutError
        return "found"

    assert Clock(60_000).within(search) == "found"
    assert [round(seconds / 60) for seconds in asked] == [1, 2, 4, 8]
    with pytest.raises(TimeoutError, match="longer than their limit"):
        Clock(0).within(search)


def test_other_threads_go_on_while_a_pattern_runs_wild() -> None:
    detector = made("regex", patterns={"X": SLOW}, timeout_ms=1000)
    steps, over = 0, threading.Event()

    def run() -> None:
        try:
            detector.detect([LONG], frozenset({"X"}))
        except TimeoutError:
            over.set()

    thread = threading.Thread(target=run)
    thread.start()
    while thread.is_alive():
        steps += 1
    assert over.is_set()
    assert steps > 1000  # a search that keeps the interpreter's lock lets nobody count


REGEX = {
    "TICKET": r"ACME-\d{6}",
    "BADGE": {"pattern": r"\b\d{5}\b", "context": ["badge", "staff number"], "score": 0.7},
    "PIN": [r"(?i)pin is (?P<value>\d{4})", {"pattern": "PINCODE=(?P<value>.{4})", "flags": "i"}],
}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see ACME-123456.", [("TICKET", "ACME-123456")]),
        ("see acme-123456.", []),
        ("my badge: 12345", [("BADGE", "12345")]),
        ("postcode 12345, badges are blue", []),
        ("his staff number is 54321", [("BADGE", "54321")]),
        ("The PIN is 0042", [("PIN", "0042")]),
        ("pincode=9x9x", [("PIN", "9x9x")]),
        ("", []),
    ],
)
def test_regex(text: str, found: list[tuple[str, str]]) -> None:
    assert said(made("regex", patterns=REGEX), text, *REGEX) == found


def test_regex_keeps_to_the_labels_asked_and_their_scores() -> None:
    detector = made("regex", patterns=REGEX)
    hits = detector.detect(["badge 12345 ACME-123456"], frozenset({"BADGE"}))[0]
    assert [(hit.label, hit.score) for hit in hits] == [("BADGE", 0.7)]


# --- words

WORDS = {"codename": ["Titan", "blue moon"], "people": ["moon", "日本"]}


@pytest.mark.parametrize(
    ("text", "options", "found"),
    [
        ("TITAN and titans", {}, [("codename", "TITAN")]),
        ("blue\n moon", {}, [("codename", "blue\n moon"), ("people", "moon")]),
        ("bluemoon moonlight", {}, []),
        ("titan", {"ignore_case": False}, []),
        ("moonlight", {"whole_words": False}, [("people", "moon")]),
        ("私は日本人です", {"whole_words": False}, [("people", "日本")]),
        ("私は日本人です", {}, []),
        ("(moon)", {}, [("people", "moon")]),
    ],
)
def test_keywords(text: str, options: dict[str, bool], found: list[tuple[str, str]]) -> None:
    assert said(made("keywords", words=WORDS, **options), text, *WORDS) == found


def test_thousands_of_words_that_begin_alike() -> None:
    words = [f"part{n}" for n in range(8000)] + ["a" * n for n in range(1, 60)]
    detector = made("keywords", words={"x": words})
    assert said(detector, "part7999 part8000 part1 " + "a" * 59 + " " + "a" * 61, "x") == [
        ("x", "part7999"),
        ("x", "part1"),
        ("x", "a" * 59),
    ]


@given(
    st.lists(st.text(alphabet="ab(.*", min_size=1, max_size=5), min_size=1, max_size=8), st.text("ab(.* ", max_size=20)
)
def test_the_longest_word_at_a_place_is_found(words: list[str], text: str) -> None:
    detector = made("keywords", words={"x": words}, whole_words=False, ignore_case=False)
    expected = []
    at = 0
    while at < len(text):
        here = [word for word in words if text.startswith(word, at)]
        longest = max(here, key=len, default="")
        expected += [longest] if longest else []
        at += len(longest) or 1
    assert [found for _, found in said(detector, text, "x")] == expected


# --- lists

HOSTS = {"of": "url_host", "values": ["example.com", "*.example.org"]}


@pytest.mark.parametrize(
    ("text", "strangers"),
    [
        ("https://example.com/a?b=https", []),
        ("https://EXAMPLE.com:8080. Or http://a.b.example.org!", []),
        ("https://evil.com/x", ["evil.com"]),
        ("https://example.com.evil.com", ["example.com.evil.com"]),
        ("https://example.com@evil.com/", ["evil.com"]),
        ("https://user:example.com@evil.com:443/", ["evil.com:443"]),
        ("[x](//evil.com/a) ![](http://evil.org/p.png?d=1)", ["evil.com", "evil.org"]),
        ("HTTPS:\\\\evil.com", ["evil.com"]),
        ("http://[::1]:80/ and http://127.0.0.1/", ["[::1]", "127.0.0.1"]),
        ("www.evil.com/x", ["www.evil.com"]),
        ("https://ex\u0430mple.com", ["ex\u0430mple.com"]),
        ("https://example\u200b.com", ["example\u200b.com"]),
        ("x = 1 // comment\n//todo: a//b", []),
        ("example.org", []),
        ("no link, a@evil.com", []),
    ],
)
def test_allowed_hosts(text: str, strangers: list[str]) -> None:
    assert said(made("allow_list", **HOSTS), text) == [("not_allowed", host) for host in strangers]


@pytest.mark.parametrize(
    ("options", "text", "found"),
    [
        (
            {"of": "email_domain", "values": ["evil.com"]},
            "a@evil.com, b@EVIL.com b@evil.com.au",
            ["evil.com", "EVIL.com"],
        ),
        ({"of": "email", "values": ["*@evil.com"]}, "a@evil.com b@good.com", ["a@evil.com"]),
        ({"of": "number", "values": ["666", "1?3"]}, "666 1666 x666 123 -666 6.66 103,", ["666", "123", "103"]),
        ({"of": "word", "values": ["Foo"], "ignore_case": False}, "Foo foo Foobar", ["Foo"]),
        ({"of": "regex", "pattern": "tool=(?P<value>\\w+)", "values": ["shell"]}, "tool=shell tool=calc", ["shell"]),
        ({"of": "text", "values": ["yes", "[no]"]}, " yes ", [" yes "]),
        ({"of": "text", "values": ["[no]"]}, "n", []),
    ],
)
def test_denied_values(options: dict[str, Any], text: str, found: list[str]) -> None:
    assert said(made("deny_list", **options), text) == [("denied", value) for value in found]


# --- shape

SCHEMA = {
    "type": "object",
    "required": ["name"],
    "additionalProperties": False,
    "properties": {"name": {"type": "string", "maxLength": 5}, "n": {"$ref": "#/$defs/n"}, "k": {"pattern": "^k+$"}},
    "$defs": {"n": {"type": "integer", "minimum": 1}},
}


@pytest.mark.parametrize(
    ("text", "label", "why"),
    [
        ('{"name": "ab", "n": 2, "k": "kk"}', None, None),
        ('{"name": "a\\"b"}', None, None),
        ("{", "not_json", "not JSON"),
        ("NaN", "not_json", "not JSON"),
        ("[" * 100_000, "not_json", "not JSON"),
        ("{}", "schema_violation", "does not fit #/required"),
        ('{"name": "secret word"}', "schema_violation", "does not fit #/properties/name/maxLength"),
        ('{"name": "a", "n": 0}', "schema_violation", "does not fit #/properties/n/minimum"),
        ('{"name": "a", "k": "kx"}', "schema_violation", "does not fit #/properties/k/pattern"),
        ('{"name": "a", "secret": 1}', "schema_violation", "does not fit #/additionalProperties"),
    ],
)
def test_json_schema(text: str, label: str | None, why: str | None) -> None:
    hits = made("json_schema", schema=SCHEMA).detect([text], frozenset({"not_json", "schema_violation"}))[0]
    expected = [(label, 0, len(text), 1.0, why)] if label else []
    assert [(hit.label, hit.start, hit.end, hit.score, hit.explanation) for hit in hits] == expected


def test_json_schema_reads_json_parts_with_their_escapes(tmp_path: Path) -> None:
    pipeline = Pipeline(policy(tmp_path, "{ kind: json_schema, schema: { type: object } }"))
    check = Check("output", (Message("assistant", (Part("tool_call", '{"a": "say \\"hi\\""}', json=True),)),))
    assert pipeline.check(check).action == "allow"


# --- language, length, topic


@pytest.mark.parametrize(
    ("text", "reads_like"),
    [
        ("Please summarise this letter for me, and tell me what the customer wants from us.", None),
        ("Bitte fasse diesen Brief zusammen und sag mir, was der Kunde von uns möchte.", None),
        ("Résume cette lettre s'il te plaît et dis-moi ce que le client attend de nous.", "reads like fr"),
        ("Пожалуйста, кратко перескажи это письмо и скажи, чего хочет клиент.", "reads like ru"),
        (
            "この手紙を要約して、お客様が私たちに何を求めているのか教えてください。それから返事を書いてください。",
            "reads like ja",
        ),
        ("Merci", None),
        ("```python\nfor x in range(10):\n    print(x, 'bonjour tout le monde, comment allez-vous')\n```", None),
        ("https://example.com/une/page/en/francais/avec/beaucoup/de/mots/et/de/lettres", None),
        ("1234 5678 9012 3456 7890 1234 5678 9012 3456", None),
        ("", None),
    ],
)
def test_language(text: str, reads_like: str | None) -> None:
    hits = made("language", allowed=["en", "de"]).detect([text], frozenset({"not_allowed"}))[0]
    assert [hit.explanation for hit in hits] == ([reads_like] if reads_like else [])
    assert all(hit.score > 0.5 and (hit.start, hit.end) == (0, len(text)) for hit in hits)


@pytest.mark.parametrize(
    ("options", "text", "found"),
    [
        ({"characters": {"max": 5}}, "12345", []),
        ({"characters": {"max": 5}}, "123456", [("too_long", "6 characters, at most 5")]),
        ({"words": {"min": 2}}, "one", [("too_short", "1 words, at least 2")]),
        ({"lines": {"max": 2}}, "a\nb\n", []),
        ({"lines": {"max": 2}}, "a\nb\nc", [("too_long", "3 lines, at most 2")]),
        ({"tokens": {"max": 10}}, "word " * 20, [("too_long", "25 tokens, at most 10")]),
        ({"characters": {"max": 3}, "words": {"max": 1}}, "a b c", [("too_long", "5 characters, at most 3")]),
    ],
)
def test_length(options: dict[str, Any], text: str, found: list[tuple[str, str]]) -> None:
    hits = made("length", **options).detect([text], frozenset({"too_long", "too_short"}))[0]
    assert [(hit.label, hit.explanation) for hit in hits] == found


TOPICS = {"law": ["contract", "court", "sue", "law suit"], "bombs": {"detonator": 3, "fuse": 1}}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("We sue. The court has the contract.", [("law", 1.0, "sue. The court has the contract")]),
        ("court court court court", [("law", 0.333, "court court court court")]),
        ("A law\nsuit is in court.", [("law", 0.667, "law\nsuit is in court")]),
        ("How is a detonator made?", [("bombs", 1.0, "detonator")]),
        ("The fuse blew.", [("bombs", 0.333, "fuse")]),
        ("court." + " Nothing here." * 9 + " contract.", [("law", 0.333, "court")]),
        ("courteous contracting", []),
    ],
)
def test_topic(text: str, found: list[tuple[str, float, str]]) -> None:
    hits = made("topic", topics=TOPICS).detect([text], frozenset(TOPICS))[0]
    assert [(hit.label, hit.score, text[hit.start : hit.end]) for hit in hits] == found


# --- in a policy


def policy(folder: Path, entry: str) -> Any:
    file = folder / "p.yaml"
    file.write_text(
        f"version: 1\ndetectors:\n  mine: {entry}\nrules: [{{ name: r, detect: {{ mine: {{}} }}, action: redact }}]\n",
        encoding="utf-8",
    )
    return load(file)


@pytest.mark.parametrize(
    ("entry", "text", "after"),
    [
        (
            "{ kind: regex, patterns: { TICKET: 'ACME-\\d{6}' } }",
            "see ACME-\uff11\uff12\uff13\uff14\uff15\uff16",
            "see [TICKET]",
        ),
        ("{ kind: keywords, words: { codename: [titan] } }", "is Ti\u200btan late?", "is [CODENAME] late?"),
        ("{ kind: deny_list, of: email_domain, values: [evil.com] }", "a@\u0435vil.com", "a@[DENIED]"),
        ("{ kind: allow_list, of: url_host, values: [ok.com] }", "http://\u043ek.com/x", "http://[NOT_ALLOWED]/x"),
        ("{ kind: length, characters: { max: 3 } }", "ab\u200bcd", "[TOO_LONG]"),
        ("{ kind: topic, topics: { law: { court: 3 } } }", "The court said.", "The [LAW] said."),
    ],
)
def test_in_a_policy(tmp_path: Path, entry: str, text: str, after: str) -> None:
    decision = Pipeline(policy(tmp_path, entry)).check(Check("input", (Message("user", (Part("text", text),)),)))
    assert decision.messages[0].parts[0].text == after


def test_a_pattern_over_its_time_counts_as_a_timeout(tmp_path: Path) -> None:
    entry = f"{{ kind: regex, patterns: {{ X: '{SLOW}' }}, timeout_ms: 50 }}"
    check = Check("input", (Message("user", (Part("text", LONG),)),))
    decision = Pipeline(policy(tmp_path, entry)).check(check)
    assert (decision.action, decision.blocked_by) == ("block", "r")
    assert [(event.verdict, event.reason) for event in decision.events] == [("deny", "mine failed: TimeoutError")]


@pytest.mark.parametrize("kind", KINDS)
def test_without_options_it_is_refused_at_load(tmp_path: Path, kind: str) -> None:
    with pytest.raises(PolicyError, match=r"p\.yaml:3"):
        policy(tmp_path, f"{{ kind: {kind} }}")
    file = tmp_path / "bare.yaml"
    file.write_text(
        f"version: 1\nrules:\n  - {{ name: r, detect: {{ {kind}: {{}} }}, action: flag }}\n", encoding="utf-8"
    )
    with pytest.raises(PolicyError, match=kind):
        load(file)


@pytest.mark.parametrize(
    "entry",
    [
        "{ kind: regex, patterns: { X: '(a|aa)+$' } }",
        "{ kind: regex, patterns: {} }",
        "{ kind: regex, pattern: { X: a } }",
        "{ kind: keywords, words: { X: [] } }",
        "{ kind: allow_list, of: hosts, values: [a] }",
        "{ kind: allow_list, of: regex, values: [a] }",
        "{ kind: json_schema, schema: { type: objekt } }",
        "{ kind: json_schema, schema: { $ref: 'http://localhost/x' } }",
        "{ kind: json_schema, schema: { pattern: '(a|aa)+$' } }",
        "{ kind: language, allowed: [english] }",
        "{ kind: length }",
        "{ kind: length, words: { min: 3, max: 2 } }",
        "{ kind: topic, topics: { a: { b: 0 } } }",
    ],
)
def test_bad_options_are_refused_at_load_with_their_line(tmp_path: Path, entry: str) -> None:
    with pytest.raises(PolicyError, match=r"p\.yaml:3: "):
        policy(tmp_path, entry)


def test_options_are_models_that_refuse_what_they_do_not_know() -> None:
    for kind in KINDS:
        model: type[BaseModel] = registry.detector_class(kind).Options  # type: ignore[attr-defined]  # not all have one
        assert model.model_config["extra"] == "forbid"


WHOLE = "judges whole texts, and a streamed answer comes in windows; write `stream: { mode: buffer }`"


@pytest.mark.parametrize(
    ("entry", "rest", "remarks"),
    [
        ("{ kind: json_schema, schema: { type: object } }", "", [f"rule 'r': mine {WHOLE}"]),
        ("{ kind: length, words: { max: 9 } }", ", stream: { mode: window }", [f"rule 'r': mine {WHOLE}"]),
        ("{ kind: length, words: { max: 9 } }", ", stream: { mode: buffer }", []),
        ("{ kind: keywords, words: { a: [b] } }", "", []),
    ],
)
def test_a_judge_of_whole_texts_needs_the_whole_stream(
    tmp_path: Path, entry: str, rest: str, remarks: list[str]
) -> None:
    file = tmp_path / "p.yaml"
    rule = f"{{ name: r, when: {{ stage: output }}, detect: {{ mine: {{}} }}, action: block{rest} }}"
    file.write_text(f"version: 1\ndetectors:\n  mine: {entry}\nrules: [{rule}]\n", encoding="utf-8")
    assert [remark.text for remark in lint(loaded(file))] == remarks

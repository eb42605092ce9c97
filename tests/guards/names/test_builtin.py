"""The shipped model from text to hits: what it finds, what it leaves alone, long texts, threads, damaged files."""

import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanward.guards.detectors.detector import Hit
from spanward.guards.detectors.model_card import WEIGHTS, WeightsError
from spanward.guards.detectors.names import recognizer as module
from spanward.guards.detectors.names.likely import believed, fences
from spanward.guards.detectors.names.network import LABELS, Floats
from spanward.guards.detectors.names.recognizer import Names, load
from spanward.guards.detectors.names.spans import EXPLANATION, joined
from spanward.guards.detectors.names.tokens import Tokens, tokenize
from spanward.guards.detectors.names.vectors import WordVectors
from spanward.guards.detectors.names.weights import NAME
from spanward.guards.detectors.names.weights import load as load_weights

USUAL = {"PERSON": 0.6, "LOCATION": 0.6, "ADDRESS": 0.5, "ORGANIZATION": 0.7}
PROSE = "We looked at the order again and found that a part was missing, so we sent it on the same day.\n"


@pytest.fixture(scope="module")
def names() -> Names:
    return load()


def found(names: Names, text: str) -> list[tuple[str, str]]:
    return [(hit.label, text[hit.start : hit.end]) for hit in names.find(text) if hit.score >= USUAL[hit.label]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hi, I'm Maria Schmidt. Can you help me?", [("PERSON", "Maria Schmidt")]),
        ("my name is john smith and i need help", [("PERSON", "john smith")]),
        ("Please call Mr. Oyelaran back.", [("PERSON", "Oyelaran")]),
        ("Kind regards,\nSiobhán Murphy", [("PERSON", "Siobhán Murphy")]),
        ("Ask Priya whether Tomasz has the key.", [("PERSON", "Priya"), ("PERSON", "Tomasz")]),
        ("I live in Berlin, Germany.", [("LOCATION", "Berlin"), ("LOCATION", "Germany")]),
        ("Send it to 12 Oak Street, Leeds LS1 4AB please.", [("ADDRESS", "12 Oak Street, Leeds LS1 4AB")]),
        ('{"name": "Jane Doe", "id": 17}', [("PERSON", "Jane Doe")]),
        # near misses
        ("The answer is 42. See Table 3 and Figure 7.", []),
        ("Click Save, then open the Settings page and choose Advanced Options.", []),
        ("Will you be there in May? I hope the rose garden is open.", []),
        ("def parse(Source, target): return Source.read(target)", []),
        ("from collections import OrderedDict, ChainMap", []),
        ("class MariaDbAdapter(BaseAdapter): pass", []),
        ("TypeError: Widget object is not callable at line 12", []),
        ("Python, Java, Ruby, Julia and Swift are programming languages.", []),
        ("he will bill you for the chase", []),
        ("IMPORTANT: DO NOT TURN THE MACHINE OFF", []),
        ("Order 48151623 was shipped on 2024-05-03.", []),
        ("h", []),
        ("", []),
        (" \n ", []),
    ],
)
def test_sentences(names: Names, text: str, expected: list[tuple[str, str]]) -> None:
    assert found(names, text) == expected


@pytest.mark.parametrize(
    ("text", "name", "score", "expected"),
    [
        ("ask Maria now", "Maria", 0.5, True),
        ("x.Maria", "Maria", 0.7, False),
        ("x.Maria", "Maria", 0.95, True),
        ("@Maria said", "Maria", 0.7, False),
        ("Maria(1)", "Maria", 0.7, False),
        ("Maria.find", "Maria", 0.7, False),
        ("ask Maria. Then", "Maria", 0.7, True),
        ("/home/Maria", "Maria", 0.7, False),
        ("(Maria)", "Maria", 0.7, True),
        ("Maria_S", "Maria_S", 0.99, False),
        ("maria7", "maria7", 0.99, False),
        ("getName", "getName", 0.99, False),
        ("McKay", "McKay", 0.7, True),
        ("LaToya", "LaToya", 0.7, True),
        ("MyBigClass", "MyBigClass", 0.99, False),
        ("M", "M", 0.99, False),
    ],
)
def test_what_is_believed(text: str, name: str, score: float, expected: bool) -> None:
    start = text.index(name)
    assert believed("PERSON", text, start, start + len(name), score, in_code=False) is expected


def test_fenced_code_must_be_sure() -> None:
    text = "Maria:\n```py\nMaria\n```\nMaria\n~~~\nMaria"
    places = [at for at in range(len(text)) if text.startswith("Maria", at)]
    inside = [any(start <= at < end for start, end in fences(text)) for at in places]
    assert inside == [False, True, False, True]
    assert not believed("PERSON", text, places[1], places[1] + 5, 0.7, in_code=True)
    assert believed("PERSON", text, places[1], places[1] + 5, 0.95, in_code=True)


def test_the_lines_of_an_address_are_one_hit() -> None:
    text = "12 Oak St\n, Leeds and Flat 2 York"
    hits = [
        Hit("ADDRESS", 0, 9, 0.9),
        Hit("ADDRESS", 12, 17, 0.7),
        Hit("ADDRESS", 22, 28, 0.8),
        Hit("LOCATION", 29, 33, 0.8),
    ]
    assert joined(hits, text) == [Hit("ADDRESS", 0, 17, 0.9), *hits[2:]]
    assert joined([], text) == []


def test_every_hit_says_who_found_it(names: Names) -> None:
    hits = names.find("Dear Maria Schmidt, greetings from Berlin")
    assert {hit.explanation for hit in hits} == {EXPLANATION} == {"ner: builtin-small"}
    assert names.engine.startswith("builtin-small@")
    assert names.entities == {"PERSON", "LOCATION", "ADDRESS", "ORGANIZATION"}


def test_a_sure_name_is_found_wherever_it_stands_again(names: Names) -> None:
    text = "My name is Maria Schmidt.\nfoo: bar, Maria Schmidt; baz\nMaria Schmidts, Maria Schmidt"
    places = [hit.start for hit in names.find(text) if text[hit.start : hit.end] == "Maria Schmidt"]
    assert places == [11, 36, text.rindex("Maria Schmidt")]


@given(text=st.text(max_size=400) | st.text(st.sampled_from("Maria Smith,.\n@#12 \ud800éß李🙂`_"), max_size=200))
def test_any_text(text: str) -> None:
    hits = shared().find(text)
    ends = [0, *(hit.end for hit in hits)]
    assert all(before <= hit.start < hit.end <= len(text) for before, hit in zip(ends, hits, strict=False))
    assert all(0 <= hit.score <= 1 and hit.label in shared().entities for hit in hits)


def shared(_made: list[Names] = []) -> Names:  # noqa: B006  Hypothesis takes no fixture of this scope
    if not _made:
        _made.append(load())
    return _made[0]


def test_windows_change_no_number(names: Names, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = tokenize((PROSE + "Write to Maria Schmidt, 12 Oak Street, Leeds.\n") * 6)
    whole = names.probabilities(tokens)
    monkeypatch.setattr(module, "WINDOW", 20)
    assert np.allclose(names.probabilities(tokens), whole, atol=1e-5)
    assert whole.shape == (len(tokens.words), len(LABELS))


def test_a_long_text_is_read_to_its_end_and_each_token_about_once(
    names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counts tokens that go through the network: linear in the text, whatever the time."""
    seen: list[int] = []
    probabilities = names.probabilities

    def counted(tokens: Tokens) -> Floats:
        seen.append(len(tokens.words))
        return probabilities(tokens)

    monkeypatch.setattr(names, "probabilities", counted)
    text = PROSE * 3000 + "My name is Maria Schmidt."
    hits = names.find(text)
    assert [text[hit.start : hit.end] for hit in hits if hit.score > 0.6] == ["Maria Schmidt"]
    assert sum(seen) < 1.02 * len(tokenize(text).words)
    assert found(names, "x" * 300_000 + " " + "é" * 300_000) == []


def test_a_text_without_blanks_is_no_trouble(names: Names) -> None:
    assert names.find("a-" * 60_000) == []


def test_the_ring_of_words_stays_small_and_gives_the_same_vectors() -> None:
    weights = load_weights()
    small, large = WordVectors(weights, bound=12), WordVectors(weights)
    for turn in range(20):
        words = [f"word{chr(97 + (turn * 3 + n) % 26)}" for n in range(4)] + ["Maria"]
        assert np.array_equal(small.of(words), large.of(words))
    assert len(small._places) == 12
    long = "y" * 10_000
    assert np.array_equal(large.of([long]), large.of([long + "y"]))
    assert max(map(len, large._places)) <= 48


def test_threads_get_the_same_answers(names: Names) -> None:
    texts = [f"{PROSE}Dear {name}, your order goes to {city}.\n" for name in ("Ann", "Bo") for city in ("Rome", "Oslo")]
    alone = [names.find(text) for text in texts]
    fresh = load()
    with ThreadPoolExecutor(8) as pool:
        together: list[list[Hit]] = list(pool.map(fresh.find, texts * 25))
    assert together == alone * 25


def test_runs_on_numpy_alone() -> None:
    code = (
        "import sys; from spanward.guards.detectors.ner import recognizer\n"
        "recognizer('builtin-small').find('My name is Maria Schmidt')\n"
        "print(sorted({'torch', 'transformers', 'spacy', 'faker', 'scipy', 'sklearn', 'pydantic'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=250, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        ("swapped", "is not the file that"),
        ("cut", "is not the file that"),
        ("missing", "cannot read"),
        ("other shape", "was made by another version: hidden is 3"),
        ("no json", "is not JSON"),
        ("no card", "is no card"),
    ],
)
def test_damaged_weights_are_refused(tmp_path: Path, damage: str, says: str) -> None:
    weights, card = tmp_path / f"{NAME}.npz", tmp_path / f"{NAME}.json"
    shutil.copy(WEIGHTS / weights.name, weights)
    shutil.copy(WEIGHTS / card.name, card)
    content = bytearray(weights.read_bytes())
    if damage == "swapped":
        content[len(content) // 2] ^= 1
        weights.write_bytes(content)
    elif damage == "cut":
        weights.write_bytes(content[:-1])
    elif damage == "missing":
        weights.unlink()
    else:
        told = {
            "other shape": json.dumps(json.loads(card.read_text()) | {"hidden": 3}),
            "no json": "{",
            "no card": "[]",
        }
        card.write_text(told[damage])
    with pytest.raises(WeightsError, match=says) as error:
        load(tmp_path)
    assert "make names-model" in str(error.value)


def test_weights_are_small() -> None:
    assert (WEIGHTS / f"{NAME}.npz").stat().st_size < 7_500_000

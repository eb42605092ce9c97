"""The toxicity detector with its baseline: features, windows, weights, judgement, training that repeats itself."""

import json
import math
import re
import shutil
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spanward.guards.detectors.baseline import load
from spanward.guards.detectors.detector import Hit
from spanward.guards.detectors.identity_terms import MASK, mask
from spanward.guards.detectors.model_card import WEIGHTS, WeightsError
from spanward.guards.detectors.ngrams import LETTER_BITS, LONGEST, WIDTH, clean, features
from spanward.guards.detectors.toxicity import CHECKPOINT, TOKENIZER, Toxicity
from spanward.guards.detectors.windows import windows

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"
BOTH = frozenset({"toxicity", "identity_attack"})
POLITE = "Thank you for your message. We looked into the order and sent the missing part on Monday. "


@pytest.fixture
def detector(monkeypatch: pytest.MonkeyPatch) -> Toxicity:
    monkeypatch.delenv(CHECKPOINT, raising=False)
    monkeypatch.delenv(TOKENIZER, raising=False)
    return Toxicity()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gay people", f"{MASK} people"),
        ("two lesbians, three jews", f"two {MASK}, three {MASK}"),
        ("african-american men and women", f"{MASK} and {MASK}"),
        ("wheelchairs and churches", f"{MASK} and churches"),
        ("the blinds in the manor were blackened", "the blinds in the manor were blackened".replace("blinds", MASK)),
        ("german", MASK),
        ("germane transport of manuals", "germane transport of manuals"),
        ("people of colour and two-spirit elders", f"{MASK} and {MASK} elders"),
        ("people of the city, born in spirit", "people of the city, born in spirit"),
        ("kazakhs met a rohingya family", f"{MASK} met a {MASK} family"),
        ("down's syndrome", MASK),
        ("a cool kitten", "a cool kitten"),
        ("", ""),
    ],
)
def test_identity_terms_are_whole_words(text: str, expected: str) -> None:
    assert mask(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hi @Bob &amp; all", "hi user all"),
        ("me@example.org", "me@example.org"),
        ("see https://x.example/a?b=1 now", "see url now"),
        ("www.x.example", "url"),
        ("id\u200bi\u00adot", "idiot"),
        ("ＩＤＩＯＴ\n\tthere", "idiot there"),  # noqa: RUF001  full-width letters are the point
        ("a" * (LONGEST + 9), "a" * LONGEST),
        ("AT&T; fine", "at fine"),
        (" \u200b ", ""),
    ],
)
def test_cleaning(text: str, expected: str) -> None:
    assert clean(text) == expected


GOLDEN = (
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1],
    [
        7258,
        37702,
        67099,
        87478,
        107130,
        122983,
        123310,
        124246,
        128263,
        134875,
        139071,
        176329,
        183088,
        189205,
        206093,
        213431,
        219669,
        240979,
        296732,
        352375,
        385126,
        713,
        134467,
        143947,
        272702,
        318305,
        375388,
    ],
)


def test_the_hash_never_changes() -> None:
    """Weights are looked up by it, so a change makes every number of the model meaningless."""
    rows, indices, values = features(["you idiot", "é🙂"])
    assert (rows.tolist(), indices.tolist()) == GOLDEN
    assert values[rows == 0].tolist() == pytest.approx([18**-0.5] * 18 + [3**-0.5] * 3)


def test_words_beside_an_identity_count_once_more_and_only_there() -> None:
    plain, naming = features(["they are vermin"]), features(["jews are vermin"])
    words = [int(np.sum(vector.indices >= 1 << LETTER_BITS)) for vector in (plain, naming)]
    assert words == [5, 5 + 2]
    beside, alone = features(["vermin", "jews"]), features(["vermin"])
    assert alone.indices.tolist() == beside.indices[beside.rows == 0].tolist()


MASKED = {"odd": 0x9E3779B97F4A7C15, "near": 0xD6E8FEB86659FD93, "all": (1 << 64) - 1}


def _mixed(number: int) -> int:
    number = ((number ^ (number >> 33)) * 0xFF51AFD7ED558CCD) & MASKED["all"]
    number = ((number ^ (number >> 33)) * 0xC4CEB9FE1A85EC53) & MASKED["all"]
    return number ^ (number >> 33)


def _hash(letters: str) -> int:
    return sum(ord(letter) * pow(MASKED["odd"], place, 1 << 64) for place, letter in enumerate(letters)) & MASKED["all"]


def simple_vector(text: str) -> dict[int, float]:
    """What `features` gives for one text, said one n-gram at a time."""
    text = f" {clean(text)} ".encode("utf-32-le", "replace").decode("utf-32-le")
    grams = [(n, text[start : start + n]) for n in (3, 4, 5) for start in range(len(text) - n + 1)]
    letters = [_hash(gram) + n & MASKED["all"] for n, gram in grams if " " not in gram[1:-1]]
    tokens = re.findall(r"\w+|[^\w\s]", text)
    words = [_mixed(_hash(token)) for token in tokens]
    pairs = [(one * MASKED["odd"] + other) & MASKED["all"] for one, other in pairwise(words)]
    beside = [(word * MASKED["near"] + 7) & MASKED["all"] for word, token in zip(words, tokens, strict=True)
              if MASK in tokens and token != MASK]  # fmt: skip
    vector: dict[int, float] = {}
    for hashes, bits, offset in ((letters, 18, 0), (words + pairs + beside, 17, 1 << 18)):
        counts = Counter((_mixed(one) >> (64 - bits)) + offset for one in hashes)
        length = sum(count * count for count in counts.values()) ** 0.5
        vector |= {place: count / length for place, count in counts.items()}
    return vector


@given(
    st.lists(st.text(max_size=80) | st.sampled_from([POLITE, "jews are vermin", "é🙂 two women, a MAN"]), max_size=4)
)
@settings(max_examples=25, deadline=None)
def test_the_fast_form_is_the_simple_form(texts: list[str]) -> None:
    rows, indices, values = features(texts)
    model = load()
    for row, text in enumerate(texts):
        expected = simple_vector(text)
        assert dict(zip(indices[rows == row].tolist(), values[rows == row].tolist(), strict=True)) == pytest.approx(
            expected, abs=1e-6
        )
        for place, head in enumerate(model.heads):
            margin = sum(float(model.weights[index, place]) * value for index, value in expected.items())
            score = 1 / (1 + math.exp(-(head.slope * (margin + head.intercept) + head.offset))) if expected else 0
            assert model.scores(texts)[row, place] == pytest.approx(score, abs=1e-5)


@given(st.lists(st.text(max_size=60), max_size=8))
def test_a_vector_does_not_depend_on_its_neighbours(texts: list[str]) -> None:
    rows, indices, values = features(texts)
    assert np.all(np.diff(rows) >= 0)
    for row, text in enumerate(texts):
        alone = features([text])
        assert indices[rows == row].tolist() == alone.indices.tolist()
        assert values[rows == row].tolist() == alone.values.tolist()
        assert np.all(np.diff(alone.indices) > 0)
        assert not len(alone.indices) or 0 <= alone.indices[0] <= alone.indices[-1] < WIDTH
        for block in (alone.indices < 1 << LETTER_BITS, alone.indices >= 1 << LETTER_BITS):
            assert np.sum(alone.values[block] ** 2) == pytest.approx(1 if clean(text) and block.any() else 0, abs=1e-5)


def test_many_long_texts_are_hashed_in_batches() -> None:
    texts = [POLITE * 40 + str(n) for n in range(30)]
    together = features(texts)
    alone = [features([text]) for text in texts]
    assert together.indices.tolist() == [index for one in alone for index in one.indices.tolist()]
    assert Counter(together.rows.tolist()) == Counter({n: len(one.indices) for n, one in enumerate(alone)})


@given(st.text("ab \n", max_size=400), st.integers(10, 50))
def test_windows_cover_the_text_and_overlap(text: str, size: int) -> None:
    overlap = size // 3
    spans = windows(text, size, overlap)
    assert spans[0][0] == 0
    assert spans[-1][1] == len(text)
    assert all(end - start <= size for start, end in spans)
    for (start, end), (later, last) in pairwise(spans):
        assert start < later <= end - overlap
        assert end < last


def test_windows_end_behind_blanks_where_there_are_any() -> None:
    assert windows("aaaa bbbbb ccc dddd", 12, 4) == [(0, 11), (5, 17), (11, 19)]
    assert windows("a" * 25, 12, 4) == [(0, 12), (8, 20), (16, 25)]
    assert windows("", 12, 4) == [(0, 0)]


CLEAR = {
    "You are a fucking idiot": {"toxicity"},
    "shut the fuck up, you stupid bitch": {"toxicity"},
    "All muslims are terrorists and should be deported": {"toxicity", "identity_attack"},
    "gay people are disgusting": {"toxicity", "identity_attack"},
    "I am a proud gay man": set(),
    "How do I kill a Python process that hangs?": set(),
    "The patient has breast cancer and a black eye": set(),
    "My muslim neighbour is a doctor": set(),
    POLITE: set(),
}


@pytest.mark.parametrize("text", CLEAR)
def test_clear_cases_at_the_default_thresholds(text: str, detector: Toxicity) -> None:
    (hits,) = detector.detect([text], BOTH)
    assert {hit.label for hit in hits if hit.score >= detector.labels[hit.label]} == CLEAR[text]
    assert {(hit.start, hit.end) for hit in hits} == {(0, len(text))}


def test_which_group_is_named_makes_no_difference(detector: Toxicity) -> None:
    for sentence in ("I met a {} man", "{} people are disgusting"):
        hits = detector.detect([sentence.format(term) for term in ("jewish", "Black", "deaf", "trans")], BOTH)
        assert len({tuple((hit.label, hit.score) for hit in one) for one in hits}) == 1


def test_a_term_that_training_never_saw_is_masked_like_any_other(detector: Toxicity) -> None:
    from spanward.guards.detectors.identity_terms import TERMS

    assert len(TERMS) > 400
    alone = detector.detect(["a foreigner lives next door"], BOTH)[0]
    for hits in detector.detect([f"a {term} lives next door" for term in sorted(TERMS)], BOTH):
        assert [(hit.label, hit.score) for hit in hits] == [(hit.label, hit.score) for hit in alone]


def test_the_tail_of_a_long_text_is_scored_and_the_span_shows_where(detector: Toxicity) -> None:
    insult = "you are a fucking idiot"
    text = POLITE * 60 + insult
    long, polite, alone = detector.detect([text, POLITE * 60, insult], frozenset({"toxicity"}))
    assert long[0].score >= detector.labels["toxicity"] > polite[0].score
    assert text[long[0].start : long[0].end].endswith(insult)
    assert len(text) - long[0].start <= 130
    assert alone == [Hit("toxicity", 0, len(insult), alone[0].score, f"the highest window of {detector.engine}")]


def test_only_what_is_asked_and_only_of_what_can_be_seen(detector: Toxicity) -> None:
    hits = detector.detect(["", " \n", "\u200b", "hello"], frozenset({"identity_attack"}))
    assert [[(hit.label, hit.score > 0) for hit in one] for one in hits] == [
        [],
        [],
        [("identity_attack", False)],
        [("identity_attack", True)],
    ]
    assert detector.detect([], BOTH) == []


@given(st.text(max_size=300))
def test_any_text_gets_a_probability_inside_it(text: str) -> None:
    for worst in load().worst(text).values() if text else ():
        assert 0 <= worst.score <= 1
        assert 0 <= worst.start < worst.end <= len(text)


def test_threads_get_what_one_thread_gets(detector: Toxicity) -> None:
    texts = [f"{POLITE} you are idiot number {n}" for n in range(40)]
    expected = [detector.detect([text], BOTH) for text in texts]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda text: detector.detect([text], BOTH), texts)) == expected


def test_it_says_what_it_is(detector: Toxicity) -> None:
    assert detector.engine == f"ngram-baseline@{load().version}"
    assert "baseline" in detector.degraded
    assert set(detector.labels) == BOTH
    assert all(0.2 < threshold < 0.9 for threshold in detector.labels.values())
    card = (ROOT / "docs" / "models" / "baseline-toxicity.md").read_text("utf-8")
    assert f"`{detector.engine}`" in card, "the weights changed: measure again (guards/training/measure.py --card)"
    assert sum(path.stat().st_size for path in WEIGHTS.glob("baseline.*")) <= 2_000_000


def test_reading_a_policy_needs_no_numpy() -> None:
    program = "import sys, spanward.guards.detectors.toxicity; print({'numpy', 'torch', 'sklearn'} & set(sys.modules))"
    out = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=250
    ).stdout
    assert out.strip() == "set()"


def test_scoring_needs_no_scikit_learn_and_no_torch() -> None:
    program = (
        "import sys; from spanward.guards.detectors.toxicity import Toxicity; Toxicity().detect(['x'], frozenset());"
        "print({'torch', 'sklearn', 'scipy'} & set(sys.modules))"
    )
    out = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=250
    ).stdout
    assert out.strip() == "set()"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("baseline.npy", None, "cannot read .*baseline.npy: No such file .* Install the package again, or run"),
        ("baseline.npy", b"damaged", "baseline.npy is not the file that baseline.json was written for"),
        ("baseline.json", None, "cannot read .*baseline.json"),
        ("baseline.json", b"{", "baseline.json is not JSON"),
        ("baseline.json", b'{"format": 2, "letter_bits": 18}', "another version: word_bits is None, not 17"),
    ],
)
def test_broken_weights_are_refused(name: str, content: bytes | None, message: str, tmp_path: Path) -> None:
    for path in WEIGHTS.glob("baseline.*"):
        shutil.copy(path, tmp_path)
    load(tmp_path)
    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(WeightsError, match=message):
        load(tmp_path)


@pytest.mark.skipif(not DATA.is_dir(), reason="the open data sets are not here")
def test_training_gives_the_same_bytes_twice_and_a_model_that_loads(tmp_path: Path) -> None:
    from spanward.guards.training.baseline import save, train
    from spanward.guards.training.corpora import pick, read

    everything = read(DATA)
    uses = [{example.text for example in pick(everything, use)} for use in ("train", "calibrate", "measure")]
    assert len(set.union(*uses)) == sum(map(len, uses))
    assert min(map(len, uses)) > 5000
    examples = everything[::25]
    for folder in ("one", "two"):
        save(train(examples), examples, tmp_path / folder)
    assert [(tmp_path / "one" / name).read_bytes() for name in ("baseline.npy", "baseline.json")] == [
        (tmp_path / "two" / name).read_bytes() for name in ("baseline.npy", "baseline.json")
    ]
    model = load(tmp_path / "one")
    assert model.worst("you fucking idiot")["toxicity"].score > 2 * model.worst(POLITE)["toxicity"].score
    card = json.loads((tmp_path / "one" / "baseline.json").read_text())
    assert sum(card["texts"].values()) == len(examples)

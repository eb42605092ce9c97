"""The seam: every engine by its name, what is missing told clearly, nothing fetched from anywhere."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from spanward.guards.detectors.detector import Hit
from spanward.guards.detectors.ner import EngineError, parse, recognizer
from spanward.guards.detectors.ner_labels import entities, entity


def test_default_and_off() -> None:
    assert recognizer().engine == recognizer("builtin-small").engine
    off = recognizer("off")
    assert (off.engine, off.entities, off.find("My name is Maria Schmidt")) == ("off", frozenset(), [])


@pytest.mark.parametrize(
    "engine", ["", "builtin", "builtin-small:x", "spacy", "spacy:", "off:1", "bert:x", "Builtin-Small"]
)
def test_an_unknown_engine_is_refused_with_those_that_there_are(engine: str) -> None:
    with pytest.raises(
        EngineError, match="write one of builtin-small, spacy:MODEL, transformers:FOLDER, gliner:FOLDER, off"
    ):
        parse(engine)
    with pytest.raises(ValueError, match="no engine for names"):
        recognizer(engine)


@pytest.mark.parametrize(
    ("engine", "says"),
    [
        ("spacy:en_core_web_nowhere", "spaCy has no pipeline 'en_core_web_nowhere' here: install its package"),
        ("transformers:/nowhere", r"/nowhere is no model of transformers: it needs config.json"),
        ("gliner:/nowhere", r"/nowhere is no GLiNER model: it needs gliner_config.json"),
    ],
)
def test_a_model_that_is_not_there_is_told_with_what_to_do(engine: str, says: str) -> None:
    with pytest.raises(EngineError, match=says):
        recognizer(engine)


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("B-PER", "PERSON"), ("I-LOC", "LOCATION"), ("PERSON", "PERSON"), ("GPE", "LOCATION"), ("ORG", "ORGANIZATION"),
        ("street address", "ADDRESS"), ("NORP", "NRP"), ("B-MISC", ""), ("O", ""), ("LABEL_0", ""), ("", ""),
    ],
)  # fmt: skip
def test_labels_of_others(label: str, expected: str) -> None:
    assert entity(label) == expected


def test_entities_of_a_model() -> None:
    assert entities(["O", "B-PER", "I-PER", "B-ORG", "B-MISC"]) == {"PERSON", "ORGANIZATION"}


def test_spacy(tmp_path: Path) -> None:
    spacy = pytest.importorskip("spacy")
    pipeline = spacy.blank("en")
    pipeline.meta["name"], pipeline.meta["version"] = "tiny", "1.2"
    ruler = pipeline.add_pipe("entity_ruler")
    ruler.add_patterns(
        [
            {"label": "GPE", "pattern": "Leeds"},
            {"label": "PERSON", "pattern": "Zoë Ray"},
            {"label": "DATE", "pattern": "May"},
        ]
    )
    pipeline.to_disk(tmp_path / "tiny")
    ner = recognizer(f"spacy:{tmp_path / 'tiny'}")
    assert ner.engine == "spacy:en_tiny 1.2"
    assert ner.entities == {"LOCATION", "PERSON"}
    assert ner.find("🙂 Zoë Ray was in Leeds in May") == [
        Hit("PERSON", 2, 9, 0.85, "ner: spacy"),
        Hit("LOCATION", 17, 22, 0.85, "ner: spacy"),
    ]
    far = "a quiet afternoon in the garden\n" * 1700
    assert [hit.start for hit in ner.find(f"{far}Leeds {far}Leeds")] == [len(far), 2 * len(far) + 6]
    assert ner.find("") == []


def test_a_pipeline_that_names_nothing_of_ours_is_refused(tmp_path: Path) -> None:
    spacy = pytest.importorskip("spacy")
    spacy.blank("en").to_disk(tmp_path / "blank")
    with pytest.raises(EngineError, match="finds none of PERSON"):
        recognizer(f"spacy:{tmp_path / 'blank'}")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A token classifier that knows one thing: `maria` is a person. Its weights are written, not trained."""
    torch, transformers = pytest.importorskip("torch"), pytest.importorskip("transformers")
    folder: Path = tmp_path_factory.mktemp("models") / "tiny-ner"
    folder.mkdir()
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "maria", "is", "here"]
    (folder / "vocab.txt").write_text("\n".join(words))
    transformers.BertTokenizerFast(vocab={word: n for n, word in enumerate(words)}).save_pretrained(folder)
    config = transformers.BertConfig(
        vocab_size=len(words), hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8,
        max_position_embeddings=34, id2label={0: "O", 1: "B-PER"}, label2id={"O": 0, "B-PER": 1},
    )  # fmt: skip
    model = transformers.BertForTokenClassification(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        model.bert.embeddings.LayerNorm.weight.fill_(1)
        model.bert.encoder.layer[0].attention.output.LayerNorm.weight.fill_(1)
        model.bert.encoder.layer[0].output.LayerNorm.weight.fill_(1)
        model.bert.embeddings.word_embeddings.weight[5, 0] = 8
        model.classifier.weight[1, 0] = 4
        model.classifier.bias[0] = 2
    model.save_pretrained(folder)
    return folder


def test_transformers(checkpoint: Path) -> None:
    ner = recognizer(f"transformers:{checkpoint}")
    name, _, digest = ner.engine.partition("@")
    assert (name, len(digest)) == ("transformers:tiny-ner", 12)
    assert ner.entities == {"PERSON"}
    (hit,) = ner.find("here is Maria here")
    assert (hit.label, hit.start, hit.end, hit.explanation) == ("PERSON", 8, 13, "ner: transformers")
    assert hit.score > 0.9
    assert ner.find(" ") == []


def test_transformers_read_long_texts_to_the_end(checkpoint: Path) -> None:
    text = "is here " * 100 + "Maria " + "is here " * 100 + "Maria"
    found = [text[hit.start : hit.end] for hit in recognizer(f"transformers:{checkpoint}").find(text)]
    assert found == ["Maria", "Maria"]


def test_weights_that_lack_the_classifier_are_refused(checkpoint: Path, tmp_path: Path) -> None:
    """Transformers would fill in random numbers and go on."""
    transformers = pytest.importorskip("transformers")
    config = transformers.BertConfig.from_pretrained(checkpoint)
    transformers.BertModel(config).save_pretrained(tmp_path)
    for path in checkpoint.glob("token*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    with pytest.raises(EngineError, match="lack 2 tensors of a token classifier"):
        recognizer(f"transformers:{tmp_path}")


def test_a_model_in_pickles_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes((checkpoint / "config.json").read_bytes())
    (tmp_path / "pytorch_model.bin").write_bytes(b"never read")
    with pytest.raises(EngineError, match=r"it needs config.json, \*.safetensors"):
        recognizer(f"transformers:{tmp_path}")


@pytest.mark.skipif(importlib.util.find_spec("gliner") is not None, reason="gliner is installed")
def test_gliner_that_is_not_installed_is_told(tmp_path: Path) -> None:
    (tmp_path / "gliner_config.json").write_text("{}")
    with pytest.raises(EngineError, match="install gliner"):
        recognizer(f"gliner:{tmp_path}")


def test_what_gliner_says_is_read_window_by_window() -> None:
    """Of its answers, as its documentation has them; with a real model this is not proven."""
    from spanward.guards.detectors.ner_gliner import GlinerNer

    class Model:
        def predict_entities(self, text: str, labels: list[str], threshold: float) -> list[dict[str, Any]]:
            assert len(text) <= 1000
            assert ("person" in labels, threshold) == (True, 0.3)
            at = text.find("Maria")
            return [{"start": at, "end": at + 5, "text": "Maria", "label": "person", "score": 0.75}] if at >= 0 else []

    text = "is here " * 300 + "Maria"
    hits = GlinerNer(Model(), "gliner:x").find(text)
    assert hits == [Hit("PERSON", 2400, 2405, 0.75, "ner: gliner")]
    assert json.dumps([hit.score for hit in hits]) == "[0.75]"

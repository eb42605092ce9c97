"""Which engine a policy asks for, and which labels and thresholds a rule then has."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from spanward.guards.detectors import registry
from spanward.guards.detectors.models import FOLDER, LABELS, MANIFEST, MODEL, TOKENIZER, ModelError
from spanward.guards.detectors.toxicity import PUBLISHED, Toxicity, ToxicityOptions
from spanward.guards.detectors.toxicity import TOKENIZER as TOKENIZER_VARIABLE


@pytest.fixture(autouse=True)
def no_models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("SPANWARD_DETOXIFY_CHECKPOINT", "SPANWARD_DETOXIFY_TOKENIZER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(FOLDER, str(tmp_path / "models"))


def labels(**options: Any) -> dict[str, float]:
    return dict(registry.labels_of(Toxicity, ToxicityOptions(**options)))


def test_the_baseline_has_its_calibrated_thresholds_and_auto_the_same() -> None:
    assert labels() == labels(engine="baseline") == dict(Toxicity.labels)
    assert labels(thresholds={"toxicity": 0.9}) == {**Toxicity.labels, "toxicity": 0.9}


def test_a_policy_is_checked_where_the_model_is_not() -> None:
    assert labels(engine="detoxify-unbiased") == dict.fromkeys(PUBLISHED, 0.5)
    assert labels(engine="detoxify-original") == dict.fromkeys(PUBLISHED[:-1], 0.5)
    assert labels(engine="detoxify-unbiased", thresholds={"insult": 0.9})["insult"] == 0.9


def test_an_installed_model_says_its_labels_itself(tmp_path: Path) -> None:
    folder = tmp_path / "models" / "ours"
    folder.mkdir(parents=True)
    content = json.dumps(["toxicity", "identity_attack", "spam"]).encode()
    (folder / LABELS).write_bytes(content)
    files = {MODEL: "0" * 64, TOKENIZER: "0" * 64, LABELS: sha256(content).hexdigest()}
    (folder / MANIFEST).write_text(json.dumps({"format": 1, "name": "ours", "files": files}))
    assert labels(engine="ours") == {"toxicity": 0.5, "identity_attack": 0.5, "spam": 0.5}
    (folder / LABELS).write_text('["toxicity"]')
    assert labels(engine="ours") == dict.fromkeys(PUBLISHED, 0.5), "a swapped file is not believed"
    with pytest.raises(ModelError, match="damaged or was swapped"):
        Toxicity(ToxicityOptions(engine="ours"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"engine": "Detoxify"}, "should match pattern"),
        ({"engine": "../else"}, "should match pattern"),
        ({"engin": "baseline"}, "Extra inputs"),
        ({"thresholds": {"insult": 0.5}}, "auto has no label insult; it has toxicity, identity_attack"),
        ({"engine": "detoxify-original", "thresholds": {"sexual_explicit": 0.5}}, "has no label sexual_explicit"),
        ({"thresholds": {"toxicity": 1.5}}, "less than or equal to 1"),
    ],
)
def test_what_no_engine_has_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ToxicityOptions(**options)


def test_a_model_that_is_not_installed_is_no_baseline_in_disguise() -> None:
    with pytest.raises(ModelError, match=r"no model 'detoxify-unbiased' is installed .*spanward models add"):
        registry.make("toxicity", {"engine": "detoxify-unbiased"})


def test_the_environment_counts_for_auto_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKENIZER_VARIABLE, "somewhere")
    with pytest.raises(ValueError, match="needs both"):
        Toxicity()
    assert Toxicity(ToxicityOptions(engine="baseline")).engine.startswith("ngram-baseline@")

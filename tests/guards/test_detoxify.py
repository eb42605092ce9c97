"""Detoxify's checkpoint format with tiny models that are made here: what is accepted, refused, scored, survived."""

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from spanward.guards.detectors.detoxify import CheckpointError, load
from spanward.guards.detectors.pieces import worst
from spanward.guards.detectors.toxicity import CHECKPOINT, TOKENIZER, Toxicity
from spanward.guards.detectors.worker import WorkerError

from .tiny_checkpoints import MAKERS, PLAIN, Files, tiny

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch and transformers use their own old names

BOTH = frozenset({"toxicity", "identity_attack"})


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Files]:
    pytest.importorskip("torch", reason="needs the extra [detoxify]").set_num_threads(1)
    folder = tmp_path_factory.mktemp("detoxify")
    return {variant: tiny(variant, folder) for variant in MAKERS}


@pytest.fixture(scope="module")
def detector(files: dict[str, Files]) -> Iterator[Toxicity]:
    made = Toxicity(checkpoint=str(files["original"][0]), tokenizer=str(files["original"][1]), timeout_s=60)
    yield made
    made.close()


@pytest.mark.parametrize("variant", MAKERS)
def test_scores_are_those_of_the_package(variant: str, files: dict[str, Files]) -> None:
    from detoxify import Detoxify

    checkpoint, folder = files[variant]
    texts = ["you are awful", PLAIN, "red", "the awful table is wide and awful", "You Are x"]
    theirs = Detoxify(checkpoint=str(checkpoint)).predict(texts)
    ours = load(checkpoint, folder)
    assert ours.name == f"detoxify-{variant}@{checkpoint.stem[-8:]}"
    found = worst(ours, texts)
    assert [set(one) for one in found] == [set(theirs)] * len(texts)
    for label, scores in theirs.items():
        assert [one[label].score for one in found] == pytest.approx(scores, abs=1e-5)
    assert len({one["toxicity"].score for one in found}) > 1
    assert {(best.start, best.end) for best in found[1].values()} == {(0, len(PLAIN))}


def test_the_tail_of_a_long_text_is_scored(files: dict[str, Files]) -> None:
    from detoxify import Detoxify

    checkpoint, folder = files["original"]
    filler = " ".join([PLAIN] * 80)
    text = f"{filler} you are awful"
    found = worst(load(checkpoint, folder), [text, filler, "", " \n"])
    toxic = found[0]["toxicity"]
    assert toxic.score > 0.8 > 4 * found[1]["toxicity"].score
    assert (toxic.end, toxic.start > len(filler) - 1500) == (len(text), True)
    assert found[2:] == [{}, {}]
    package = Detoxify(checkpoint=str(checkpoint))
    package.tokenizer.model_max_length = 512
    assert package.predict(text)["toxicity"] == pytest.approx(package.predict(filler)["toxicity"])


def test_batches_and_order_do_not_change_scores(files: dict[str, Files]) -> None:
    model = load(*files["unbiased"])
    texts = [" ".join(PLAIN.split()[: 1 + n % 15]) + (" awful" if n % 3 == 0 else "") for n in range(21)]
    together = worst(model, texts)
    for text, one in zip(texts, together, strict=True):
        alone = worst(model, [text])[0]
        assert {label: best[1:] for label, best in one.items()} == {label: best[1:] for label, best in alone.items()}
        assert [w.score for w in one.values()] == pytest.approx([w.score for w in alone.values()], abs=1e-5)


Change = Callable[[dict[str, Any]], object]
REFUSED: dict[str, tuple[Change, str]] = {
    "no key fits": (
        lambda s: s.update(state_dict={f"x.{key}": value for key, value in s["state_dict"].items()}),
        r"lacks \d+ and has \d+ unknown tensors",
    ),
    "one key missing": (lambda s: s["state_dict"].pop("classifier.bias"), "lacks 1 and has 0 .* classifier.bias"),
    "one key too many": (
        lambda s: s["state_dict"].update(extra=s["state_dict"]["classifier.bias"]),
        "lacks 0 and has 1 .* extra",
    ),
    "fewer outputs in the head": (
        lambda s: s["state_dict"].update({"classifier.bias": s["state_dict"]["classifier.bias"][:5]}),
        "sizes .* differ",
    ),
    "another number of classes": (lambda s: s["config"]["arch"]["args"].update(num_classes=7), "sizes .* differ"),
    "more names than outputs": (
        lambda s: s["config"]["arch"]["args"].update(num_classes=5),
        "names the classes toxicity, .* for 5 outputs",
    ),
    "no class for toxicity": (
        lambda s: s["config"]["dataset"]["args"].update(classes=["a", "b"]),
        "names the classes a, b for 6 outputs",
    ),
    "an architecture that is none": (
        lambda s: s["config"]["arch"]["args"].update(model_name="pipeline"),
        "asks for pipeline; known are AlbertForSequenceClassification, Bert",
    ),
    "no configuration": (lambda s: s.pop("config"), "has no 'config'"),
    "a configuration that is none": (lambda s: s.update(config=[]), "is no Detoxify checkpoint"),
    "an object that runs code": (lambda s: s.update(hook=Path("x")), "no checkpoint of plain tensors"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_checkpoint_that_does_not_fit_is_refused(case: str, files: dict[str, Files], tmp_path: Path) -> None:
    import torch

    change, message = REFUSED[case]
    checkpoint, folder = files["original"]
    saved = torch.load(checkpoint, weights_only=True)
    change(saved)
    torch.save(saved, tmp_path / "other.ckpt")
    with pytest.raises(CheckpointError, match=message):
        load(tmp_path / "other.ckpt", folder)


def test_a_damaged_file_is_refused_by_its_hash_and_without_one_by_its_content(
    files: dict[str, Files], tmp_path: Path
) -> None:
    checkpoint, folder = files["original"]
    content = checkpoint.read_bytes()[:-1000]
    (tmp_path / checkpoint.name).write_bytes(content)
    with pytest.raises(CheckpointError, match=f"damaged: its sha256 begins with {sha256(content).hexdigest()[:8]}"):
        load(tmp_path / checkpoint.name, folder)
    (tmp_path / "own.ckpt").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"no checkpoint of plain tensors\. Fetch the file again"):
        load(tmp_path / "own.ckpt", folder)
    with pytest.raises(CheckpointError, match=r"cannot read the checkpoint .*absent.ckpt: No such file"):
        load(tmp_path / "absent.ckpt", folder)


def test_a_folder_of_another_encoder_is_refused(files: dict[str, Files], tmp_path: Path) -> None:
    checkpoint, folder = files["original"]
    with pytest.raises(CheckpointError, match=r"cannot read config.json in .*absent"):
        load(checkpoint, tmp_path / "absent")
    shutil.copytree(folder, tmp_path / "more")
    with (tmp_path / "more" / "vocab.txt").open("a") as file:
        file.write("\nextra")
    with pytest.raises(CheckpointError, match=r"has \d+ words, the model \d+"):
        load(checkpoint, tmp_path / "more")
    shutil.copytree(folder, tmp_path / "wide")
    config = json.loads((folder / "config.json").read_text())
    (tmp_path / "wide" / "config.json").write_text(json.dumps(config | {"hidden_size": 64}))
    with pytest.raises(CheckpointError, match=r"sizes .* differ"):
        load(checkpoint, tmp_path / "wide")


def test_the_detector_answers_from_its_worker(detector: Toxicity, files: dict[str, Files]) -> None:
    texts = ["you are awful", "", PLAIN]
    hits = detector.detect(texts, BOTH)
    expected = worst(load(*files["original"]), texts)
    assert detector.engine == f"detoxify-original@{files['original'][0].stem[-8:]}"
    assert detector.degraded == ""
    assert [{hit.label: (hit.start, hit.end) for hit in one} for one in hits] == [
        {label: best[1:] for label, best in one.items() if label in BOTH} for one in expected
    ]
    for one, wanted in zip(hits, expected, strict=True):
        assert [h.score for h in one] == pytest.approx([wanted[h.label].score for h in one], abs=1e-5)
    assert {hit.label for hit in detector.detect(texts[:1], frozenset({"toxicity"}))[0]} == {"toxicity"}


def test_half_a_surrogate_pair_is_scored_like_any_letter(detector: Toxicity) -> None:
    (hits,) = detector.detect(["you are \ud83d awful"], BOTH)
    assert {(hit.start, hit.end, hit.score > 0.8) for hit in hits} == {(0, 15, True)}


def test_a_refused_checkpoint_says_why_at_once(files: dict[str, Files], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CHECKPOINT, str(files["original"][0]))
    with pytest.raises(ValueError, match=f"needs both {CHECKPOINT} .* and {TOKENIZER}"):
        Toxicity()
    monkeypatch.setenv(TOKENIZER, str(files["unbiased"][1]))
    with pytest.raises(WorkerError, match=r"original-.*unbiased-encoder/config.json differ"):
        Toxicity()


def test_the_worker_ends_with_its_parent_and_the_parent_never_loads_torch(files: dict[str, Files]) -> None:
    program = f"""
import sys
from spanward.guards.detectors.toxicity import Toxicity
detector = Toxicity(checkpoint={str(files["original"][0])!r}, tokenizer={str(files["original"][1])!r})
assert detector.detect(["you are awful"], frozenset(detector.labels))[0]
assert not {{"torch", "transformers"}} & set(sys.modules)
print(detector._worker.pid, flush=True)
import os
os.kill(os.getpid(), 9)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=250)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    deadline = time.monotonic() + 20
    while Path(f"/proc/{ended.stdout.strip()}/cmdline").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{ended.stdout.strip()}/cmdline").exists()

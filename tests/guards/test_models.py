"""`spanward models`, with tiny checkpoints and the real torch, onnx and onnxruntime."""

import fcntl
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from spanward.collector.cli import main
from spanward.guards.detectors import detoxify, installation, models, onnx_model
from spanward.guards.detectors.models import LABELS, MANIFEST, MODEL, TOKENIZER, ModelError
from spanward.guards.detectors.pieces import worst
from spanward.guards.detectors.sources import PROBES, SENTENCES
from spanward.guards.detectors.toxicity import Toxicity, ToxicityOptions
from spanward.guards.detectors.worker import WorkerError

from ..collector.sidecar_process import serving, until
from .tiny_checkpoints import MAKERS, PLAIN, Files, tiny

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch and transformers use their own old names

PRECISION = {"unbiased": "fp32"}
"""The others become int8."""
WHOLE = {MODEL, TOKENIZER, LABELS, MANIFEST}
Told = Callable[..., tuple[int, str, str]]


def hash_of(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def adding(variant: str, files: Files, *also: str) -> list[str]:
    checkpoint, folder = files
    known = ["--checkpoint", str(checkpoint), "--tokenizer", str(folder), "--allow-hash", hash_of(checkpoint)]
    return ["models", "add", f"detoxify-{variant}", *known, "--precision", PRECISION.get(variant, "int8"), *also]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Files]:
    pytest.importorskip("onnx", reason="needs the extra [convert]")
    pytest.importorskip("torch", reason="needs the extra [convert]").set_num_threads(1)
    folder = tmp_path_factory.mktemp("checkpoints")
    return {variant: tiny(variant, folder) for variant in MAKERS}


@pytest.fixture(scope="module")
def base(files: dict[str, Files], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All of them installed. Not to be changed: `copy` is."""
    data = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(models.FOLDER, raising=False)
        for variant in MAKERS:
            assert main([*adding(variant, files[variant]), "--data", str(data)]) == 0
    return data / "models"


@pytest.fixture
def copy(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of all installed models, the folder that everything looks into."""
    monkeypatch.setenv(models.FOLDER, str(tmp_path / "models"))
    return Path(shutil.copytree(base, tmp_path / "models"))


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(models.FOLDER, str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Told:
    def run(*words: str | Path) -> tuple[int, str, str]:
        capsys.readouterr()
        return main(["models", *map(str, words)]), *capsys.readouterr()

    return run


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


@pytest.mark.parametrize("variant", MAKERS)
def test_an_installed_model_scores_as_the_checkpoint_did(variant: str, base: Path, files: dict[str, Files]) -> None:
    name = f"detoxify-{variant}"
    model = models.installed(name, base)
    before, after = detoxify.load(*files[variant]), onnx_model.load(model)
    texts = ["you are awful", PLAIN, "", " \n", " ".join([PLAIN] * 60) + " you are awful", "x \ud83d y", *SENTENCES]
    wanted, found = worst(before, texts), worst(after, texts)
    bound = 1e-4 if variant in PRECISION else model.manifest["drift"]["bound"]
    for one, other in zip(found, wanted, strict=True):
        assert {label: best.score for label, best in one.items()} == pytest.approx(
            {label: best.score for label, best in other.items()}, abs=bound
        )
    assert len({round(one["toxicity"].score, 4) for one in found if one}) > 1
    assert (after.labels, after.name) == (before.labels, model.engine)
    assert {path.name for path in model.folder.iterdir()} == WHOLE
    manifest = json.loads((model.folder / MANIFEST).read_text())
    assert manifest["files"] == {file: hash_of(model.folder / file) for file in WHOLE - {MANIFEST}}
    assert manifest["source"] == {"file": files[variant][0].name, "sha256": hash_of(files[variant][0])}
    assert set(manifest["drift"]["labels"]) == set(before.labels)
    assert 0 < max(manifest["drift"]["labels"].values()) <= manifest["drift"]["bound"]
    assert [text for text, _ in manifest["probes"]] == list(PROBES)


def test_batches_and_order_do_not_change_scores(base: Path) -> None:
    """8 bits are chosen by window, so company changes a score a little; which window is worst stays within that."""
    for variant, near in (("unbiased", 1e-5), ("multilingual", 0.02)):
        model = onnx_model.load(models.installed(f"detoxify-{variant}", base))
        texts = [" ".join(PLAIN.split()[: 1 + n % 15]) + (" awful" if n % 3 == 0 else "") for n in range(21)]
        for text, one in zip(texts, worst(model, texts), strict=True):
            alone = worst(model, [text])[0]
            assert [best.score for best in one.values()] == pytest.approx(
                [best.score for best in alone.values()], abs=near
            )


def test_list_check_and_remove(copy: Path, told: Told) -> None:
    code, out, _ = told("list")
    assert code == 0
    assert [line.partition(":")[0] for line in out.splitlines()] == sorted(f"detoxify-{name}" for name in MAKERS)
    assert "/fp32-" in out.splitlines()[-1]
    engine = models.installed("detoxify-original").engine
    assert told("check", "detoxify-original")[:2] == (
        0,
        f"detoxify-original: fine. {engine}, its files are those that were installed and it scores as it should\n",
    )
    assert told("remove", "detoxify-original")[0] == 0
    assert told("remove", "detoxify-original")[0] == 1
    assert "detoxify-original" not in left(copy)
    code, _, err = told("check", "detoxify-original")
    assert code == 1
    assert "no model 'detoxify-original' is installed in" in err
    assert "spanward models add detoxify-original --checkpoint" in err


def test_the_worker_of_an_installed_model_knows_neither_torch_nor_transformers(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, Files]
) -> None:
    """Whatever looks for them in that process is written down, and finds nothing."""
    seen = tmp_path / "seen"
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "class Watch:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] in {'torch', 'transformers', 'detoxify', 'onnx'}:\n"
        f"            open({str(seen)!r}, 'a').write(name + chr(10))\n"
        "            raise ModuleNotFoundError(name=name)\n"
        f"        if name == 'tokenizers': open({str(seen)!r} + '.on', 'a').close()\n"
        "sys.meta_path.insert(0, Watch())\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    detector = Toxicity(ToxicityOptions(engine="detoxify-original"))
    try:
        (hits,) = detector.detect(["you are awful"], frozenset({"toxicity"}))
    finally:
        detector.close()
    assert not seen.exists(), seen.read_text()
    assert Path(f"{seen}.on").exists()
    expected = worst(detoxify.load(*files["original"]), ["you are awful"])[0]["toxicity"]
    assert [(hit.label, hit.start, hit.end) for hit in hits] == [("toxicity", 0, 13)]
    assert hits[0].score == pytest.approx(expected.score, abs=0.05)
    assert detector.engine == models.installed("detoxify-original").engine


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


SPOILED: dict[str, tuple[Callable[[Path], object], str]] = {
    "a bit of the weights": (lambda folder: flip(folder / MODEL), "model.onnx is damaged or was swapped"),
    "the weights of another": (
        lambda folder: shutil.copy(folder.parent / "detoxify-unbiased" / MODEL, folder),
        "model.onnx is damaged or was swapped: its sha256 begins with",
    ),
    "a shorter file": (lambda folder: os.truncate(folder / MODEL, 1000), "damaged or was swapped"),
    "no weights": (lambda folder: (folder / MODEL).unlink(), "cannot read .*model.onnx: No such file"),
    "another tokenizer": (
        lambda folder: shutil.copy(folder.parent / "detoxify-unbiased" / TOKENIZER, folder),
        "tokenizer.json is damaged",
    ),
    "other labels": (lambda folder: (folder / LABELS).write_text('["kind"]'), "labels.json is damaged"),
    "no manifest": (lambda folder: (folder / MANIFEST).unlink(), "cannot read .*manifest.json: No such file"),
    "a manifest that is none": (lambda folder: (folder / MANIFEST).write_text("[]"), "is no manifest of a model"),
    "half a manifest": (lambda folder: os.truncate(folder / MANIFEST, 300), "is no manifest of a model"),
    "a manifest of tomorrow": (lambda folder: changed(folder, format=2), "by another version of Spanward"),
    "a manifest of fewer files": (lambda folder: changed(folder, files={}), "does not name model.onnx"),
    "other scores here": (
        lambda folder: changed(folder, probes=[["you are awful", [0.5] * 6]]),
        r"scores differently on this machine: 0\.\d+ off where 0\.05 is allowed. .* --precision fp32",
    ),
}


def changed(folder: Path, **values: object) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps(manifest | values))


@pytest.mark.parametrize("case", SPOILED)
def test_what_is_not_what_was_installed_is_refused(case: str, copy: Path, told: Told) -> None:
    spoil, message = SPOILED[case]
    spoil(copy / "detoxify-original")
    code, _, err = told("check", "detoxify-original")
    assert code == 1
    with pytest.raises(ModelError, match=message):
        onnx_model.load(models.installed("detoxify-original"))
    with pytest.raises((ModelError, WorkerError), match=message):
        models.installed("detoxify-original").start()
    listed = {line.partition(":")[0]: line for line in told("list")[1].splitlines()}
    assert ("BROKEN" in listed["detoxify-original"]) == (case != "other scores here")
    assert "BROKEN" not in listed["detoxify-unbiased"]
    assert err.startswith("spanward models: ")


PERMITS: dict[str, tuple[str, str, str, str | None]] = {
    "published": ("detoxify-original", "c1212f89" + "0" * 56, "", None),
    "not published": ("detoxify-original", "0" * 64, "", f"should begin with c1212f89.*--allow-hash {'0' * 64}"),
    "another's": ("detoxify-unbiased", "c1212f89" + "0" * 56, "", "not the published toxic_debiased-c7548aa0.ckpt"),
    "of one's own": ("ours", "1" * 64, "1" * 64, None),
    "of one's own, capitals": ("ours", "a" * 64, "A" * 64, None),
    "of one's own, not named": ("ours", "1" * 64, "", "no hash is known for 'ours'"),
    "known, but another was meant": ("detoxify-original", "c1212f89" + "0" * 56, "1" * 64, "not the one that --allow"),
    "half a hash": ("ours", "1" * 64, "1" * 8, "64 hexadecimal digits"),
}


@pytest.mark.parametrize("case", PERMITS)
def test_which_file_may_be_taken(case: str) -> None:
    from spanward.collector.models_command import permit

    name, digest, allowed, message = PERMITS[case]
    if message is None:
        permit(name, "file", digest, allowed)
    else:
        with pytest.raises(ModelError, match=message):
            permit(name, "file", digest, allowed)


def test_a_file_of_another_hash_is_refused_before_anything_is_read(
    files: dict[str, Files], empty: Path, told: Told
) -> None:
    words = adding("original", files["original"])[1:]
    words[words.index("--allow-hash") : words.index("--allow-hash") + 2] = []
    code, out, err = told(*words)
    assert (code, out) == (1, "")
    assert "is not the published toxic_original-c1212f89.ckpt" in err
    assert left(empty) == []


def test_drift_beyond_the_bound_installs_nothing(files: dict[str, Files], empty: Path, told: Told) -> None:
    code, out, err = told(*adding("multilingual", files["multilingual"], "--max-drift", "0.00001")[1:])
    assert (code, out) == (1, "")
    assert "off torch's, 1e-05 is allowed (toxicity 0." in err
    assert "--precision fp32" in err
    assert left(empty) == [".lock"]


def test_own_sentences_are_compared_and_never_kept(
    files: dict[str, Files], empty: Path, told: Told, tmp_path: Path
) -> None:
    own = tmp_path / "own.txt"
    own.write_text('you are awful\n\n"a quoted\\nsentence of mine"\n')
    code, out, _ = told(*adding("original", files["original"], "--check", str(own))[1:])
    assert code == 0
    assert f"over {len(SENTENCES) + 2} texts" in out
    assert "sentence of mine" not in (empty / "detoxify-original" / MANIFEST).read_text()


def test_nothing_is_installed_over_another_unless_told(copy: Path, files: dict[str, Files], told: Told) -> None:
    before = models.installed("detoxify-original").manifest
    code, _, err = told(*adding("original", files["original"])[1:])
    assert code == 1
    assert "is there already: --replace" in err
    assert told(*adding("original", files["original"], "--replace", "--precision", "fp32")[1:])[0] == 0
    after = models.installed("detoxify-original").manifest
    assert (before["precision"], after["precision"]) == ("int8", "fp32")
    assert left(copy) == [".lock", *sorted(f"detoxify-{name}" for name in MAKERS)]


Spoil = Callable[[Path, Path], tuple[Path, Path]]


def without(file: str) -> Spoil:
    def spoil(checkpoint: Path, folder: Path) -> tuple[Path, Path]:
        (folder / file).unlink()
        return checkpoint, folder

    return spoil


def no_checkpoint(checkpoint: Path, folder: Path) -> tuple[Path, Path]:
    (checkpoint.parent / "weights.ckpt").write_bytes(b"not a checkpoint")
    return checkpoint.parent / "weights.ckpt", folder


UNUSABLE: dict[str, tuple[Spoil, str]] = {
    "no config.json": (
        without("config.json"),
        "cannot read config.json in .*It must hold config.json and",
    ),
    "no vocabulary": (without("vocab.txt"), "the tokenizer in .* It must hold config.json and the tokenizer files"),
    "no checkpoint": (no_checkpoint, "weights.ckpt is no checkpoint of plain tensors. Fetch the file again"),
    "no such checkpoint": (lambda checkpoint, folder: (checkpoint.parent / "x", folder), "cannot read the checkpoint"),
    "no such folder": (lambda checkpoint, folder: (checkpoint, folder / "x"), "cannot read config.json in"),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_files_that_do_not_make_a_model(
    case: str, files: dict[str, Files], empty: Path, told: Told, tmp_path: Path
) -> None:
    spoil, message = UNUSABLE[case]
    checkpoint, folder = files["original"]
    mine = spoil(Path(shutil.copy(checkpoint, tmp_path)), Path(shutil.copytree(folder, tmp_path / "encoder")))
    allowed = hash_of(mine[0]) if mine[0].exists() else "0" * 64
    code, out, err = told("add", "mine", "--checkpoint", mine[0], "--tokenizer", mine[1], "--allow-hash", allowed)
    assert (code, out) == (1, "")
    assert re.search(message, err), err
    assert left(empty) in ([], [".lock"])


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "No such file"), (b"\xff\xfe", "is no UTF-8 text"), (b" \n", "holds no sentence")],
)
def test_sentences_that_are_none(
    content: bytes | None, message: str, files: dict[str, Files], empty: Path, told: Told, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / "own").write_bytes(content)
    code, _, err = told(*adding("original", files["original"], "--check", str(tmp_path / "own"))[1:])
    assert (code, message in err) == (2, True)
    assert left(empty) == []


@pytest.mark.parametrize("name", ["../out", "Detoxify", "", "a/b", ".hidden", "a" * 64])
def test_names_that_are_none(name: str, files: dict[str, Files], empty: Path, told: Told) -> None:
    words = adding("original", files["original"])[1:]
    words[1] = name
    code, _, err = told(*words)
    assert (code, "is no name for a model" in err) == (1, True)
    assert told("remove", name)[0] == 1
    with pytest.raises(ModelError, match="no name of a model"):
        models.installed(name)


def test_too_little_room_is_said_before_anything_is_written(empty: Path) -> None:
    with (
        pytest.raises(ModelError, match=r"MiB free, the conversion needs \d+ MiB. Nothing is installed. Make room"),
        installation.installing("x", empty, needed=1 << 60, replace=False),
    ):
        pytest.fail("there is no such disk")
    assert left(empty) == [".lock"]


def program(words: list[str]) -> list[str]:
    return [sys.executable, "-m", "spanward.collector.cli", *words]


def test_a_disk_that_fills_up_while_converting(files: dict[str, Files], empty: Path) -> None:
    """By the limit of a file's size: the system refuses to write on, in whichever library that is."""

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))

    ended = subprocess.run(
        program(adding("original", files["original"])),
        capture_output=True, text=True, check=False, timeout=250, preexec_fn=limited,
    )  # fmt: skip
    assert ended.returncode == 1
    assert "cannot take the model: File too large. Nothing is installed. Make room" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert left(empty) == [".lock"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(number: signal.Signals, files: dict[str, Files], empty: Path) -> None:
    with started(adding("original", files["original"])) as process:
        process.send_signal(number)
        _, err = process.communicate(timeout=250)
    assert process.returncode == 1
    assert "interrupted; nothing is installed and what was begun is removed" in err
    assert left(empty) == [".lock"]


def test_what_a_killed_one_left_is_cleared_by_the_next(files: dict[str, Files], empty: Path, told: Told) -> None:
    with started(adding("original", files["original"])) as process:
        process.kill()
        process.communicate(timeout=250)
    assert [name[:7] for name in left(empty)] == [".draft-", ".lock"]
    assert told("list")[1].startswith("no model is installed in")
    assert told(*adding("original", files["original"])[1:])[0] == 0
    assert left(empty) == [".lock", "detoxify-original"]


def started(words: list[str]) -> "subprocess.Popen[str]":
    """Once it is at work on the folder."""
    process = subprocess.Popen(program(words), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert process.stderr.readline().startswith("loading the checkpoint")
    return process


@pytest.fixture
def held(empty: Path) -> Iterator[None]:
    empty.mkdir()
    lock = os.open(empty / ".lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    yield
    os.close(lock)


@pytest.mark.usefixtures("held")
def test_two_do_not_install_at_a_time(files: dict[str, Files], told: Told) -> None:
    code, _, err = told(*adding("original", files["original"])[1:])
    assert (code, "another `spanward models` is at work in" in err) == (1, True)


def test_where_models_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(models.FOLDER, "~/m")
    assert models.models_folder(tmp_path) == Path.home() / "m"
    monkeypatch.delenv(models.FOLDER)
    assert models.models_folder(tmp_path) == tmp_path / "models"
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert models.models_folder() == tmp_path / "spanward" / "models"
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    assert models.models_folder() == Path.home() / ".local" / "share" / "spanward" / "models"


POLICY = """
version: 1
name: larger
detectors:
  toxicity: { engine: detoxify-original }
defaults: { timeout_ms: 20000 }
rules:
  - name: t
    when: { stage: [input] }
    detect: { toxicity: { labels: { toxicity: 0.8 } } }
    action: block
    on_error: block
"""


def test_the_sidecar_serves_an_installed_model_and_shows_what_becomes_of_its_process(
    base: Path, tmp_path: Path
) -> None:
    (tmp_path / "policy.yaml").write_text(POLICY)
    shutil.copytree(base, tmp_path / "data" / "models")
    engine = models.installed("detoxify-original", base).engine
    with serving(tmp_path / "data", "--policy", tmp_path / "policy.yaml") as sidecar:

        def verdict(text: str) -> tuple[str, list[str]]:
            message = {"role": "user", "parts": [{"kind": "text", "text": text}]}
            told = sidecar.http.post("/v1/guard/check", json={"side": "input", "messages": [message]})
            assert told.status_code == 200, told.text
            decision = told.json()
            return decision["action"], [event.get("engine", "") for event in decision["events"]]

        assert verdict(PLAIN) == ("allow", [])
        assert verdict("you are awful") == ("block", [engine])
        calm = {
            "alive": True,
            "engine": engine,
            "refused": 0,
            "restarts": 0,
            "timeouts": 0,
            "trouble": "",
            "waiting": 0,
        }
        assert sidecar.health()["workers"] == [calm]
        assert sidecar.health()["degraded"] == []
        (worker,) = children(sidecar.process.pid)
        os.kill(worker, signal.SIGKILL)
        until(sidecar.health, lambda told: told["workers"][0]["restarts"] == 1 and told["workers"][0]["alive"])
        assert verdict("are you awful") == ("block", [engine])
        assert sidecar.health()["workers"] == [calm | {"restarts": 1}]
        assert sidecar.metric(f'spanward_model_worker_restarts_total{{engine="{engine}"}}') == 1
        assert sidecar.metric(f'spanward_model_workers_alive{{engine="{engine}"}}') == 1
        (worker,) = children(sidecar.process.pid)
        flip(tmp_path / "data" / "models" / "detoxify-original" / MODEL)
        os.kill(worker, signal.SIGKILL)
        until(sidecar.health, lambda told: "damaged or was swapped" in told["workers"][0]["trouble"])
        action, _ = verdict("a kind word")
        assert action == "block"
        assert "damaged or was swapped" in sidecar.health()["degraded"][0]
        assert sidecar.health()["status"] == "degraded"


def children(pid: int) -> list[int]:
    """Processes that were started by `pid` and run a model."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    found = [child for task in tasks for child in (task / "children").read_text().split()]
    return [int(child) for child in found if b"onnx_model" in Path(f"/proc/{child}/cmdline").read_bytes()]

"""`spanward models add | list | check | remove`: models that the operator brings, converted once and then verified."""

import argparse
import json
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from ..guards.detectors import installation, models
from ..guards.detectors.models import Model, ModelError
from ..guards.detectors.sources import SOURCES
from .command import FAILED, CommandError

if TYPE_CHECKING:
    from ..guards.detectors.conversion import Drift

ROOM = 3
"""Times the checkpoint's size that a conversion has on disk at its worst: two graphs, and what is quantised."""
WHOLE = re.compile(r"[0-9a-f]{64}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    adding = actions.add_parser("add", help="convert a checkpoint that was brought here, and install it")
    adding.add_argument("name", metavar="NAME", help=f"{', '.join(SOURCES)}, or a name of yours with --allow-hash")
    adding.add_argument("--checkpoint", type=Path, required=True, metavar="FILE")
    adding.add_argument(
        "--tokenizer", type=Path, required=True, metavar="FOLDER", help="of the encoder, with config.json"
    )
    adding.add_argument("--allow-hash", default="", metavar="SHA256", help="the only file to take, by all 64 digits")
    adding.add_argument("--precision", choices=("int8", "fp32"), default="int8", help="default int8")
    adding.add_argument(
        "--max-drift", type=_bound, default=None, metavar="X", help="largest difference from torch's scores"
    )
    adding.add_argument("--check", type=Path, metavar="FILE", help="sentences to compare on as well, one a line")
    adding.add_argument("--replace", action="store_true", help="if it is installed already")
    adding.set_defaults(act=add)
    for action, what, text in (
        (check, "check", "verify the hashes of an installed model, load it and compare its scores"),
        (remove, "remove", "delete an installed model"),
    ):
        one = actions.add_parser(what, help=text)
        one.add_argument("name", metavar="NAME")
        one.set_defaults(act=action)
    listing = actions.add_parser("list", help="what is installed, and whether it is whole")
    listing.set_defaults(act=show)
    for one in actions.choices.values():
        one.add_argument("--data", type=Path, metavar="DIR", help="the sidecar's data directory")


def run(arguments: argparse.Namespace) -> int:
    base = models.models_folder(arguments.data)
    try:
        sys.stdout.write(f"{arguments.act(arguments, base)}\n")
    except ModelError as problem:
        raise CommandError(str(problem), FAILED) from None
    return 0


def add(arguments: argparse.Namespace, base: Path) -> str:
    try:
        from ..guards.detectors import conversion, detoxify

        _needs("torch", "transformers", "onnx", "onnxruntime", "tokenizers")
    except ModuleNotFoundError as missing:
        raise CommandError(f"converting needs {missing.name}: pip install 'spanward[convert]'") from None
    bound = conversion.BOUND if arguments.max_drift is None else arguments.max_drift
    own = _sentences(arguments.check) if arguments.check else ()
    wanted = conversion.Wanted(arguments.name, arguments.precision, bound, own)
    try:
        digest = detoxify.sha256_of(arguments.checkpoint)
        permit(arguments.name, arguments.checkpoint.name, digest, arguments.allow_hash)
        needed = ROOM * arguments.checkpoint.stat().st_size + (64 << 20)
        with (
            _ended_by_sigterm_too(),
            installation.installing(arguments.name, base, needed=needed, replace=arguments.replace) as folder,
        ):
            _say("loading the checkpoint")
            source = detoxify.load(arguments.checkpoint, arguments.tokenizer)
            drift = conversion.convert(source, digest, arguments.checkpoint.name, wanted, folder, _say)
    except (detoxify.CheckpointError, conversion.ConversionError) as problem:
        raise CommandError(f"{problem}", FAILED) from None
    except KeyboardInterrupt:
        raise CommandError("interrupted; nothing is installed and what was begun is removed", FAILED) from None
    return _added(models.installed(arguments.name, base), drift)


def permit(name: str, file: str, digest: str, allowed: str) -> None:
    """A known model by its published hash, another only if its hash was spelt out. Raises `ModelError`."""
    if allowed:
        if not WHOLE.fullmatch(allowed.lower()):
            raise ModelError("--allow-hash takes a whole sha256: 64 hexadecimal digits")
        if allowed.lower() != digest:
            raise ModelError(
                f"{file} has the sha256 {digest}, not the one that --allow-hash names. Nothing is installed"
            )
        return
    source = SOURCES.get(name)
    if source is None:
        raise ModelError(
            f"no hash is known for {name!r} (known: {', '.join(SOURCES)}); a model of your own is installed with "
            f"--allow-hash {digest}, if that is the file you mean"
        )
    if not digest.startswith(source.sha256):
        raise ModelError(
            f"{file} is not the published {source.file}: its sha256 is {digest}, which should begin with "
            f"{source.sha256}. Fetch it again; if you mean this very file, add --allow-hash {digest}"
        )


def check(arguments: argparse.Namespace, base: Path) -> str:
    from ..guards.detectors import onnx_model

    model = models.installed(arguments.name, base)
    model.verify()
    onnx_model.load(model)
    return f"{model.name}: fine. {model.engine}, its files are those that were installed and it scores as it should"


def remove(arguments: argparse.Namespace, base: Path) -> str:
    installation.remove(arguments.name, base)
    return f"{arguments.name} is removed from {base}"


def show(_arguments: argparse.Namespace, base: Path) -> str:
    lines = [_line(name, base) for name in models.names(base)]
    return "\n".join(lines) or f"no model is installed in {base}; known by name: {', '.join(SOURCES)}"


def _line(name: str, base: Path) -> str:
    try:
        model = models.installed(name, base)
        model.verify()
    except ModelError as problem:
        return f"{name}: BROKEN. {problem}"
    drift = max(model.manifest["drift"]["labels"].values())
    return (
        f"{name}: {model.engine}, {model.size >> 20} MiB, drift {drift:.4f} "
        f"(allowed {model.manifest['drift']['bound']:g}), {', '.join(model.labels)}"
    )


def _added(model: Model, drift: "Drift") -> str:
    labels = "\n".join(f"  {label:<20} {value:.4f}" for label, value in drift.labels.items())
    return (
        f"{model.name} is installed in {model.folder} ({model.size >> 20} MiB): {model.engine}\n"
        f"Largest difference from torch's probability, over {drift.texts} texts in {drift.windows} windows:\n{labels}\n"
        f"A policy takes it up with\n  detectors:\n    toxicity: {{ engine: {model.name} }}"
    )


def _sentences(file: Path) -> list[str]:
    """One a line, as text or as JSON strings; blank lines are none."""
    try:
        lines = file.read_text("utf-8").splitlines()
    except OSError as problem:
        raise CommandError(f"cannot read {file}: {problem.strerror}") from None
    except UnicodeDecodeError:
        raise CommandError(f"{file} is no UTF-8 text") from None
    found = [_unquoted(line) for line in lines if line.strip()]
    if not found:
        raise CommandError(f"{file} holds no sentence: it should have one a line")
    return found


def _unquoted(line: str) -> str:
    try:
        value = json.loads(line)
    except ValueError:
        return line
    return value if isinstance(value, str) else line


def _bound(text: str) -> float:
    value = float(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError("between 0 and 1")
    return value


def _needs(*libraries: str) -> None:
    from importlib.util import find_spec

    for library in libraries:
        if find_spec(library) is None:
            raise ModuleNotFoundError(name=library)


@contextmanager
def _ended_by_sigterm_too() -> Iterator[None]:
    """As by Ctrl-C, so that what was begun is cleared away."""

    def end(_number: int, _frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _say(what: str) -> None:
    sys.stderr.write(f"{what} …\n")

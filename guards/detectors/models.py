"""The models that `spanward models add` installed: one folder each, and a manifest of hashes that it must match.

Light on purpose: a policy is checked on machines that have neither the model nor a library to run it.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from hashlib import file_digest
from pathlib import Path
from typing import Any, NamedTuple, cast

from .worker import Worker

FOLDER = "SPANWARD_MODELS"
"""The variable that names the folder of models; it outranks the data directory."""
MODEL, TOKENIZER, LABELS, MANIFEST = "model.onnx", "tokenizer.json", "labels.json", "manifest.json"
FORMAT = 1
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class ModelError(Exception):
    """No such model, or its files are not those that were installed. The text says what to do next."""


class Model(NamedTuple):
    """An installed model, by its manifest alone: `verified` says whether the files are those of the manifest."""

    name: str
    folder: Path
    labels: tuple[str, ...]
    manifest: Mapping[str, Any]

    @property
    def engine(self) -> str:
        """`NAME@SOURCE/PRECISION-MODEL`, by the first 8 hex digits of the source's and the converted file's sha256."""
        files = self.manifest["files"]
        return f"{self.name}@{self.manifest['source']['sha256'][:8]}/{self.manifest['precision']}-{files[MODEL][:8]}"

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(path.stat().st_size for path in self.folder.iterdir())

    def content(self, file: str) -> bytes:
        """The bytes of one of its files, which are those that were installed. Raises `ModelError`."""
        path = self.folder / file
        try:
            with path.open("rb") as opened:
                digest = file_digest(opened, "sha256").hexdigest()
                opened.seek(0)
                content = opened.read()
        except OSError as error:
            raise ModelError(f"cannot read {path}: {error.strerror}. {_AGAIN.format(self.name)}") from error
        if digest != self.manifest["files"][file]:
            raise ModelError(
                f"{path} is damaged or was swapped: its sha256 begins with {digest[:8]}, "
                f"installed was {self.manifest['files'][file][:8]}. {_AGAIN.format(self.name)}"
            )
        return content

    def start(self, *, timeout_s: float = 30, startup_s: float = 120) -> Worker:
        """A process that has loaded it, for `ask(texts)`. Raises `WorkerError`."""
        return Worker(f"{__package__}.onnx_model", [str(self.folder)], timeout_s=timeout_s, startup_s=startup_s)

    def verify(self) -> None:
        """Every file is there and has the hash of the manifest. Raises `ModelError`."""
        for file in self.manifest["files"]:
            self.content(file)


def models_folder(data: Path | None = None) -> Path:
    """`$SPANWARD_MODELS`, else `models` in `data`, else in `$XDG_DATA_HOME/spanward` or `~/.local/share/spanward`."""
    told = os.environ.get(FOLDER, "")
    if told:
        return Path(told).expanduser().absolute()
    if data is None:
        home = os.environ.get("XDG_DATA_HOME", "")
        data = (Path(home) if home.startswith("/") else Path.home() / ".local" / "share") / "spanward"
    return data.absolute() / "models"


def installed(name: str, folder: Path | None = None) -> Model:
    """The model of that name. Its manifest is read, not its weights. Raises `ModelError`."""
    base = folder or models_folder()
    if not NAME.fullmatch(name):
        raise ModelError(f"{name!r} is no name of a model: lower-case letters, digits and hyphens")
    if not (base / name).is_dir():
        there = ", ".join(names(base)) or "none"
        raise ModelError(
            f"no model {name!r} is installed in {base} (there: {there}): bring its files and run "
            f"`spanward models add {name} --checkpoint FILE --tokenizer FOLDER`, or let {FOLDER} name another folder"
        )
    return read(base / name)


def read(folder: Path) -> Model:
    """The model in `folder`. Raises `ModelError`."""
    path = folder / MANIFEST
    again = _AGAIN.format(folder.name)
    try:
        manifest = cast("dict[str, Any]", json.loads(path.read_bytes()))
        if manifest["format"] != FORMAT:
            raise ModelError(f"{path} was written by another version of Spanward. {again}")
        if set(manifest["files"]) != {MODEL, TOKENIZER, LABELS}:
            raise ModelError(f"{path} does not name {MODEL}, {TOKENIZER} and {LABELS}. {again}")
        model = Model(manifest["name"], folder, (), manifest)
        labels = json.loads(model.content(LABELS))
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror}. {again}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path} is no manifest of a model: {type(error).__name__}. {again}") from error
    return model._replace(labels=tuple(labels))


def names(folder: Path | None = None) -> Iterator[str]:
    """What is installed, in alphabetical order; whether it is whole, `installed` says."""
    base = folder or models_folder()
    if base.is_dir():
        yield from sorted(path.name for path in base.iterdir() if path.is_dir() and NAME.fullmatch(path.name))


_AGAIN = "Install it again: spanward models remove {0}, then spanward models add {0} …"

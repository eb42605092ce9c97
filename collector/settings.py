"""What `spanward serve` is told: by the command line, by one YAML file, or not at all."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..tracer.spool_folder import spool_folder
from .command import CommandError
from .data_directory import DataDirectory, default
from .roles import Key
from .vault.key import VaultSettings

KEY_VARIABLE = "SPANWARD_INGEST_KEY"
OWN_KEY_VARIABLE = "SPANWARD_KEY"
"""What a person's command shows: a key of `keys`."""


class Settings(BaseModel):
    """Paths may be relative: to the file that names them, or to the working directory on the command line."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data: Path = Field(default_factory=default)
    store: str = Field(default_factory=lambda: os.environ.get("SPANWARD_STORE", ""))
    """Empty: embedded, in the data directory. The variable keeps a password off the command line."""
    host: str = "127.0.0.1"
    port: int = Field(default=4318, ge=0, le=65535)
    policy: str = "default"
    spool: Path | None = None
    prices: Path | None = None
    body_bytes: int = Field(default=32 << 20, gt=0)
    """Bound of one request's body, as sent and unpacked alike."""
    log_bytes: int = Field(default=2 << 30, gt=0)
    """Bound of the write-ahead log; a full log answers 503."""
    keys: dict[str, Key] = Field(default_factory=dict)
    """By the name of the person or the machine that has it."""
    vault: VaultSettings = Field(default_factory=VaultSettings)

    @property
    def store_url(self) -> str:
        return self.store or DataDirectory(self.data).store_url

    @property
    def spool_directory(self) -> Path:
        """Where the applications of this user keep their spools, unless told otherwise."""
        return self.spool or spool_folder()


def settings_from(file: Path | None, told: Mapping[str, Any]) -> Settings:
    """`told` (the command line; None means not told) outranks the file. Raises `CommandError`."""
    values = _located(_read(file), file.absolute().parent) if file else {}
    values |= _located({key: value for key, value in told.items() if value is not None}, Path.cwd())
    try:
        return Settings(**values)
    except ValidationError as problem:
        first = problem.errors()[0]
        where = ".".join(map(str, first["loc"]))
        known = f"; known are {', '.join(Settings.model_fields)}" if first["type"] == "extra_forbidden" else ""
        raise CommandError(f"{file or 'command line'}: {where}: {first['msg']}{known}") from None


def _read(file: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(file.read_text())
    except OSError as problem:
        raise CommandError(f"{file}: {problem.strerror}") from None
    except yaml.YAMLError as problem:
        raise CommandError(f"{file}: {problem}") from None
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise CommandError(f"{file}: must hold `name: value` lines")
    return values


def _located(values: Mapping[str, Any], base: Path) -> dict[str, Any]:
    """The process changes its working directory, so every path is made absolute first."""
    located = dict(values)
    for name in ("data", "spool", "prices"):
        if isinstance(located.get(name), str | Path):
            located[name] = base / Path(located[name]).expanduser()
    vault = located.get("vault")
    if isinstance(vault, dict) and isinstance(vault.get("key_file"), str):
        located["vault"] = vault | {"key_file": base / Path(vault["key_file"]).expanduser()}
    policy = located.get("policy")
    if isinstance(policy, str) and (Path(policy).suffix or os.sep in policy):
        located["policy"] = str(base / Path(policy).expanduser())
    return located

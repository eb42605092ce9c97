"""The key of the vault: from the environment, a file, a command, or one of the data directory's own."""

import base64
import binascii
import os
import re
import secrets
import shlex
import subprocess
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ..command import CommandError

VARIABLE = "SPANWARD_VAULT_KEY"
OWN = "vault.key"
"""In the data directory."""
LENGTH = 32
COMMAND_SECONDS = 20.0
Source = Literal["own", "environment", "file", "command"]


class VaultSettings(BaseModel):
    """`vault:` of the configuration file. At most one of `key_file` and `key_command`; a variable outranks both."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key_file: Path | None = None
    key_command: str | list[str] = ""
    """Run without a shell; its output is the key."""
    ttl_s: float = Field(default=3600.0, gt=0)
    sessions: int = Field(default=100_000, gt=0)
    """How many are kept on disk; the longest unused go first."""
    limit_bytes: int = Field(default=1 << 30, ge=1 << 16)

    @model_validator(mode="before")
    @classmethod
    def _one_source(cls, told: Any) -> Any:
        if isinstance(told, dict) and told.get("key_file") and told.get("key_command"):
            raise ValueError("give key_file or key_command, not both")
        return told


@dataclass(frozen=True, slots=True)
class Keys:
    """`master` is for every tenant that has none of its own. Shows no key."""

    source: Source
    master: bytes = field(repr=False)
    own: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    """By the end of the variable's name."""

    def of(self, tenant: str) -> bytes:
        return self.own.get(_variable_part(tenant), self.master)


def keys(settings: VaultSettings, folder: Path, environment: MutableMapping[str, str] | None = None) -> Keys:
    """The keys, taken out of the environment so that no child process gets them.

    Raises `CommandError` for a key that is none, and OSError if the own one cannot be kept in `folder`.
    """
    environment = os.environ if environment is None else environment
    told = {name: environment.pop(name) for name in list(environment) if name.startswith(VARIABLE)}
    own = {name[len(VARIABLE) + 1 :]: parsed(text, name) for name, text in told.items() if name != VARIABLE}
    if VARIABLE in told:
        return Keys("environment", parsed(told[VARIABLE], VARIABLE), own)
    if settings.key_file:
        return Keys("file", _of_file(settings.key_file), own)
    if settings.key_command:
        return Keys("command", _of_command(settings.key_command), own)
    return Keys("own", _own(folder / OWN), own)


def parsed(text: str, where: str) -> bytes:
    """32 bytes in base64 or hexadecimal. Raises `CommandError`, which does not quote the text."""
    plain = text.strip()
    try:
        key = bytes.fromhex(plain) if re.fullmatch("[0-9a-fA-F]{64}", plain) else _base64(plain)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != LENGTH:
        raise CommandError(f"{where}: a key is {LENGTH} bytes in base64 or hexadecimal: openssl rand -base64 {LENGTH}")
    return key


def _base64(text: str) -> bytes:
    return base64.b64decode(text.translate(str.maketrans("-_", "+/")) + "=" * (-len(text) % 4), validate=True)


def _of_file(path: Path) -> bytes:
    try:
        return parsed(path.read_text(errors="replace"), f"vault.key_file {path}")
    except OSError as problem:
        raise CommandError(f"vault.key_file {path}: {problem.strerror}") from None


def _of_command(told: str | list[str]) -> bytes:
    words = shlex.split(told) if isinstance(told, str) else told
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False)  # noqa: S603  the operator's own
    except OSError as problem:
        raise CommandError(f"vault.key_command {words[0]}: {problem.strerror}") from None
    except subprocess.TimeoutExpired:
        raise CommandError(f"vault.key_command {words[0]}: no answer within {COMMAND_SECONDS:.0f} s") from None
    if done.returncode:
        said = (done.stderr.strip().splitlines() or [""])[-1][:200]
        raise CommandError(f"vault.key_command {words[0]}: ended with {done.returncode}: {said}")
    return parsed(done.stdout, f"vault.key_command {words[0]}")


def _own(path: Path) -> bytes:
    """Made once; whole or not there at all."""
    if not path.exists():
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.write(file, base64.b64encode(secrets.token_bytes(LENGTH)) + b"\n")
            os.fsync(file)
        finally:
            os.close(file)
        draft.replace(path)
    return parsed(path.read_text(errors="replace"), str(path))


def _variable_part(tenant: str) -> str:
    return re.sub(r"\W", "_", tenant).upper()

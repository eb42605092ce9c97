"""How this process is traced: arguments of `instrument()` before environment variables before defaults."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast
from urllib.parse import urlsplit

from .health import log
from .spool_folder import spool_folder

Where = Literal["sidecar", "local", "off"]
Content = Literal["guarded", "none"]

ENDPOINT = "http://127.0.0.1:4318"
SPOOL_BYTES = 256 * 1024 * 1024
CONTENT_BYTES = 256 * 1024
LEAST_BYTES = 100

CHOICES: dict[str, tuple[str, ...]] = {"guards": ("sidecar", "local", "off"), "content": ("guarded", "none")}
VARIABLES = {
    "endpoint": "SPANWARD_ENDPOINT",
    "guards": "SPANWARD_GUARDS",
    "content": "SPANWARD_CONTENT",
    "spool": "SPANWARD_SPOOL",
    "policy": "SPANWARD_POLICY",
    "key": "SPANWARD_INGEST_KEY",
    "usage_hosts": "SPANWARD_USAGE_HOSTS",
    "model_hosts": "SPANWARD_MODEL_HOSTS",
    "content_bytes": "SPANWARD_CONTENT_BYTES",
}
"""Environment variable of each setting that has one. `OTEL_*` is read by OpenTelemetry's SDK."""
SECRET = {"key"}
"""Settings whose value is never shown."""


@dataclass(frozen=True, slots=True)
class Settings:
    """`policy` is a file or a shipped name, for guards='local'; `spool_bytes` bounds the spool folder.

    `key` is what the sidecar asks for, '' if it asks for none. `usage_hosts` are patterns of hosts, `NAME` or
    `NAME:PORT`, whose OpenAI-compatible servers take the question for a stream's token counts; `model_hosts` are
    servers of models besides those in `hosts`. `content_bytes` bounds what is recorded of one part (see `bound`).
    """

    endpoint: str = ENDPOINT
    guards: Where = "sidecar"
    content: Content = "guarded"
    policy: str = "default"
    service_name: str = ""
    environment: str = ""
    require_guards: bool = False
    spool: Path = Path()
    spool_bytes: int = SPOOL_BYTES
    key: str = field(default="", repr=False)
    usage_hosts: tuple[str, ...] = ()
    model_hosts: tuple[str, ...] = ()
    content_bytes: int = CONTENT_BYTES


def read(given: Mapping[str, Any], environ: Mapping[str, str] = os.environ) -> Settings:
    """Settings of the arguments that are not None and the environment.

    A wrong argument raises ValueError; a wrong variable is reported in the log and its default taken: a variable is
    set by whoever runs the application, and must not stop it.
    """
    chosen: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    for name, value in chosen.items():
        if problem := _problem(name, value):
            raise ValueError(f"instrument({name}={_shown(name, value)}): {problem}")
    for name, variable in VARIABLES.items():
        if name not in chosen and (value := environ.get(variable, "")):
            if problem := _problem(name, value):
                log.warning("spanward: %s=%s is ignored: %s", variable, _shown(name, value), problem)
            else:
                chosen[name] = value
    chosen["endpoint"] = str(chosen.get("endpoint", ENDPOINT)).rstrip("/")
    chosen["policy"] = str(chosen.get("policy", "default"))
    chosen["usage_hosts"] = _list(chosen.get("usage_hosts", ""))
    chosen["model_hosts"] = _list(chosen.get("model_hosts", ""))
    chosen["content_bytes"] = int(chosen.get("content_bytes", CONTENT_BYTES))
    chosen["spool"] = Path(chosen["spool"]) if "spool" in chosen else spool_folder(environ)
    return Settings(**chosen)


def _list(value: str | Iterable[str]) -> tuple[str, ...]:
    """Names, of a text with commas or several texts."""
    texts = [value] if isinstance(value, str) else value
    return tuple(name.strip().lower() for text in texts for name in text.split(",") if name.strip())


def _shown(name: str, value: object) -> str:
    return "…" if name in SECRET else repr(value)


def _problem(name: str, value: object) -> str:
    if name in CHOICES and value not in CHOICES[name]:
        return f"say one of {', '.join(CHOICES[name])}"
    if name == "content_bytes" and not (str(value).isdecimal() and int(str(value)) >= LEAST_BYTES):
        return f"say a number of bytes, at least {LEAST_BYTES}; content='none' records nothing"
    if name == "endpoint":
        url = urlsplit(cast("str", value))
        if url.scheme not in ("http", "https") or not url.hostname:
            return f"say an address such as {ENDPOINT}"
    if name == "key" and not (isinstance(value, str) and value.isascii() and value.isprintable() and " " not in value):
        return "a key is printable ASCII characters, without spaces"
    return ""

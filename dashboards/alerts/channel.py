"""Where people are told: what a channel is, and what is shown of it once it is saved."""

import re
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, field_validator, model_validator

PREFIX = "SPANWARD_ALERT_"
_VARIABLE = rf"^({PREFIX}[A-Z0-9_]+)?$"
"""Of the sidecar's environment only what was put there for alerts: who may say where mail goes, and with which
password, must not read the store's or a provider's key by having it sent to a server of their own."""
_ADDRESS = re.compile(r"[^@\s,;<>\"\x00-\x1f]+@[^@\s,;<>\"\x00-\x1f]+")


class _Channel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=80)

    @field_validator("name")
    @classmethod
    def _one_line(cls, name: str) -> str:
        if not name.strip() or any(not char.isprintable() for char in name):
            raise ValueError("give it a name of one line")
        return name.strip()


class _Web(_Channel):
    url: str = Field(default="", max_length=2000)
    """A secret: shown masked once it is saved. Empty, when changed: stays as it was."""

    @field_validator("url")
    @classmethod
    def _http(cls, url: str) -> str:
        if not url:
            return url
        try:
            parts = urlsplit(url)
            whole = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            whole = False
        if not whole or any(not char.isprintable() or char.isspace() for char in url):
            raise ValueError("this is no http:// or https:// address")
        return url


class Webhook(_Web):
    """`secret_env` names the environment variable of the sidecar with the key that bodies are signed with."""

    kind: Literal["webhook"]
    secret_env: str = Field(default="", pattern=_VARIABLE, max_length=200)


class Slack(_Web):
    """An incoming webhook of Slack, or of whatever takes the same."""

    kind: Literal["slack"]


class Email(_Channel):
    """`password_env` names the environment variable of the sidecar that holds the password.

    `ca_file` is a PEM file on the sidecar's machine: an authority to trust beside those of the system.
    """

    kind: Literal["email"]
    host: str = Field(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9.:_-]+$")
    port: int = Field(default=587, ge=1, le=65535)
    encryption: Literal["starttls", "tls", "none"] = "starttls"
    sender: str = Field(max_length=320)
    to: list[str] = Field(min_length=1, max_length=20)
    username: str = Field(default="", max_length=320)
    password_env: str = Field(default="", pattern=_VARIABLE, max_length=200)
    ca_file: str = Field(default="", pattern=r"^[^\x00]*$", max_length=1000)

    @model_validator(mode="after")
    def _addresses(self) -> Self:
        for address in (self.sender, *self.to):
            if not _ADDRESS.fullmatch(address):
                raise ValueError(f"{address!r} is no e-mail address")
        if self.username and self.encryption == "none":
            raise ValueError("a password would be sent in the clear: use starttls or tls")
        return self


Channel = Annotated[Webhook | Slack | Email, Field(discriminator="kind")]
_CHANNEL: TypeAdapter[Webhook | Slack | Email] = TypeAdapter(Channel)


def channel_of(body: Any) -> Webhook | Slack | Email:
    """Raises pydantic's ValidationError."""
    return _CHANNEL.validate_python(body)


def masked(channel: Webhook | Slack | Email) -> dict[str, Any]:
    """What may be shown: of a URL its host, since the rest is what lets one in."""
    told = channel.model_dump()
    if isinstance(channel, Email):
        return told
    parts = urlsplit(channel.url)
    host = parts.hostname or ""
    shown = f"[{host}]" if ":" in host else host
    port = f":{parts.port}" if parts.port else ""
    return told | {"url": f"{parts.scheme}://{shown}{port}/…"}

"""What one tenant's rows are sealed with: AES-256-GCM under a key made from the vault's key and the tenant's salt.

Without the salt nobody makes that key again, so removing it erases.
"""

import hmac
import json
import os
import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ...guards.judgement import Context
from ...guards.pseudonyms import Given

SALT, NONCE = 32, 12
_INFO = b"spanward vault 1\0"


class Unreadable(Exception):  # noqa: N818  says what it is
    """A row was not sealed by this box, or was changed since. The text names no row."""


@dataclass(frozen=True, slots=True)
class Box:
    """Shows neither key nor salt."""

    tenant: str
    salt: bytes = field(repr=False)
    _aead: AESGCM = field(repr=False)
    _names: bytes = field(repr=False)

    @classmethod
    def made(cls, tenant: str, key: bytes, salt: bytes = b"") -> Self:
        """Without a salt it is a new one."""
        salt = salt or secrets.token_bytes(SALT)
        derived = HKDF(SHA256(), 64, salt, _INFO + tenant.encode(errors="surrogatepass")).derive(key)
        return cls(tenant, salt, AESGCM(derived[:32]), derived[32:])

    @property
    def fits(self) -> bytes:
        """Tells whether another box has the same key, and nothing else."""
        return hmac.digest(self._names, b"fits", sha256)[:16]

    def session(self, context: Context) -> bytes:
        """The name of a session on disk: the same for the same one, and nobody reads it back."""
        told = json.dumps(["session", context.app, context.environment, context.session_id])
        return hmac.digest(self._names, told.encode(), sha256)

    def seal(self, session: bytes, given: Given) -> bytes:
        nonce = os.urandom(NONCE)
        sealed = self._aead.encrypt(nonce, given.value.encode(errors="surrogatepass"), self._bound(session, given))
        return nonce + sealed

    def open(self, session: bytes, label: str, number: int, sealed: bytes) -> Given:
        """Raises `Unreadable`: another key, another row's bytes, or changed ones."""
        given = Given(label, number, "")
        try:
            value = self._aead.decrypt(sealed[:NONCE], sealed[NONCE:], self._bound(session, given))
        except (InvalidTag, ValueError):
            raise Unreadable("a row does not open under its tenant's key") from None
        return given._replace(value=value.decode(errors="surrogatepass"))

    def _bound(self, session: bytes, given: Given) -> bytes:
        return json.dumps([self.tenant, session.hex(), given.label, given.number]).encode()

"""Development secrets: created once, kept in `var/keys` for their owner alone, never committed."""

import base64
import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


@dataclass(frozen=True)
class PassportKeys:
    """The Ed25519 key pair of passports, encoded as in the settings.

    The encoding is base64url of the 32 raw bytes, without padding.
    """

    private: str = field(repr=False)
    public: str

    @property
    def signing_key(self) -> Ed25519PrivateKey:
        """The private key, decoded."""
        return _decode_private_key(self.private)


def generate_private_key() -> str:
    """Return a new private key, encoded as in `PassportKeys`."""
    return _encode(Ed25519PrivateKey.generate().private_bytes_raw())


def derive_passport_keys(private: str) -> PassportKeys:
    """Return the key pair of an encoded private key."""
    public_key = _decode_private_key(private).public_key()
    return PassportKeys(private, _encode(public_key.public_bytes_raw()))


def load_or_create(file: Path, create_secret: Callable[[], str]) -> str:
    """Return the secret in this file; create it first if it is missing.

    Processes that do so at the same time agree: the first one wins.
    """
    if not file.exists():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished = file.with_suffix(f".{secrets.token_hex(8)}")
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as output:
            output.write(create_secret())
        with suppress(FileExistsError):
            file.hardlink_to(unfinished)
        unfinished.unlink()
    return file.read_text()


def load_or_create_secret(folder: Path) -> str:
    """Return the Better Auth secret of this checkout."""
    return load_or_create(folder / "better-auth-secret", secrets.token_urlsafe)


def load_or_create_passport_keys(folder: Path) -> PassportKeys:
    """Return the passport keys of this checkout."""
    private = load_or_create(folder / "passport-private-key", generate_private_key)
    return derive_passport_keys(private)


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _decode_private_key(private: str) -> Ed25519PrivateKey:
    raw = base64.urlsafe_b64decode(private + "=")
    return Ed25519PrivateKey.from_private_bytes(raw)

"""Development secrets: made once, kept in `var/keys` for their owner alone, never committed."""

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
    """The key pair of passports as the settings spell it: base64url of the 32 raw bytes, without padding."""

    private: str = field(repr=False)
    public: str

    @property
    def signing_key(self) -> Ed25519PrivateKey:
        """The private half, ready for use."""
        return _decode(self.private)


def generate_private_key() -> str:
    """Make the private half of a key pair."""
    return _encode(Ed25519PrivateKey.generate().private_bytes_raw())


def derive_passport_keys(private: str) -> PassportKeys:
    """Complete a key pair."""
    return PassportKeys(private, _encode(_decode(private).public_key().public_bytes_raw()))


def load_or_create(file: Path, make: Callable[[], str]) -> str:
    """Return the secret of this file, which is made first when it is missing; the first of several makers wins."""
    if not file.exists():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished = file.with_suffix(f".{secrets.token_hex(8)}")
        with os.fdopen(
            os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w"
        ) as output:
            output.write(make())
        with suppress(FileExistsError):
            file.hardlink_to(unfinished)
        unfinished.unlink()
    return file.read_text()


def load_or_create_secret(folder: Path) -> str:
    """Return this checkout's own Better Auth secret."""
    return load_or_create(folder / "better-auth-secret", secrets.token_urlsafe)


def load_or_create_passport_keys(folder: Path) -> PassportKeys:
    """Return this checkout's own passport keys."""
    return derive_passport_keys(
        load_or_create(folder / "passport-private-key", generate_private_key)
    )


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _decode(private: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(base64.urlsafe_b64decode(private + "="))

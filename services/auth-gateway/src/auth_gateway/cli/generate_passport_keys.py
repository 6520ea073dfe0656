"""`python -m auth_gateway.cli.generate_passport_keys`: make a key pair for passports, and say it as the settings do."""

import base64
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def main() -> None:
    """Print one line for the gateway, and one for the services that shall believe it."""
    private = Ed25519PrivateKey.generate()
    halves = {
        "PASSPORT_PRIVATE_KEY": private.private_bytes_raw(),
        "PASSPORT_PUBLIC_KEYS": private.public_key().public_bytes_raw(),
    }
    sys.stdout.writelines(f"{name}={_encode(half)}\n" for name, half in halves.items())


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


if __name__ == "__main__":
    main()

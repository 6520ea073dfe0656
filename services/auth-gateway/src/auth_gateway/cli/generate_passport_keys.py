"""Print a key pair for passports: `python -m auth_gateway.cli.generate_passport_keys`."""

import base64
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def main() -> None:
    """Print one line for the gateway, and one for the services that verify its passports."""
    private_key = Ed25519PrivateKey.generate()
    public_key = private_key.public_key()
    sys.stdout.write(f"PASSPORT_PRIVATE_KEY={_encode(private_key.private_bytes_raw())}\n")
    sys.stdout.write(f"PASSPORT_PUBLIC_KEYS={_encode(public_key.public_bytes_raw())}\n")


def _encode(key: bytes) -> str:
    return base64.urlsafe_b64encode(key).decode().rstrip("=")


if __name__ == "__main__":
    main()

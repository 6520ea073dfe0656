"""Better Auth's published keys: `download` fetches them, `jwks` parses them, `cache` keeps them."""

from auth_gateway.authentication.keys.cache import KeyCache, KeyState, KeysUnavailable
from auth_gateway.authentication.keys.errors import KeySetError
from auth_gateway.authentication.keys.jwks import (
    PUBLISHED_ALGORITHMS,
    KeySet,
    PublicKey,
    VerificationKey,
)

__all__ = [
    "PUBLISHED_ALGORITHMS",
    "KeyCache",
    "KeySet",
    "KeySetError",
    "KeyState",
    "KeysUnavailable",
    "PublicKey",
    "VerificationKey",
]

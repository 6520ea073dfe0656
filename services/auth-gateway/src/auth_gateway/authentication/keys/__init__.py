"""Better Auth's published keys: `download` gets them, `jwks` reads them, `cache` keeps them at hand."""

from auth_gateway.authentication.keys.cache import KeyCache, KeyState, KeysUnavailable
from auth_gateway.authentication.keys.errors import KeySetError
from auth_gateway.authentication.keys.jwks import PUBLISHED_ALGORITHMS, KeySet, VerifyingKey

__all__ = [
    "PUBLISHED_ALGORITHMS",
    "KeyCache",
    "KeySet",
    "KeySetError",
    "KeyState",
    "KeysUnavailable",
    "VerifyingKey",
]

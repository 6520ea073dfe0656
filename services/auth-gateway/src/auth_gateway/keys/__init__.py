"""Better Auth's published keys: `jwks` says which of them may verify a token, `cache` keeps them at hand."""

from auth_gateway.keys.cache import KeyCache, KeyState, KeysUnavailable
from auth_gateway.keys.jwks import PUBLISHED_ALGORITHMS, KeySet, VerifyingKey

__all__ = ["PUBLISHED_ALGORITHMS", "KeyCache", "KeySet", "KeyState", "KeysUnavailable", "VerifyingKey"]

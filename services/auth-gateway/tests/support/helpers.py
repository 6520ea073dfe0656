from collections.abc import Callable
from secrets import token_bytes

from auth_gateway.authentication import InvalidToken, Reason, Verifier
from auth_gateway.authentication.keys import KeyCache
from auth_gateway.settings import GatewaySettings

from .token_factory import NOW

MakeSettings = Callable[..., GatewaySettings]


class Clock:
    """A clock that moves only when a test sets `now`."""

    def __init__(self) -> None:
        self.now: float = NOW

    def __call__(self) -> float:
        """Return the time in Unix seconds."""
        return self.now


async def rejection_reason(verifier: Verifier, token: bytes) -> Reason | None:
    """Return why a token is rejected, None if it is accepted."""
    try:
        await verifier.verify(token)
    except InvalidToken as error:
        return Reason(str(error.reason))
    return None


async def has_key(cache: KeyCache, key_id: str | None, age_seconds: float = 0) -> bool:
    """Look a key up as the verifier does for a new token."""
    assert key_id is not None
    if cache.cached_key(key_id) is not None:
        return True
    return await cache.key(key_id, token_bytes(), age_seconds) is not None

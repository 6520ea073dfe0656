"""What the tests of tokens share besides their fixtures."""

from collections.abc import Callable

from auth_gateway.authentication import InvalidToken, Reason, Verifier
from auth_gateway.settings import GatewaySettings

from .token_factory import NOW

MakeSettings = Callable[..., GatewaySettings]


class Clock:
    """A clock that only tests move."""

    def __init__(self) -> None:
        self.now: float = NOW

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


async def rejection_reason(verifier: Verifier, token: bytes) -> Reason | None:
    """Return why a token is refused; None means that it is accepted."""
    try:
        await verifier.verify(token)
    except InvalidToken as refusal:
        return Reason(str(refusal.reason))
    return None

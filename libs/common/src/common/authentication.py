"""FastAPI dependency that authenticates a request by the gateway's passport."""

from typing import Annotated, Final

from fastapi import Depends, Request

from common.identity import PassportVerifier, User
from common.logging import pseudonym
from common.problems import Unauthorized
from common.request_state import RequestState

_NO_TOKEN_CHALLENGE: Final = {"WWW-Authenticate": "Bearer"}
"""Without an error code, because no token was sent. Source: RFC 6750, 3."""


async def authenticate(request: Request) -> User:
    """Return the user that the passport names; `X-User-Id` must name the same one.

    Raises:
        Unauthorized: There is no valid passport, or the two differ.
    """
    state = RequestState.of(request.scope)
    if state.user is not None:
        return state.user
    tokens = request.headers.getlist("authorization")
    if not tokens:
        raise Unauthorized("token-missing", "A token is needed.", headers=_NO_TOKEN_CHALLENGE)
    scheme, _, passport = tokens[0].partition(" ")
    verifier: PassportVerifier = request.app.state.passports
    user = verifier.verify(passport)
    is_one_bearer_token = scheme.lower() == "bearer" and len(tokens) == 1
    if not is_one_bearer_token or request.headers.getlist("x-user-id") != [str(user.id)]:
        raise Unauthorized(
            "token-invalid", "One bearer token is needed, and an X-User-Id that says the same."
        )
    state.user = user
    state.pseudonym = pseudonym(user.id)
    return user


CurrentUser = Annotated[User, Depends(authenticate)]
"""The authenticated user; without a valid passport the request ends with 401."""

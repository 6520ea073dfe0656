"""The rules of profiles."""

import re
from collections.abc import AsyncIterator, Mapping
from typing import Final, cast
from uuid import UUID

from psycopg import IntegrityError

from common.context import RequestContext
from common.database import Database, fetch_one
from common.identity import User
from common.logging import log, pseudonym
from common.problems import Forbidden, Unprocessable
from users.clients import TasksClient
from users.ndjson import read_header
from users.queries import ERASE_USER, GET_USER, SAVE_USER
from users.schemas import EMAIL_MAX_CHARACTERS, ImportRead, UserChange, UserRead

EMAIL_ATTEMPTS_MAX: Final = 2
"""How often a profile is saved with its e-mail address.

The second attempt sees the row of the request that was faster, perhaps one of the same user.
"""

_EMAIL_ADDRESS = re.compile(r"[^\s@]{1,64}@[\w-]+(\.[\w-]+)*")


async def get_user(context: RequestContext) -> UserRead:
    """Return the user's profile, after saving it if it is missing or differs from the token."""
    profile = await fetch_one(context.database, GET_USER, _token_params(context.user))
    if profile is None:
        return await _save_user(context)
    return cast("UserRead", profile)


async def get_user_by_id(context: RequestContext, user_id: UUID) -> UserRead:
    """Return the user's profile if the id is the user's own.

    Raises:
        Forbidden: The id is another one, whether or not such a user exists.
    """
    if user_id != context.user.id:
        raise Forbidden("other-user")
    return await get_user(context)


async def change_user(context: RequestContext, change: UserChange) -> UserRead:
    """Change what users choose themselves, and return the whole profile.

    Raises:
        Unprocessable: The body has another user's id.
    """
    if change.id is not None and change.id != context.user.id:
        raise Unprocessable("id-mismatch", "The id in the body is not the caller's.")
    return await _save_user(context, change.time_zone or None)


async def import_user(
    context: RequestContext, tasks: TasksClient, chunks: AsyncIterator[bytes]
) -> ImportRead:
    """Import an export: first the tasks, all or none, then the time zone.

    Args:
        context: The context of the request.
        tasks: The tasks service.
        chunks: The body of the request.

    Raises:
        ProblemError: A line is invalid, or a limit is exceeded.
        Unavailable: The tasks service is not available.
    """
    body = await read_header(chunks)
    # A user who has tasks has a profile, even if this import fails.
    await get_user(context)
    result = await tasks.import_(body.rest)
    await _save_user(context, body.header.user.time_zone or None)
    return result


async def erase_user(context: RequestContext, tasks: TasksClient) -> None:
    """Erase everything of the user: the profile last, so that a second request can complete it.

    Raises:
        Unavailable: The tasks service is not available.
    """
    await tasks.erase()
    await fetch_one(context.database, ERASE_USER, user_id=context.user.id)


async def _save_user(context: RequestContext, time_zone: str | None = None) -> UserRead:
    """Insert or update the profile; a time zone of None leaves the stored one."""
    params = _token_params(context.user)
    params["chosen_time_zone"] = time_zone
    profile = await _save_with_email(context.database, params)
    if context.user.email is not None and profile["email"] is None:
        reason = "no-address"
        if params["claimed_email"]:
            reason = "taken"
        log("warning", "e-mail not kept", user=pseudonym(context.user.id), reason=reason)
    return profile


async def _save_with_email(database: Database, params: dict[str, object]) -> UserRead:
    """Save the profile; without e-mail address if other users claim it at the same moments."""
    for _ in range(EMAIL_ATTEMPTS_MAX):
        try:
            return await _save(database, params)
        except IntegrityError:
            continue
    params["claimed_email"] = None
    return await _save(database, params)


async def _save(database: Database, params: Mapping[str, object]) -> UserRead:
    return cast("UserRead", await fetch_one(database, SAVE_USER, params))


def _token_params(user: User) -> dict[str, object]:
    """Return the parameters of `GET_USER` and `SAVE_USER` that the token determines."""
    return {
        "user_id": user.id,
        "issuer": user.issuer,
        "subject": user.subject,
        "claimed_email": _normalize_email(user.email),
        "keeps_email": user.email is None,
    }


def _normalize_email(email: str | None) -> str | None:
    """Return the claimed e-mail address in lower case, or None if it is not one."""
    if email is None:
        return None
    address = email.lower()
    if len(address) > EMAIL_MAX_CHARACTERS or not address.isprintable():
        return None
    if not _EMAIL_ADDRESS.fullmatch(address):
        return None
    return address

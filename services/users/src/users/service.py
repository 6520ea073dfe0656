"""What may be done with a profile, and in which order."""

import re
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Final, cast
from uuid import UUID

from psycopg import IntegrityError

from common.database import Database, fetch_one
from common.identity import User
from common.logging import log, pseudonym
from common.problems import Forbidden, Unprocessable
from users.lines import read_start
from users.peers import TasksClient
from users.schemas import EMAIL_MAX_CHARACTERS, ImportRead, UserChange, UserRead
from users.statements import ERASE_USER, GET_USER, SAVE_USER

CLAIMS_MAX: Final = 2
"""Times that an address is tried for. Who was faster the first time, perhaps the same user, is seen the second time."""

_ADDRESS = re.compile(r"[^\s@]{1,64}@[\w-]+(\.[\w-]+)*")


async def get_user(session: Database, user: User) -> UserRead:
    """Return the caller's profile; it appears by itself, and follows what the token says."""
    found = await fetch_one(session, GET_USER, **_claims(user))
    return cast("UserRead", found) if found else await _save_user(session, user)


async def get_named_user(session: Database, user: User, user_id: UUID) -> UserRead:
    """Return the profile of callers who name themselves.

    Raises:
        Forbidden: They name another user; nobody looks whether that one exists.
    """
    if user_id != user.id:
        raise Forbidden("other-user")
    return await get_user(session, user)


async def change_user(session: Database, user: User, change: UserChange) -> UserRead:
    """Change what callers choose themselves, and return the whole profile.

    Raises:
        Unprocessable: The body has somebody else's id.
    """
    if change.id not in (None, user.id):
        raise Unprocessable("id-mismatch", "The id in the body is not the caller's.")
    return await _save_user(session, user, change.time_zone or None)


async def import_user(
    session: Database, user: User, tasks: TasksClient, pieces: AsyncIterator[bytes]
) -> ImportRead:
    """Take in what was exported: first the tasks, all or none, and then the time zone.

    Raises:
        Refusal: A line is bad, or there are too many.
        Unavailable: The tasks service is away.
    """
    start, rest = await read_start(pieces)
    await get_user(
        session, user
    )  # whoever has tasks has a profile, also when this import is refused
    report = await tasks.import_(rest)
    await _save_user(session, user, start.user.time_zone or None)
    return report


async def erase_user(session: Database, user: User, tasks: TasksClient) -> None:
    """Forget the caller and all that is theirs: the profile last, so that the same call completes what broke off.

    Raises:
        Unavailable: The tasks service is away.
    """
    await tasks.erase()
    await fetch_one(session, ERASE_USER, caller=user.id)


async def _save_user(session: Database, user: User, time_zone: str | None = None) -> UserRead:
    values = {**_claims(user), "chosen_time_zone": time_zone}
    saved = await _claim_email(session, values)
    if user.email is not None and saved["email"] is None:
        reason = "taken" if values["claimed_email"] else "no-address"
        log("warning", "e-mail not kept", user=pseudonym(user.id), reason=reason)
    return saved


async def _claim_email(session: Database, values: dict[str, object]) -> UserRead:
    """Save the profile with the address, or without it when others are faster again and again."""
    for _ in range(CLAIMS_MAX):
        with suppress(IntegrityError):
            return cast("UserRead", await fetch_one(session, SAVE_USER, **values))
    return cast(
        "UserRead", await fetch_one(session, SAVE_USER, **{**values, "claimed_email": None})
    )


def _claims(user: User) -> dict[str, object]:
    return {
        "caller": user.id,
        "issuer": user.issuer,
        "subject": user.subject,
        "claimed_email": _address(user.email),
        "keeps_email": user.email is None,
    }


def _address(email: str | None) -> str | None:
    """Return what is kept of a claim: an address in lower case, or nothing."""
    address = (email or "").lower()
    fits = (
        len(address) <= EMAIL_MAX_CHARACTERS
        and address.isprintable()
        and _ADDRESS.fullmatch(address)
    )
    return address if fits else None

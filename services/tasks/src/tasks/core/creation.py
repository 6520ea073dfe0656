"""Create a row once: insert it, replay the stored response, or raise the reason why it cannot be.

The features bring the statements and the rules; nothing here knows tasks or lists.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import cast
from uuid import UUID

from psycopg.errors import LockNotAvailable
from sqlalchemy import Executable

from common.context import RequestContext
from common.database import Database, Row, fetch_all, fetch_one
from common.problems import RETRY_SOON, Conflict, Unprocessable
from tasks.clients import UsersClient
from tasks.core.owners import INSERT_OWNER


@dataclass(frozen=True, slots=True)
class CreationLimits:
    """Limits and clients that the create endpoints need."""

    users: UsersClient
    tasks_max: int


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """A response body as it was first sent, and whether it is sent again for the same key."""

    id: UUID
    version: int
    body: bytes
    replayed: bool


@dataclass(frozen=True, slots=True)
class Creation:
    """One row to create.

    Attributes:
        statement: Inserts the row and returns its `id`, `version` and `response`; no row if it did
            not.
        conflicts: Reads why nothing was inserted; no row if the owner is unknown.
        params: Parameters of both statements, beside `current_user_id`.
        raise_if_rejected: Raises the problem that the row of `conflicts` shows. If it returns,
            there is none any more, and the statement runs again.
    """

    statement: Executable
    conflicts: Executable
    params: Row
    raise_if_rejected: Callable[[Row], None]


async def create(
    context: RequestContext, limits: CreationLimits, creation: Creation
) -> StoredResponse:
    """Insert the row, or return the stored response of an earlier request with the same key.

    The profile of a new owner is created in the users service first.

    Raises:
        ProblemError: Whatever `creation.raise_if_rejected` raises.
        Unprocessable: The key was used for another request.
        Conflict: A request with this key may still be running.
        Unavailable: The owner is new, and the users service is not available.
    """
    user = context.user
    params: dict[str, object] = {"current_user_id": user.id}
    params.update(creation.params)
    while True:
        created = await execute_or_conflict(context.database, creation.statement, **params)
        if created is not None:
            return stored_response(created, replayed=False)
        conflicts = await fetch_one(context.database, creation.conflicts, **params)
        if conflicts is None:
            await limits.users.ensure_profile(user)
            await fetch_all(context.database, INSERT_OWNER, current_user_id=user.id)
        elif conflicts["response"]:
            return replay(conflicts, params["fingerprint"])
        else:
            creation.raise_if_rejected(conflicts)


async def execute_or_conflict(
    database: Database, statement: Executable, **params: object
) -> Row | None:
    """Run a statement that may wait for another one with the same key.

    Raises:
        Conflict: The wait is longer than `LOCK_TIMEOUT`.
    """
    try:
        return await fetch_one(database, statement, **params)
    except LockNotAvailable:
        raise Conflict(
            "key-in-use", "A request with this key may still be running.", headers=RETRY_SOON
        ) from None


def replay(stored: Row, fingerprint: object) -> StoredResponse:
    """Return the response that is stored under a key.

    Raises:
        Unprocessable: It was stored for a request with another fingerprint.
    """
    if stored["digest"] != fingerprint:
        raise Unprocessable("key-reused", "The key was used for another request.")
    return stored_response(stored, replayed=True)


def stored_response(row: Row, *, replayed: bool) -> StoredResponse:
    """Read the response from the row that a statement returned."""
    return StoredResponse(
        id=cast("UUID", row["id"]),
        version=cast("int", row["version"]),
        body=cast("str", row["response"]).encode(),
        replayed=replayed,
    )


def idempotency_params(
    operation: str, key: str | None, content: Mapping[str, object]
) -> dict[str, object]:
    """Return the parameters that make a statement run once for each key.

    Args:
        operation: Separates the keys of different endpoints.
        key: The `Idempotency-Key` of the request, if it has one.
        content: What makes two requests the same one. Names, order and values go into the stored
            fingerprint: if a release changes one of them, it rejects retries that began before.
    """
    fingerprint = sha256(json.dumps(content).encode()).digest()
    return {"operation_name": operation, "idempotency_key": key, "fingerprint": fingerprint}


def raise_if_id_taken(conflicts: Row) -> None:
    """Raise if the id of a new row belongs to another user, or to something of another kind."""
    if conflicts["holder"] or conflicts["is_spent"]:
        raise Conflict("id-taken", "This id cannot be had.")

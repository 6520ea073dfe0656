"""Create lists, with an id of the service or of the client."""

from typing import cast
from uuid import UUID

from sqlalchemy import Executable
from uuid_utils.compat import uuid7

from common.context import RequestContext
from common.database import Row
from common.problems import PreconditionFailed, Unprocessable
from tasks.core import creation
from tasks.core.conflicts import ConflictCode, raise_conflict, require_matching_id
from tasks.core.creation import Creation, CreationLimits, StoredResponse, idempotency_params
from tasks.core.names import name_params
from tasks.core.quotas import LISTS_MAX
from tasks.task_list import queries
from tasks.task_list.schemas import ListCreate, ListReplace

_OPERATION = "create-list"


async def create_list(
    context: RequestContext, limits: CreationLimits, new: ListCreate, key: str | None
) -> StoredResponse:
    """Create a list; with a key that was used before, return the response of that request.

    Raises:
        Unprocessable: The quota is reached, or the key was used for another list.
        Conflict: Another list has this name, or a request with this key may still be running.
        Unavailable: The owner is new, and the users service is not available.
    """
    statement = queries.create_list(with_idempotency_key=key is not None)
    idempotency = idempotency_params(_OPERATION, key, {"name": new.name})
    return await creation.create(
        context, limits, _creation(context, statement, uuid7(), new.name, idempotency)
    )


async def create_list_with_client_id(
    context: RequestContext, limits: CreationLimits, list_id: UUID, new: ListReplace
) -> StoredResponse:
    """Create a list with the id that the client chose; this undoes its deletion.

    Raises:
        PreconditionFailed: The user has this list.
        Unprocessable: The quota is reached, or the body has another id.
        Conflict: Another list has this name, or the id is taken.
        Unavailable: The owner is new, and the users service is not available.
    """
    require_matching_id(list_id, new.id)
    statement = queries.create_list(with_client_id=True)
    idempotency = idempotency_params(_OPERATION, None, {})
    return await creation.create(
        context, limits, _creation(context, statement, list_id, new.name, idempotency)
    )


def _creation(
    context: RequestContext, statement: Executable, list_id: UUID, name: str, idempotency: Row
) -> Creation:
    def raise_if_rejected(conflicts: Row) -> None:
        if conflicts["holder"] == context.user.id:
            raise PreconditionFailed("list-exists", "The caller has this list already.")
        if cast("int", conflicts["list_count"]) >= LISTS_MAX:
            raise Unprocessable("quota-exceeded", f"One user may have {LISTS_MAX} lists at most.")
        if conflicts["has_name"]:
            raise_conflict(ConflictCode.NAME_TAKEN)
        creation.raise_if_id_taken(conflicts)

    params = {"target_id": list_id, "quota": LISTS_MAX, **name_params(name), **idempotency}
    return Creation(statement, queries.GET_CREATE_CONFLICTS, params, raise_if_rejected)

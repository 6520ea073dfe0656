"""Where tasks and lists stand among the others."""

from collections.abc import Sequence
from uuid import UUID

from common.database import Database, Row, fetch_one
from common.identity import User
from tasks.core.conflicts import require_found
from tasks.core.context import RequestContext
from tasks.core.creation import (
    StoredResponse,
    execute_or_conflict,
    idempotency_params,
    replay,
    stored_response,
)
from tasks.core.idempotency import GET_STORED_RESPONSE
from tasks.core.reorder import move
from tasks.task.schemas import TaskMove
from tasks.task_list.schemas import ListMove


async def move_task(
    context: RequestContext,
    task_id: UUID,
    to: TaskMove,
    if_match: Sequence[str] | None,
    key: str | None,
) -> StoredResponse:
    """Put a task where it was asked for, or with a key that was used for this before, say once more how that went.

    Raises:
        NotFound: There is no such task, or it is somebody else's.
        Unprocessable: The list is not there, or what it shall follow is not there or in another list; or the key was
            used for another move.
        PreconditionFailed: The task has none of the expected versions.
        Conflict: A request with this key may still be running.
    """
    sent = to.model_fields_set
    goes = {
        "goes_first": "after" in sent and to.after is None,
        "goes_last": "after" not in sent,
        "after": to.after,
    }
    target = {"sets_list_id": "list_id" in sent, "new_list_id": to.list_id}
    return await _move(
        context.database,
        "task",
        key,
        {**_addressed(context.user, task_id, if_match), **goes, **target},
    )


async def move_list(
    context: RequestContext,
    list_id: UUID,
    to: ListMove,
    if_match: Sequence[str] | None,
    key: str | None,
) -> StoredResponse:
    """Put a list where it was asked for; raises as `move_task`."""
    goes = {"goes_first": to.after is None, "goes_last": False, "after": to.after}
    return await _move(
        context.database, "list", key, {**_addressed(context.user, list_id, if_match), **goes}
    )


def _addressed(user: User, wanted: UUID, expected: Sequence[str] | None) -> Row:
    return {"current_user_id": user.id, "target_id": wanted, "if_match": expected}


def _fingerprint(values: Row) -> dict[str, str]:
    """Return what makes two moves the same one.

    The names are stored in a hash: they stay as the first release wrote them.
    """
    moves = {"wanted": str(values["target_id"])}
    for name in ("goes_first", "goes_last", "after"):
        moves[name] = str(values[name])
    if "sets_list_id" in values:
        moves["sets_list"] = str(values["sets_list_id"])
        moves["new_list_id"] = str(values["new_list_id"])
    return moves


async def _move(session: Database, kind: str, key: str | None, values: Row) -> StoredResponse:
    claimed = idempotency_params(f"move-{kind}", key, _fingerprint(values))
    while True:
        found = await execute_or_conflict(
            session, move(kind, with_idempotency_key=key is not None), **values, **claimed
        )
        if found is None and (
            kept := key
            and await fetch_one(
                session, GET_STORED_RESPONSE, current_user_id=values["current_user_id"], **claimed
            )
        ):
            return replay(kept, claimed["fingerprint"])
        if found is None or found["conflict"] != "stale":
            return stored_response(require_found(found, kind), replayed=False)

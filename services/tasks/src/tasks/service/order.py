"""Where tasks and lists stand among the others."""

from collections.abc import Sequence
from uuid import UUID

from common.database import Row, Session, row
from common.identity import User
from tasks.schemas.lists import ListMove
from tasks.schemas.tasks import TaskMove
from tasks.service.creation import Answered, answered, keyed, once, replay
from tasks.service.obstacles import require
from tasks.statements.keys import GET_KEPT
from tasks.statements.order import move


async def move_task(
    session: Session, user: User, task_id: UUID, to: TaskMove, expected: Sequence[str] | None, key: str | None
) -> Answered:
    """Put a task where it was asked for, or with a key that was used for this before, say once more how that went.

    Raises:
        NotFound: There is no such task, or it is somebody else's.
        Unprocessable: The list is not there, or what it shall follow is not there or in another list; or the key was
            used for another move.
        PreconditionFailed: The task has none of the expected versions.
        Conflict: A request with this key may still be running.
    """
    sent = to.model_fields_set
    goes = {"goes_first": "after" in sent and to.after is None, "goes_last": "after" not in sent, "after": to.after}
    target = {"sets_list": "list_id" in sent, "new_list_id": to.list_id}
    return await _move(session, "task", key, {**_addressed(user, task_id, expected), **goes, **target})


async def move_list(
    session: Session, user: User, list_id: UUID, to: ListMove, expected: Sequence[str] | None, key: str | None
) -> Answered:
    """Put a list where it was asked for; raises as `move_task`."""
    goes = {"goes_first": to.after is None, "goes_last": False, "after": to.after}
    return await _move(session, "list", key, {**_addressed(user, list_id, expected), **goes})


def _addressed(user: User, wanted: UUID, expected: Sequence[str] | None) -> Row:
    return {"caller": user.id, "wanted": wanted, "expected": expected}


async def _move(session: Session, kind: str, key: str | None, values: Row) -> Answered:
    meaning = {name: str(value) for name, value in values.items() if name not in ("caller", "expected")}
    claimed = keyed(f"move-{kind}", key, meaning)
    while True:
        found = await once(session, move(kind, keyed=key is not None), **values, **claimed)
        if found is None and (kept := key and await row(session, GET_KEPT, caller=values["caller"], **claimed)):
            return replay(kept, claimed["meaning"])
        if found is None or found["obstacle"] != "outrun":
            return answered(require(found, kind), replayed=False)

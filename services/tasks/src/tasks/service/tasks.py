"""What may be done with tasks that are there."""

from collections.abc import Sequence
from datetime import timedelta
from typing import cast
from uuid import UUID

from common.database import Row, Session, row
from common.identity import User
from tasks.schemas.tasks import TaskChange, TaskRead, TaskReplace
from tasks.service.freshness import settled
from tasks.service.obstacles import require, require_same_id
from tasks.service.planning import kept_parts, label_values, plan_values
from tasks.statements.tasks import DELETE_TASK, GET_TASK
from tasks.statements.tasks import change_task as changing


async def get_task(session: Session, user: User, task_id: UUID) -> TaskRead:
    """Return one task of the caller.

    Raises:
        NotFound: There is no such task, or it is somebody else's.
    """
    return cast("TaskRead", require(await row(session, GET_TASK, caller=user.id, wanted=task_id), "task"))


async def change_task(
    session: Session, user: User, task_id: UUID, change: TaskChange, expected: Sequence[str] | None
) -> TaskRead:
    """Change the fields that were sent.

    Raises:
        NotFound: There is no such task, or it is somebody else's.
        Unprocessable: The body names another task or a list that is not there, or there are too many labels.
        PreconditionFailed: The task has none of the expected versions.
    """
    require_same_id(task_id, change.id)
    sent = change.model_fields_set
    kept = {"new_title": change.title if "title" in sent else None, "sets_description": "description" in sent}
    return await _change(session, user, task_id, change, {**kept, "expected": expected})


async def replace_task(
    session: Session, user: User, task_id: UUID, whole: TaskReplace, expected: Sequence[str] | None
) -> TaskRead:
    """Put a whole task in the place of an existing one, but keep what is planned for it; raises as `change_task`."""
    require_same_id(task_id, whole.id)
    replaced = {"new_title": whole.title, "sets_description": True, "new_is_completed": bool(whole.completed)}
    return await _change(session, user, task_id, whole, {**replaced, "expected": expected})


async def delete_task(
    session: Session, user: User, task_id: UUID, expected: Sequence[str] | None, kept_days: int
) -> None:
    """Delete one task of the caller; what is left of others goes after so many days.

    Raises:
        NotFound: There is no such task, or it is somebody else's.
        PreconditionFailed: The task has none of the expected versions.
    """
    kept = timedelta(days=kept_days)
    found = await row(session, DELETE_TASK, caller=user.id, wanted=task_id, expected=expected, kept=kept)
    require(found, "task")


async def _change(
    session: Session, user: User, task_id: UUID, change: TaskChange | TaskReplace, values: Row
) -> TaskRead:
    labels: Row = label_values(change.labels) if "labels" in change.model_fields_set else {}
    asked = {"new_is_completed": change.completed, **plan_values(change), **kept_parts(change), **values, **labels}
    named = {"caller": user.id, "wanted": task_id, "new_description": change.description}
    found = require(await settled(session, changing(labelled=bool(labels)), **named, **asked), "task")
    if found["is_stale"] and (now := await row(session, GET_TASK, caller=user.id, wanted=task_id)):
        return cast("TaskRead", {**found, "labels": now["labels"]})
    return cast("TaskRead", found)

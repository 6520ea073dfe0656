"""What may be done with tasks that are there."""

from collections.abc import Sequence
from datetime import timedelta
from typing import cast
from uuid import UUID

from common.database import Row, fetch_one
from tasks.core.conflicts import require_found, require_matching_id
from tasks.core.context import RequestContext
from tasks.core.staleness import retry_while_stale
from tasks.task.planning import label_params, patch_flags, task_params
from tasks.task.queries.change import DELETE_TASK, GET_TASK
from tasks.task.queries.change import change_task as changing
from tasks.task.schemas import TaskChange, TaskRead, TaskReplace


async def get_task(context: RequestContext, task_id: UUID) -> TaskRead:
    """Return one task of the caller.

    Raises:
        NotFound: There is no such task, or it is somebody else's.
    """
    return cast(
        "TaskRead",
        require_found(
            await fetch_one(
                context.database, GET_TASK, current_user_id=context.user.id, target_id=task_id
            ),
            "task",
        ),
    )


async def change_task(
    context: RequestContext, task_id: UUID, change: TaskChange, if_match: Sequence[str] | None
) -> TaskRead:
    """Change the fields that were sent.

    Raises:
        NotFound: There is no such task, or it is somebody else's.
        Unprocessable: The body names another task or a list that is not there, or there are too many labels.
        PreconditionFailed: The task has none of the expected versions.
    """
    require_matching_id(task_id, change.id)
    sent = change.model_fields_set
    kept = {
        "new_title": change.title if "title" in sent else None,
        "sets_description": "description" in sent,
    }
    return await _change(context, task_id, change, {**kept, "if_match": if_match})


async def replace_task(
    context: RequestContext, task_id: UUID, whole: TaskReplace, if_match: Sequence[str] | None
) -> TaskRead:
    """Put a whole task in the place of an existing one, but keep what is planned for it; raises as `change_task`."""
    require_matching_id(task_id, whole.id)
    replaced = {
        "new_title": whole.title,
        "sets_description": True,
        "new_is_completed": bool(whole.completed),
    }
    return await _change(context, task_id, whole, {**replaced, "if_match": if_match})


async def delete_task(
    context: RequestContext, task_id: UUID, if_match: Sequence[str] | None, retention_days: int
) -> None:
    """Delete one task of the caller; what is left of others goes after so many days.

    Raises:
        NotFound: There is no such task, or it is somebody else's.
        PreconditionFailed: The task has none of the expected versions.
    """
    kept = timedelta(days=retention_days)
    found = await fetch_one(
        context.database,
        DELETE_TASK,
        current_user_id=context.user.id,
        target_id=task_id,
        if_match=if_match,
        retention=kept,
    )
    require_found(found, "task")


async def _change(
    context: RequestContext, task_id: UUID, change: TaskChange | TaskReplace, values: Row
) -> TaskRead:
    labels: Row = label_params(change.labels) if "labels" in change.model_fields_set else {}
    asked = {
        "new_is_completed": change.completed,
        **task_params(change),
        **patch_flags(change),
        **values,
        **labels,
    }
    named = {
        "current_user_id": context.user.id,
        "target_id": task_id,
        "new_description": change.description,
    }
    found = require_found(
        await retry_while_stale(
            context.database, changing(with_labels=bool(labels)), **named, **asked
        ),
        "task",
    )
    if found["is_stale"] and (
        now := await fetch_one(
            context.database, GET_TASK, current_user_id=context.user.id, target_id=task_id
        )
    ):
        return cast("TaskRead", {**found, "labels": now["labels"]})
    return cast("TaskRead", found)

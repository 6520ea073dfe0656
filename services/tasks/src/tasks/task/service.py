"""Read, change, replace and delete a task."""

from collections.abc import Sequence
from datetime import timedelta
from typing import cast
from uuid import UUID

from common.context import RequestContext
from common.database import Row, fetch_one
from tasks.core.conflicts import require_found, require_matching_id
from tasks.core.owners import retry_while_stale
from tasks.task.parameters import label_params, patch_params, replacement_params
from tasks.task.queries import change as queries
from tasks.task.schemas import TaskChange, TaskRead, TaskReplace


async def get_task(context: RequestContext, task_id: UUID) -> TaskRead:
    """Return one task of the user.

    Raises:
        NotFound: The user has no such task.
    """
    row = await _get_row(context, task_id)
    return cast("TaskRead", require_found(row, "task"))


async def change_task(
    context: RequestContext, task_id: UUID, change: TaskChange, if_match: Sequence[str] | None
) -> TaskRead:
    """Change the fields that were sent, if the task has one of the versions in `if_match`.

    Raises:
        NotFound: The user has no such task.
        Unprocessable: The body has another id, the list does not exist, or there are too many
            labels.
        PreconditionFailed: The task has none of the versions.
    """
    require_matching_id(task_id, change.id)
    return await _change_task(context, task_id, change, patch_params(change), if_match)


async def replace_task(
    context: RequestContext, task_id: UUID, task: TaskReplace, if_match: Sequence[str] | None
) -> TaskRead:
    """Set the fields that were sent and reset the others, except planning fields.

    Raises:
        ProblemError: As `change_task`.
    """
    require_matching_id(task_id, task.id)
    return await _change_task(context, task_id, task, replacement_params(task), if_match)


async def delete_task(
    context: RequestContext, task_id: UUID, if_match: Sequence[str] | None, retention_days: int
) -> None:
    """Delete one task of the user, and a few tombstones that are older than `retention_days`.

    Raises:
        NotFound: The user has no such task.
        PreconditionFailed: The task has none of the versions.
    """
    row = await retry_while_stale(
        context.database,
        queries.DELETE_TASK,
        current_user_id=context.user.id,
        target_id=task_id,
        if_match=if_match,
        retention=timedelta(days=retention_days),
    )
    require_found(row, "task")


async def _change_task(
    context: RequestContext,
    task_id: UUID,
    change: TaskChange | TaskReplace,
    column_params: Row,
    if_match: Sequence[str] | None,
) -> TaskRead:
    params: dict[str, object] = {
        "current_user_id": context.user.id,
        "target_id": task_id,
        "if_match": if_match,
    }
    params.update(column_params)
    with_labels = "labels" in change.model_fields_set
    if with_labels:
        params.update(label_params(change.labels))
    statement = queries.change_task(with_labels=with_labels)
    row = await retry_while_stale(context.database, statement, **params)
    task = cast("TaskRead", require_found(row, "task"))
    if row is not None and row["labels_may_be_outdated"]:
        # The statement waited for another write of the task, but read the labels before it.
        current = await _get_row(context, task_id)
        if current is not None:
            task["labels"] = cast("TaskRead", current)["labels"]
    return task


async def _get_row(context: RequestContext, task_id: UUID) -> Row | None:
    return await fetch_one(
        context.database, queries.GET_TASK, current_user_id=context.user.id, target_id=task_id
    )

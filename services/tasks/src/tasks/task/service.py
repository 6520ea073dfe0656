"""Read, change, replace and delete a task."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import cast
from uuid import UUID

from common.context import RequestContext
from common.database import Row, fetch_one
from tasks.core.conflicts import ConflictCode, require_found, require_matching_id
from tasks.core.context import ChangeLimits
from tasks.core.owners import retry_while_stale
from tasks.task.completion import must_read_first, parts_of, read_and_change
from tasks.task.parameters import label_params, patch_params, replacement_params
from tasks.task.queries import change as queries
from tasks.task.queries import delete
from tasks.task.queries.occurrences import GET_CHANGED_TASK
from tasks.task.schemas import TaskChange, TaskRead, TaskReplace


@dataclass(frozen=True, slots=True)
class ChangedTask:
    """A task after a change, and the id of its successor if it is completed and has one."""

    task: TaskRead
    next_id: UUID | None


async def get_task(context: RequestContext, task_id: UUID) -> TaskRead:
    """Return one task of the user.

    Raises:
        NotFound: The user has no such task.
    """
    row = await _get_row(context, task_id)
    return cast("TaskRead", require_found(row, "task"))


async def change_task(
    context: RequestContext,
    limits: ChangeLimits,
    task_id: UUID,
    change: TaskChange,
    if_match: Sequence[str] | None,
) -> ChangedTask:
    """Change the fields that were sent, if the task has one of the versions in `if_match`.

    Completing a task that repeats makes its successor; reopening it takes that back if nobody has
    changed it (see `completion`).

    Raises:
        NotFound: The user has no such task.
        Unprocessable: The body has another id, the list does not exist, there are too many labels,
            or the parent, the recurrence or the due date breaks a rule.
        PreconditionFailed: The task has none of the versions.
    """
    require_matching_id(task_id, change.id)
    return await _change_task(context, limits, task_id, change, patch_params(change), if_match)


async def replace_task(
    context: RequestContext,
    limits: ChangeLimits,
    task_id: UUID,
    task: TaskReplace,
    if_match: Sequence[str] | None,
) -> ChangedTask:
    """Set the fields that were sent and reset the others, except planning fields.

    Raises:
        ProblemError: As `change_task`.
    """
    require_matching_id(task_id, task.id)
    return await _change_task(context, limits, task_id, task, replacement_params(task), if_match)


async def delete_task(
    context: RequestContext,
    task_id: UUID,
    if_match: Sequence[str] | None,
    retention_days: int,
    *,
    with_subtasks: bool,
) -> None:
    """Delete one task of the user, and a few tombstones that are older than `retention_days`.

    Its subtasks are deleted as well (`with_subtasks`), or become ordinary tasks.

    Raises:
        NotFound: The user has no such task.
        PreconditionFailed: The task has none of the versions.
    """
    row = await retry_while_stale(
        context.database,
        delete.delete_task(with_subtasks=with_subtasks),
        current_user_id=context.user.id,
        target_id=task_id,
        if_match=if_match,
        retention=timedelta(days=retention_days),
    )
    require_found(row, "task")


async def _change_task(
    context: RequestContext,
    limits: ChangeLimits,
    task_id: UUID,
    change: TaskChange | TaskReplace,
    column_params: Row,
    if_match: Sequence[str] | None,
) -> ChangedTask:
    params: dict[str, object] = {
        "current_user_id": context.user.id,
        "target_id": task_id,
        "if_match": if_match,
    }
    params.update(column_params)
    if "labels" in change.model_fields_set:
        params.update(label_params(change.labels))
    row = await _run_change(context, limits, change, params)
    task = require_found(row, "task")
    if task["may_be_outdated"]:
        # The statement waited for another write of the task, but read before it what is not locked.
        current = await fetch_one(context.database, GET_CHANGED_TASK, params)
        if current is not None:
            task = dict(task) | {"labels": current["labels"], "next_id": current["next_id"]}
    return ChangedTask(cast("TaskRead", task), cast("UUID | None", task["next_id"]))


async def _run_change(
    context: RequestContext,
    limits: ChangeLimits,
    change: TaskChange | TaskReplace,
    params: Row,
) -> Row | None:
    if not await must_read_first(change):
        statement = queries.change_task(**parts_of(change))
        row = await retry_while_stale(context.database, statement, **params)
        if row is None or row["conflict"] != ConflictCode.RECURS:
            return row
    return await read_and_change(context, change, params, limits)


async def _get_row(context: RequestContext, task_id: UUID) -> Row | None:
    return await fetch_one(
        context.database, queries.GET_TASK, current_user_id=context.user.id, target_id=task_id
    )

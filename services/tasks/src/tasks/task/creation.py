"""Create tasks, with an id of the service or of the client."""

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
from tasks.core.quotas import LABELS_MAX
from tasks.task.completion import check_new_task, check_restored_due
from tasks.task.parameters import creation_params, fingerprint_content, label_params
from tasks.task.queries import create as queries
from tasks.task.schemas import TaskCreate, TaskReplace

_OPERATION = "create-task"


async def create_task(
    context: RequestContext, limits: CreationLimits, new: TaskCreate, key: str | None
) -> StoredResponse:
    """Create a task; with a key that was used before, return the response of that request.

    Raises:
        Unprocessable: A quota is reached, the list does not exist, the parent or the recurrence
            breaks a rule, or the key was used for another task.
        Conflict: A request with this key may still be running.
        Unavailable: The owner is new, and the users service is not available.
    """
    await check_new_task(new)
    content = _content_params(new)
    idempotency = idempotency_params(_OPERATION, key, fingerprint_content(content))
    statement = queries.create_task(
        with_idempotency_key=key is not None,
        with_labels=bool(new.labels),
        with_parent=new.parent_id is not None,
    )
    return await _create(context, limits, statement, uuid7(), content | idempotency)


async def create_task_with_client_id(
    context: RequestContext, limits: CreationLimits, task_id: UUID, new: TaskReplace
) -> StoredResponse:
    """Create a task with the id that the client chose; this undoes its deletion.

    Raises:
        PreconditionFailed: The user has this task.
        Unprocessable: A quota is reached, the list does not exist, the parent, the due date or the
            recurrence breaks a rule, or the body has another id.
        Conflict: The id is taken.
        Unavailable: The owner is new, and the users service is not available.
    """
    require_matching_id(task_id, new.id)
    check_restored_due(new.due)
    await check_new_task(new)
    content = _content_params(new)
    idempotency = idempotency_params(_OPERATION, None, {})
    statement = queries.create_task(
        with_client_id=True,
        with_labels=bool(new.labels),
        with_parent=new.parent_id is not None,
    )
    return await _create(context, limits, statement, task_id, content | idempotency)


def _content_params(task: TaskCreate | TaskReplace) -> dict[str, object]:
    has_list = {"sets_list_id": "list_id" in task.model_fields_set}
    return creation_params(task) | label_params(task.labels) | has_list


async def _create(
    context: RequestContext,
    limits: CreationLimits,
    statement: Executable,
    task_id: UUID,
    params: dict[str, object],
) -> StoredResponse:
    tasks_max = limits.tasks_max
    params["target_id"] = task_id
    params["quota"] = tasks_max

    def raise_if_rejected(conflicts: Row) -> None:
        # First, so that a client that sends a request again learns that it succeeded, even if
        # the list is deleted by then.
        if conflicts["holder"] == context.user.id:
            raise PreconditionFailed("task-exists", "The caller has this task already.")
        if not conflicts["has_list"]:
            raise_conflict(ConflictCode.LIST_NOT_FOUND)
        if conflicts.get("parent_conflict") is not None:
            raise_conflict(ConflictCode(str(conflicts["parent_conflict"])))
        if cast("int", conflicts["task_count"]) >= tasks_max:
            raise Unprocessable("quota-exceeded", f"One user may have {tasks_max} tasks at most.")
        if cast("int", conflicts["label_count"]) > LABELS_MAX:
            raise_conflict(ConflictCode.LABELS_FULL)
        creation.raise_if_id_taken(conflicts)

    conflicts_query = queries.GET_CREATE_CONFLICTS
    if params["new_parent_id"] is not None:
        conflicts_query = queries.GET_SUBTASK_CONFLICTS
    new_task = Creation(statement, conflicts_query, params, raise_if_rejected)
    return await creation.create(context, limits, new_task)

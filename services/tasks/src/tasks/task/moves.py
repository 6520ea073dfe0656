"""Moving a task."""

from collections.abc import Sequence
from uuid import UUID

from common.context import RequestContext
from tasks.core.creation import StoredResponse
from tasks.core.moves import Destination, move_row
from tasks.task.queries import move
from tasks.task.schemas import TaskMove


async def move_task(
    context: RequestContext,
    task_id: UUID,
    body: TaskMove,
    if_match: Sequence[str] | None,
    key: str | None,
) -> StoredResponse:
    """Move a task, or return the stored response of an earlier request with the same key.

    Raises:
        NotFound: The user has no such task.
        Unprocessable: The list does not exist or is not that of the task's parent, or the task to
            follow is not in it, or the key was used for another request.
        PreconditionFailed: The task has another version.
        Conflict: A request with this key may still be running.
    """
    has_after = "after" in body.model_fields_set
    destination = Destination(
        to_start=has_after and body.after is None, to_end=not has_after, after=body.after
    )
    sets_list = "list_id" in body.model_fields_set
    params = {
        "target_id": task_id,
        "if_match": if_match,
        "sets_list_id": sets_list,
        "new_list_id": body.list_id,
        **destination.params(),
    }
    fingerprint_content = destination.fingerprint_content(task_id)
    fingerprint_content["sets_list"] = str(sets_list)
    fingerprint_content["new_list_id"] = str(body.list_id)
    return await move_row(
        context,
        "task",
        move.move_task(with_idempotency_key=key is not None, with_list=sets_list),
        params,
        key=key,
        fingerprint_content=fingerprint_content,
    )

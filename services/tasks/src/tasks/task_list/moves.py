"""Moving a list."""

from collections.abc import Sequence
from uuid import UUID

from common.context import RequestContext
from tasks.core.creation import StoredResponse
from tasks.core.moves import Destination, move_row
from tasks.task_list import move_queries
from tasks.task_list.schemas import ListMove


async def move_list(
    context: RequestContext,
    list_id: UUID,
    body: ListMove,
    if_match: Sequence[str] | None,
    key: str | None,
) -> StoredResponse:
    """Move a list, or return the stored response of an earlier request with the same key.

    Raises:
        NotFound: The user has no such list.
        Unprocessable: The list to follow does not exist, or the key was used for another request.
        PreconditionFailed: The list has another version.
        Conflict: A request with this key may still be running.
    """
    destination = Destination(to_start=body.after is None, to_end=False, after=body.after)
    params = {"target_id": list_id, "if_match": if_match, **destination.params()}
    return await move_row(
        context,
        "list",
        move_queries.move_list(with_idempotency_key=key is not None),
        params,
        key=key,
        fingerprint_content=destination.fingerprint_content(list_id),
    )

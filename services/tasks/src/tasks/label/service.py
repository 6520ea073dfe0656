"""What may be done with labels that are there."""

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple, cast
from uuid import UUID

from common.database import fetch_all, fetch_one
from tasks.core.conflicts import require_found, require_matching_id
from tasks.core.context import RequestContext
from tasks.core.names import name_params
from tasks.core.staleness import retry_while_stale
from tasks.label.queries import CHANGE_LABEL, DELETE_LABEL, GET_LABEL, LIST_LABELS
from tasks.label.schemas import LabelChange, LabelRead, LabelWithCount


class Labels(NamedTuple):
    """All labels of one owner at one moment, and the owner's counter."""

    labels: list[LabelWithCount]
    version: int


async def find_labels(context: RequestContext, if_none_match: Sequence[str]) -> Labels:
    """Return the caller's labels by name; none, if the caller has seen this version of them."""
    found = await fetch_all(
        context.database,
        LIST_LABELS,
        current_user_id=context.user.id,
        if_none_match=list(if_none_match),
    )
    version = cast("int", found[0]["counter"]) if found else 0
    return Labels(cast("list[LabelWithCount]", [each for each in found if each["id"]]), version)


async def get_label(context: RequestContext, label_id: UUID) -> LabelRead:
    """Return one label of the caller.

    Raises:
        NotFound: There is no such label, or it is somebody else's.
    """
    return cast(
        "LabelRead",
        require_found(
            await fetch_one(
                context.database, GET_LABEL, current_user_id=context.user.id, target_id=label_id
            ),
            "label",
        ),
    )


async def change_label(
    context: RequestContext, label_id: UUID, change: LabelChange, if_match: Sequence[str] | None
) -> LabelRead:
    """Rename a label, if a name was sent, on all tasks that carry it.

    Raises:
        NotFound: There is no such label, or it is somebody else's.
        Conflict: Another label of the caller has this name.
        Unprocessable: The body names another label.
        PreconditionFailed: The label has none of the expected versions.
    """
    require_matching_id(label_id, change.id)
    values = {
        "current_user_id": context.user.id,
        "target_id": label_id,
        "if_match": if_match,
        **name_params(change.name),
    }
    return cast(
        "LabelRead",
        require_found(await retry_while_stale(context.database, CHANGE_LABEL, **values), "label"),
    )


async def delete_label(
    context: RequestContext, label_id: UUID, if_match: Sequence[str] | None, retention_days: int
) -> None:
    """Delete a label, and take it off all tasks.

    Raises:
        NotFound: There is no such label, or it is somebody else's.
        PreconditionFailed: The label has none of the expected versions.
    """
    values = {
        "current_user_id": context.user.id,
        "target_id": label_id,
        "if_match": if_match,
        "retention": timedelta(days=retention_days),
    }
    require_found(await retry_while_stale(context.database, DELETE_LABEL, **values), "label")

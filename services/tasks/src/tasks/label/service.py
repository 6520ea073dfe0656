"""The rules for labels. Tasks create them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import cast
from uuid import UUID

from common.context import RequestContext
from common.database import fetch_all, fetch_one
from tasks.core.conflicts import require_found, require_matching_id
from tasks.core.names import name_params
from tasks.core.owners import retry_while_stale
from tasks.label.queries import CHANGE_LABEL, DELETE_LABEL, GET_LABEL, LIST_LABELS
from tasks.label.schemas import LabelChange, LabelRead, LabelWithCount


@dataclass(frozen=True, slots=True)
class LabelList:
    """All labels of one user at one moment.

    Attributes:
        labels: The labels by name; none if the client has this version.
        version: The owner's counter.
    """

    labels: list[LabelWithCount]
    version: int


async def list_labels(context: RequestContext, if_none_match: Sequence[str]) -> LabelList:
    """Return the user's labels by name.

    Args:
        context: The database and the user.
        if_none_match: Versions that the client has. If one is current, no labels are read.
    """
    rows = await fetch_all(
        context.database,
        LIST_LABELS,
        current_user_id=context.user.id,
        if_none_match=list(if_none_match),
    )
    if not rows:
        return LabelList([], 0)
    labels = [row for row in rows if row["id"] is not None]
    version = cast("int", rows[0]["counter"])
    return LabelList(cast("list[LabelWithCount]", labels), version)


async def get_label(context: RequestContext, label_id: UUID) -> LabelRead:
    """Return one label of the user.

    Raises:
        NotFound: It does not exist, or another user has it.
    """
    row = await fetch_one(
        context.database, GET_LABEL, current_user_id=context.user.id, target_id=label_id
    )
    return cast("LabelRead", require_found(row, "label"))


async def change_label(
    context: RequestContext, label_id: UUID, change: LabelChange, if_match: Sequence[str] | None
) -> LabelRead:
    """Rename a label on all its tasks, if the change has a name.

    Raises:
        NotFound: It does not exist, or another user has it.
        Conflict: Another label of the user has this name.
        Unprocessable: The body has another id.
        PreconditionFailed: The label has none of the versions in `if_match`.
    """
    require_matching_id(label_id, change.id)
    row = await retry_while_stale(
        context.database,
        CHANGE_LABEL,
        current_user_id=context.user.id,
        target_id=label_id,
        if_match=if_match,
        **name_params(change.name),
    )
    return cast("LabelRead", require_found(row, "label"))


async def delete_label(
    context: RequestContext, label_id: UUID, if_match: Sequence[str] | None, retention_days: int
) -> None:
    """Delete a label and remove it from all tasks.

    Args:
        context: The database and the user.
        label_id: The label.
        if_match: The versions that may be deleted; None for any.
        retention_days: How long tombstones are kept. Some older ones are deleted.

    Raises:
        NotFound: It does not exist, or another user has it.
        PreconditionFailed: The label has none of the versions in `if_match`.
    """
    row = await retry_while_stale(
        context.database,
        DELETE_LABEL,
        current_user_id=context.user.id,
        target_id=label_id,
        if_match=if_match,
        retention=timedelta(days=retention_days),
    )
    require_found(row, "label")

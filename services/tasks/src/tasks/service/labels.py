"""What may be done with labels that are there."""

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple, cast
from uuid import UUID

from common.database import Session, row, rows
from common.identity import User
from tasks.schemas.labels import LabelChange, LabelListed, LabelRead
from tasks.service.freshness import settled
from tasks.service.obstacles import require, require_same_id
from tasks.service.planning import name_values
from tasks.statements.labels import CHANGE_LABEL, DELETE_LABEL, GET_LABEL, LIST_LABELS


class Labels(NamedTuple):
    """All labels of one owner at one moment, and the owner's counter."""

    labels: list[LabelListed]
    version: int


async def find_labels(session: Session, user: User, seen: Sequence[str]) -> Labels:
    """Return the caller's labels by name; none, if the caller has seen this version of them."""
    found = await rows(session, LIST_LABELS, caller=user.id, seen=list(seen))
    version = cast("int", found[0]["counter"]) if found else 0
    return Labels(cast("list[LabelListed]", [each for each in found if each["id"]]), version)


async def get_label(session: Session, user: User, label_id: UUID) -> LabelRead:
    """Return one label of the caller.

    Raises:
        NotFound: There is no such label, or it is somebody else's.
    """
    return cast("LabelRead", require(await row(session, GET_LABEL, caller=user.id, wanted=label_id), "label"))


async def change_label(
    session: Session, user: User, label_id: UUID, change: LabelChange, expected: Sequence[str] | None
) -> LabelRead:
    """Rename a label, if a name was sent, on all tasks that carry it.

    Raises:
        NotFound: There is no such label, or it is somebody else's.
        Conflict: Another label of the caller has this name.
        Unprocessable: The body names another label.
        PreconditionFailed: The label has none of the expected versions.
    """
    require_same_id(label_id, change.id)
    values = {"caller": user.id, "wanted": label_id, "expected": expected, **name_values(change.name)}
    return cast("LabelRead", require(await settled(session, CHANGE_LABEL, **values), "label"))


async def delete_label(
    session: Session, user: User, label_id: UUID, expected: Sequence[str] | None, kept_days: int
) -> None:
    """Delete a label, and take it off all tasks.

    Raises:
        NotFound: There is no such label, or it is somebody else's.
        PreconditionFailed: The label has none of the expected versions.
    """
    values = {"caller": user.id, "wanted": label_id, "expected": expected, "kept": timedelta(days=kept_days)}
    require(await settled(session, DELETE_LABEL, **values), "label")

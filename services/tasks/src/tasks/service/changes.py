"""What a device learns about the time when it was away."""

from collections.abc import Sequence
from typing import cast

from common.database import Row, Session, rows
from common.errors import Gone
from common.identity import User
from tasks.fields import PAGE_MAX
from tasks.places import Since
from tasks.schemas.changes import ChangesQuery, ChangesRead, DeletionRead
from tasks.schemas.labels import LabelRead
from tasks.schemas.lists import ListRead
from tasks.schemas.tasks import TaskRead
from tasks.statements.changes import GET_CHANGES


async def find_changes(session: Session, user: User, query: ChangesQuery) -> ChangesRead:
    """Return what happened to the caller's tasks, lists and labels since the last time.

    Raises:
        Gone: It is not known any more, or never was, what happened since then.
    """
    since, limit = query.since or Since(0), query.limit or PAGE_MAX
    found = await rows(session, GET_CHANGES, caller=user.id, since=since.version, limit=limit + 1)
    counter, pruned_version = _known(found)
    begun_at = since.begun_at or since.version or counter
    if not pruned_version <= begun_at <= counter:
        raise Gone("resync-required", "What happened since then is not known; begin anew.")
    changes = [each for each in found if each["kind"]]
    page = changes[:limit]
    last = cast("int", page[-1]["version"]) if len(changes) > limit else counter
    return ChangesRead(
        tasks=cast("list[TaskRead]", _of_kind("task", page)),
        lists=cast("list[ListRead]", _of_kind("list", page)),
        labels=cast("list[LabelRead]", _of_kind("label", page)),
        deleted=cast("list[DeletionRead]", _of_kind("deletion", page)),
        next=Since(last, begun_at if begun_at > last else None).text(),
        has_more=len(changes) > limit,
    )


def _of_kind(kind: str, page: Sequence[Row]) -> list[object]:
    return [each["content"] for each in page if each["kind"] == kind]


def _known(found: Sequence[Row]) -> tuple[int, int]:
    """Return the owner's counter, and up to which version their past is forgotten; 0 for an owner nobody knows."""
    return (cast("int", found[0]["counter"]), cast("int", found[0]["pruned_version"])) if found else (0, 0)

"""What a device learns about the time when it was away."""

from dataclasses import dataclass, field
from typing import Final, cast

from psycopg.rows import DictRow

from common.database import RowStream, open_stream
from common.problems import Gone
from tasks.core.context import RequestContext
from tasks.core.pagination import SyncToken
from tasks.core.types import PAGE_MAX
from tasks.sync.queries import GET_CHANGES
from tasks.sync.schemas import ChangesQuery

PAGE_BYTES: Final = 1_048_576
"""A page that has become as long as this ends, whatever its limit; the last change may be 40 kB beyond it."""


@dataclass
class ChangesPage:
    """Changes in the order of versions, as the JSON that the database has written."""

    tasks: list[bytes] = field(default_factory=list[bytes])
    lists: list[bytes] = field(default_factory=list[bytes])
    labels: list[bytes] = field(default_factory=list[bytes])
    deleted: list[bytes] = field(default_factory=list[bytes])
    next: str = ""
    has_more: bool = False
    last_version: int = 0
    count: int = 0
    size_bytes: int = 0

    def add(self, change: DictRow) -> None:
        """Add what a row of the feed shows."""
        content = cast("str", change["content"]).encode()
        of_kind = {
            "task": self.tasks,
            "list": self.lists,
            "label": self.labels,
            "deletion": self.deleted,
        }
        of_kind[cast("str", change["kind"])].append(content)
        self.last_version = cast("int", change["version"])
        self.count += 1
        self.size_bytes += len(content)


async def find_changes(context: RequestContext, query: ChangesQuery) -> ChangesPage:
    """Return what happened to the caller's tasks, lists and labels since the last time.

    Raises:
        Gone: It is not known any more, or never was, what happened since then.
    """
    since = query.since or SyncToken(0)
    limit = query.limit or PAGE_MAX
    stream = await open_stream(
        context.database,
        GET_CHANGES,
        current_user_id=context.user.id,
        since=since.version,
        limit=limit + 1,
    )
    try:
        counter, pruned_version = _known(stream.first)
        snapshot_version = since.snapshot_version or since.version or counter
        if not pruned_version <= snapshot_version <= counter:
            raise Gone("resync-required", "What happened since then is not known; begin anew.")
        page = await _read_page(stream, limit)
    finally:
        stream.close()
    last = page.last_version if page.has_more else counter
    page.next = SyncToken(last, snapshot_version if snapshot_version > last else None).encode()
    return page


async def _read_page(stream: RowStream, limit: int) -> ChangesPage:
    """Read up to a limit, or until it is long enough; at least one change, if there is one."""
    page = ChangesPage()
    while stream.is_open and not page.has_more:
        for change in await stream.next_rows():
            if not change["kind"]:
                continue
            if page.count == limit or page.size_bytes >= PAGE_BYTES:
                page.has_more = True
                break
            page.add(change)
    return page


def _known(first: list[DictRow]) -> tuple[int, int]:
    """Return the owner's counter, and up to which version their past is forgotten; 0 for an owner nobody knows."""
    return (
        (cast("int", first[0]["counter"]), cast("int", first[0]["pruned_version"]))
        if first
        else (0, 0)
    )

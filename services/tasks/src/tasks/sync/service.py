"""The changes feed: what happened to a user's data since the last synchronization."""

from dataclasses import dataclass, field
from typing import Final, cast

from psycopg.rows import DictRow

from common.context import RequestContext
from common.database import RowStream, open_stream
from common.problems import Gone
from tasks.core.pagination import SyncToken
from tasks.core.types import PAGE_MAX
from tasks.sync.queries import GET_CHANGES
from tasks.sync.schemas import ChangesQuery

PAGE_BYTES: Final = 1_048_576
"""A page ends when it reaches this size, whatever its limit. It may be exceeded by 40 kB."""


@dataclass
class ChangesPage:
    """Changes in the order of versions, as the JSON that the database returned."""

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
        """Add a row of `GET_CHANGES`."""
        changes_by_kind = {
            "task": self.tasks,
            "list": self.lists,
            "label": self.labels,
            "deletion": self.deleted,
        }
        content = cast("str", change["content"]).encode()
        changes_by_kind[cast("str", change["kind"])].append(content)
        self.last_version = cast("int", change["version"])
        self.count += 1
        self.size_bytes += len(content)


@dataclass(frozen=True, slots=True)
class _KnownVersions:
    """The versions between which deletions are known; both are 0 for an unknown owner."""

    counter: int
    pruned_version: int


async def list_changes(context: RequestContext, query: ChangesQuery) -> ChangesPage:
    """Return one page of what happened to the user's tasks, lists and labels.

    Raises:
        Gone: Deletions since then are no longer known, or the token is of another history.
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
        known = _known_versions(stream.first)
        snapshot_version = since.snapshot_version or since.version or known.counter
        if not known.pruned_version <= snapshot_version <= known.counter:
            raise Gone("resync-required", "What happened since then is not known; begin anew.")
        page = await _read_page(stream, limit)
    finally:
        stream.close()
    page.next = _next_token(page, known.counter, snapshot_version).encode()
    return page


def _next_token(page: ChangesPage, counter: int, snapshot_version: int) -> SyncToken:
    last_version = counter
    if page.has_more:
        last_version = page.last_version
    if snapshot_version > last_version:
        return SyncToken(last_version, snapshot_version)
    return SyncToken(last_version)


async def _read_page(stream: RowStream, limit: int) -> ChangesPage:
    """Read changes up to a limit, or until the page is large enough; at least one."""
    page = ChangesPage()
    while stream.is_open and not page.has_more:
        for change in await stream.next_rows():
            if change["kind"] is None:
                continue
            if page.count == limit or page.size_bytes >= PAGE_BYTES:
                page.has_more = True
                break
            page.add(change)
    return page


def _known_versions(first_rows: list[DictRow]) -> _KnownVersions:
    if not first_rows:
        return _KnownVersions(counter=0, pruned_version=0)
    row = first_rows[0]
    return _KnownVersions(
        counter=cast("int", row["counter"]), pruned_version=cast("int", row["pruned_version"])
    )

"""Reads any number of tasks in bounded memory.

All tasks come from one statement if the client keeps up. Otherwise they are read page by page, so
that slow clients hold no connections.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, cast

from psycopg.rows import DictRow

from common.concurrency import DeliverySlots, StreamSlots
from common.context import RequestContext
from common.database import RowStream, open_stream
from common.problems import Conflict
from tasks.task.filters import TaskQuery
from tasks.task.schemas import TaskRead
from tasks.task.selection import TaskSelection

FIRST_CHUNK_BYTES: Final = 262_144
"""The size up to which a list is read before anything is sent. A shorter list is one response."""

CHUNK_BYTES: Final = 65_536
"""The size of each further chunk. A client has one deadline's time to receive it."""

PAGE_BYTES: Final = 262_144
"""The size up to which a page is read for a slow client."""

PAGE_ROWS_MAX: Final = 200
"""Tasks of such a page."""

HOLD_SECONDS: Final = 3.0
"""How long a connection may wait for its client to receive what was read."""


@dataclass(frozen=True, slots=True)
class TaskWriter:
    """How tasks are serialized: several at once, and what separates them from the next ones."""

    write: Callable[[Sequence[TaskRead]], bytes]
    separator: bytes = b""


@dataclass(slots=True)
class _Progress:
    """What was read so far.

    Attributes:
        remaining: Tasks up to the limit of the query; None if it has none.
        version: The owner's counter in the statement that began; None before.
        last_task: The last task that was read.
        next_cursor: The cursor of the next page, as text, if there is one.
        is_complete: Whether all tasks were read.
        row_count: The number of tasks that were read.
        byte_count: Their size.
    """

    remaining: int | None
    version: int | None = None
    last_task: DictRow | None = None
    next_cursor: str | None = None
    is_complete: bool = False
    row_count: int = 0
    byte_count: int = 0


class TaskReader:
    """Reads the tasks of one query in one version of the owner's data.

    `filters` are further ones, which no query parameter has.

    `read_first_chunk` reads up to `FIRST_CHUNK_BYTES`, `remaining_chunks` the rest. Between two
    chunks the statement stays open for `HOLD_SECONDS` at most, and only if few other connections
    wait for their clients. Otherwise it is closed and small pages follow. Each page must find the
    counter of the first statement: an equal counter means that the owner's data has not changed.
    """

    def __init__(
        self,
        context: RequestContext,
        query: TaskQuery,
        writer: TaskWriter,
        delivery: DeliverySlots | None = None,
        filters: Iterable[str] = (),
    ) -> None:
        self._context = context
        self._limit = query.limit
        self._start = query.cursor
        self._selection = TaskSelection.from_query(query, filters)
        self._writer = writer
        self._delivery = delivery
        self._held_stream = _HeldStream(delivery.streams if delivery else StreamSlots(0))
        self._has_slot = False
        self._progress = _Progress(remaining=query.limit)

    @property
    def version(self) -> int:
        """The owner's counter; 0 for an unknown owner."""
        return self._progress.version or 0

    @property
    def next_cursor(self) -> str | None:
        """The cursor of the next page, if there is one."""
        return self._progress.next_cursor

    @property
    def is_complete(self) -> bool:
        """Whether all tasks were read."""
        return self._progress.is_complete

    async def read_first_chunk(self, if_none_match: Sequence[str] = ()) -> bytes:
        """Read the first chunk. It is empty if the owner's counter is one of `if_none_match`.

        Reads again if the data changes meanwhile. Call `close` afterwards unless `is_complete`.
        """
        await self._acquire_slot()
        try:
            while True:
                self._progress = _Progress(remaining=self._limit)
                # A conflict means that the data changed: read from the start again.
                with suppress(Conflict):
                    return await self._read_first_chunk(if_none_match)
        except BaseException:
            self._progress.is_complete = True
            raise
        finally:
            if self._progress.is_complete:
                self.close()

    async def remaining_chunks(self) -> AsyncIterator[bytes]:
        """Read what follows the first chunk.

        Raises:
            Conflict: The owner's data has changed, and a page of the same version cannot be read.
        """
        try:
            while not self._progress.is_complete:
                stream = self._held_stream.stream
                if stream is None:
                    yield await self._read_page(PAGE_ROWS_MAX)
                else:
                    yield await self._read_chunk(stream)
        finally:
            self.close()

    async def pages(self, rows_max: int) -> AsyncIterator[bytes]:
        """Read all tasks page by page, without a connection in between.

        Each page has the version of its own time: later pages may show changes.
        """
        while not self._progress.is_complete:
            self._progress.version = None
            yield await self._read_page(rows_max)

    def close(self) -> None:
        """Release the connection and the slot. More calls do nothing."""
        self._held_stream.release()
        if self._has_slot and self._delivery is not None:
            self._has_slot = False
            self._delivery.slots.release()

    async def _acquire_slot(self) -> None:
        if self._delivery is not None:
            await self._delivery.slots.acquire()
            self._has_slot = True

    async def _read_first_chunk(self, if_none_match: Sequence[str]) -> bytes:
        # One task more than the limit tells whether there is another page.
        limit = None if self._limit is None else self._limit + 1
        stream = await self._open(limit, if_none_match)
        try:
            chunk = await self._read(stream, FIRST_CHUNK_BYTES)
            if not stream.is_open:
                self._progress.is_complete = True
            elif self._limit is not None:
                await self._find_next_cursor(stream)
        except BaseException:
            stream.close()
            raise
        if self._progress.is_complete:
            return chunk
        if self._limit is not None:
            stream = await self._open(self._progress.remaining)
        self._held_stream.hold(stream)
        return chunk

    async def _read(self, stream: RowStream, bytes_min: int) -> bytes:
        """Read tasks until they have a size, or there are no more."""
        content = bytearray()
        while stream.is_open and len(content) < bytes_min:
            rows = await stream.next_rows()
            content += self._write(rows)
        return bytes(content)

    def _write(self, rows: list[DictRow]) -> bytes:
        """Serialize tasks up to the limit; more of them mean that there is a next page."""
        progress = self._progress
        tasks = [row for row in rows if row["id"]]
        page_tasks = tasks[: progress.remaining]
        if page_tasks:
            progress.last_task = page_tasks[-1]
        if progress.remaining is not None:
            progress.remaining -= len(page_tasks)
        if len(tasks) > len(page_tasks):
            self._set_next_cursor(progress.last_task)
        if not page_tasks:
            return b""
        content = self._writer.write(cast("list[TaskRead]", page_tasks))
        separator = self._writer.separator if progress.row_count else b""
        progress.row_count += len(page_tasks)
        progress.byte_count += len(content)
        return separator + content

    def _set_next_cursor(self, last_task: DictRow | None) -> None:
        if last_task is not None:
            self._progress.next_cursor = self._selection.cursor_of(last_task).encode()

    async def _find_next_cursor(self, stream: RowStream) -> None:
        """Read a stream to its end, without keeping the tasks, to find the last one of the page.

        The header `Link` is sent before the tasks.
        """
        last_task = self._progress.last_task
        remaining = cast("int", self._progress.remaining)
        while stream.is_open:
            rows = await stream.next_rows()
            page_rows = rows[:remaining]
            if page_rows:
                last_task = page_rows[-1]
                remaining -= len(page_rows)
            if len(rows) > len(page_rows):
                self._set_next_cursor(last_task)
        # The whole page may be in the first chunk already; this loop only looked for the next one.
        self._progress.is_complete = self._progress.remaining == 0

    async def _read_chunk(self, stream: RowStream) -> bytes:
        chunk = await self._read(stream, CHUNK_BYTES)
        self._progress.is_complete = not stream.is_open
        self._held_stream.release_if_due()
        return chunk

    async def _read_page(self, rows_max: int) -> bytes:
        """Read the next page. It ends at `PAGE_BYTES`, however many tasks follow."""
        progress = self._progress
        limit = self._page_limit(rows_max)
        row_count_before = progress.row_count
        stream = await self._open(limit)
        try:
            page = await self._read(stream, PAGE_BYTES)
            is_short = progress.row_count - row_count_before < limit
            is_at_end = not stream.is_open and is_short
            progress.is_complete = is_at_end or progress.remaining == 0
        finally:
            stream.close()
        return page

    def _page_limit(self, rows_max: int) -> int:
        """Estimate how many tasks fit into a page, from the size of those that were read."""
        progress = self._progress
        limit = rows_max
        if progress.row_count:
            average_bytes = progress.byte_count // progress.row_count + 1
            limit = min(limit, PAGE_BYTES // average_bytes + 1)
        if progress.remaining is not None:
            limit = min(limit, progress.remaining)
        return limit

    async def _open(self, limit: int | None, if_none_match: Sequence[str] = ()) -> RowStream:
        """Open the statement that lists the tasks after the last one that was read.

        Raises:
            Conflict: The owner's counter is not that of the first statement.
        """
        after = self._start
        if self._progress.last_task is not None:
            after = self._selection.cursor_of(self._progress.last_task)
        params = self._selection.params_after(after)
        params["current_user_id"] = self._context.user.id
        params["if_none_match"] = list(if_none_match)
        params["limit"] = limit
        statement = self._selection.statement(after)
        stream = await open_stream(self._context.database, statement, params)
        version = cast("int", stream.first[0]["counter"]) if stream.first else 0
        if self._progress.version is None:
            self._progress.version = version
        elif version != self._progress.version:
            stream.close()
            raise Conflict("list-changed", "The list has changed while it was read; read it again.")
        return stream


class _HeldStream:
    """A statement whose connection waits for the client, for `HOLD_SECONDS` at most."""

    def __init__(self, slots: StreamSlots) -> None:
        self.stream: RowStream | None = None
        self._slots = slots
        self._timer: asyncio.TimerHandle | None = None
        self._is_due = False

    def hold(self, stream: RowStream) -> None:
        """Hold a statement, or close it if too many connections wait already."""
        if not self._slots.try_acquire():
            stream.close()
            return
        self.stream = stream
        self._timer = asyncio.get_running_loop().call_later(HOLD_SECONDS, self._expire)

    def release_if_due(self) -> None:
        """Release the connection if its time is over, or the statement has ended."""
        if self._is_due or (self.stream is not None and not self.stream.is_open):
            self.release()

    def release(self) -> None:
        """Close the statement and release its connection, if there is one."""
        if self.stream is None:
            return
        self.stream.close()
        self.stream = None
        self._slots.release()
        if self._timer is not None:
            self._timer.cancel()

    def _expire(self) -> None:
        # While rows are awaited the stream cannot be closed: `release_if_due` is called after that.
        if self.stream is not None and self.stream.is_waiting:
            self._is_due = True
        else:
            self.release()

"""Reads any number of tasks in bounded memory: from one statement for a client that keeps up, else page by page."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, cast

from psycopg.rows import DictRow

from common.concurrency import DeliverySlots, StreamSlots
from common.database import RowStream, open_stream
from common.problems import Conflict
from tasks.core.context import RequestContext
from tasks.task.filters import TaskQuery
from tasks.task.listing import Selection
from tasks.task.schemas import TaskRead

WHOLE_BYTES: Final = 262_144
"""A list is read up to this size before anything is sent; one that is no longer is sent as a whole."""

PIECE_BYTES: Final = 65_536
"""What is sent at once of a longer one. A client has the time of a deadline to take a piece."""

PAGE_BYTES: Final = 262_144
"""What is read at once for a client that is slow."""

PAGE_ROWS_MAX: Final = 200
"""Tasks of such a page."""

HOLD_SECONDS: Final = 3.0
"""How long a connection may wait for its client to take what was read."""


@dataclass(frozen=True)
class TaskWriter:
    """How tasks are written: many at once, and what stands between them."""

    write: Callable[[Sequence[TaskRead]], bytes]
    separator: bytes = b""


class TaskReader:
    """Reads the tasks of one query, all as they were at one moment.

    `begin` reads until `WHOLE_BYTES`, and `rest` gives what follows. Between two pieces of it the connection is kept
    only for `HOLD_SECONDS`, and only if few others wait for their clients: then the statement is abandoned, and small
    pages follow, each of which must meet the counter of the beginning. An equal counter means that nobody has written.
    """

    def __init__(
        self,
        context: RequestContext,
        query: TaskQuery,
        writer: TaskWriter,
        delivery: DeliverySlots | None = None,
    ) -> None:
        self._context = context
        self._limit = query.limit
        self._start = query.cursor
        self._selection = Selection(query)
        self._writer = writer
        self._delivery = delivery
        self._hold = _Hold(delivery.streams if delivery else StreamSlots(0))
        self._has_slot = False
        self._rewind()

    def _rewind(self) -> None:
        self.version = 0
        self.cursor: str | None = None
        self.is_whole = False
        self._last: DictRow | None = None
        self._left = self._limit
        self._is_begun = False
        self._is_empty = True
        self._rows_read = 0
        self._bytes_read = 0

    async def begin(self, if_none_match: Sequence[str] = ()) -> bytes:
        """Read the beginning, or nothing of a list of which this version was seen.

        It begins anew when somebody writes for the owner before anything was sent. Unless it is the whole list, `close`
        must follow.
        """
        await self._take_slot()
        try:
            while True:
                self._rewind()
                with suppress(Conflict):
                    return await self._read_beginning(if_none_match)
        except BaseException:
            self.is_whole = True
            raise
        finally:
            if self.is_whole:
                self.close()

    async def rest(self) -> AsyncIterator[bytes]:
        """Give what follows the beginning, piece by piece.

        Raises:
            Conflict: Somebody has written for the owner, and what follows is no longer as it was.
        """
        try:
            while not self.is_whole:
                stream = self._hold.stream
                yield await (self._read_page() if stream is None else self._read_on(stream))
        finally:
            self.close()

    async def pages(self, rows_max: int) -> AsyncIterator[bytes]:
        """Give all, page by page, each as it is when it is read; in between no connection is held."""
        while not self.is_whole:
            self._is_begun = False
            yield await self._read_page(rows_max)

    def close(self) -> None:
        """Read no further."""
        self._hold.end()
        if self._has_slot and self._delivery is not None:
            self._has_slot = False
            self._delivery.slots.release()

    async def _take_slot(self) -> None:
        if self._delivery is not None:
            await self._delivery.slots.acquire()
            self._has_slot = True

    async def _read_beginning(self, seen: Sequence[str]) -> bytes:
        stream = await self._open(None if self._limit is None else self._limit + 1, seen)
        try:
            text = await self._read(stream, WHOLE_BYTES)
            if not stream.is_open:
                self.is_whole = True
            elif self._limit is not None:
                await self._look_ahead(stream)
        except BaseException:
            stream.close()
            raise
        if self.is_whole:
            return text
        if self._limit is not None:
            stream = await self._open(self._left)
        self._hold.begin(stream)
        return text

    async def _read(self, stream: RowStream, most_bytes: int) -> bytes:
        text = bytearray()
        while stream.is_open and len(text) < most_bytes:
            text += self._take(await stream.next_rows())
        return bytes(text)

    def _take(self, rows: list[DictRow]) -> bytes:
        """Write tasks, but none beyond the limit: of those is only known that they are there."""
        tasks = [row for row in rows if row["id"]]
        wanted = tasks[: self._left]
        if not wanted:
            self._note_more(tasks)
            return b""
        self._last = wanted[-1]
        if self._left is not None:
            self._left -= len(wanted)
            self._note_more(tasks[len(wanted) :])
        text = self._writer.write(cast("list[TaskRead]", wanted))
        self._rows_read += len(wanted)
        self._bytes_read += len(text)
        if self._is_empty:
            self._is_empty = False
            return text
        return self._writer.separator + text

    def _note_more(self, beyond: Sequence[DictRow]) -> None:
        if beyond and self._last is not None:
            self.cursor = self._selection.position(self._last).encode()

    async def _look_ahead(self, stream: RowStream) -> None:
        """Find out where a long page ends, and whether another one follows, without keeping what is read."""
        last = self._last
        left = cast("int", self._left)
        while stream.is_open:
            rows = await stream.next_rows()
            wanted = rows[:left]
            if wanted:
                last = wanted[-1]
                left -= len(wanted)
            if len(rows) > len(wanted) and last is not None:
                self.cursor = self._selection.position(last).encode()
        self.is_whole = self._left == 0

    async def _read_on(self, stream: RowStream) -> bytes:
        text = await self._read(stream, PIECE_BYTES)
        self.is_whole = not stream.is_open
        self._hold.look()
        return text

    async def _read_page(self, rows_max: int = PAGE_ROWS_MAX) -> bytes:
        """Read the next page, which ends as soon as it is long enough, however much is behind it."""
        limit = self._page_rows(rows_max)
        before = self._rows_read
        stream = await self._open(limit)
        try:
            text = await self._read(stream, PAGE_BYTES)
            is_at_end = not stream.is_open and self._rows_read - before < limit
            self.is_whole = is_at_end or self._left == 0
        finally:
            stream.close()
        return text

    def _page_rows(self, rows: int) -> int:
        if self._rows_read:
            usual_bytes = self._bytes_read // self._rows_read + 1
            rows = min(rows, PAGE_BYTES // usual_bytes + 1)
        return rows if self._left is None else min(rows, self._left)

    async def _open(self, limit: int | None, seen: Sequence[str] = ()) -> RowStream:
        """Ask for what is behind the last task that was read.

        Raises:
            Conflict: The owner's counter is not the one of the beginning.
        """
        position = self._start if self._last is None else self._selection.position(self._last)
        stream = await open_stream(
            self._context.database,
            self._selection.statement(position),
            current_user_id=self._context.user.id,
            if_none_match=list(seen),
            limit=limit,
            **self._selection.values(position),
        )
        version = cast("int", stream.first[0]["counter"]) if stream.first else 0
        if not self._is_begun:
            self._is_begun = True
            self.version = version
        elif version != self.version:
            stream.close()
            raise Conflict("list-changed", "The list has changed while it was read; read it again.")
        return stream


class _Hold:
    """A statement whose connection waits for a client: not for long, and not beside many others."""

    def __init__(self, slots: StreamSlots) -> None:
        self.stream: RowStream | None = None
        self._slots = slots
        self._timer: asyncio.TimerHandle | None = None
        self._is_overdue = False

    def begin(self, stream: RowStream) -> None:
        """Keep the statement, unless too many are kept already."""
        if not self._slots.try_acquire():
            stream.close()
            return
        self.stream = stream
        self._timer = asyncio.get_running_loop().call_later(HOLD_SECONDS, self._run_out)

    def look(self) -> None:
        """Give the connection back if its time is over, or there is nothing more to read."""
        if self._is_overdue or (self.stream is not None and not self.stream.is_open):
            self.end()

    def end(self) -> None:
        """Give the connection back."""
        if self.stream is None:
            return
        self.stream.close()
        self.stream = None
        self._slots.release()
        if self._timer is not None:
            self._timer.cancel()

    def _run_out(self) -> None:
        """End while the client is waited for, but not while rows are: `look` follows them."""
        if self.stream is not None and self.stream.is_waiting:
            self._is_overdue = True
        else:
            self.end()

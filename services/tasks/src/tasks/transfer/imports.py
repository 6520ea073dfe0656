"""How an import comes in: all lines or none.

Lines are staged as they come, in short statements of their own. When the last one is there, one transaction locks the
owner, merges what is staged, and takes it away.
"""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, TypeVar, cast
from uuid import UUID, uuid5

from psycopg.errors import ForeignKeyViolation
from pydantic_core import to_json
from sqlalchemy.ext.asyncio import AsyncEngine
from uuid_utils.compat import uuid7

from common.database import Row, Transaction, fetch_all, fetch_one, open_transaction
from common.identity import User
from common.logging import log, pseudonym
from common.middleware import DEADLINE_SECONDS
from common.problems import SOON, Conflict, Unavailable, Unprocessable
from tasks.core.owners import INSERT_OWNER
from tasks.core.types.names import fold
from tasks.task.planning import task_params
from tasks.transfer.concurrency import SMALL_MAX_BYTES, ImportLimits, Rank
from tasks.transfer.ndjson import FIRST_LINE, LineText, TaskLine, instant, read_line
from tasks.transfer.queries.merge import LOCK_OWNER, MERGE_TASKS
from tasks.transfer.queries.staging import (
    BEGIN_IMPORT,
    END_IMPORT,
    LOCK_IMPORT,
    PLANNED,
    STAGE_TASKS,
    SWEEP,
)
from tasks.transfer.resolver import Namesakes, Settled, order_key

STAGED_AT_ONCE: Final = 200
"""Lines that are read, and sent to the database, together."""

STAGED_AT_ONCE_BYTES: Final = 262_144
"""Bytes of lines after which no further one is added to those."""

MERGED_AT_ONCE: Final = 2_000
"""Lines of one statement: few enough that it is done in far less time than a statement may take."""

MERGED_AT_ONCE_BYTES: Final = 8_388_608
"""Bytes of lines after which no further batch is added to those."""

KEPT: Final = timedelta(minutes=5)
"""How long what is staged is kept: more than twice the time that an import may take. What is older broke off."""

SWEPT_AT_ONCE: Final = 2_000
"""Staged lines that one statement takes away."""

SWEEPS_MAX: Final = 5
"""Such statements that one import sends: what several imports leave is gone after as many others."""

DISCARD_WAIT_SECONDS: Final = 0.5
"""How long an answer waits until what was staged is taken away; that goes on behind it."""

Result = TypeVar("Result")


@dataclass(frozen=True)
class Limits:
    """What an import shares with others, and how many tasks its owner may have."""

    imports: ImportLimits
    writes: asyncio.Semaphore
    tasks_max: int


@dataclass
class _Lines:
    """Some lines that follow one another: how many bytes they have, and the number of the last one."""

    last: int = 0
    count: int = 0
    size: int = 0

    def add(self, last: int, count: int, size: int) -> None:
        self.last = last
        self.count += count
        self.size += size


async def import_owner(
    engine: AsyncEngine, user: User, limits: Limits, lines: AsyncIterable[LineText | None]
) -> dict[str, int]:
    """Take in all lines or none, and tell how many were created, updated, unchanged and renumbered.

    Raises:
        Refusal: A line is bad.
        Unprocessable: The caller would have more than one user may have, or a task is in a list that is not there.
        Conflict: Somebody else took one of the ids at the same moment, or the caller was erased meanwhile.
        Unavailable: The database takes too long.
    """
    importing = _Import(engine, user, limits)
    try:
        await importing.begin()
        async for batch in _batches(lines):
            await importing.stage(batch)
        report = await importing.merge()
    except BaseException:
        await importing.discard()
        raise
    return report


async def _batches(lines: AsyncIterable[LineText | None]) -> AsyncIterator[list[LineText]]:
    """Put lines together as they came: read, they would take several times as much memory.

    Where the client pauses a batch ends, or a bad line in it would be told when the client goes on, if ever.
    """
    batch: list[LineText] = []
    size = 0
    async for line in lines:
        if line is None:
            if batch:
                yield batch
                batch = []
                size = 0
            continue
        batch.append(line)
        size += len(line.text)
        if len(batch) >= STAGED_AT_ONCE or size >= STAGED_AT_ONCE_BYTES:
            yield batch
            batch = []
            size = 0
    if batch:
        yield batch


@dataclass
class _Import:
    engine: AsyncEngine
    user: User
    limits: Limits
    id: UUID = field(default_factory=uuid7)
    namesakes: Namesakes = field(default_factory=Namesakes)
    merges: list[_Lines] = field(default_factory=lambda: [_Lines()])
    size: int = 0
    task_count: int = 0

    def __post_init__(self) -> None:
        self.number = self.limits.imports.number()

    @property
    def rank(self) -> Rank:
        return self.size > SMALL_MAX_BYTES, self.number

    async def begin(self) -> None:
        """Note that there is an import, and take away some of what others have left."""
        while not await _in_time(self._begin()):
            await _in_time(fetch_all(self.engine, INSERT_OWNER, current_user_id=self.user.id))
        for _ in range(SWEEPS_MAX):
            async with self.limits.imports.staging.slot(self.rank):
                if not await _in_time(
                    fetch_one(self.engine, SWEEP, retention=KEPT, quota=SWEPT_AT_ONCE)
                ):
                    break

    async def _begin(self) -> bool:
        try:
            begun = await fetch_one(
                self.engine, BEGIN_IMPORT, current_user_id=self.user.id, this_import=self.id
            )
        except ForeignKeyViolation:  # the owner was erased at this moment
            return False
        return begun is not None

    async def stage(self, batch: list[LineText]) -> None:
        """Read lines and put the tasks among them where the database can compare them.

        Raises:
            Refusal: A line is bad.
            Unprocessable: There are more than one user may have.
            Conflict: The import is gone.
        """
        async with self.limits.imports.staging.slot(self.rank):
            tasks: dict[UUID, bytes] = {}
            for number, text in batch:
                line = read_line(number, text)
                self.namesakes.add(number, line)
                if isinstance(line, TaskLine):
                    tasks[line.id] = to_json(_staged(self.user, number, line))
                await asyncio.sleep(0)  # others may be waiting for the event loop
            if tasks:
                await self._put(b"[" + b",".join(tasks.values()) + b"]")
        self._count(batch)

    async def _put(self, content: bytes) -> None:
        values = {
            "current_user_id": self.user.id,
            "this_import": self.id,
            "content": content.decode(),
        }
        try:
            staged = await _in_time(fetch_one(self.engine, STAGE_TASKS, **values))
        except ForeignKeyViolation:
            raise _interrupted() from None
        self.task_count += cast("int", staged and staged["added"])
        # A task that is there can be meant by two ids: by its own, and by the one that it had at somebody else's.
        if self.task_count > 2 * self.limits.tasks_max:
            raise _too_many(self.limits.tasks_max)

    def _count(self, batch: list[LineText]) -> None:
        size = sum(len(line.text) for line in batch)
        self.size += size
        if self.merges[-1].count >= MERGED_AT_ONCE or self.merges[-1].size >= MERGED_AT_ONCE_BYTES:
            self.merges.append(_Lines())
        self.merges[-1].add(batch[-1].number, len(batch), size)

    async def merge(self) -> dict[str, int]:
        """Merge what is staged, in one transaction, and take it away."""
        limits = self.limits
        async with (
            limits.imports.merging(self.user.id, limits.writes),
            open_transaction(self.engine) as transaction,
        ):
            await self._lock(transaction)
            settled = await _in_time(self.namesakes.settle(transaction, self.user))
            report = dict(settled.report)
            first_line = FIRST_LINE
            for lines in self.merges:
                merged = await _in_time(self._merge(transaction, settled, first_line, lines.last))
                report = {
                    name: number + cast("int", merged[name]) for name, number in report.items()
                }
                first_line = lines.last + 1
            await _in_time(transaction.fetch_one(END_IMPORT, **self._values))
        return report

    @property
    def _values(self) -> dict[str, object]:
        return {"current_user_id": self.user.id, "this_import": self.id}

    async def _lock(self, transaction: Transaction) -> None:
        """Lock the owner first and then the import, as an erasure does."""
        for statement in (LOCK_OWNER, LOCK_IMPORT):
            if await _in_time(transaction.fetch_one(statement, **self._values)) is None:
                raise _interrupted()

    async def _merge(
        self, transaction: Transaction, settled: Settled, first_line: int, last_line: int
    ) -> Row:
        values = {
            **self._values,
            "first_line": first_line,
            "last_line": last_line,
            "old_list_ids": list(settled.lists),
            "new_list_ids": list(settled.lists.values()),
            "label_names": list(settled.labels),
            "label_ids": list(settled.labels.values()),
        }
        [merged] = await transaction.fetch_all(MERGE_TASKS, **values)
        if merged["created"] and cast("int", merged["task_count"]) > self.limits.tasks_max:
            raise _too_many(self.limits.tasks_max)
        if merged["lost"]:
            raise Conflict(
                "id-taken",
                "Somebody else took an id at this moment; send all of it again.",
                headers=SOON,
            )
        return merged

    async def discard(self) -> None:
        """Take away what is staged, also when nobody waits for the answer any more. What fails is swept later."""
        discarding = asyncio.create_task(self._discard())
        _DISCARDING.add(discarding)
        discarding.add_done_callback(_DISCARDING.discard)
        await asyncio.wait({discarding}, timeout=DISCARD_WAIT_SECONDS)

    async def _discard(self) -> None:
        try:
            async with self.limits.imports.staging.slot(self.rank):
                await _in_time(fetch_all(self.engine, END_IMPORT, **self._values))
        except Exception as error:  # noqa: BLE001 - whatever it is, the answer is about something else
            log(
                "warning",
                "import not discarded",
                user=pseudonym(self.user.id),
                reason=type(error).__name__,
            )


_DISCARDING: Final[set[asyncio.Task[None]]] = set()
"""Keeps these tasks alive: the event loop itself does not."""


def _staged(user: User, number: int, task: TaskLine) -> Row:
    created_at, planned = instant(task.created_at), task_params(task)
    return {
        "line": number,
        "old_id": task.id,
        "own_id": uuid5(user.id, str(task.id)),
        "title": task.title,
        "description": task.description,
        "is_completed": task.completed_at is not None,
        "completed_at": task.completed_at and instant(task.completed_at),
        "created_at": created_at,
        "updated_at": instant(task.updated_at),
        "is_planned": task.is_planned,
        **{name: planned[f"new_{name}"] for name in PLANNED if f"new_{name}" in planned},
        "priority": planned["new_priority"] or 0,
        "position": order_key(task.position, created_at),
        "labels": [fold(name) for name in task.labels],
    }


async def _in_time(work: Awaitable[Result]) -> Result:
    """Wait for the database as long as for a whole request: an import as a whole may take longer.

    Raises:
        Unavailable: It takes too long.
    """
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            return await work
    except TimeoutError:
        raise Unavailable("deadline-passed", "It took too long.") from None


def _too_many(tasks_max: int) -> Unprocessable:
    return Unprocessable("quota-exceeded", f"One user may have {tasks_max} tasks at most.")


def _interrupted() -> Conflict:
    return Conflict(
        "import-interrupted", "What was sent is gone; send all of it again.", headers=SOON
    )

"""Staging: parse the lines of an import as they arrive, and store their tasks until the merge.

Every statement here is a transaction of its own: nothing is locked while the client sends.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Final, cast
from uuid import UUID

from psycopg.errors import ForeignKeyViolation
from pydantic_core import to_json

from common.database import Row, fetch_all, fetch_one
from common.identity import User
from common.logging import log, pseudonym
from tasks.core.owners import INSERT_OWNER
from tasks.core.types.names import fold
from tasks.task.columns import EDITABLE_COLUMNS
from tasks.transfer.batching import batch_size, extend_ranges
from tasks.transfer.deadlines import within_deadline
from tasks.transfer.errors import import_interrupted, quota_exceeded
from tasks.transfer.import_run import ImportRun
from tasks.transfer.lines import Line
from tasks.transfer.ndjson import TaskRecord, parse_time, read_record, stored_position
from tasks.transfer.queries.cleanup import DELETE_ABANDONED
from tasks.transfer.queries.staging import BEGIN_IMPORT, END_IMPORT, STAGE_TASKS
from tasks.transfer.resolver import replacement_id

STAGED_RETENTION: Final = timedelta(minutes=5)
"""An import older than this is abandoned: no import may take even half as long."""

CLEANUP_ROWS_MAX: Final = 2_000
"""Staged tasks that one statement deletes."""

CLEANUPS_MAX: Final = 5
"""Such statements per import: as many imports as were abandoned clean up after all of them."""

DISCARD_WAIT_SECONDS: Final = 0.5
"""How long a response waits until the staged tasks are deleted; the deletion then goes on alone."""

_discards: Final[set[asyncio.Task[None]]] = set()
"""Running deletions: the event loop itself holds only weak references to its tasks."""


async def begin_import(run: ImportRun) -> None:
    """Insert the import, and its owner if missing; then clean up after abandoned imports.

    Raises:
        Unavailable: The database takes too long.
    """
    context = run.context
    while not await within_deadline(_insert_import(run)):
        await within_deadline(
            fetch_all(context.database, INSERT_OWNER, current_user_id=context.user.id)
        )
    await _clean_up(run)


async def _insert_import(run: ImportRun) -> bool:
    """Return whether the import was inserted; it is not if its owner is missing."""
    context = run.context
    try:
        row = await fetch_one(
            context.database,
            BEGIN_IMPORT,
            current_user_id=context.user.id,
            current_import_id=run.id,
        )
    except ForeignKeyViolation:  # the owner was erased at this moment
        return False
    return row is not None


async def _clean_up(run: ImportRun) -> None:
    context = run.context
    for _ in range(CLEANUPS_MAX):
        async with context.limits.staging.slot(run.priority):
            abandoned_import = await within_deadline(
                fetch_one(
                    context.database,
                    DELETE_ABANDONED,
                    retention=STAGED_RETENTION,
                    rows_max=CLEANUP_ROWS_MAX,
                )
            )
        if abandoned_import is None:
            break


async def stage_batch(run: ImportRun, batch: Sequence[Line]) -> None:
    """Parse lines, collect their lists and labels, and stage their tasks.

    Raises:
        ProblemError: A line is invalid.
        Unprocessable: The import has more tasks, lists or labels than one user may have.
        Conflict: The import was deleted.
        Unavailable: The database takes too long.
    """
    async with run.context.limits.staging.slot(run.priority):
        tasks = await _parse(run, batch)
        if tasks:
            content = b"[" + b",".join(tasks) + b"]"
            await _stage_tasks(run, content.decode())
    run.byte_count += batch_size(batch)
    extend_ranges(run.ranges, batch)


async def _parse(run: ImportRun, batch: Sequence[Line]) -> list[bytes]:
    """Return the staged tasks as JSON. Of several lines with one id the last one wins."""
    tasks: dict[UUID, bytes] = {}
    for line in batch:
        record = read_record(line)
        run.references.add(line.number, record)
        if isinstance(record, TaskRecord):
            run.has_links = run.has_links or record.has_links
            tasks[record.id] = to_json(_staged_task(run.context.user, line.number, record))
        await asyncio.sleep(0)  # let other requests run
    return list(tasks.values())


def _staged_task(user: User, line_number: int, record: TaskRecord) -> Row:
    """Return the columns of `StagedTask`."""
    created_at = parse_time(record.created_at)
    completed_at = None
    if record.completed_at is not None:
        completed_at = parse_time(record.completed_at)
    row = {column.name: column.value_in(record) for column in EDITABLE_COLUMNS}
    row["line"] = line_number
    row["old_id"] = record.id
    row["own_id"] = replacement_id(user, record.id)
    # A record may omit is_completed and status: completed_at decides.
    row["is_completed"] = completed_at is not None
    row["completed_at"] = completed_at
    row["created_at"] = created_at
    row["updated_at"] = parse_time(record.updated_at)
    row["position"] = stored_position(record.position, created_at)
    row["is_planned"] = record.is_planned
    row["previous_id"] = record.previous_id
    row["own_previous_id"] = _replacement_of(user, record.previous_id)
    row["own_parent_id"] = _replacement_of(user, record.parent_id)
    row["has_list"] = record.has_list
    row["labels"] = [fold(name) for name in record.labels]
    return row


def _replacement_of(user: User, linked_id: UUID | None) -> UUID | None:
    if linked_id is None:
        return None
    return replacement_id(user, linked_id)


async def _stage_tasks(run: ImportRun, content: str) -> None:
    context = run.context
    try:
        row = await within_deadline(
            fetch_one(
                context.database,
                STAGE_TASKS,
                current_user_id=context.user.id,
                current_import_id=run.id,
                content=content,
            )
        )
    except ForeignKeyViolation:
        raise import_interrupted() from None
    if row is not None:
        run.staged_count += cast("int", row["added"])
    # Two ids of the file can mean one task: its own, and the one that it has at another user.
    if run.staged_count > 2 * context.tasks_max:
        raise quota_exceeded(context.tasks_max, "tasks")


async def discard_import(run: ImportRun) -> None:
    """Delete what is staged, also if the request was cancelled.

    If that fails, a later import cleans up.
    """
    discard = asyncio.create_task(_discard(run))
    _discards.add(discard)
    discard.add_done_callback(_discards.discard)
    await asyncio.wait({discard}, timeout=DISCARD_WAIT_SECONDS)


async def _discard(run: ImportRun) -> None:
    context = run.context
    try:
        async with context.limits.staging.slot(run.priority):
            await within_deadline(
                fetch_all(
                    context.database,
                    END_IMPORT,
                    current_user_id=context.user.id,
                    current_import_id=run.id,
                )
            )
    except Exception as error:  # noqa: BLE001 - the response is about what happened before
        log(
            "warning",
            "import not discarded",
            user=pseudonym(context.user.id),
            reason=type(error).__name__,
        )

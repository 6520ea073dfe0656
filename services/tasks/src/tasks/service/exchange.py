"""How all that an owner has goes out, comes in, and is forgotten."""

from collections.abc import AsyncIterable, AsyncIterator, Callable
from typing import Final, cast
from uuid import uuid5

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from common.database import Row, Session, rows
from common.errors import SOON, Conflict, Unprocessable
from common.identity import User
from tasks.fields.names import fold
from tasks.lines import FIRST_LINE, Line, TaskLine, instant, write_label, write_list, write_task
from tasks.schemas.query import TaskQuery
from tasks.service.labels import find_labels
from tasks.service.listing import find_tasks
from tasks.service.lists import find_lists
from tasks.service.namesakes import Namesakes, Settled, order_key
from tasks.service.planning import plan_values
from tasks.statements.exchange import ERASE_OWNER, LOCK_OWNER, MERGE_TASKS, OPEN_STAGE, PLANNED, STAGE_TASKS
from tasks.statements.owners import ADD_OWNER

EXPORTED_AT_ONCE: Final = 200
"""Tasks that are read, and held in memory, together."""

STAGED_AT_ONCE: Final = 200
"""Lines that are sent to the database, and held in memory, together."""

MERGED_AT_ONCE: Final = 2_000
"""Lines of one statement: few enough that it is done in far less time than an import may be without progress."""


async def export_owner(session: Session, user: User) -> AsyncIterator[bytes]:
    """Write the caller's lists, labels and tasks as lines, a page at a time; in between no connection is held."""
    yield b"".join(map(write_list, (await find_lists(session, user, ())).lists))
    yield b"".join(map(write_label, (await find_labels(session, user, ())).labels))
    query: TaskQuery | None = TaskQuery(limit=EXPORTED_AT_ONCE)
    while query:
        found = await find_tasks(session, user, query, ())
        yield b"".join(map(write_task, found.tasks))
        query = TaskQuery.model_validate({"limit": EXPORTED_AT_ONCE, "cursor": found.cursor}) if found.cursor else None


async def import_owner(
    engine: AsyncEngine, user: User, lines: AsyncIterable[Line], tasks_max: int, got_on: Callable[[], None]
) -> dict[str, int]:
    """Take in all lines or none, and say after each step that it `got_on`.

    Raises:
        Refusal: A line is bad.
        Unprocessable: The caller would have more than one user may have, or a task is in a list that is not there.
        Conflict: Somebody else took one of the ids at the same moment.
    """
    async with engine.execution_options(isolation_level="READ COMMITTED").begin() as connection:
        await connection.execute(OPEN_STAGE)
        namesakes = Namesakes()
        last_line = await _stage(connection, user, namesakes, lines)
        while not (await connection.execute(LOCK_OWNER, {"caller": user.id})).first():
            await connection.execute(ADD_OWNER, {"caller": user.id})
        settled = await namesakes.settle(connection, user)
        report = dict(settled.report)
        for first_line in range(FIRST_LINE, last_line + 1, MERGED_AT_ONCE):
            merged = await _merge(connection, user, settled, first_line, tasks_max)
            report = {name: count + cast("int", merged[name]) for name, count in report.items()}
            got_on()
    return report


async def erase_owner(session: Session, user: User) -> None:
    """Forget the caller and all that is theirs; nothing happens when there is nothing."""
    await rows(session, ERASE_OWNER, caller=user.id)


async def _stage(connection: AsyncConnection, user: User, namesakes: Namesakes, lines: AsyncIterable[Line]) -> int:
    """Put tasks where the database can compare them, and return the number of the last line."""
    batch: list[Row] = []
    last_line = 0
    async for last_line, content in lines:
        namesakes.add(last_line, content)
        if isinstance(content, TaskLine):
            batch.append({"line": last_line, **_staged(user, content)})
        if len(batch) == STAGED_AT_ONCE:
            await connection.execute(STAGE_TASKS, batch)
            batch = []
    if batch:
        await connection.execute(STAGE_TASKS, batch)
    return last_line


def _staged(user: User, task: TaskLine) -> Row:
    created_at, planned = instant(task.created_at), plan_values(task)
    return {
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


async def _merge(connection: AsyncConnection, user: User, settled: Settled, first_line: int, tasks_max: int) -> Row:
    values = {
        "caller": user.id,
        "first_line": first_line,
        "last_line": first_line + MERGED_AT_ONCE - 1,
        "old_list_ids": list(settled.lists),
        "new_list_ids": list(settled.lists.values()),
        "label_names": list(settled.labels),
        "label_ids": list(settled.labels.values()),
    }
    merged: Row = dict((await connection.execute(MERGE_TASKS, values)).mappings().one())
    if merged["created"] and cast("int", merged["task_count"]) > tasks_max:
        raise Unprocessable("quota-exceeded", f"One user may have {tasks_max} tasks at most.")
    if merged["lost"]:
        raise Conflict("id-taken", "Somebody else took an id at this moment; send all of it again.", headers=SOON)
    return merged

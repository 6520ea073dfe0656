"""What may be done with tasks, and in which order."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import NamedTuple, cast
from uuid import UUID

from psycopg.errors import LockNotAvailable
from sqlalchemy import Executable
from sqlalchemy.exc import OperationalError
from sqlmodel.ext.asyncio.session import AsyncSession
from uuid_utils.compat import uuid7

from common.database import Row, row, rows
from common.errors import SOON, Conflict, Gone, NotFound, PreconditionFailed, Unprocessable
from common.identity import User
from tasks.fields import PAGE_MAX
from tasks.peers import UsersService
from tasks.places import Position, Since
from tasks.schemas import (
    ChangesQuery,
    ChangesRead,
    DeletionRead,
    TaskChange,
    TaskCreate,
    TaskQuery,
    TaskRead,
    TaskReplace,
)
from tasks.statements.changes import GET_CHANGES
from tasks.statements.creation import ADD_OWNER, CREATE_NAMED_TASK, CREATE_TASK, CREATE_TASK_ONCE, GET_OBSTACLE
from tasks.statements.tasks import CHANGE_TASK, DELETE_TASK, GET_TASK, list_tasks


class TaskList(NamedTuple):
    """Tasks of one owner at one moment, the cursor behind them if there are more, and the owner's counter."""

    tasks: list[TaskRead]
    cursor: str | None
    version: int


class Admission(NamedTuple):
    """What it takes to let a task in: who meets new owners, and how many tasks an owner may have."""

    peer: UsersService
    tasks_max: int


class Creation(NamedTuple):
    """A task as it was made, now or for an earlier request with the same key."""

    task_id: UUID
    version: int
    answer: bytes
    replayed: bool


async def find_tasks(session: AsyncSession, user: User, query: TaskQuery, seen: Sequence[str]) -> TaskList:
    """Return the tasks that the caller asked for; none, if they have seen this version of the list."""
    wanted = {
        "is_completed": query.completed,
        "q": query.q,
        "after_time": query.cursor and query.cursor.created_at,
        "after_id": query.cursor and query.cursor.id,
    }
    statement = list_tasks(
        by_state=query.completed is not None, by_text=query.q is not None, behind=query.cursor is not None
    )
    values = {name: value for name, value in wanted.items() if value is not None}
    one_more = query.limit and query.limit + 1
    found = await rows(session, statement, caller=user.id, seen=seen, limit=one_more, **values)
    version = cast("int", found[0]["counter"]) if found else 0
    tasks = cast("list[TaskRead]", [task for task in found if task["id"]])
    if query.limit is None or len(tasks) <= query.limit:
        return TaskList(tasks, None, version)
    return TaskList(tasks[: query.limit], _position(tasks[query.limit - 1]).cursor(), version)


async def find_changes(session: AsyncSession, user: User, query: ChangesQuery) -> ChangesRead:
    """Return what happened to the caller's tasks since the last time.

    Raises:
        Gone: It is not known any more, or never was, what happened since then.
    """
    since, limit = query.since or Since(0), query.limit or PAGE_MAX
    found = await rows(session, GET_CHANGES, caller=user.id, since=since.version, limit=limit + 1)
    counter, pruned_version = _known(found)
    begun_at = since.begun_at or since.version or counter
    if not pruned_version <= begun_at <= counter:
        raise Gone("resync-required", "What happened since then is not known; begin anew.")
    changes = [each for each in found if each["id"]]
    page = changes[:limit]
    last = cast("int", page[-1]["version"]) if len(changes) > limit else counter
    return ChangesRead(
        tasks=cast("list[TaskRead]", [each for each in page if each["kind"] is None]),
        deleted=cast("list[DeletionRead]", [each for each in page if each["kind"]]),
        next=Since(last, begun_at if begun_at > last else None).text(),
        has_more=len(changes) > limit,
    )


async def get_task(session: AsyncSession, user: User, task_id: UUID) -> TaskRead:
    """Return one task of the caller.

    Raises:
        NotFound: There is no such task, or it is somebody else's.
    """
    return _found(await row(session, GET_TASK, caller=user.id, wanted=task_id))


async def create_task(
    session: AsyncSession, admission: Admission, user: User, new: TaskCreate, key: str | None
) -> Creation:
    """Add a task, or with a key that was used for this before, return the task that was made then.

    An owner who was never seen here is introduced to the users service first.

    Raises:
        Unprocessable: The caller has as many tasks as one user may have, or used the key for another task.
        Conflict: A request with this key may still be running.
        Unavailable: The owner is new, and the users service is away.
    """
    content = _content(new)
    if key is None:
        return await _create(session, admission, user, CREATE_TASK, {"wanted": uuid7(), **content})
    meaning = sha256(json.dumps(content).encode()).digest()
    values = {"wanted": uuid7(), "given_key": key, "meaning": meaning, **content}
    try:
        return await _create(session, admission, user, CREATE_TASK_ONCE, values)
    except OperationalError as error:
        if not isinstance(error.orig, LockNotAvailable):
            raise
        raise Conflict("key-in-use", "A request with this key may still be running.", headers=SOON) from None


async def create_named_task(
    session: AsyncSession, admission: Admission, user: User, task_id: UUID, whole: TaskReplace
) -> Creation:
    """Add a task under the client's own id, and forget that the caller had deleted it.

    Raises:
        Refusal: As `create_task` does.
        PreconditionFailed: The caller has this task.
        Conflict: Somebody else has this id.
        Unprocessable: The body names another task.
    """
    _require_same_id(task_id, whole.id)
    return await _create(session, admission, user, CREATE_NAMED_TASK, {"wanted": task_id, **_content(whole)})


async def _create(
    session: AsyncSession, admission: Admission, user: User, statement: Executable, values: Row
) -> Creation:
    """Try until the task is made, or what stands in its way is no matter of time."""
    asked = {"wanted": values["wanted"], "given_key": values.get("given_key")}
    while True:
        made = await row(session, statement, caller=user.id, tasks_max=admission.tasks_max, **values)
        if made:
            return _creation(made, replayed=False)
        obstacle = await row(session, GET_OBSTACLE, caller=user.id, **asked)
        if obstacle is None:
            await admission.peer.introduce(user)
            await rows(session, ADD_OWNER, caller=user.id)
        elif obstacle["answer"]:
            return _replay(obstacle, values["meaning"])
        else:
            _require_room(obstacle, user, admission.tasks_max)


def _replay(kept: Row, meaning: object) -> Creation:
    if kept["digest"] != meaning:
        raise Unprocessable("key-reused", "The key was used for another task.")
    return _creation(kept, replayed=True)


def _creation(made: Row, *, replayed: bool) -> Creation:
    answer = cast("str", made["answer"]).encode()
    return Creation(cast("UUID", made["id"]), cast("int", made["version"]), answer, replayed)


def _content(task: TaskCreate | TaskReplace) -> Row:
    return {
        "new_title": task.title,
        "new_description": task.description,
        "new_is_completed": bool(task.completed),
    }


def _require_room(obstacle: Row, user: User, tasks_max: int) -> None:
    if obstacle["holder"] == user.id:
        raise PreconditionFailed("task-exists", "The caller has this task already.")
    if cast("int", obstacle["task_count"]) >= tasks_max:
        raise Unprocessable("quota-exceeded", f"One user may have {tasks_max} tasks at most.")
    if obstacle["holder"]:
        raise Conflict("id-taken", "This id cannot be had.")


async def change_task(
    session: AsyncSession, user: User, task_id: UUID, change: TaskChange, expected: Sequence[str] | None
) -> TaskRead:
    """Change the fields that were sent.

    Raises:
        NotFound: There is no such task, or it is somebody else's.
        Unprocessable: The body names another task.
        PreconditionFailed: The task has none of the expected versions.
    """
    _require_same_id(task_id, change.id)
    sent = change.model_fields_set
    changed = await row(
        session,
        CHANGE_TASK,
        caller=user.id,
        wanted=task_id,
        expected=expected,
        new_title=change.title if "title" in sent else None,
        sets_description="description" in sent,
        new_description=change.description,
        new_is_completed=change.completed,
    )
    return _met(changed)


async def replace_task(
    session: AsyncSession, user: User, task_id: UUID, whole: TaskReplace, expected: Sequence[str] | None
) -> TaskRead:
    """Put a whole task in the place of an existing one; raises as `change_task` does."""
    _require_same_id(task_id, whole.id)
    replaced = await row(
        session,
        CHANGE_TASK,
        caller=user.id,
        wanted=task_id,
        expected=expected,
        sets_description=True,
        **_content(whole),
    )
    return _met(replaced)


async def delete_task(
    session: AsyncSession, user: User, task_id: UUID, expected: Sequence[str] | None, kept_days: int
) -> None:
    """Delete one task of the caller; what is left of others goes after so many days.

    Raises:
        NotFound: There is no such task, or it is somebody else's.
        PreconditionFailed: The task has none of the expected versions.
    """
    kept = timedelta(days=kept_days)
    _met(await row(session, DELETE_TASK, caller=user.id, wanted=task_id, expected=expected, kept=kept))


def _found(task: Row | None) -> TaskRead:
    if task is None:
        raise NotFound("task-not-found", "There is no such task.")
    return cast("TaskRead", task)


def _met(task: Row | None) -> TaskRead:
    found = _found(task)
    if task and not task["matches"]:
        raise PreconditionFailed("version-mismatch", "The task has another version than the request expects.")
    return found


def _require_same_id(addressed: UUID, sent: UUID | None) -> None:
    if sent is not None and sent != addressed:
        raise Unprocessable("id-mismatch", "The body holds another task than the address names.")


def _known(found: Sequence[Row]) -> tuple[int, int]:
    """Return the owner's counter, and up to which version their past is forgotten; 0 for an owner nobody knows."""
    return (cast("int", found[0]["counter"]), cast("int", found[0]["pruned_version"])) if found else (0, 0)


def _position(task: TaskRead) -> Position:
    return Position(datetime.fromisoformat(task["created_at"]), task["id"])

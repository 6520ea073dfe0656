"""What may be done with tasks that are there."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, cast
from uuid import UUID

from common.database import Row, Session, row, rows
from common.errors import NotFound, PreconditionFailed, Unprocessable
from common.identity import User
from tasks.places import Position
from tasks.schemas import TaskChange, TaskQuery, TaskRead, TaskReplace
from tasks.statements.tasks import CHANGE_TASK, DELETE_TASK, GET_TASK, list_tasks


class TaskList(NamedTuple):
    """Tasks of one owner at one moment, the cursor behind them if there are more, and the owner's counter."""

    tasks: list[TaskRead]
    cursor: str | None
    version: int


async def find_tasks(session: Session, user: User, query: TaskQuery, seen: Sequence[str]) -> TaskList:
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
    found = await rows(session, statement, caller=user.id, seen=list(seen), limit=one_more, **values)
    version = cast("int", found[0]["counter"]) if found else 0
    tasks = cast("list[TaskRead]", [task for task in found if task["id"]])
    if query.limit is None or len(tasks) <= query.limit:
        return TaskList(tasks, None, version)
    return TaskList(tasks[: query.limit], _position(tasks[query.limit - 1]).cursor(), version)


async def get_task(session: Session, user: User, task_id: UUID) -> TaskRead:
    """Return one task of the caller.

    Raises:
        NotFound: There is no such task, or it is somebody else's.
    """
    return _found(await row(session, GET_TASK, caller=user.id, wanted=task_id))


async def change_task(
    session: Session, user: User, task_id: UUID, change: TaskChange, expected: Sequence[str] | None
) -> TaskRead:
    """Change the fields that were sent.

    Raises:
        NotFound: There is no such task, or it is somebody else's.
        Unprocessable: The body names another task.
        PreconditionFailed: The task has none of the expected versions.
    """
    require_same_id(task_id, change.id)
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
    session: Session, user: User, task_id: UUID, whole: TaskReplace, expected: Sequence[str] | None
) -> TaskRead:
    """Put a whole task in the place of an existing one; raises as `change_task` does."""
    require_same_id(task_id, whole.id)
    replaced = await row(
        session,
        CHANGE_TASK,
        caller=user.id,
        wanted=task_id,
        expected=expected,
        sets_description=True,
        new_title=whole.title,
        new_description=whole.description,
        new_is_completed=bool(whole.completed),
    )
    return _met(replaced)


async def delete_task(
    session: Session, user: User, task_id: UUID, expected: Sequence[str] | None, kept_days: int
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


def require_same_id(addressed: UUID, sent: UUID | None) -> None:
    """Refuse a body that names another task than the address does."""
    if sent is not None and sent != addressed:
        raise Unprocessable("id-mismatch", "The body holds another task than the address names.")


def _position(task: TaskRead) -> Position:
    return Position(datetime.fromisoformat(task["created_at"]), task["id"])

"""How tasks come into being, and their owners with them."""

import json
from hashlib import sha256
from typing import NamedTuple, cast
from uuid import UUID

from psycopg.errors import LockNotAvailable
from sqlalchemy import Executable
from uuid_utils.compat import uuid7

from common.database import Row, Session, row, rows
from common.errors import SOON, Conflict, PreconditionFailed, Unprocessable
from common.identity import User
from tasks.peers import UsersService
from tasks.schemas import TaskCreate, TaskReplace
from tasks.service.tasks import require_same_id
from tasks.statements.creation import ADD_OWNER, CREATE_NAMED_TASK, CREATE_TASK, CREATE_TASK_ONCE, GET_OBSTACLE


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


async def create_task(session: Session, admission: Admission, user: User, new: TaskCreate, key: str | None) -> Creation:
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
    except LockNotAvailable:
        raise Conflict("key-in-use", "A request with this key may still be running.", headers=SOON) from None


async def create_named_task(
    session: Session, admission: Admission, user: User, task_id: UUID, whole: TaskReplace
) -> Creation:
    """Add a task under the client's own id, and forget that the caller had deleted it.

    Raises:
        Refusal: As `create_task` does.
        PreconditionFailed: The caller has this task.
        Conflict: Somebody else has this id.
        Unprocessable: The body names another task.
    """
    require_same_id(task_id, whole.id)
    return await _create(session, admission, user, CREATE_NAMED_TASK, {"wanted": task_id, **_content(whole)})


async def _create(session: Session, admission: Admission, user: User, statement: Executable, values: Row) -> Creation:
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

"""How tasks and lists come into being, and their owners with them."""

import json
from collections.abc import Callable
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
from tasks.schemas.lists import ListCreate, ListReplace
from tasks.schemas.tasks import TaskCreate, TaskReplace
from tasks.service.obstacles import refuse, require_same_id
from tasks.service.planning import LABELS_MAX, LISTS_MAX, label_values, meaning_of, name_values, plan_values
from tasks.statements import lists
from tasks.statements.creation import GET_OBSTACLE
from tasks.statements.creation import create_task as creating
from tasks.statements.owners import ADD_OWNER


class Admission(NamedTuple):
    """What it takes to let a task in: who meets new owners, and how many tasks an owner may have."""

    peer: UsersService
    tasks_max: int


class Answered(NamedTuple):
    """An answer as it was given first, now or for an earlier request with the same key."""

    id: UUID
    version: int
    answer: bytes
    replayed: bool


class Creation(NamedTuple):
    """How one kind of thing is made: by which statement, and what may be in the way of it."""

    statement: Executable
    obstacle: Executable
    values: Row
    require_room: Callable[[Row], None]


async def create_task(session: Session, user: User, admission: Admission, new: TaskCreate, key: str | None) -> Answered:
    """Add a task, or with a key that was used for this before, return the task that was made then.

    An owner who was never seen here is introduced to the users service first.

    Raises:
        Unprocessable: The caller has as many tasks or labels as one user may have, its list is not there, or the key
            was used for another task.
        Conflict: A request with this key may still be running.
        Unavailable: The owner is new, and the users service is away.
    """
    values = _content(new)
    claimed = keyed("create-task", key, meaning_of(values))
    statement = creating(keyed=key is not None, labelled=bool(new.labels))
    made = _making_task(statement, {"wanted": uuid7(), **values, **claimed}, user, admission)
    return await _create(session, user, admission, made)


async def create_named_task(
    session: Session, user: User, admission: Admission, task_id: UUID, whole: TaskReplace
) -> Answered:
    """Add a task under the client's own id, and forget that the caller had deleted it.

    Raises:
        Refusal: As `create_task` does.
        PreconditionFailed: The caller has this task.
        Conflict: Somebody else has this id.
        Unprocessable: The body names another task.
    """
    require_same_id(task_id, whole.id)
    values = {"wanted": task_id, **_content(whole), **keyed("create-task", None, {})}
    statement = creating(named=True, labelled=bool(whole.labels))
    return await _create(session, user, admission, _making_task(statement, values, user, admission))


async def create_list(session: Session, user: User, admission: Admission, new: ListCreate, key: str | None) -> Answered:
    """Add a list, as `create_task` adds a task.

    Raises:
        Refusal: As `create_task` does.
        Conflict: The caller has a list of this name.
    """
    claimed = keyed("create-list", key, {"name": new.name})
    statement = lists.create_list(keyed=key is not None)
    return await _create(session, user, admission, _making_list(statement, uuid7(), new.name, user, claimed))


async def create_named_list(
    session: Session, user: User, admission: Admission, list_id: UUID, whole: ListReplace
) -> Answered:
    """Add a list under the client's own id, as `create_named_task` adds a task; raises as `create_list`, too."""
    require_same_id(list_id, whole.id)
    made = _making_list(lists.create_list(named=True), list_id, whole.name, user, keyed("create-list", None, {}))
    return await _create(session, user, admission, made)


async def _create(session: Session, user: User, admission: Admission, creation: Creation) -> Answered:
    """Try until it is made, or what stands in its way is no matter of time."""
    while True:
        made = await once(session, creation.statement, caller=user.id, **creation.values)
        if made:
            return answered(made, replayed=False)
        obstacle = await row(session, creation.obstacle, caller=user.id, **creation.values)
        if obstacle is None:
            await admission.peer.introduce(user)
            await rows(session, ADD_OWNER, caller=user.id)
        elif obstacle["answer"]:
            return replay(obstacle, creation.values["meaning"])
        else:
            creation.require_room(obstacle)


async def once(session: Session, statement: Executable, **values: object) -> Row | None:
    """Run a statement that may have to wait for the one that has its key.

    Raises:
        Conflict: That takes too long.
    """
    try:
        return await row(session, statement, **values)
    except LockNotAvailable:
        raise Conflict("key-in-use", "A request with this key may still be running.", headers=SOON) from None


def replay(kept: Row, meaning: object) -> Answered:
    """Give the answer that is kept under a key once more.

    Raises:
        Unprocessable: The key stands for something else.
    """
    if kept["digest"] != meaning:
        raise Unprocessable("key-reused", "The key was used for another request.")
    return answered(kept, replayed=True)


def answered(made: Row, *, replayed: bool) -> Answered:
    """Take the answer out of what a statement returned."""
    answer = cast("str", made["answer"]).encode()
    return Answered(cast("UUID", made["id"]), cast("int", made["version"]), answer, replayed)


def keyed(operation: str, key: str | None, meaning: object) -> Row:
    """Return what a statement needs to do something once."""
    digest = sha256(json.dumps(meaning).encode()).digest()
    return {"operation_name": operation, "given_key": key, "meaning": digest}


def _content(task: TaskCreate | TaskReplace) -> Row:
    written = {
        "new_title": task.title,
        "new_description": task.description,
        "new_is_completed": bool(task.completed),
    }
    planned = plan_values(task)
    return {**written, **planned, "new_priority": planned["new_priority"] or 0, **label_values(task.labels)}


def _making_task(statement: Executable, values: Row, user: User, admission: Admission) -> Creation:
    tasks_max = admission.tasks_max

    def require_room(obstacle: Row) -> None:
        # First of all: whoever sends a request again must learn that it was done, also when its list is gone by now.
        if obstacle["holder"] == user.id:
            raise PreconditionFailed("task-exists", "The caller has this task already.")
        if not obstacle["has_list"]:
            refuse("list-not-found")
        if cast("int", obstacle["task_count"]) >= tasks_max:
            raise Unprocessable("quota-exceeded", f"One user may have {tasks_max} tasks at most.")
        if cast("int", obstacle["label_count"]) > LABELS_MAX:
            refuse("labels-full")
        _require_free_id(obstacle)

    return Creation(statement, GET_OBSTACLE, {**values, "most": tasks_max}, require_room)


def _making_list(statement: Executable, list_id: UUID, name: str, user: User, claimed: Row) -> Creation:
    def require_room(obstacle: Row) -> None:
        if obstacle["holder"] == user.id:
            raise PreconditionFailed("list-exists", "The caller has this list already.")
        if cast("int", obstacle["list_count"]) >= LISTS_MAX:
            raise Unprocessable("quota-exceeded", f"One user may have {LISTS_MAX} lists at most.")
        if obstacle["has_name"]:
            refuse("name-taken")
        _require_free_id(obstacle)

    named = {"wanted": list_id, **name_values(name), "most": LISTS_MAX}
    return Creation(statement, lists.GET_OBSTACLE, {**named, **claimed}, require_room)


def _require_free_id(obstacle: Row) -> None:
    if obstacle["holder"] or obstacle["is_spent"]:
        raise Conflict("id-taken", "This id cannot be had.")

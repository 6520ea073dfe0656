"""How all that an owner has goes out, and is forgotten."""

from collections.abc import AsyncIterator, Sequence
from typing import Final

from common.database import Session, rows
from common.identity import User
from tasks.lines import write_label, write_list, write_task
from tasks.schemas.query import TaskQuery
from tasks.schemas.tasks import TaskRead
from tasks.service.labels import find_labels
from tasks.service.lists import find_lists
from tasks.service.task_reader import TaskReader, TaskWriter
from tasks.statements.exchange import ERASE_OWNER

EXPORTED_AT_ONCE: Final = 200
"""Tasks that are read together, if they are not too long."""


async def export_owner(session: Session, user: User) -> AsyncIterator[bytes]:
    """Write the caller's lists, labels and tasks as lines, a page at a time; in between no connection is held."""
    yield b"".join(map(write_list, (await find_lists(session, user, ())).lists))
    yield b"".join(map(write_label, (await find_labels(session, user, ())).labels))
    reader = TaskReader(session, user, TaskQuery(), _WRITER)
    async for page in reader.pages(EXPORTED_AT_ONCE):
        yield page


def _write_tasks(tasks: Sequence[TaskRead]) -> bytes:
    return b"".join(map(write_task, tasks))


_WRITER: Final = TaskWriter(_write_tasks)


async def erase_owner(session: Session, user: User) -> None:
    """Forget the caller and all that is theirs; nothing happens when there is nothing."""
    await rows(session, ERASE_OWNER, caller=user.id)

"""How all that an owner has goes out, and is forgotten."""

from collections.abc import AsyncIterator, Sequence
from typing import Final

from common.database import fetch_all
from tasks.core.context import RequestContext
from tasks.label.service import find_labels
from tasks.task.filters import TaskQuery
from tasks.task.reader import TaskReader, TaskWriter
from tasks.task.schemas import TaskRead
from tasks.task_list.service import find_lists
from tasks.transfer.ndjson import write_label, write_list, write_task
from tasks.transfer.queries.merge import ERASE_OWNER

EXPORTED_AT_ONCE: Final = 200
"""Tasks that are read together, if they are not too long."""


async def export_owner(context: RequestContext) -> AsyncIterator[bytes]:
    """Write the caller's lists, labels and tasks as lines, a page at a time; in between no connection is held."""
    yield b"".join(map(write_list, (await find_lists(context, ())).lists))
    yield b"".join(map(write_label, (await find_labels(context, ())).labels))
    reader = TaskReader(context, TaskQuery(), _WRITER)
    async for page in reader.pages(EXPORTED_AT_ONCE):
        yield page


def _write_tasks(tasks: Sequence[TaskRead]) -> bytes:
    return b"".join(map(write_task, tasks))


_WRITER: Final = TaskWriter(_write_tasks)


async def erase_owner(context: RequestContext) -> None:
    """Forget the caller and all that is theirs; nothing happens when there is nothing."""
    await fetch_all(context.database, ERASE_OWNER, current_user_id=context.user.id)

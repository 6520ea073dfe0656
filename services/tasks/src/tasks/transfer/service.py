"""Export, import and erase everything that an owner has."""

from collections.abc import AsyncIterable, AsyncIterator, Sequence
from contextlib import suppress
from typing import Final

from common.context import RequestContext
from common.database import fetch_all
from common.problems import Gone
from tasks.core.pagination import SyncToken
from tasks.label.service import list_labels
from tasks.sync.schemas import ChangesQuery
from tasks.sync.service import list_changes
from tasks.task.filters import TaskQuery
from tasks.task.reader import TaskReader, TaskWriter
from tasks.task.schemas import TaskRead
from tasks.task_list.service import list_lists
from tasks.transfer.batching import batches
from tasks.transfer.context import ImportContext
from tasks.transfer.import_run import ImportRun
from tasks.transfer.lines import Line
from tasks.transfer.merging import merge_import
from tasks.transfer.ndjson import write_change, write_label, write_list, write_task
from tasks.transfer.queries.owner import ERASE_OWNER
from tasks.transfer.schemas import ImportReport
from tasks.transfer.staging import begin_import, discard_import, stage_batch

EXPORT_PAGE_ROWS: Final = 200
"""Tasks that are read together, unless they are long."""

CHANGES_PAGES_MAX: Final = 100
"""Pages of changes at the end of an export: one that never catches up has an end, too."""


async def export_owner(context: RequestContext) -> AsyncIterator[bytes]:
    """Yield the user's lists, labels, tasks and subtasks as NDJSON.

    Tasks are read page by page; no connection is held between two pages. What was changed meanwhile
    follows at the end, for a task may have been on no page: it was a subtask while the others were
    read, and became a task of its own before the subtasks were.
    """
    lists = await list_lists(context, ())
    yield b"".join([write_list(task_list) for task_list in lists.lists])
    labels = await list_labels(context, ())
    yield b"".join([write_label(label) for label in labels.labels])
    for filter_name in ("without_parent", "with_parent"):
        reader = TaskReader(context, TaskQuery(), TaskWriter(_write_tasks), filters=(filter_name,))
        async for page in reader.pages(EXPORT_PAGE_ROWS):
            yield page
    with suppress(Gone):  # the owner was erased meanwhile
        async for line in _changes_since(context, lists.version):
            yield line


async def _changes_since(context: RequestContext, version: int) -> AsyncIterator[bytes]:
    """Yield what was created or changed since a version; of several lines the last one counts.

    It ends with the page that has caught up, or after `CHANGES_PAGES_MAX` pages.
    """
    for _ in range(CHANGES_PAGES_MAX):
        query = ChangesQuery(since=SyncToken(version), limit=EXPORT_PAGE_ROWS)
        page = await list_changes(context, query)
        for kind, changes in (("list", page.lists), ("label", page.labels), ("task", page.tasks)):
            for content in changes:
                yield write_change(kind, content)
        if not page.has_more:
            break
        version = page.last_version


def _write_tasks(tasks: Sequence[TaskRead]) -> bytes:
    return b"".join([write_task(task) for task in tasks])


async def import_owner(context: ImportContext, lines: AsyncIterable[Line | None]) -> ImportReport:
    """Import all lines or none.

    The lines are staged as they arrive. After the last one, a single transaction merges them into
    the tasks of the user.

    Args:
        context: The database, the user and the limits.
        lines: The lines without the profile; None where the client pauses.

    Raises:
        ProblemError: A line is invalid.
        Unprocessable: The user would have more than allowed, or a task is in a list that does not
            exist.
        Conflict: Another user took one of the ids, or the user was erased in the meantime.
        Unavailable: The database takes too long.
    """
    run = ImportRun(context)
    try:
        await begin_import(run)
        async for batch in batches(lines):
            await stage_batch(run, batch)
        return await merge_import(run)
    except BaseException:
        await discard_import(run)
        raise


async def erase_owner(context: RequestContext) -> None:
    """Delete the user and everything that the user has. Idempotent."""
    await fetch_all(context.database, ERASE_OWNER, current_user_id=context.user.id)

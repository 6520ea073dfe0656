"""Query plans: indexes are used, and the cost does not depend on the tasks of other users.

Each plan is made in both ways in which the server plans a prepared statement: for its values
(custom), and once for all values (generic).
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

import pytest
from sqlalchemy import Executable

from devkit.platform.databases import MigratedDatabases
from tasks.core import idempotency as keys
from tasks.core.pagination import CreatedAtCursor, SortCursor
from tasks.label import queries as labels
from tasks.sync import queries as changes
from tasks.task.columns import EDITABLE_COLUMNS
from tasks.task.queries import change as tasks
from tasks.task.queries import create as creation
from tasks.task.queries.listing import FILTERS, SORT_KEYS, CursorType, list_tasks
from tasks.task.queries.move import move_task
from tasks.task_list import queries as lists
from tasks.task_list.move_queries import move_list
from tasks.transfer.queries import cleanup, merge, owner, resolve, staging

from ..support.large_dataset import (
    IMPORT_ID,
    LABEL_ID,
    LIST_ID,
    OTHER_TASK_COUNT,
    OWNER_ID,
    OWNER_TASK_COUNT,
    TASK_ID,
    Connection,
    explain,
    large_dataset,
    owner_task_id,
)

NEW = UUID(int=7)
MOMENT = datetime.now(UTC)
TODAY = MOMENT.date()
BEHIND = {
    "after_id": TASK_ID,
    "after_created_at": MOMENT - timedelta(days=3),
    "after_value": f"{MOMENT.timestamp():020.0f}",
}


def _unchanged_columns() -> dict[str, object]:
    """Return the parameters of a task whose columns are null, or left as they are by a change."""
    params: dict[str, object] = {}
    for column in EDITABLE_COLUMNS:
        params[column.param_name] = None
        params[column.flag_name] = False
    return params


VALUES: Final[Mapping[str, object]] = {
    "current_user_id": OWNER_ID,
    "target_id": TASK_ID,
    "if_none_match": ["0"],
    "if_match": None,
    "limit": 51,
    "since": OWNER_TASK_COUNT - 100,
    **BEHIND,
    **_unchanged_columns(),
    "new_title": "New",
    "new_is_completed": True,
    "sets_list_id": True,
    "new_list_id": LIST_ID,
    "new_priority": 1,
    "folded_names": ["1", "new"],
    "label_names": ["1", "New"],
    "label_ids": [UUID(int=8), UUID(int=9)],
    "new_name": "New",
    "new_folded_name": "new",
    "quota": 2 * OWNER_TASK_COUNT,
    "labels_quota": 500,
    "retention": timedelta(days=90),
    "operation_name": "create-task",
    "idempotency_key": "key",
    "fingerprint": b"",
    "ids": [LIST_ID, NEW],
    "to_start": False,
    "to_end": False,
    "after": owner_task_id(5_000),
    "is_completed": False,
    "q": "nothing",
    "list_id": LIST_ID,
    "labels": ["1", "2"],
    "priorities": [0],
    "due_before": TODAY - timedelta(days=150),
    "due_after": TODAY,
    "now": MOMENT,
    "current_import_id": IMPORT_ID,
    "first_line": 5_000,
    "last_line": 5_099,
    "file_list_ids": [],
    "list_ids": [],
    "today": TODAY,
}
"""What the statements are run with, unless one needs another value."""

CREATED, PLACED = "ix_tasks_user_id_created_at_id", "ix_tasks_user_id_list_id_place"
OWN_ID, OLD_KEYS = "uq_tasks_user_id_id", "ix_idempotency_keys_user_id_created_at"
VERSIONS = {
    f"uq_{table}_user_id_version" for table in ("tasks", "task_lists", "labels", "task_tombstones")
}


class Run(NamedTuple):
    """A statement, with which values it is run, and the indexes that it needs."""

    statement: Executable
    values: Mapping[str, object]
    indexes: set[str]


def _listing(*filters: str, by: str = "created_at", after: CursorType | None = None) -> Executable:
    return list_tasks(frozenset(filters), by, after)


PAGES: Final = {
    "all": Run(_listing(), {}, {CREATED}),
    "all behind": Run(_listing(after=CreatedAtCursor), {}, {CREATED}),
    "a list": Run(_listing("list_id", by="position"), {}, {PLACED}),
    "a list behind": Run(_listing("list_id", by="position", after=SortCursor), {}, {PLACED}),
    "inbox": Run(_listing("in_inbox", by="position"), {}, {PLACED}),
    "inbox behind": Run(_listing("in_inbox", by="position", after=SortCursor), {}, {PLACED}),
    "changes": Run(changes.GET_CHANGES, {}, VERSIONS),
    "task": Run(tasks.GET_TASK, {}, {OWN_ID}),
    "lists": Run(lists.LIST_LISTS, {}, set()),
    "one list": Run(lists.GET_LIST, {"target_id": LIST_ID}, {"uq_task_lists_user_id_id"}),
    "label": Run(labels.GET_LABEL, {"target_id": LABEL_ID}, {"uq_labels_user_id_id"}),
    "kept": Run(keys.GET_STORED_RESPONSE, {}, {"pk_idempotency_keys"}),
    "obstacle": Run(
        creation.GET_CREATE_CONFLICTS, {"target_id": NEW}, {"pk_tasks", "pk_idempotency_keys"}
    ),
    "list's obstacle": Run(
        lists.GET_CREATE_CONFLICTS, {"target_id": NEW}, {"pk_task_lists", "pk_idempotency_keys"}
    ),
    "import's lists": Run(resolve.FIND_LISTS, {}, {"pk_task_lists"}),
    "import's labels": Run(resolve.FIND_LABELS, {}, {"pk_labels"}),
}
"""What shows a page or less."""

SEARCHES: Final = {
    "few labels": Run(_listing("labels"), {}, {"ix_task_labels_user_id_label_id"}),
    "few overdue": Run(_listing("overdue", "priorities"), {}, {"ix_tasks_user_id_due_date"}),
    "labels": Run(labels.LIST_LABELS, {}, {"ix_task_labels_user_id_label_id"}),
    **{f"filter {name}": Run(_listing(name), {}, set()) for name in FILTERS},
    **{
        f"sort {sign}{name}": Run(_listing(by=sign + name), {}, set())
        for name in SORT_KEYS
        for sign in ("", "-")
    },
}
"""What may look at all that the owner has, and at nothing else."""

WRITES: Final = {
    "create": Run(creation.create_task(), {"target_id": NEW}, set()),
    "create once": Run(
        creation.create_task(with_idempotency_key=True), {"target_id": NEW}, {OLD_KEYS}
    ),
    "create named": Run(
        creation.create_task(with_client_id=True), {"target_id": NEW}, {"pk_task_tombstones"}
    ),
    "create labelled": Run(creation.create_task(with_labels=True), {"target_id": NEW}, set()),
    "change": Run(tasks.change_task(), {}, {"pk_tasks"}),
    "change labels": Run(tasks.change_task(with_labels=True), {}, {"pk_tasks", "pk_task_labels"}),
    "delete": Run(tasks.DELETE_TASK, {}, {"uq_task_tombstones_user_id_version"}),
    "move": Run(move_task(), {"sets_list_id": False}, {PLACED}),
    "move once": Run(
        move_task(with_idempotency_key=True), {"sets_list_id": False}, {PLACED, OLD_KEYS}
    ),
    "move first": Run(move_task(), {"sets_list_id": False, "to_start": True}, {PLACED}),
    "move last": Run(move_task(), {"to_end": True}, {PLACED}),
    "create list": Run(
        lists.create_list(), {"target_id": NEW}, {"uq_task_lists_user_id_folded_name"}
    ),
    "create list once": Run(
        lists.create_list(with_idempotency_key=True), {"target_id": NEW}, {OLD_KEYS}
    ),
    "create list named": Run(
        lists.create_list(with_client_id=True), {"target_id": NEW}, {"pk_task_tombstones"}
    ),
    "rename list": Run(
        lists.CHANGE_LIST, {"target_id": LIST_ID}, {"uq_task_lists_user_id_folded_name"}
    ),
    "move list": Run(move_list(), {"target_id": LIST_ID, "after": None, "to_start": True}, set()),
    "delete list": Run(lists.delete_list(with_tasks=False), {"target_id": LIST_ID}, {PLACED}),
    "delete list with tasks": Run(
        lists.delete_list(with_tasks=True), {"target_id": LIST_ID}, {PLACED}
    ),
    "rename label": Run(
        labels.CHANGE_LABEL, {"target_id": LABEL_ID}, {"ix_task_labels_user_id_label_id"}
    ),
    "delete label": Run(
        labels.DELETE_LABEL, {"target_id": LABEL_ID}, {"ix_task_labels_user_id_label_id"}
    ),
    "import's lock": Run(owner.LOCK_OWNER, {}, {"pk_owners"}),
    "import's end": Run(staging.END_IMPORT, {}, {"uq_imports_user_id_id"}),
    "sweep": Run(
        cleanup.DELETE_ABANDONED,
        {"retention": timedelta(minutes=5), "rows_max": 200},
        {"ix_imports_begun_at"},
    ),
    "erase": Run(owner.ERASE_OWNER, {"current_user_id": NEW}, {"pk_owners"}),
}
"""What changes one task, or with a list or a label 500."""

MERGE: Final = {"import's merge": Run(merge.MERGE_TASKS, {}, {"ix_staged_tasks_import_id_line"})}
"""What may look several times at all that the owner has, because it is about thousands of tasks."""

ROWS_MAX: Final = {
    **dict.fromkeys(PAGES, 500),
    **dict.fromkeys(SEARCHES, OWNER_TASK_COUNT + 500),
    **dict.fromkeys(WRITES, 2_000),
    **dict.fromkeys(MERGE, 5 * OWNER_TASK_COUNT),
}
"""Rows that each may read, with those of the labels."""

ALL: Final = {**PAGES, **SEARCHES, **WRITES, **MERGE}


class Databases(NamedTuple):
    """Where hardly anybody else has anything, and where they have a million tasks."""

    quiet: Connection
    crowded: Connection


@pytest.fixture(scope="module")
async def filled(databases: MigratedDatabases) -> AsyncGenerator[Databases]:
    """Fill both."""
    async with AsyncExitStack() as stack:
        made = [
            await stack.enter_async_context(large_dataset(await databases.create("tasks"), each))
            for each in (10, OTHER_TASK_COUNT)
        ]
        yield Databases(*made)


@pytest.mark.parametrize("mode", ["custom", "generic"])
@pytest.mark.parametrize("name", ALL)
async def test_no_statement_reads_what_others_have(filled: Databases, name: str, mode: str) -> None:
    statement, values, indexes = ALL[name]

    reading = await explain(filled.crowded, statement, {**VALUES, **values}, mode)

    assert reading.tables == set(), reading.plan
    assert reading.rows < ROWS_MAX[name], reading.plan
    assert mode == "generic" or indexes <= reading.indexes, reading.plan


@pytest.mark.parametrize("mode", ["custom", "generic"])
@pytest.mark.parametrize("name", PAGES)
async def test_a_page_costs_the_same_among_a_million_tasks_of_others(
    filled: Databases, name: str, mode: str
) -> None:
    statement, values, _ = PAGES[name]

    quiet, crowded = [
        await explain(database, statement, {**VALUES, **values}, mode) for database in filled
    ]

    assert crowded.rows <= quiet.rows, crowded.plan
    # Indexes have three levels where they had two, and rows lie farther apart.
    assert crowded.blocks < 2 * quiet.blocks + 5, crowded.plan


async def test_no_index_is_kept_for_nothing(filled: Databases) -> None:
    indexes = """
        SELECT indexname FROM pg_indexes WHERE schemaname = 'public'
        EXCEPT SELECT conname FROM pg_constraint
    """
    found = await (await filled.quiet.execute(indexes)).fetchall()

    assert {name for (name,) in found} - {"alembic_version_pkc"} <= {
        name for run in ALL.values() for name in run.indexes
    }

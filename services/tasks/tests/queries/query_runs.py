"""Every statement with parameters, for the tests of query plans."""

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import Executable, select
from sqlmodel import col

from tasks.core import idempotency as keys
from tasks.core.pagination import CreatedAtCursor, SortCursor
from tasks.core.projections import TARGET_ID, USER_ID
from tasks.label import queries as labels
from tasks.models import Label, TaskLabel
from tasks.sync import queries as changes
from tasks.task.columns import EDITABLE_COLUMNS
from tasks.task.queries import change as tasks
from tasks.task.queries import complete, delete, occurrences, reopen
from tasks.task.queries import create as creation
from tasks.task.queries.listing import FILTERS, SORT_KEYS, CursorType, list_tasks
from tasks.task.queries.move import move_task
from tasks.task_list import queries as lists
from tasks.task_list.move_queries import move_list
from tasks.transfer.queries import cleanup, links, merge, owner, resolve, staging

from ..support.large_dataset import (
    IMPORT_ID,
    LABEL_ID,
    LIST_ID,
    OWNER_ID,
    OWNER_TASK_COUNT,
    PARENT_ID,
    TASK_ID,
    owner_task_id,
)
from . import bulk_runs

NEW_ID = UUID(int=7)
NOW = datetime.now(UTC)
TODAY = NOW.date()


def _unchanged_columns() -> dict[str, object]:
    """Return the parameters of a task whose columns are null, or left as they are by a change."""
    params: dict[str, object] = {}
    for column in EDITABLE_COLUMNS:
        params[column.param_name] = None
        params[column.flag_name] = False
    return params


DEFAULT_PARAMS: Final = _unchanged_columns() | {
    "current_user_id": OWNER_ID,
    "target_id": TASK_ID,
    "if_none_match": ["0"],
    "if_match": None,
    "limit": 51,
    "since": OWNER_TASK_COUNT - 100,
    "after_id": TASK_ID,
    "after_created_at": NOW - timedelta(days=3),
    "after_value": f"{NOW.timestamp():020.0f}",
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
    "ids": [LIST_ID, NEW_ID],
    "to_start": False,
    "to_end": False,
    "after": owner_task_id(5_000),
    "is_completed": False,
    "q": "nothing",
    "list_id": LIST_ID,
    "parent_id": PARENT_ID,
    "labels": ["1", "2"],
    "priorities": [0],
    "due_before": TODAY - timedelta(days=150),
    "due_after": TODAY,
    "now": NOW,
    "current_import_id": IMPORT_ID,
    "first_line": 5_000,
    "last_line": 5_099,
    "version_before": 1_000_000,
    "removed_labels": ["2"],
    "file_list_ids": [],
    "list_ids": [],
    "today": TODAY,
}
"""The parameters of the statements, unless one needs another value."""

SUBTASK_IDS: Final = [owner_task_id(100 * number + 3) for number in range(100)]
"""The subtasks of `PARENT_ID`."""

RECURRING: Final[dict[str, object]] = {
    "target_id": PARENT_ID,
    "expected_counter": 1_000_000,
    "day_ends_at": NOW + timedelta(days=1),
    "sets_due": True,
    "new_due_date": TODAY,
    "sets_recurrence": True,
    "new_recurrence_rule": "FREQ=DAILY",
    "new_recurrence_from": "due",
    "successor_id": NEW_ID,
    "successor_due_date": TODAY,
    "successor_due_at": None,
    "successor_rule": "FREQ=DAILY",
    "subtask_ids": SUBTASK_IDS,
    "copy_ids": [UUID(int=subtask_id.int + 99_000) for subtask_id in SUBTASK_IDS],
    "copy_due_dates": [None] * 100,
    "copy_due_ats": [None] * 100,
}
"""The parameters with which `PARENT_ID` is completed, and its subtasks are copied."""

RELEASE_BEFORE_LABELS: Final = (
    select(col(Label.name))
    .join(TaskLabel, col(TaskLabel.label_id) == col(Label.id))
    .where(col(TaskLabel.task_id) == TARGET_ID, col(Label.user_id) == USER_ID)
)
"""The labels of a task as releases before the revision e60b94d1c27f read them.

They work with the newer schema while a release is rolled out or taken back.
"""

CREATED_AT_INDEX = "ix_tasks_user_id_created_at_id"
POSITION_INDEX = "ix_tasks_user_id_list_id_place"
SUBTASKS_INDEX = "ix_tasks_user_id_parent_id_place"
PREVIOUS_INDEX = "ix_tasks_user_id_previous_id"
TASK_ID_INDEX = "uq_tasks_id"
"""The primary key would cost the same; PostgreSQL takes the newer index."""

EXPIRED_KEYS_INDEX = "ix_idempotency_keys_user_id_created_at"
VERSION_INDEXES = {
    "uq_tasks_user_id_version",
    "uq_task_lists_user_id_version",
    "uq_labels_user_id_version",
    "uq_task_tombstones_user_id_version",
}


class Run(NamedTuple):
    """A statement, its parameters that differ from the default, and the indexes that it needs."""

    statement: Executable
    params: dict[str, object]
    indexes: set[str]


def _listing(
    *filters: str, sort: str = "created_at", after: CursorType | None = None
) -> Executable:
    return list_tasks(frozenset(filters), sort, after)


PAGES: Final = {
    "all tasks": Run(_listing(), {}, {CREATED_AT_INDEX}),
    "all tasks, next page": Run(_listing(after=CreatedAtCursor), {}, {CREATED_AT_INDEX}),
    "tasks of a list": Run(_listing("list_id", sort="position"), {}, {POSITION_INDEX}),
    "tasks of a list, next page": Run(
        _listing("list_id", sort="position", after=SortCursor), {}, {POSITION_INDEX}
    ),
    "inbox": Run(_listing("in_inbox", sort="position"), {}, {POSITION_INDEX}),
    "inbox, next page": Run(
        _listing("in_inbox", sort="position", after=SortCursor), {}, {POSITION_INDEX}
    ),
    "subtasks": Run(_listing("parent_id", sort="position"), {}, {SUBTASKS_INDEX}),
    "subtasks, next page": Run(
        _listing("parent_id", sort="position", after=SortCursor), {}, {SUBTASKS_INDEX}
    ),
    "inbox without subtasks": Run(
        _listing("in_inbox", "without_parent", sort="position"), {}, {POSITION_INDEX}
    ),
    "changes": Run(changes.GET_CHANGES, {}, VERSION_INDEXES),
    "task": Run(tasks.GET_TASK, {}, {TASK_ID_INDEX}),
    "changed task": Run(occurrences.GET_CHANGED_TASK, {}, {TASK_ID_INDEX, PREVIOUS_INDEX}),
    "task for a change": Run(
        occurrences.READ_FOR_CHANGE,
        {"target_id": PARENT_ID},
        {TASK_ID_INDEX, SUBTASKS_INDEX, PREVIOUS_INDEX},
    ),
    "lists": Run(lists.LIST_LISTS, {}, set()),
    "list": Run(lists.GET_LIST, {"target_id": LIST_ID}, {"pk_task_lists"}),
    "label": Run(labels.GET_LABEL, {"target_id": LABEL_ID}, {"pk_labels"}),
    "stored response": Run(keys.GET_STORED_RESPONSE, {}, {"pk_idempotency_keys"}),
    "conflicts of a new task": Run(
        creation.GET_CREATE_CONFLICTS, {"target_id": NEW_ID}, {TASK_ID_INDEX, "pk_idempotency_keys"}
    ),
    "conflicts of a new list": Run(
        lists.GET_CREATE_CONFLICTS,
        {"target_id": NEW_ID},
        {"uq_task_lists_id", "pk_idempotency_keys"},
    ),
    "import's lists": Run(resolve.FIND_LISTS, {}, {"uq_task_lists_id"}),
    "labels of a task, release before": Run(
        RELEASE_BEFORE_LABELS, {}, {"ix_task_labels_task_id_label_id"}
    ),
    "import's labels": Run(resolve.FIND_LABELS, {}, {"uq_labels_id"}),
}
"""Statements that return a page or less."""

SEARCHES: Final = {
    "few labels": Run(_listing("labels"), {}, {"ix_task_labels_user_id_label_id"}),
    "few overdue": Run(_listing("overdue", "priorities"), {}, {"ix_tasks_user_id_due_date"}),
    "labels": Run(labels.LIST_LABELS, {}, {"ix_task_labels_user_id_label_id"}),
}
"""Statements that may read all rows of the owner, and no others."""

for filter_name in FILTERS:
    SEARCHES[f"filter {filter_name}"] = Run(_listing(filter_name), {}, set())
for sort_key in SORT_KEYS:
    SEARCHES[f"sort {sort_key}"] = Run(_listing(sort=sort_key), {}, set())
    SEARCHES[f"sort -{sort_key}"] = Run(_listing(sort=f"-{sort_key}"), {}, set())

WRITES: Final = {
    "create": Run(creation.create_task(), {"target_id": NEW_ID}, set()),
    "create once": Run(
        creation.create_task(with_idempotency_key=True), {"target_id": NEW_ID}, {EXPIRED_KEYS_INDEX}
    ),
    "create named": Run(
        creation.create_task(with_client_id=True), {"target_id": NEW_ID}, {"pk_task_tombstones"}
    ),
    "create labelled": Run(creation.create_task(with_labels=True), {"target_id": NEW_ID}, set()),
    "conflicts of a new subtask": Run(
        creation.GET_SUBTASK_CONFLICTS,
        {"target_id": NEW_ID, "new_parent_id": PARENT_ID, "sets_list_id": False},
        {TASK_ID_INDEX, SUBTASKS_INDEX},
    ),
    "create subtask": Run(
        creation.create_task(with_parent=True),
        {"target_id": NEW_ID, "new_parent_id": PARENT_ID, "sets_list_id": False},
        {TASK_ID_INDEX, SUBTASKS_INDEX},
    ),
    "change": Run(tasks.change_task(), {}, {TASK_ID_INDEX}),
    "change parent": Run(
        tasks.change_task(with_place=True),
        {"sets_list_id": False, "sets_parent_id": True, "new_parent_id": PARENT_ID},
        {TASK_ID_INDEX, SUBTASKS_INDEX},
    ),
    "change list of a parent": Run(
        tasks.change_task(with_place=True), {"target_id": PARENT_ID}, {SUBTASKS_INDEX}
    ),
    "change labels": Run(
        tasks.change_task(with_labels=True), {}, {TASK_ID_INDEX, "pk_task_labels"}
    ),
    "complete": Run(
        complete.complete_task(),
        RECURRING,
        {TASK_ID_INDEX, POSITION_INDEX, "pk_task_labels", "pk_task_tombstones"},
    ),
    "complete in inbox": Run(
        complete.complete_task(), RECURRING | {"sets_list_id": False}, {POSITION_INDEX}
    ),
    "complete labelled": Run(
        complete.complete_task(with_labels=True), RECURRING, {TASK_ID_INDEX, "pk_task_labels"}
    ),
    "reopen": Run(
        reopen.reopen_task(),
        RECURRING | {"successor_id": PARENT_ID, "target_id": TASK_ID},
        {SUBTASKS_INDEX, PREVIOUS_INDEX},
    ),
    "delete": Run(
        delete.delete_task(),
        {},
        {"uq_task_tombstones_user_id_version", SUBTASKS_INDEX, PREVIOUS_INDEX},
    ),
    "delete with subtasks": Run(
        delete.delete_task(with_subtasks=True),
        {"target_id": PARENT_ID},
        {SUBTASKS_INDEX, PREVIOUS_INDEX},
    ),
    "move": Run(move_task(), {"sets_list_id": False}, {POSITION_INDEX}),
    "move once": Run(
        move_task(with_idempotency_key=True),
        {"sets_list_id": False},
        {POSITION_INDEX, EXPIRED_KEYS_INDEX},
    ),
    "move first": Run(move_task(), {"sets_list_id": False, "to_start": True}, {POSITION_INDEX}),
    "move to list": Run(
        move_task(with_list=True),
        {"target_id": PARENT_ID, "to_end": True},
        {POSITION_INDEX, SUBTASKS_INDEX},
    ),
    "move last": Run(move_task(), {"to_end": True}, {POSITION_INDEX}),
    "create list": Run(
        lists.create_list(), {"target_id": NEW_ID}, {"uq_task_lists_user_id_folded_name"}
    ),
    "create list once": Run(
        lists.create_list(with_idempotency_key=True), {"target_id": NEW_ID}, {EXPIRED_KEYS_INDEX}
    ),
    "create list named": Run(
        lists.create_list(with_client_id=True), {"target_id": NEW_ID}, {"pk_task_tombstones"}
    ),
    "rename list": Run(
        lists.CHANGE_LIST, {"target_id": LIST_ID}, {"uq_task_lists_user_id_folded_name"}
    ),
    "move list": Run(move_list(), {"target_id": LIST_ID, "after": None, "to_start": True}, set()),
    "delete list": Run(
        lists.delete_list(with_tasks=False), {"target_id": LIST_ID}, {POSITION_INDEX}
    ),
    "delete list with tasks": Run(
        lists.delete_list(with_tasks=True),
        {"target_id": LIST_ID},
        {POSITION_INDEX, SUBTASKS_INDEX, PREVIOUS_INDEX},
    ),
    "rename label": Run(
        labels.CHANGE_LABEL, {"target_id": LABEL_ID}, {"ix_task_labels_user_id_label_id"}
    ),
    "delete label": Run(
        labels.DELETE_LABEL, {"target_id": LABEL_ID}, {"ix_task_labels_user_id_label_id"}
    ),
    "import's lock": Run(owner.LOCK_OWNER, {}, {"pk_owners"}),
    "import's own lock": Run(staging.LOCK_IMPORT, {}, {"uq_imports_user_id_id"}),
    "import's end": Run(staging.END_IMPORT, {}, {"uq_imports_user_id_id"}),
    "sweep": Run(
        cleanup.DELETE_ABANDONED,
        {"retention": timedelta(minutes=5), "rows_max": 200},
        {"ix_imports_begun_at"},
    ),
    "erase": Run(owner.ERASE_OWNER, {"current_user_id": NEW_ID}, {"pk_owners"}),
}
"""Statements that change one task, or with a list or a label 500."""

WRITES_OF_MANY: Final = {name: Run(*run) for name, run in bulk_runs.WRITES_OF_MANY.items()}
WRITES_OF_ALL: Final = {name: Run(*run) for name, run in bulk_runs.WRITES_OF_ALL.items()}

STAGED_LINES_INDEX = "ix_staged_tasks_import_id_line"

MERGE: Final = {
    "import's merge": Run(merge.MERGE_TASKS, {}, {STAGED_LINES_INDEX}),
    "import's links": Run(links.LINK_TASKS, {}, {STAGED_LINES_INDEX, TASK_ID_INDEX}),
    "import's check": Run(links.CHECK_LINKS, {}, {SUBTASKS_INDEX}),
    "import's conflicts": Run(links.FIND_CONFLICTS, {}, {STAGED_LINES_INDEX, SUBTASKS_INDEX}),
    "import's followers": Run(links.FOLLOW_PARENTS, {}, {SUBTASKS_INDEX}),
}
"""Statements that may read all rows of the owner several times: they write thousands of tasks."""

ALL: Final = PAGES | SEARCHES | WRITES | WRITES_OF_MANY | WRITES_OF_ALL | MERGE


def rows_max(name: str) -> int:
    """Return how many rows a statement may read, with those of the labels."""
    if name in PAGES:
        return 500
    if name in SEARCHES:
        return OWNER_TASK_COUNT + 500
    if name in WRITES:
        return 2_000
    if name in WRITES_OF_MANY:
        return 4_000
    if name in WRITES_OF_ALL:
        return 7 * OWNER_TASK_COUNT
    return 5 * OWNER_TASK_COUNT

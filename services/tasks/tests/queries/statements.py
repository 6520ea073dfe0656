"""The statements of the tasks service, by the names of their snapshots.

A name is the feature, the statement's name in lower case, and for a statement that is built in
several ways the variant after a hyphen. Of the many combinations of filters and sorts of a task
list, each part appears once.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy import Executable

from tasks.bulk.queries.change import change_tasks
from tasks.bulk.queries.delete import delete_tasks
from tasks.bulk.queries.successors import read_recurring, read_subtasks
from tasks.core import history, idempotency, owners
from tasks.core.pagination import CreatedAtCursor, NullSortCursor, SortCursor
from tasks.label import queries as label_queries
from tasks.sync import queries as sync_queries
from tasks.task.queries import change, complete, create, delete, occurrences, reopen
from tasks.task.queries.listing import FILTERS, CursorType, list_tasks
from tasks.task.queries.move import move_task
from tasks.task_list import queries as list_queries
from tasks.task_list.move_queries import move_list
from tasks.transfer.queries import cleanup, links, merge, owner, resolve, staging

CORE: Final[dict[str, Executable]] = {
    "core/insert_owner": owners.INSERT_OWNER,
    "core/get_stored_response": idempotency.GET_STORED_RESPONSE,
    "core/raise_all_versions": history.RAISE_ALL_VERSIONS,
    "task/move_task": move_task(),
    "task/move_task-with_idempotency_key": move_task(with_idempotency_key=True),
    "task/move_task-with_list": move_task(with_list=True),
    "task_list/move_list": move_list(),
    "task_list/move_list-with_idempotency_key": move_list(with_idempotency_key=True),
}

TASK: Final[dict[str, Executable]] = {
    "task/get_create_conflicts": create.GET_CREATE_CONFLICTS,
    "task/get_subtask_conflicts": create.GET_SUBTASK_CONFLICTS,
    "task/create_task": create.create_task(),
    "task/create_task-with_parent": create.create_task(with_parent=True),
    "task/create_task-with_labels": create.create_task(with_labels=True),
    "task/create_task-with_idempotency_key": create.create_task(with_idempotency_key=True),
    "task/create_task-with_client_id": create.create_task(with_client_id=True),
    "task/get_task": change.GET_TASK,
    "task/change_task": change.change_task(),
    "task/change_task-with_labels": change.change_task(with_labels=True),
    "task/change_task-with_place": change.change_task(with_place=True),
    "task/change_task-was_read": change.change_task(was_read=True),
    "task/read_for_change": occurrences.READ_FOR_CHANGE,
    "task/get_changed_task": occurrences.GET_CHANGED_TASK,
    "task/complete_task": complete.complete_task(),
    "task/complete_task-with_labels": complete.complete_task(with_labels=True),
    "task/complete_task-with_place": complete.complete_task(with_place=True),
    "task/reopen_task-with_place": reopen.reopen_task(with_place=True),
    "task/reopen_task": reopen.reopen_task(),
    "task/reopen_task-with_labels": reopen.reopen_task(with_labels=True),
    "task/delete_task": delete.delete_task(),
    "task/delete_task-with_subtasks": delete.delete_task(with_subtasks=True),
}


def _list_tasks(
    *, filters: Iterable[str] = (), sort: str = "created_at", after: CursorType | None = None
) -> Executable:
    return list_tasks(frozenset(filters), sort, after)


_INBOX_FILTERS: Final = frozenset({"in_inbox", "not_overdue", "without_parent"})

TASK_LISTING: Final[dict[str, Executable]] = {
    "task/list_tasks": _list_tasks(),
    "task/list_tasks-filtered": _list_tasks(filters=FILTERS.keys() - _INBOX_FILTERS),
    "task/list_tasks-in_inbox": _list_tasks(filters=_INBOX_FILTERS, sort="position"),
    "task/list_tasks-next_page": _list_tasks(after=CreatedAtCursor),
    "task/list_tasks-next_page_by_position": _list_tasks(sort="position", after=SortCursor),
    "task/list_tasks-next_page_by_updated_at": _list_tasks(sort="updated_at", after=SortCursor),
    "task/list_tasks-next_page_by_title": _list_tasks(sort="title", after=SortCursor),
    "task/list_tasks-next_page_by_priority_descending": _list_tasks(
        sort="-priority", after=SortCursor
    ),
    "task/list_tasks-next_page_by_is_completed": _list_tasks(sort="is_completed", after=SortCursor),
    "task/list_tasks-next_page_by_due": _list_tasks(sort="due", after=SortCursor),
    "task/list_tasks-next_page_by_due_after_null": _list_tasks(sort="due", after=NullSortCursor),
}

_IDS: Final = frozenset({"ids"})

BULK: Final[dict[str, Executable]] = {
    "bulk/change_tasks": change_tasks(_IDS, with_labels=False, moves=False),
    "bulk/change_tasks-moves": change_tasks(_IDS, with_labels=False, moves=True),
    "bulk/change_tasks-with_labels": change_tasks(_IDS, with_labels=True, moves=False),
    "bulk/change_tasks-was_read": change_tasks(_IDS, with_labels=False, moves=False, was_read=True),
    "bulk/change_tasks-reopens": change_tasks(_IDS, with_labels=False, moves=False, reopens=True),
    "bulk/read_recurring": read_recurring(_IDS),
    "bulk/read_subtasks": read_subtasks(_IDS),
    "bulk/delete_tasks": delete_tasks(_IDS, with_subtasks=False),
    "bulk/delete_tasks-with_subtasks": delete_tasks(_IDS, with_subtasks=True),
}

TASK_LIST: Final[dict[str, Executable]] = {
    "task_list/list_lists": list_queries.LIST_LISTS,
    "task_list/get_list": list_queries.GET_LIST,
    "task_list/get_create_conflicts": list_queries.GET_CREATE_CONFLICTS,
    "task_list/create_list": list_queries.create_list(),
    "task_list/create_list-with_idempotency_key": list_queries.create_list(
        with_idempotency_key=True
    ),
    "task_list/create_list-with_client_id": list_queries.create_list(with_client_id=True),
    "task_list/change_list": list_queries.CHANGE_LIST,
    "task_list/delete_list": list_queries.delete_list(with_tasks=False),
    "task_list/delete_list-with_tasks": list_queries.delete_list(with_tasks=True),
}

LABEL: Final[dict[str, Executable]] = {
    "label/list_labels": label_queries.LIST_LABELS,
    "label/get_label": label_queries.GET_LABEL,
    "label/change_label": label_queries.CHANGE_LABEL,
    "label/delete_label": label_queries.DELETE_LABEL,
}

SYNC: Final[dict[str, Executable]] = {"sync/get_changes": sync_queries.GET_CHANGES}

TRANSFER: Final[dict[str, Executable]] = {
    "transfer/begin_import": staging.BEGIN_IMPORT,
    "transfer/stage_tasks": staging.STAGE_TASKS,
    "transfer/lock_import": staging.LOCK_IMPORT,
    "transfer/end_import": staging.END_IMPORT,
    "transfer/delete_abandoned": cleanup.DELETE_ABANDONED,
    "transfer/find_lists": resolve.FIND_LISTS,
    "transfer/find_labels": resolve.FIND_LABELS,
    "transfer/insert_lists": resolve.INSERT_LISTS,
    "transfer/insert_labels": resolve.INSERT_LABELS,
    "transfer/lock_owner": owner.LOCK_OWNER,
    "transfer/plan_each_time": owner.PLAN_EACH_TIME,
    "transfer/merge_tasks": merge.MERGE_TASKS,
    "transfer/link_tasks": links.LINK_TASKS,
    "transfer/check_links": links.CHECK_LINKS,
    "transfer/find_conflicts": links.FIND_CONFLICTS,
    "transfer/follow_parents": links.FOLLOW_PARENTS,
    "transfer/erase_owner": owner.ERASE_OWNER,
}

STATEMENTS: Final[Mapping[str, Executable]] = (
    CORE | TASK | TASK_LISTING | BULK | TASK_LIST | LABEL | SYNC | TRANSFER
)

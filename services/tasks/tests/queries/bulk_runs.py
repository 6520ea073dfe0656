"""Changes of many tasks: statements, their parameters, and the indexes that they need."""

from typing import Final
from uuid import UUID

from sqlalchemy import Executable

from tasks.bulk.queries.change import change_tasks
from tasks.bulk.queries.delete import delete_tasks

from ..support.large_dataset import PARENT_ID, owner_task_id

_BulkRun = tuple[Executable, dict[str, object], set[str]]

POSITION_INDEX = "ix_tasks_user_id_list_id_place"
SUBTASKS_INDEX = "ix_tasks_user_id_parent_id_place"
PREVIOUS_INDEX = "ix_tasks_user_id_previous_id"


def _change(
    *filters: str, with_labels: bool = False, moves: bool = False, was_read: bool = False
) -> Executable:
    return change_tasks(frozenset(filters), with_labels=with_labels, moves=moves, was_read=was_read)


def _reopen(*filters: str, moves: bool = False) -> Executable:
    return change_tasks(frozenset(filters), with_labels=False, moves=moves, reopens=True)


def _delete(*filters: str, with_subtasks: bool = False) -> Executable:
    return delete_tasks(frozenset(filters), with_subtasks=with_subtasks)


_TO_OTHER_LIST: Final[dict[str, object]] = {"new_list_id": UUID(int=100_001)}
_REOPENED: Final[dict[str, object]] = {"new_is_completed": False}
_FEW_IDS: Final[dict[str, object]] = {"ids": [owner_task_id(number) for number in range(1, 5)]}

_RECURRING: Final = [PARENT_ID, *(owner_task_id(20 * number + 1) for number in range(99))]
_SUBTASKS: Final = [owner_task_id(100 * number + 3) for number in range(100)]

_SUCCESSORS: Final[dict[str, object]] = {
    "ids": _RECURRING,
    "expected_counter": 1_000_000,
    "day_ends_at": None,
    "completed_ids": _RECURRING,
    "successor_ids": [UUID(int=task_id.int + 99_000) for task_id in _RECURRING],
    "successor_due_dates": [None] * 100,
    "successor_due_ats": [None] * 100,
    "successor_rules": [None] * 100,
    "subtask_ids": _SUBTASKS,
    "copy_ids": [UUID(int=task_id.int + 99_000) for task_id in _SUBTASKS],
    "copy_due_dates": [None] * 100,
    "copy_due_ats": [None] * 100,
    "copy_rules": [None] * 100,
}
"""A hundred tasks that repeat, one in the inbox with subtasks and the others in a list."""

WRITES_OF_MANY: Final[dict[str, _BulkRun]] = {
    "change by id": (_change("ids"), _FEW_IDS, {"pk_tasks"}),
    "change a list": (_change("list_id"), {}, {POSITION_INDEX}),
    "move by id": (_change("ids", moves=True), _FEW_IDS | _TO_OTHER_LIST, {SUBTASKS_INDEX}),
    "label a list": (_change("list_id", with_labels=True), {}, {POSITION_INDEX, "pk_task_labels"}),
    "complete a hundred that repeat": (
        _change("ids", was_read=True),
        _SUCCESSORS | {"sets_list_id": False},
        {POSITION_INDEX},
    ),
    "complete and move a hundred that repeat": (
        _change("ids", moves=True, was_read=True),
        _SUCCESSORS | _TO_OTHER_LIST,
        {POSITION_INDEX},
    ),
    "reopen by id": (_reopen("ids"), _REOPENED | _FEW_IDS, {SUBTASKS_INDEX, PREVIOUS_INDEX}),
    "delete by id": (_delete("ids"), _FEW_IDS, {SUBTASKS_INDEX, PREVIOUS_INDEX}),
    "delete a list's tasks": (_delete("list_id"), {}, {POSITION_INDEX, SUBTASKS_INDEX}),
    "delete with subtasks": (_delete("ids", with_subtasks=True), _FEW_IDS, {SUBTASKS_INDEX}),
}
"""Changes of a few tasks, or of a list with 500, by the filters that an index answers."""

WRITES_OF_ALL: Final[dict[str, _BulkRun]] = {
    "complete all": (_change("is_completed"), {}, set()),
    "move all": (_change("is_completed", moves=True), {"new_is_completed": False}, set()),
    "label all": (_change("is_completed", with_labels=True), {}, set()),
    "reopen all": (_reopen("is_completed"), _REOPENED | {"is_completed": True}, set()),
    "delete all": (_delete("is_completed"), {}, set()),
    "delete all with subtasks": (_delete("is_completed", with_subtasks=True), {}, set()),
}
"""Changes of 5,000 tasks. They read all rows of the owner a few times."""

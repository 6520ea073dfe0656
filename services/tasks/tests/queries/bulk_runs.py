"""Changes of many tasks: statements, their parameters, and the indexes that they need."""

from typing import Final
from uuid import UUID

from sqlalchemy import Executable

from tasks.bulk.queries.change import change_tasks
from tasks.bulk.queries.delete import delete_tasks

from ..support.large_dataset import owner_task_id

_BulkRun = tuple[Executable, dict[str, object], set[str]]

POSITION_INDEX = "ix_tasks_user_id_list_id_place"
SUBTASKS_INDEX = "ix_tasks_user_id_parent_id_place"
PREVIOUS_INDEX = "ix_tasks_user_id_previous_id"


def _change(*filters: str, with_labels: bool = False, moves: bool = False) -> Executable:
    return change_tasks(frozenset(filters), with_labels=with_labels, moves=moves)


def _delete(*filters: str, with_subtasks: bool = False) -> Executable:
    return delete_tasks(frozenset(filters), with_subtasks=with_subtasks)


_TO_OTHER_LIST: Final[dict[str, object]] = {"new_list_id": UUID(int=100_001)}
_FEW_IDS: Final[dict[str, object]] = {"ids": [owner_task_id(number) for number in range(1, 5)]}

WRITES_OF_MANY: Final[dict[str, _BulkRun]] = {
    "change by id": (_change("ids"), _FEW_IDS, {"pk_tasks"}),
    "change a list": (_change("list_id"), {}, {POSITION_INDEX}),
    "move by id": (_change("ids", moves=True), _FEW_IDS | _TO_OTHER_LIST, {SUBTASKS_INDEX}),
    "label a list": (_change("list_id", with_labels=True), {}, {POSITION_INDEX, "pk_task_labels"}),
    "delete by id": (_delete("ids"), _FEW_IDS, {SUBTASKS_INDEX, PREVIOUS_INDEX}),
    "delete a list's tasks": (_delete("list_id"), {}, {POSITION_INDEX, SUBTASKS_INDEX}),
    "delete with subtasks": (_delete("ids", with_subtasks=True), _FEW_IDS, {SUBTASKS_INDEX}),
}
"""Changes of a few tasks, or of a list with 500, by the filters that an index answers."""

WRITES_OF_ALL: Final[dict[str, _BulkRun]] = {
    "complete all": (_change("is_completed"), {}, set()),
    "move all": (_change("is_completed", moves=True), {"new_is_completed": False}, set()),
    "label all": (_change("is_completed", with_labels=True), {}, set()),
    "delete all": (_delete("is_completed"), {}, set()),
    "delete all with subtasks": (_delete("is_completed", with_subtasks=True), {}, set()),
}
"""Changes of 5,000 tasks. They read all rows of the owner a few times."""

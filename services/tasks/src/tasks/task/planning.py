"""What a task is asked to be, as the values that statements take."""

from collections.abc import Sequence

from uuid_utils.compat import uuid7

from common.database import Row
from common.problems import Unprocessable
from tasks.core.quotas import LABELS_MAX
from tasks.core.types import PRIORITIES
from tasks.core.types.names import LABELS_ON_TASK_MAX, fold
from tasks.task.schemas import PlanningFields, TaskChange, TaskReplace


def task_params(task: PlanningFields) -> Row:
    """Return what the task gets of a plan; a priority that was not sent is None."""
    due = task.due
    return {
        "new_list_id": task.list_id,
        "new_due_date": due and due.date,
        "new_due_time": due and due.clock,
        "new_due_at": due and due.moment,
        "new_due_time_zone": due and due.time_zone,
        "new_priority": PRIORITIES.index(task.priority)
        if "priority" in task.model_fields_set
        else None,
    }


def patch_flags(change: TaskChange | TaskReplace) -> Row:
    """Return which parts of a plan are set, and which are kept."""
    return {
        "sets_list": "list_id" in change.model_fields_set,
        "sets_due": "due" in change.model_fields_set,
    }


def label_params(names: Sequence[str]) -> Row:
    """Return the labels of a task, each once, with ids for those that are new.

    Raises:
        Unprocessable: They are more than one task may carry.
    """
    spelled = {fold(name): name for name in reversed(names)}
    if len(spelled) > LABELS_ON_TASK_MAX:
        raise Unprocessable(
            "quota-exceeded", f"One task may carry {LABELS_ON_TASK_MAX} labels at most."
        )
    return {
        "folded_names": list(spelled),
        "label_names": list(spelled.values()),
        "label_ids": [uuid7() for _ in spelled],
        "labels_quota": LABELS_MAX,
    }


_WRITTEN = ("new_title", "new_description", "new_is_completed")
_PLANNED = (
    "new_list_id",
    "new_due_date",
    "new_due_at",
    "new_due_time_zone",
    "new_priority",
    "folded_names",
)


def fingerprint(values: Row) -> dict[str, object]:
    """Return what a key stands for: of a plan only what there is, so that keys from before there were plans hold."""
    planned = {name: str(values[name]) for name in _PLANNED if values[name]}
    return {**{name: values[name] for name in _WRITTEN}, **planned}

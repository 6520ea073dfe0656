"""Parameters of the statements that write a task, from the bodies of requests."""

from collections.abc import Sequence

from uuid_utils.compat import uuid7

from common.database import Row
from common.problems import Unprocessable
from tasks.core.quotas import LABELS_MAX
from tasks.core.types.names import LABELS_ON_TASK_MAX, fold
from tasks.task.columns import EDITABLE_COLUMNS, FingerprintPart
from tasks.task.schemas import PlanningFields, TaskChange, TaskReplace


def creation_params(task: PlanningFields) -> dict[str, object]:
    """Return the values of all editable columns, for `queries.create.create_task`."""
    params: dict[str, object] = {}
    for column in EDITABLE_COLUMNS:
        params[column.param_name] = column.value_in(task)
    return params


def patch_params(change: TaskChange) -> dict[str, object]:
    """Return the values of the columns whose fields were sent, for `queries.change.change_task`."""
    return _change_params(change, resets_absent_fields=False)


def replacement_params(task: TaskReplace) -> dict[str, object]:
    """Return the values of the columns whose fields were sent, and of all that are not planning."""
    return _change_params(task, resets_absent_fields=True)


def _change_params(
    change: TaskChange | TaskReplace, *, resets_absent_fields: bool
) -> dict[str, object]:
    params: dict[str, object] = {}
    sent_fields = change.model_fields_set
    for column in EDITABLE_COLUMNS:
        is_sent = not sent_fields.isdisjoint(column.request_fields)
        is_set = is_sent or (resets_absent_fields and not column.is_planning)
        params[column.param_name] = None
        if is_set:
            params[column.param_name] = column.value_in(change)
        if column.is_nullable:
            params[column.flag_name] = is_set
    return params


def label_params(names: Sequence[str]) -> dict[str, object]:
    """Return the parameters of `queries.task_labels`: each label once.

    Every label has an id, in case it is new. Of several spellings of one name the first one counts.

    Raises:
        Unprocessable: They are more than one task may have.
    """
    names_by_folded = {fold(name): name for name in reversed(names)}
    if len(names_by_folded) > LABELS_ON_TASK_MAX:
        raise Unprocessable(
            "quota-exceeded", f"One task may carry {LABELS_ON_TASK_MAX} labels at most."
        )
    return {
        "folded_names": list(names_by_folded),
        "label_names": list(names_by_folded.values()),
        "label_ids": [uuid7() for _ in names_by_folded],
        "labels_quota": LABELS_MAX,
    }


def fingerprint_content(params: Row) -> dict[str, object]:
    """Return what makes two creations the same one, from `creation_params` and `label_params`.

    The result is stored as a hash. It must stay the same for requests that older releases knew.
    """
    content: dict[str, object] = {}
    for column in EDITABLE_COLUMNS:
        value = params[column.param_name]
        if column.fingerprint_part is FingerprintPart.ALWAYS:
            content[column.param_name] = value
        elif column.fingerprint_part is FingerprintPart.UNLESS_DEFAULT and value != column.default:
            content[column.param_name] = str(value)
    if params["folded_names"]:
        content["folded_names"] = str(params["folded_names"])
    return content

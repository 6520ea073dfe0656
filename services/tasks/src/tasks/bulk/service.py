"""Change and delete all tasks that match a query."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final, cast

from common.context import RequestContext
from common.database import Row, fetch_one
from common.problems import FieldError, Unprocessable
from tasks.bulk.queries.change import change_tasks as change_statement
from tasks.bulk.queries.delete import delete_tasks as delete_statement
from tasks.bulk.recurring import plan_successors
from tasks.bulk.schemas import (
    BulkChange,
    BulkChangeRead,
    BulkDeletionRead,
    TaskDeletion,
    TaskSelection,
)
from tasks.core.conflicts import ConflictCode, raise_conflict
from tasks.core.context import ChangeLimits
from tasks.core.owners import retry_while_stale
from tasks.core.types.names import fold
from tasks.task.parameters import label_params, patch_params
from tasks.task.schemas import PlanningFields, TaskChange
from tasks.task.selection import Conditions

_LABEL_FIELDS: Final = frozenset({"labels_add", "labels_remove"})

NOTHING_TO_CHANGE: Final = "nothing-to-change"

_UNKNOWN_OWNER: Final[Row] = {"matched": 0, "affected": 0, "version": 0}
"""The result for an owner who has nothing yet."""


async def change_tasks(
    context: RequestContext,
    limits: ChangeLimits,
    selection: TaskSelection,
    change: BulkChange,
    if_match: Sequence[str] | None,
) -> BulkChangeRead:
    """Change the fields that were sent in all tasks that match.

    Raises:
        Unprocessable: No field was sent, the list does not exist, there are too many labels, a
            subtask would leave the list of its parent, or a task that repeats would have no due
            date.
        PreconditionFailed: The owner's counter is none of the versions in `if_match`.
    """
    _require_field(change)
    conditions = _conditions(selection)
    params = _change_params(change)
    row = await _run_change(context, limits, conditions, change, params, if_match)
    if row is None and change.list_id is not None:
        raise_conflict(ConflictCode.LIST_NOT_FOUND)
    result = _require_no_conflict(row, if_match)
    return BulkChangeRead(
        matched=cast("int", result["matched"]),
        changed=cast("int", result["affected"]),
        version=cast("int", result["version"]),
    )


async def delete_tasks(
    context: RequestContext,
    deletion: TaskDeletion,
    if_match: Sequence[str] | None,
    retention_days: int,
) -> BulkDeletionRead:
    """Delete all tasks that match, and as many tombstones that are older than `retention_days`.

    Raises:
        PreconditionFailed: The owner's counter is none of the versions in `if_match`.
    """
    conditions = _conditions(deletion)
    row = await retry_while_stale(
        context.database,
        delete_statement(conditions.names, with_subtasks=deletion.subtasks == "delete"),
        current_user_id=context.user.id,
        if_match=if_match,
        retention=timedelta(days=retention_days),
        **conditions.params,
    )
    result = _require_no_conflict(row, if_match)
    return BulkDeletionRead(
        matched=cast("int", result["matched"]),
        deleted=cast("int", result["affected"]),
        version=cast("int", result["version"]),
    )


async def _run_change(
    context: RequestContext,
    limits: ChangeLimits,
    conditions: Conditions,
    change: BulkChange,
    change_params: Row,
    if_match: Sequence[str] | None,
) -> Row | None:
    """Run the statement; if tasks that repeat are completed, read them first."""
    with_labels = not _LABEL_FIELDS.isdisjoint(change.model_fields_set)
    moves = "list_id" in change.model_fields_set
    params: dict[str, object] = {"current_user_id": context.user.id, "if_match": if_match}
    params |= dict(conditions.params) | dict(change_params)
    if change.completed is False:
        params["retention"] = limits.retention
        statement = change_statement(
            conditions.names, with_labels=with_labels, moves=moves, reopens=True
        )
    else:
        statement = change_statement(conditions.names, with_labels=with_labels, moves=moves)
    row = await retry_while_stale(context.database, statement, **params)
    if row is None or row["conflict"] != ConflictCode.RECURS:
        return row
    statement = change_statement(
        conditions.names, with_labels=with_labels, moves=moves, was_read=True
    )
    while True:
        successors = await plan_successors(context, conditions, change_params)
        row = await fetch_one(
            context.database, statement, params | successors, quota=limits.tasks_max
        )
        if row is None or row["conflict"] != ConflictCode.STALE:
            return row


def _require_field(change: BulkChange) -> None:
    # After all other rules: a body with an unknown field alone is rejected for that field.
    if not change.model_fields_set - {"user_id"}:
        message = "The body has no field to change."
        error = FieldError(location=["body"], code=NOTHING_TO_CHANGE, message=message)
        raise Unprocessable(NOTHING_TO_CHANGE, message, errors=[error])


def _conditions(selection: TaskSelection) -> Conditions:
    conditions = Conditions.from_filters(selection)
    if selection.id is None:
        return conditions
    return Conditions(conditions.names | {"ids"}, dict(conditions.params) | {"ids": selection.id})


def _change_params(change: BulkChange) -> dict[str, object]:
    fields = change.model_fields_set & PlanningFields.model_fields.keys()
    values = {name: getattr(change, name) for name in fields}
    params = patch_params(TaskChange.model_construct(fields, **values))
    params.update(label_params(change.labels_add))
    params["removed_labels"] = [fold(name) for name in change.labels_remove]
    return params


def _require_no_conflict(row: Row | None, if_match: Sequence[str] | None) -> Row:
    if row is None:
        row = _UNKNOWN_OWNER
        if if_match is not None and "0" not in if_match:
            raise_conflict(ConflictCode.VERSION_MISMATCH)
    conflict = row.get("conflict")
    if conflict is not None:
        raise_conflict(ConflictCode(str(conflict)))
    return row

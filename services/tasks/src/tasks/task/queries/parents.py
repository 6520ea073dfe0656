"""The rules of subtasks, for statements that give a task a parent or another list.

They read other tasks of the owner: a statement with these parts must check that its snapshot is
current (`core.owners`).
"""

from collections.abc import Sequence
from typing import Any, Final, TypeAlias
from uuid import UUID

from sqlalchemy import CTE, ColumnElement, Text, Uuid, and_, bindparam, cast, func, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from tasks.core.conflicts import ConflictCode
from tasks.core.projections import LIST_ID, SETS_LIST, TARGET_ID, USER_ID
from tasks.core.quotas import SUBTASKS_MAX
from tasks.core.version_cascade import number_tasks
from tasks.models import Task

PARENT_ID: Final = bindparam("new_parent_id", type_=Uuid)

PARENT: Final = aliased(Task, name="parent")
"""The task that a task gets as its parent, or has already. Join it by `is_parent`."""

PARENT_LIST_ID: Final[ColumnElement[Any]] = cast(col(PARENT.list_id), Uuid)

Rule: TypeAlias = tuple[ColumnElement[bool], ConflictCode]
"""When there is a conflict, and which one."""


def is_parent(parent_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return whether `PARENT` is the owner's task with this id."""
    return and_(col(PARENT.user_id) == USER_ID, col(PARENT.id) == parent_id)


def creation_rules() -> list[Rule]:
    """Return the rules for a new task with the parent `PARENT_ID`, which may be missing."""
    has_other_list = and_(SETS_LIST, LIST_ID.is_distinct_from(col(PARENT.list_id)))
    recurrence_rule = bindparam("new_recurrence_rule", type_=Text)
    return [
        *_rules_of_parent(PARENT_ID),
        (or_(has_other_list, recurrence_rule.is_not(None)), ConflictCode.CONTRADICTION),
        (_is_full(PARENT_ID), ConflictCode.SUBTASKS_FULL),
    ]


def change_rules(
    parent_id: ColumnElement[UUID | None],
    list_id: ColumnElement[UUID | None],
    recurrence_rule: ColumnElement[str | None],
) -> list[Rule]:
    """Return the rules for a task that has these values after a change; null is no parent."""
    subtask = aliased(Task, name="subtask")
    has_subtasks = (
        select(col(subtask.id))
        .where(col(subtask.user_id) == USER_ID, col(subtask.parent_id) == TARGET_ID)
        .exists()
    )
    has_other_list = list_id.is_distinct_from(col(PARENT.list_id))
    is_added = parent_id.is_distinct_from(col(Task.parent_id))
    rules = [
        *_rules_of_parent(parent_id),
        (has_subtasks, ConflictCode.NESTED_TOO_DEEP),
        (or_(has_other_list, recurrence_rule.is_not(None)), ConflictCode.CONTRADICTION),
        (and_(is_added, _is_full(parent_id)), ConflictCode.SUBTASKS_FULL),
    ]
    return [(and_(parent_id.is_not(None), condition), code) for condition, code in rules]


def number_followers(
    task: CTE,
    list_id: ColumnElement[Any],
    condition: ColumnElement[bool],
    versions_taken: ColumnElement[int] | None,
) -> CTE:
    """Select the subtasks that follow the task `TARGET_ID` to another list, numbered.

    Args:
        task: The task, with `user_id`.
        list_id: The list that it is in afterwards.
        condition: Whether the task is written.
        versions_taken: As for `number_tasks`.
    """
    # By the parameters, so that the planner takes the index in every plan.
    is_subtask = and_(col(Task.user_id) == USER_ID, col(Task.parent_id) == TARGET_ID)
    is_elsewhere = col(Task.list_id).is_distinct_from(list_id)
    return number_tasks(and_(is_subtask, is_elsewhere, condition), task, versions_taken)


def _rules_of_parent(parent_id: ColumnElement[Any]) -> Sequence[Rule]:
    is_itself = parent_id == TARGET_ID
    is_missing = and_(col(PARENT.id).is_(None), ~is_itself)
    is_subtask = col(PARENT.parent_id).is_not(None)
    return [
        (is_missing, ConflictCode.PARENT_NOT_FOUND),
        (or_(is_itself, is_subtask), ConflictCode.NESTED_TOO_DEEP),
    ]


def _is_full(parent_id: ColumnElement[Any]) -> ColumnElement[bool]:
    sibling = aliased(Task, name="sibling")
    count = select(func.count()).where(
        col(sibling.user_id) == USER_ID, col(sibling.parent_id) == parent_id
    )
    return count.scalar_subquery() >= SUBTASKS_MAX

"""Unlink the tasks that point to deleted tasks: their subtasks, and the occurrences after them.

Each takes a version of its own, so that devices hear of it. The foreign keys would unlink them as
well, but without a version: they are for what no statement here knows.

Which tasks are linked is read before the owner is locked. A statement with these parts must
therefore check that its snapshot is current (`core.owners`).
"""

from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Text,
    case,
    exists,
    func,
    literal_column,
    null,
    or_,
    select,
    union_all,
)
from sqlmodel import col

from tasks.core.projections import USER_ID, Query
from tasks.core.version_cascade import bump_many_versions, bump_task_versions, is_among
from tasks.model_base import columns_of, sort_position
from tasks.models import Task


def number_linked_tasks(
    deleted: CTE, versions_taken: ColumnElement[int] | int = 0, *, are_many: bool = False
) -> CTE:
    """Select the tasks that point to deleted tasks, numbered from the last to the first.

    Tasks that are deleted themselves are left out.

    Args:
        deleted: The deleted tasks, with `id`.
        versions_taken: How many versions below the new counter the statement gives to other rows.
        are_many: Whether thousands may be deleted: see `version_cascade`.
    """
    if are_many:
        links = union_all(
            _find_many_links(deleted, "parent_id"), _find_many_links(deleted, "previous_id")
        ).cte("links")
        is_deleted = is_among(links.c.id, deleted)
    else:
        links = union_all(
            _find_links(deleted, "parent_id"), _find_links(deleted, "previous_id")
        ).cte("links")
        is_deleted = exists(select(deleted.c.id).where(deleted.c.id == links.c.id))
    order = (links.c.sort_position.desc(), links.c.id.desc())
    return (
        select(
            links.c.id,
            func.bool_or(links.c.column_name == "parent_id").label("loses_parent"),
            func.bool_or(links.c.column_name == "previous_id").label("loses_previous"),
            (func.row_number().over(order_by=order) + versions_taken).label("number"),
        )
        .where(~is_deleted)
        .group_by(links.c.id, links.c.sort_position)
        .cte("linked_tasks")
    )


def unlink_many_tasks(linked_tasks: CTE, deleted: CTE, counter_bump: CTE) -> CTE:
    """Do what `unlink_tasks` does, for `number_linked_tasks` with `are_many`.

    Args:
        linked_tasks: The tasks, from `number_linked_tasks`.
        deleted: The deleted tasks, with `id`.
        counter_bump: The raised counter, from `bump_counter`.
    """
    unlinked = bump_many_versions(linked_tasks, counter_bump, **links_to_others(deleted))
    return unlinked.where(has_links()).cte("unlinked_tasks")


def links_to_others(deleted: CTE) -> dict[str, ColumnElement[Any]]:
    """Return the links of a task of `tasks`: null where it points to one of many deleted tasks."""
    return {
        name: case(
            (is_among(columns_of(Task)[name], deleted), null()), else_=columns_of(Task)[name]
        )
        for name in ("parent_id", "previous_id")
    }


def has_links() -> ColumnElement[bool]:
    """Return whether a task of `tasks` points to others. Indexes hold those that do."""
    return or_(col(Task.parent_id).is_not(None), col(Task.previous_id).is_not(None))


def unlink_tasks(linked_tasks: CTE, counter_bump: CTE) -> CTE:
    """Set the links to null, and give the tasks the versions below the new counter of their owner.

    Args:
        linked_tasks: The tasks, from `number_linked_tasks`.
        counter_bump: The raised counter, from `bump_counter`.
    """
    parent_id = case((linked_tasks.c.loses_parent, null()), else_=col(Task.parent_id))
    previous_id = case((linked_tasks.c.loses_previous, null()), else_=col(Task.previous_id))
    return bump_task_versions(
        linked_tasks, counter_bump, parent_id=parent_id, previous_id=previous_id
    ).cte("unlinked_tasks")


def _find_many_links(deleted: CTE, column_name: str) -> Query:
    column = columns_of(Task)[column_name]
    return select(
        col(Task.id),
        sort_position(columns_of(Task)).label("sort_position"),
        literal_column(f"'{column_name}'", Text).label("column_name"),
    ).where(col(Task.user_id) == USER_ID, column.is_not(None), is_among(column, deleted))


def _find_links(deleted: CTE, column_name: str) -> Query:
    column = columns_of(Task)[column_name]
    return (
        select(
            col(Task.id),
            sort_position(columns_of(Task)).label("sort_position"),
            literal_column(f"'{column_name}'", Text).label("column_name"),
        )
        .join(deleted, column == deleted.c.id)
        # The index holds no others. The planner sees that only if it is said.
        .where(col(Task.user_id) == USER_ID, column.is_not(None))
    )

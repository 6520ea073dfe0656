"""Give new versions to the tasks that change, or are deleted, with a list, a label or a task."""

from sqlalchemy import CTE, ColumnElement, Delete, Update, delete, func, select, update
from sqlmodel import col

from tasks.models import Task, columns_of, sort_position


def number_tasks(
    condition: ColumnElement[bool], source: CTE, versions_taken: ColumnElement[int] | None = None
) -> CTE:
    """Select the tasks that meet a condition, numbered from the last to the first in their order.

    Args:
        condition: Which tasks.
        source: The changed list, label or task, with `user_id`. Without a row there are no tasks.
        versions_taken: How many versions below the new counter the statement gives to other rows.
    """
    order = (sort_position(columns_of(Task)).desc(), col(Task.id).desc())
    number: ColumnElement[int] = func.row_number().over(order_by=order)
    if versions_taken is not None:
        number += versions_taken
    return (
        select(col(Task.id), number.label("number"))
        .join(source, col(Task.user_id) == source.c.user_id)
        .where(condition)
        .cte("affected_tasks")
    )


def count_rows(rows: CTE) -> ColumnElement[int]:
    """Return the number of rows, which is the number of versions that they take."""
    return select(func.count()).select_from(rows).scalar_subquery()


def bump_task_versions(numbered_tasks: CTE, counter_bump: CTE, **changes: object) -> Update:
    """Give tasks the versions below the new counter of their owner.

    Args:
        numbered_tasks: The tasks, from `number_tasks`.
        counter_bump: The raised counter, from `bump_counter`.
        changes: New values of columns.
    """
    version = counter_bump.c.counter - numbered_tasks.c.number
    return (
        update(Task)
        .where(col(Task.id) == numbered_tasks.c.id, col(Task.user_id) == counter_bump.c.id)
        .values(**changes, updated_at=counter_bump.c.now, version=version)
    )


def delete_tasks(numbered_tasks: CTE, counter_bump: CTE) -> Delete:
    """Delete tasks. `core.tombstones.select_tombstones` takes the versions for that.

    Args:
        numbered_tasks: The tasks, from `number_tasks`.
        counter_bump: The raised counter, from `bump_counter`.
    """
    return delete(Task).where(
        col(Task.id) == numbered_tasks.c.id, col(Task.user_id) == counter_bump.c.id
    )

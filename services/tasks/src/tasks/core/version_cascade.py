"""Give new versions to the tasks that change, or are deleted, with others or many at once.

Where users seem to have few tasks, PostgreSQL compares each task of a user with each of the
numbered ones: with 10,000 tasks that takes 11 seconds. Its statistics say so before it has analyzed
a large import, and on a platform where most users have few. What changes thousands of tasks as a
rule therefore uses `is_among` and `bump_many_versions`, which join nothing.
"""

from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Delete,
    SQLColumnExpression,
    Update,
    Uuid,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import col

from tasks.model_base import columns_of, sort_position
from tasks.models import Task


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


def is_among(column: SQLColumnExpression[Any], rows: CTE) -> ColumnElement[bool]:
    """Return whether an id is among those of `rows`. PostgreSQL looks it up in a hash.

    `IS TRUE` keeps it from joining them.
    """
    return column.in_(select(rows.c.id)).is_(True)


def bump_many_versions(numbered_tasks: CTE, counter_bump: CTE, **changes: object) -> Update:
    """Give tasks the versions below the new counter of their owner.

    It does what `bump_task_versions` does, but finds the number of each task by a binary search.
    All tasks of the owner are read, unless conditions are added to the statement.
    """
    by_id = select(numbered_tasks).order_by(numbered_tasks.c.id).subquery("by_id")
    # Materialized: otherwise PostgreSQL may compute the arrays again for each task.
    numbers = (
        select(
            func.array_agg(by_id.c.id, type_=ARRAY(Uuid)).label("ids"),
            func.array_agg(by_id.c.number, type_=ARRAY(BigInteger)).label("numbers"),
        )
        .cte(f"{numbered_tasks.name}_by_id")
        .prefix_with("MATERIALIZED")
    )
    place = func.width_bucket(col(Task.id), numbers.c.ids)
    return (
        update(Task)
        .where(
            col(Task.user_id) == counter_bump.c.id,
            is_among(col(Task.id), numbered_tasks),
            numbers.c.ids.is_not(None),
        )
        .values(
            **changes,
            updated_at=counter_bump.c.now,
            version=counter_bump.c.counter - numbers.c.numbers[place],
        )
    )

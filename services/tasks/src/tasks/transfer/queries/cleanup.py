"""Deleting what abandoned imports have staged, in parts, so that no statement is long."""

from typing import Final

from sqlalchemy import (
    CTE,
    Integer,
    Interval,
    bindparam,
    delete,
    func,
    literal_column,
    select,
)
from sqlmodel import col

from tasks.core.projections import Query
from tasks.models import Import, StagedTask

_RETENTION: Final = bindparam("retention", type_=Interval)
_ROWS_MAX: Final = bindparam("rows_max", type_=Integer)


def _abandoned_import() -> CTE:
    """Lock the oldest import that is older than `retention`, unless another import cleans it up."""
    # A parameter instead of the literal would hide the number from a generic query plan.
    one_row = literal_column("1", Integer)
    return (
        select(col(Import.id), col(Import.user_id))
        .where(col(Import.begun_at) < func.now() - _RETENTION)
        .order_by(col(Import.begun_at))
        .limit(one_row)
        .with_for_update(skip_locked=True)
        .cte("abandoned_import")
        .prefix_with("MATERIALIZED")
    )


def _abandoned_tasks(abandoned_import: CTE) -> CTE:
    """Select at most `rows_max` of its staged tasks."""
    return (
        select(col(StagedTask.user_id), col(StagedTask.import_id), col(StagedTask.old_id))
        .join(
            abandoned_import,
            (abandoned_import.c.user_id == col(StagedTask.user_id))
            & (abandoned_import.c.id == col(StagedTask.import_id)),
        )
        .limit(_ROWS_MAX)
        .cte("abandoned_tasks")
        .prefix_with("MATERIALIZED")
    )


def _delete_abandoned() -> Query:
    abandoned_import = _abandoned_import()
    abandoned_tasks = _abandoned_tasks(abandoned_import)
    deleted_tasks = (
        delete(StagedTask)
        .where(col(StagedTask.user_id) == abandoned_tasks.c.user_id)
        .where(col(StagedTask.import_id) == abandoned_tasks.c.import_id)
        .where(col(StagedTask.old_id) == abandoned_tasks.c.old_id)
        .cte("deleted_tasks")
    )
    task_count = select(func.count()).select_from(abandoned_tasks).scalar_subquery()
    deleted_import = (
        delete(Import)
        .where(col(Import.id) == abandoned_import.c.id)
        .where(task_count < _ROWS_MAX)
        .cte("deleted_import")
    )
    return select(abandoned_import.c.id).add_cte(deleted_tasks, deleted_import)


DELETE_ABANDONED: Final = _delete_abandoned()
"""Delete up to `rows_max` staged tasks of the oldest import that is older than `retention`.

Stages: `abandoned_import`, `abandoned_tasks`, `deleted_tasks`, and `deleted_import`, which deletes
the import together with the last of its tasks. Returns no row if there is no such import.
"""

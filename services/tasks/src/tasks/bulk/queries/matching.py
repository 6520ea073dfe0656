"""The tasks that match a query, and what all statements on them return."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import CTE, ColumnElement, Uuid, any_, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import col

from tasks.bulk.schemas import BulkChange
from tasks.core.projections import Query
from tasks.core.version_cascade import count_rows
from tasks.model_base import columns_of, sort_position
from tasks.models import Task
from tasks.task.columns import EDITABLE_COLUMNS
from tasks.task.queries.listing import FILTERS

_IDS = bindparam("ids", type_=ARRAY(Uuid))

SELECTIONS: Final = FILTERS | {"ids": col(Task.id) == any_(_IDS)}
"""The filters of a list, and `ids`, the tasks that are named."""


_COSTLY_FILTERS: Final = frozenset({"q", "labels"})


BULK_COLUMNS: Final = tuple(
    column
    for column in EDITABLE_COLUMNS
    if set(column.request_fields) <= BulkChange.model_fields.keys()
)
"""The columns that a change of many tasks can set."""

NEW_VALUES: Final = {column.name: column.new_value for column in BULK_COLUMNS}
"""What these columns of a task of `tasks` get."""


@dataclass(frozen=True, slots=True)
class Consequences:
    """What a change of many tasks does to others than those that match.

    Attributes:
        version_count: How many versions that takes: the last ones of the statement.
        owner_columns: What columns of the owner get.
        write: Returns the parts of the statement that do it, from the raised counter.
        links: What columns of the changed tasks get.
    """

    version_count: ColumnElement[int]
    owner_columns: Mapping[str, ColumnElement[int]]
    write: Callable[[CTE], list[CTE]]
    links: Mapping[str, ColumnElement[Any]] = field(default_factory=dict[str, ColumnElement[Any]])


def match_tasks(owner: CTE, filters: frozenset[str], *columns: ColumnElement[Any]) -> CTE:
    """Select the tasks of the owner that match, with `id` and `sort_position`.

    There are none if the statement is stale.

    Args:
        owner: The locked owner, with `is_current`.
        filters: Names of `SELECTIONS`.
        columns: Further columns.
    """
    matched = (
        select(col(Task.id), sort_position(columns_of(Task)).label("sort_position"), *columns)
        .join(owner, col(Task.user_id) == owner.c.id)
        .where(owner.c.is_current)
    )
    for name in sorted(filters):
        matched = matched.where(SELECTIONS[name])
    return matched.cte("matched").prefix_with("MATERIALIZED")


def narrow(filters: frozenset[str]) -> list[ColumnElement[bool]]:
    """Return the filters that are cheap to repeat where the tasks are written.

    They match the same tasks again, and let PostgreSQL read few others by an index.
    """
    return [SELECTIONS[name] for name in sorted(filters - _COSTLY_FILTERS)]


def number_from_last(tasks: CTE) -> ColumnElement[int]:
    """Return the numbers of tasks from the last, which is 0, to the first in their order."""
    order = (tasks.c.sort_position.desc(), tasks.c.id.desc())
    return func.row_number().over(order_by=order) - 1


def compose_verdict(owner: CTE, conflict: ColumnElement[Any]) -> CTE:
    """Return the owner beside the `conflict` that keeps the statement from writing."""
    return select(
        owner.c.id.label("user_id"), owner.c.counter, owner.c.now, conflict.label("conflict")
    ).cte("verdict")


def return_result(verdict: CTE, matched: CTE, affected: CTE, counter_bump: CTE) -> Query:
    """Return `conflict`, the numbers of `matched` and `affected` tasks, and the `version`."""
    counter = func.coalesce(select(counter_bump.c.counter).scalar_subquery(), verdict.c.counter)
    return select(
        verdict.c.conflict,
        count_rows(matched).label("matched"),
        count_rows(affected).label("affected"),
        counter.label("version"),
    )

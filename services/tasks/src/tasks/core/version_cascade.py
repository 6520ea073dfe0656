"""Tasks that look different because of something else: each one takes a version of its own."""

from sqlalchemy import CTE, ColumnElement, Update, func, select, update

from tasks.core.projections import TASKS
from tasks.models import sort_position


def number_tasks(condition: ColumnElement[bool], cause: CTE) -> CTE:
    """Count the tasks of the owner of a cause, if there is one, that meet a condition, from the last to the first."""
    number = (
        func.row_number()
        .over(order_by=(sort_position(TASKS.c).desc(), TASKS.c.id.desc()))
        .label("number")
    )
    found = select(TASKS.c.id, number).join(cause, TASKS.c.user_id == cause.c.user_id)
    return found.where(condition).cte("touched")


def count_rows(touched: CTE) -> ColumnElement[int]:
    """Tell how many versions they take."""
    return select(func.count()).select_from(touched).scalar_subquery()


def bump_task_versions(touched: CTE, raised: CTE, **changes: object) -> Update:
    """Give them the versions below the one that the owner's counter was `raised` to."""
    return (
        update(TASKS)
        .where(TASKS.c.id == touched.c.id, TASKS.c.user_id == raised.c.id)
        .values(**changes, updated_at=raised.c.now, version=raised.c.counter - touched.c.number)
    )

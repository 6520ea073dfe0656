"""Take back the successors of many tasks that are reopened, unless somebody has changed them."""

from functools import partial

from sqlalchemy import (
    CTE,
    SmallInteger,
    and_,
    cast,
    delete,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)
from sqlmodel import col

from tasks.bulk.queries.matching import Consequences
from tasks.core.projections import USER_ID
from tasks.core.task_links import (
    has_links,
    links_to_others,
    number_linked_tasks,
    unlink_many_tasks,
)
from tasks.core.tombstones import (
    insert_tombstones,
    new_pruned_version,
    prune_tombstones,
    select_tombstones,
)
from tasks.core.version_cascade import count_rows, is_among
from tasks.model_base import columns_of
from tasks.models import Owner, Task
from tasks.task.queries.occurrences import find_successors


def find_taken_back(matched: CTE) -> CTE:
    """Find the successors to take back, with their subtasks, numbered from the last, which is 0.

    They are those that are as they were made: see `occurrences.READ_FOR_CHANGE`, which finds out
    the same for one task.

    Args:
        matched: The tasks that are open after the change.
    """
    reopened = (
        select(matched.c.id, matched.c.previous_id)
        .where(matched.c.is_completed)
        .cte("reopened_tasks")
    )
    successors = find_successors(reopened)
    # Successors and subtasks are grouped, not joined: see `version_cascade`.
    parts = select(
        col(Task.id),
        columns_of(Task)["parent_id"].label("successor_id"),
        col(Task.version),
        col(Task.made_version),
        cast(null(), SmallInteger).label("made_subtask_count"),
        literal(1).label("subtask_count"),
    ).where(
        col(Task.user_id) == USER_ID,
        col(Task.parent_id).is_not(None),
        is_among(col(Task.parent_id), successors),
    )
    candidates = union_all(
        select(
            successors.c.id,
            successors.c.id.label("successor_id"),
            successors.c.version,
            successors.c.made_version,
            successors.c.made_subtask_count,
            literal(0).label("subtask_count"),
        ),
        parts,
    ).cte("candidates_to_take_back")
    is_as_made = func.coalesce(candidates.c.version == candidates.c.made_version, False)
    untouched = (
        select(candidates.c.successor_id.label("id"))
        .group_by(candidates.c.successor_id)
        .having(
            func.bool_and(is_as_made),
            func.max(candidates.c.made_subtask_count) == func.sum(candidates.c.subtask_count),
        )
        .cte("untouched_successors")
    )
    number = func.row_number().over(order_by=candidates.c.version.desc()) - 1
    return (
        select(candidates.c.id, number.label("number"))
        .where(is_among(candidates.c.successor_id, untouched))
        .cte("taken_back")
    )


def take_back(taken_back: CTE, verdict: CTE, *changed: CTE) -> Consequences:
    """Delete the tasks of `find_taken_back`, and unlink the others that point to them.

    Args:
        taken_back: The tasks.
        verdict: The owner, with `conflict`; with one, nothing is deleted.
        changed: The tasks that the statement changes. They are unlinked as they change.
    """
    count = count_rows(taken_back)
    linked_tasks = number_linked_tasks(taken_back, versions_taken=count - 1, are_many=True)
    is_changed = or_(*[is_among(linked_tasks.c.id, tasks) for tasks in changed])
    tasks_to_unlink = select(linked_tasks).where(~is_changed).cte("tasks_to_unlink")
    is_deletion = and_(verdict.c.conflict.is_(None), count > 0)
    pruned = prune_tombstones(select(verdict).where(is_deletion).cte("deletion"), count)
    return Consequences(
        # The numbers of tasks that change stay unused.
        version_count=count + count_rows(linked_tasks),
        owner_columns={
            "task_count": col(Owner.task_count) - count,
            "pruned_version": new_pruned_version(pruned),
        },
        write=partial(_delete, taken_back, tasks_to_unlink),
        links=links_to_others(taken_back),
    )


def _delete(taken_back: CTE, tasks_to_unlink: CTE, counter_bump: CTE) -> list[CTE]:
    # All that are taken back point to others.
    deleted = delete(Task).where(
        col(Task.user_id) == counter_bump.c.id, is_among(col(Task.id), taken_back), has_links()
    )
    return [
        deleted.cte("deleted_tasks"),
        unlink_many_tasks(tasks_to_unlink, taken_back, counter_bump),
        insert_tombstones(select_tombstones(taken_back, counter_bump)).cte("tombstones"),
    ]


def leave_out(matched: CTE, taken_back: CTE) -> CTE:
    """Return the matching tasks that are not taken back: they are changed."""
    return select(matched).where(~is_among(matched.c.id, taken_back)).cte("kept")

"""Read and change one task."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    CTE,
    ColumnElement,
    CompoundSelect,
    Executable,
    and_,
    case,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
    union_all,
    update,
)
from sqlalchemy.orm import aliased
from sqlmodel import col

from tasks.core.conflicts import ConflictCode, first_conflict
from tasks.core.owners import bump_counter, find_owner, lock_owner, target_list_exists
from tasks.core.projections import (
    LIST_ID,
    SETS_LIST,
    TARGET_ID,
    USER_ID,
    matches_if_match,
)
from tasks.core.version_cascade import bump_task_versions, count_rows
from tasks.model_base import Columns, columns_of
from tasks.models import Owner, Task
from tasks.task.columns import EDITABLE_COLUMNS
from tasks.task.projection import TASK_PROJECTION, label_names_of, task_fields
from tasks.task.queries.occurrences import DAY_ENDS_AT, EXPECTED_COUNTER, NEXT_ID
from tasks.task.queries.parents import (
    PARENT,
    Rule,
    change_rules,
    is_parent,
    number_followers,
)
from tasks.task.queries.task_labels import (
    LABELS_QUOTA,
    NEW_LABEL_COUNT,
    REQUESTED_NAMES,
    has_other_labels,
    set_labels,
)

GET_TASK: Final = select(*TASK_PROJECTION).where(
    col(Task.id) == TARGET_ID, col(Task.user_id) == USER_ID
)
"""One task of one user, as it is shown to clients."""


def new_values(row: Columns) -> dict[str, ColumnElement[Any]]:
    """Return what each editable column of a row gets by a change.

    Args:
        row: The columns of `tasks`, or of a CTE that has all of them.
    """
    return {column.name: column.new_value_in(row) for column in EDITABLE_COLUMNS}


_NEW_VALUES: Final = new_values(columns_of(Task))


@cache
def change_task(
    *, with_labels: bool = False, with_place: bool = False, was_read: bool = False
) -> Executable:
    """Build the statement that changes a task and returns it.

    A column stays as it is if its flag is false, or if it has no flag and its parameter is null.
    A change that changes nothing takes no version. No row if the user has no such task.

    The row also has `next_id`, the successor of a completed task, and a `conflict`; then nothing is
    written, and if it is "stale", the statement must run again. If `may_be_outdated`, the labels
    and the `next_id` of the row may be older than the rest.

    Stages:
        1. requested_labels: the labels that were sent, stored or new (with labels).
        2. owner: lock the owner.
        3. current: lock the task, and find out whether it differs and whether there is a conflict.
        4. affected_tasks: its subtasks, numbered, if it goes to another list (with place).
        5. counter_bump: take a version for the task, each new label and each of these, unless
           nothing is written.
        6. updated, updated_followers: write the task, and the list of its subtasks.
        7. new_labels, linked, unlinked: set the labels (with labels).
        8. Return the updated task, or else the current one.

    Args:
        with_labels: Set the labels as well.
        with_place: The request has `list_id` or `parent_id`. Other tasks are read for that.
        was_read: The task was read by `READ_FOR_CHANGE`, and a successor is neither made nor taken
            back. Otherwise the conflict is "recurs" if that has to be found out.
    """
    owner = lock_owner(find_owner(check_snapshot=with_labels or with_place))
    current = lock_task(owner, with_labels=with_labels, with_place=with_place, was_read=was_read)
    followers = find_followers(current, with_labels=with_labels, with_place=with_place)
    counter_bump = bump_counter(
        current,
        own_version_count(followers, with_labels=with_labels),
        current.c.is_written,
        **label_count(with_labels=with_labels),
    )
    updated = update_task(current, counter_bump, NEXT_ID, with_labels=with_labels)
    return return_task(current, updated, counter_bump, followers, with_labels=with_labels)


def lock_task(owner: CTE, *, with_labels: bool, with_place: bool, was_read: bool) -> CTE:
    """Lock the task; tell whether it differs, whether there is a conflict, and so `is_written`.

    The list that it is in afterwards is `new_list_id`.
    """
    values = dict(_NEW_VALUES)
    if with_place:
        has_list_of_parent = and_(values["parent_id"].is_not(None), ~SETS_LIST)
        values["list_id"] = case((has_list_of_parent, col(PARENT.list_id)), else_=values["list_id"])
    current_values = [columns_of(Task)[name] for name in values]
    differs: ColumnElement[bool] = tuple_(*current_values).is_distinct_from(
        tuple_(*values.values())
    )
    if with_labels:
        differs = or_(differs, has_other_labels(columns_of(Task)))
    rules_of_place = _rules_of_place(owner, values, with_place=with_place)
    conflict = _conflict(owner, rules_of_place, with_labels=with_labels, was_read=was_read)
    locked_task = (
        select(
            Task,
            values["list_id"].label("new_list_id"),
            owner.c.now,
            differs.label("differs"),
            _may_be_outdated().label("may_be_outdated"),
            conflict.label("conflict"),
        )
        .join(owner, col(Task.user_id) == owner.c.id)
        .where(col(Task.id) == TARGET_ID)
        .with_for_update(of=Task)
    )
    if with_place:
        locked_task = locked_task.outerjoin(PARENT, is_parent(values["parent_id"]))
    locked = locked_task.cte("locked_task")
    is_written = and_(locked.c.differs, locked.c.conflict.is_(None))
    return select(locked, is_written.label("is_written")).cte("current")


def _may_be_outdated() -> ColumnElement[bool]:
    """Return whether the task was written after the statement began, before it got the lock.

    Its labels and its successor are not locked, but each change of the former and the making of the
    latter changes the version of the task.
    """
    task = aliased(Task, name="task_in_snapshot")
    version_in_snapshot = (
        select(col(task.version))
        .where(col(task.id) == TARGET_ID, col(task.user_id) == USER_ID)
        .scalar_subquery()
    )
    return col(Task.version) != version_in_snapshot


def find_followers(current: CTE, *, with_labels: bool, with_place: bool) -> CTE | None:
    """Return the subtasks that follow the task to another list, numbered after its new labels."""
    if not with_place:
        return None
    versions_taken = NEW_LABEL_COUNT if with_labels else None
    return number_followers(current, current.c.new_list_id, current.c.is_written, versions_taken)


def _rules_of_place(
    owner: CTE, values: Mapping[str, ColumnElement[Any]], *, with_place: bool
) -> list[Rule]:
    """Return the rules about list and parent. A task that keeps both may only not repeat."""
    is_list_missing = and_(SETS_LIST, LIST_ID.is_not(None), ~target_list_exists(owner))
    rules: list[Rule] = [(is_list_missing, ConflictCode.LIST_NOT_FOUND)]
    parent_id, rule = values["parent_id"], values["recurrence_rule"]
    if not with_place:
        repeats = and_(parent_id.is_not(None), rule.is_not(None))
        return [*rules, (repeats, ConflictCode.CONTRADICTION)]
    stale = (~owner.c.is_current, ConflictCode.STALE)
    return [stale, *rules, *change_rules(parent_id, values["list_id"], rule)]


def _conflict(
    owner: CTE, rules_of_place: Sequence[Rule], *, with_labels: bool, was_read: bool
) -> ColumnElement[str | None]:
    new_label_count = owner.c.label_count + NEW_LABEL_COUNT
    has_no_due = and_(
        _NEW_VALUES["recurrence_rule"].is_not(None), _NEW_VALUES["due_date"].is_(None)
    )
    rules: list[Rule] = []
    if was_read:
        is_stale = or_(owner.c.counter != EXPECTED_COUNTER, owner.c.now >= DAY_ENDS_AT)
        rules.append((is_stale, ConflictCode.STALE))
    rules.extend(rules_of_place)
    if with_labels:
        rules.append((~owner.c.is_current, ConflictCode.STALE))
        rules.append((new_label_count > LABELS_QUOTA, ConflictCode.LABELS_FULL))
    rules.append((has_no_due, ConflictCode.RECURRENCE_WITHOUT_DUE))
    rules.append((~matches_if_match(columns_of(Task)), ConflictCode.VERSION_MISMATCH))
    if not was_read:
        rules.append((_recurs(), ConflictCode.RECURS))
    return first_conflict(*rules)


def _recurs() -> ColumnElement[bool]:
    """Return whether the change completes a task that repeats, or reopens one with a successor."""
    is_completed = _NEW_VALUES["is_completed"]
    completes = and_(
        ~col(Task.is_completed), is_completed, _NEW_VALUES["recurrence_rule"].is_not(None)
    )
    may_have_successor = or_(NEXT_ID.is_not(None), _may_be_outdated())
    reopens = and_(col(Task.is_completed), ~is_completed, may_have_successor)
    return or_(completes, reopens)


def own_version_count(followers: CTE | None, *, with_labels: bool) -> ColumnElement[int]:
    """Return how many versions the task, its new labels and its followers take."""
    count: ColumnElement[int] = literal(1)
    if with_labels:
        count = 1 + NEW_LABEL_COUNT
    if followers is not None:
        count += count_rows(followers)
    return count


def label_count(*, with_labels: bool) -> dict[str, ColumnElement[int]]:
    """Return the new number of labels, as a column of the owner."""
    if with_labels:
        return {"label_count": col(Owner.label_count) + NEW_LABEL_COUNT}
    return {}


def update_task(
    current: CTE, counter_bump: CTE, next_id: ColumnElement[Any], *, with_labels: bool
) -> CTE:
    """Write the task with the version in `counter_bump`.

    Returns:
        The task as clients see it, and its `next_id` if it is completed.
    """
    now = counter_bump.c.now
    values = dict(_NEW_VALUES)
    values["completed_at"] = case(
        (_NEW_VALUES["is_completed"], func.coalesce(col(Task.completed_at), now))
    )
    values["list_id"] = current.c.new_list_id
    values["updated_at"] = now
    values["version"] = counter_bump.c.counter
    label_names = label_names_of(columns_of(Task))
    if with_labels:
        label_names = REQUESTED_NAMES
    return (
        update(Task)
        .where(
            col(Task.id) == TARGET_ID,
            col(Task.id) == current.c.id,
            col(Task.user_id) == counter_bump.c.id,
        )
        .values(values)
        .returning(
            *task_fields(columns_of(Task), label_names),
            case((col(Task.is_completed), next_id)).label("next_id"),
        )
        .cte("updated")
    )


def return_task(
    current: CTE, updated: CTE, counter_bump: CTE, followers: CTE | None, *, with_labels: bool
) -> CompoundSelect[*tuple[Any, ...]]:
    """Return the updated task, or else the current one; set the labels, and move the followers.

    Args:
        current: The task before, from `lock_task`.
        updated: The task afterwards, from `update_task`.
        counter_bump: The version of the task; new labels take those just below, then followers.
        followers: The subtasks that go to the list of the task, from `find_followers`.
        with_labels: Whether labels were sent.
    """
    unchanged_columns = task_fields(current.c, label_names_of(current.c))
    unchanged_columns.append(case((current.c.is_completed, NEXT_ID)).label("next_id"))
    unchanged_columns.append(current.c.conflict)
    unchanged_columns.append(current.c.may_be_outdated)
    statement = union_all(
        select(updated, current.c.conflict, current.c.may_be_outdated).join(current, true()),
        select(*unchanged_columns).where(~current.c.is_written),
    )
    if with_labels:
        for cte in set_labels(counter_bump, TARGET_ID):
            statement = statement.add_cte(cte)
    if followers is not None:
        list_id = current.c.new_list_id
        followers_update = bump_task_versions(followers, counter_bump, list_id=list_id)
        statement = statement.add_cte(followers_update.cte("updated_followers"))
    return statement.execution_options(not_idempotent=True)

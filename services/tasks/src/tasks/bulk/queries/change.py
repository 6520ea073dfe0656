"""Change many tasks in one statement."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    CTE,
    ColumnElement,
    Executable,
    TableValuedAlias,
    Text,
    Uuid,
    all_,
    and_,
    any_,
    bindparam,
    case,
    column,
    delete,
    exists,
    false,
    func,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlmodel import col

from tasks.bulk.queries.matching import (
    BULK_COLUMNS,
    NEW_VALUES,
    Consequences,
    compose_verdict,
    match_tasks,
    narrow,
    number_from_last,
    return_result,
)
from tasks.bulk.queries.successors import make_successors
from tasks.bulk.queries.take_back import find_taken_back, leave_out, take_back
from tasks.core.conflicts import ConflictCode, first_conflict
from tasks.core.owners import (
    bump_counter,
    counter_matches_if_match,
    find_owner,
    lock_owner,
    target_list_exists,
)
from tasks.core.projections import LIST_ID, USER_ID, Query
from tasks.core.types.names import LABELS_ON_TASK_MAX
from tasks.core.version_cascade import bump_many_versions, count_rows, is_among
from tasks.model_base import columns_of, sort_position
from tasks.models import Label, Owner, Task, TaskLabel
from tasks.task.queries.listing import STATEMENTS_CACHED_MAX
from tasks.task.queries.occurrences import DAY_ENDS_AT, EXPECTED_COUNTER
from tasks.task.queries.task_labels import (
    LABELS_QUOTA,
    NEW_LABEL_COUNT,
    REQUESTED_LABELS,
    insert_new_labels,
)

_REMOVED_NAMES = bindparam("removed_labels", type_=ARRAY(Text))

_IS_COMPLETED: Final = next(column for column in BULK_COLUMNS if column.name == "is_completed")
_DUE_DATE: Final = next(column for column in BULK_COLUMNS if column.name == "due_date")


def _ids_of(ids: Query) -> ColumnElement[Any]:
    return func.array(ids.scalar_subquery(), type_=ARRAY(Uuid))


_ADDED_IDS: Final = _ids_of(select(REQUESTED_LABELS.c.id))
"""The labels that are added; ids of new ones among them."""

_REMOVED_IDS: Final = _ids_of(
    select(col(Label.id)).where(
        col(Label.user_id) == USER_ID, col(Label.folded_name) == any_(_REMOVED_NAMES)
    )
)
"""The labels that are removed, as far as they exist."""


@lru_cache(maxsize=STATEMENTS_CACHED_MAX)
def change_tasks(
    filters: frozenset[str],
    *,
    with_labels: bool,
    moves: bool,
    reopens: bool = False,
    was_read: bool = False,
) -> Executable:
    """Build the statement that changes all tasks that match.

    Returns one row with `conflict`, the numbers of tasks that `matched` and that were `affected`,
    and the `version` of the owner; no row for an unknown owner. If there is a conflict, nothing is
    written; if it is "stale", the statement must run again.

    Stages:
        1. requested_labels: the labels that are added, stored or new (with labels).
        2. owner: lock the owner.
        3. matched: the tasks that match.
           taken_back, kept: the successors that are taken back, numbered; the tasks that match but
           for them (if it reopens).
           changed: the tasks that differ, numbered.
        4. following: the other subtasks of the matched tasks, numbered after them (if tasks move).
        5. verdict: whether there is a conflict.
        6. made_successors, made_copies: insert what follows tasks that repeat (if it was read).
           linked_tasks: the other tasks that point to what is taken back (if it reopens).
        7. counter_bump: take a version for each of these tasks and each new label.
        8. updated, moved: write the tasks.
        9. new_labels, linked, unlinked: set the labels (with labels).
        10. deleted_tasks, unlinked_tasks, tombstones: take back successors (if it reopens).

    Args:
        filters: Names of `matching.SELECTIONS`.
        with_labels: Whether labels are added or removed.
        moves: Whether the tasks get another list.
        reopens: Whether the tasks are open afterwards.
        was_read: Whether what repeats was read. If not, completing it is the conflict "recurs".
    """
    owner = lock_owner(find_owner(check_snapshot=True))
    matched = match_tasks(owner, filters, *_compare(with_labels=with_labels))
    taken_back = find_taken_back(matched)
    kept = leave_out(matched, taken_back) if reopens else matched
    changed = _find_changed(kept)
    rules = _find_conflicts(owner, kept, changed, with_labels=with_labels, moves=moves)
    verdict = compose_verdict(owner, _add_recurrence(rules, owner, kept, was_read=was_read))
    versions = count_rows(changed)
    following = _find_following(owner, kept, versions)
    written = [changed]
    if moves:
        versions += count_rows(following)
        written.append(following)
    after: Consequences | None = None
    if reopens:
        after = take_back(taken_back, verdict, *written)
    elif was_read:
        arriving = [matched, following] if moves else []
        after = _make_successors(
            owner, matched, verdict, versions, arriving, with_labels=with_labels
        )
    counter_bump = _take_versions(verdict, versions, after, with_labels=with_labels)
    statement = return_result(verdict, matched, changed, counter_bump)
    links: Mapping[str, ColumnElement[Any]] = {}
    if after is not None:
        statement = statement.add_cte(*after.write(counter_bump))
        counter_bump = _leave_versions(counter_bump, after)
        links = after.links
    statement = statement.add_cte(_update_tasks(filters, changed, counter_bump, links))
    if moves:
        statement = statement.add_cte(_move_subtasks(following, counter_bump, links))
    if with_labels:
        statement = statement.add_cte(*_set_labels(changed, counter_bump, versions))
    return statement.execution_options(not_idempotent=True)


def _find_changed(matched: CTE) -> CTE:
    numbered = select(matched, number_from_last(matched).label("number"))
    return numbered.where(matched.c.differs).cte("changed")


def _make_successors(
    owner: CTE,
    matched: CTE,
    verdict: CTE,
    versions: ColumnElement[int],
    arriving: Sequence[CTE],
    *,
    with_labels: bool,
) -> Consequences:
    removed_ids = None
    if with_labels:
        removed_ids = _REMOVED_IDS
        versions += NEW_LABEL_COUNT
    return make_successors(owner, matched, verdict, versions, removed_ids, arriving)


def _take_versions(
    verdict: CTE,
    versions: ColumnElement[int],
    after: Consequences | None,
    *,
    with_labels: bool,
) -> CTE:
    is_written = and_(verdict.c.conflict.is_(None), versions > 0)
    counts: dict[str, ColumnElement[int]] = {}
    if with_labels:
        versions += NEW_LABEL_COUNT
        counts["label_count"] = col(Owner.label_count) + NEW_LABEL_COUNT
    if after is not None:
        versions += after.version_count
        counts.update(after.owner_columns)
    return bump_counter(verdict, versions, is_written, **counts)


def _leave_versions(counter_bump: CTE, after: Consequences) -> CTE:
    """Return the counter that the changed tasks take their versions from: the others are above."""
    return select(
        counter_bump.c.id,
        (counter_bump.c.counter - after.version_count).label("counter"),
        counter_bump.c.now,
    ).cte("written")


def _move_subtasks(
    following: CTE, counter_bump: CTE, links: Mapping[str, ColumnElement[Any]]
) -> CTE:
    moved = bump_many_versions(following, counter_bump, list_id=LIST_ID, **links)
    return moved.where(col(Task.parent_id).is_not(None)).cte("moved")


def _compare(*, with_labels: bool) -> list[ColumnElement[Any]]:
    """Return what decides about a matching task, and whether it `differs` from the change."""
    task = columns_of(Task)
    current_values = [task[name] for name in NEW_VALUES]
    differs: ColumnElement[bool] = tuple_(*current_values).is_distinct_from(
        tuple_(*NEW_VALUES.values())
    )
    columns: list[ColumnElement[Any]] = [
        task["parent_id"],
        task["previous_id"],
        task["list_id"],
        task["is_completed"],
        task["recurrence_rule"],
    ]
    if with_labels:
        label_ids = _label_ids()
        columns.append(label_ids.label("label_ids"))
        has_all_added = label_ids.bool_op("@>")(_ADDED_IDS)
        has_a_removed = label_ids.bool_op("&&")(_REMOVED_IDS)
        differs = or_(differs, ~has_all_added, has_a_removed)
    columns.append(differs.label("differs"))
    return columns


def _label_ids() -> ColumnElement[Any]:
    """Return the ids of a task's labels.

    All of them: with a condition on `label_id`, PostgreSQL may read all tasks with those labels for
    each task.
    """
    return _ids_of(
        select(col(TaskLabel.label_id)).where(
            col(TaskLabel.user_id) == col(Task.user_id), col(TaskLabel.task_id) == col(Task.id)
        )
    )


def _find_following(owner: CTE, matched: CTE, versions_taken: ColumnElement[int]) -> CTE:
    """Find the subtasks that follow a matched task to the list, and do not match themselves."""
    subtasks = (
        select(col(Task.id), sort_position(columns_of(Task)).label("sort_position"))
        .join(owner, col(Task.user_id) == owner.c.id)
        .where(
            col(Task.parent_id).is_not(None),
            is_among(col(Task.parent_id), matched),
            col(Task.id).not_in(select(matched.c.id)),
            col(Task.list_id).is_distinct_from(LIST_ID),
        )
        .cte("subtasks")
    )
    number = number_from_last(subtasks) + versions_taken
    return select(subtasks, number.label("number")).cte("following")


def _add_recurrence(
    rules: list[tuple[ColumnElement[bool], ConflictCode]],
    owner: CTE,
    matched: CTE,
    *,
    was_read: bool,
) -> ColumnElement[Any]:
    if was_read:
        is_stale = or_(
            owner.c.counter != EXPECTED_COUNTER, func.coalesce(owner.c.now >= DAY_ENDS_AT, false())
        )
        return first_conflict((is_stale, ConflictCode.STALE), *rules)
    is_completed = and_(
        _IS_COMPLETED.param, ~matched.c.is_completed, matched.c.recurrence_rule.is_not(None)
    )
    return first_conflict(*rules, (_exists(matched, is_completed), ConflictCode.RECURS))


def _find_conflicts(
    owner: CTE, matched: CTE, changed: CTE, *, with_labels: bool, moves: bool
) -> list[tuple[ColumnElement[bool], ConflictCode]]:
    rules: list[tuple[ColumnElement[bool], ConflictCode]] = [
        (~owner.c.is_current, ConflictCode.STALE)
    ]
    if moves:
        is_list_missing = and_(LIST_ID.is_not(None), ~target_list_exists(owner))
        leaves_parent = and_(
            matched.c.parent_id.is_not(None),
            matched.c.list_id.is_distinct_from(LIST_ID),
            matched.c.parent_id.not_in(select(matched.alias("parents").c.id)),
        )
        rules.append((is_list_missing, ConflictCode.LIST_NOT_FOUND))
        rules.append((_exists(matched, leaves_parent), ConflictCode.CONTRADICTION))
    loses_due = and_(_DUE_DATE.flag, _DUE_DATE.param.is_(None))
    recurs = _exists(matched, matched.c.recurrence_rule.is_not(None))
    rules.append((and_(loses_due, recurs), ConflictCode.RECURRENCE_WITHOUT_DUE))
    if with_labels:
        label_count = owner.c.label_count + NEW_LABEL_COUNT
        is_new_used = and_(label_count > LABELS_QUOTA, exists(select(changed.c.id)))
        is_full = _label_count_after(changed) > LABELS_ON_TASK_MAX
        rules.append((_exists(changed, is_full), ConflictCode.TASK_LABELS_FULL))
        rules.append((is_new_used, ConflictCode.LABELS_FULL))
    rules.append((~counter_matches_if_match(owner), ConflictCode.VERSION_MISMATCH))
    return rules


def _exists(tasks: CTE, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists(select(tasks.c.id).where(condition))


def _label_count_after(changed: CTE) -> ColumnElement[int]:
    """Return how many labels a task has after the change."""
    added = _unnest(_ADDED_IDS, "added")
    removed = _unnest(_REMOVED_IDS, "removed")
    added_count = select(func.count()).where(added.c.id != all_(changed.c.label_ids))
    removed_count = select(func.count()).where(removed.c.id == any_(changed.c.label_ids))
    return (
        func.cardinality(changed.c.label_ids)
        + added_count.scalar_subquery()
        - removed_count.scalar_subquery()
    )


def _unnest(ids: ColumnElement[Any], name: str) -> TableValuedAlias:
    return func.unnest(ids).table_valued(column("id", Uuid)).render_derived(name)


def _update_tasks(
    filters: frozenset[str],
    changed: CTE,
    counter_bump: CTE,
    links: Mapping[str, ColumnElement[Any]],
) -> CTE:
    now = counter_bump.c.now
    values = NEW_VALUES | dict(links)
    values["completed_at"] = case(
        (NEW_VALUES["is_completed"], func.coalesce(col(Task.completed_at), now))
    )
    updated = bump_many_versions(changed, counter_bump, **values)
    return updated.where(*narrow(filters)).cte("updated")


def _set_labels(changed: CTE, counter_bump: CTE, versions: ColumnElement[int]) -> list[CTE]:
    """Insert the new labels, and change the labels of the tasks."""
    # New labels take the versions just below this one: those of the tasks are higher.
    below = select(
        counter_bump.c.id,
        (counter_bump.c.counter - versions + 1).label("counter"),
        counter_bump.c.now,
    ).cte("below")
    links = (
        select(counter_bump.c.id, changed.c.id, REQUESTED_LABELS.c.id)
        .select_from(counter_bump)
        .join(changed, true())
        .join(REQUESTED_LABELS, REQUESTED_LABELS.c.id != all_(changed.c.label_ids))
    )
    linked = insert(TaskLabel).from_select(["user_id", "task_id", "label_id"], links)
    unlinked = delete(TaskLabel).where(
        col(TaskLabel.user_id) == counter_bump.c.id,
        col(TaskLabel.label_id) == any_(_REMOVED_IDS),
        is_among(col(TaskLabel.task_id), changed),
    )
    return [
        insert_new_labels(below).cte("new_labels"),
        linked.cte("linked"),
        unlinked.cte("unlinked"),
    ]

"""The statement that merges staged tasks into the tasks of their owner."""

from typing import Any, Final

from sqlalchemy import (
    CTE,
    ColumnElement,
    Integer,
    SQLColumnExpression,
    TableValuedAlias,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    column,
    delete,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by, distinct_on, insert
from sqlalchemy.orm import aliased
from sqlmodel import col

from tasks.core.projections import USER_ID, Query
from tasks.core.tombstones import delete_tombstone, is_id_of_other_kind
from tasks.models import Owner, StagedTask, Task, TaskLabel
from tasks.transfer.queries.staging import BASIC_COLUMNS, IMPORT_ID, PLANNING_COLUMNS

FIRST_LINE: Final = bindparam("first_line", type_=Integer)
LAST_LINE: Final = bindparam("last_line", type_=Integer)
FILE_LIST_IDS: Final = bindparam("file_list_ids", type_=ARRAY(Uuid))
LIST_IDS: Final = bindparam("list_ids", type_=ARRAY(Uuid))
LABEL_NAMES: Final = bindparam("label_names", type_=ARRAY(Text))
LABEL_IDS: Final = bindparam("label_ids", type_=ARRAY(Uuid))

MADE_COLUMNS: Final = ("made_version", "made_subtask_count")
"""Columns of a task that the service made as the next occurrence: what is imported counts as
changed.
"""

_MERGED_COLUMNS: Final = BASIC_COLUMNS + PLANNING_COLUMNS

_staged = aliased(StagedTask, name="staged")
_file_id_holder = aliased(Task, name="file_id_holder")
_renumbered_task = aliased(Task, name="renumbered_task")
_current = aliased(Task, name="current")


def _resolved_lists() -> TableValuedAlias:
    """Return the list ids of the file beside the ids that the lists have here."""
    pairs = func.unnest(FILE_LIST_IDS, LIST_IDS)
    table = pairs.table_valued(column("file_id", Uuid), column("id", Uuid))
    return table.render_derived(name="resolved_lists")


def _resolved_labels() -> TableValuedAlias:
    """Return the folded names of labels beside the ids that the labels have here."""
    pairs = func.unnest(LABEL_NAMES, LABEL_IDS)
    table = pairs.table_valued(column("folded_name", Text), column("id", Uuid))
    return table.render_derived(name="resolved_labels")


def _is_renumbered() -> ColumnElement[bool]:
    """Return whether a staged task cannot have the id that it has in the file.

    That id belongs to another user, or to something else of this user. If it is free now, but an
    earlier import had to renumber the task, the task already exists under its other id.
    """
    is_unavailable = or_(
        col(_file_id_holder.id).is_not(None),
        col(_renumbered_task.id).is_not(None),
        is_id_of_other_kind("task", col(_staged.old_id)),
    )
    return and_(col(_file_id_holder.user_id).is_distinct_from(USER_ID), is_unavailable)


def is_owned(table: type[Task]) -> ColumnElement[bool]:
    """Return whether a task that is found by its id belongs to the user.

    `IS NOT DISTINCT FROM` cannot use an index. With `=`, PostgreSQL may read all rows of the user
    for each staged task, when its statistics say that users have few: 2,000 times 7,000 rows took
    4 seconds.
    """
    return col(table.user_id).is_not_distinct_from(USER_ID)


def _follows_parent() -> ColumnElement[bool]:
    """Return whether a record leaves it to its parent in which list it is."""
    return and_(~func.coalesce(col(_staged.has_list), true()), col(_staged.parent_id).is_not(None))


def _incoming() -> CTE:
    """Select the staged tasks of the line range, each with the id and the list that it gets.

    Of several lines with one id the last one wins.
    """
    lists = _resolved_lists()
    is_renumbered = _is_renumbered()
    task_id = case((is_renumbered, col(_staged.own_id)), else_=col(_staged.old_id))
    columns: list[SQLColumnExpression[Any]] = [
        task_id.label("id"),
        is_renumbered.label("is_renumbered"),
        col(_staged.line),
        col(_staged.is_planned),
        col(_staged.labels),
        _follows_parent().label("follows_parent"),
        lists.c.id.label("list_id"),
    ]
    columns += [getattr(_staged, name) for name in _MERGED_COLUMNS if name != "list_id"]
    is_renumbered_task = and_(
        col(_renumbered_task.id) == col(_staged.own_id), is_owned(_renumbered_task)
    )
    return (
        select(*columns)
        .select_from(_staged)
        .outerjoin(lists, lists.c.file_id == col(_staged.list_id))
        .outerjoin(_file_id_holder, col(_file_id_holder.id) == col(_staged.old_id))
        .outerjoin(_renumbered_task, is_renumbered_task)
        .where(col(_staged.user_id) == USER_ID)
        .where(col(_staged.import_id) == IMPORT_ID)
        .where(col(_staged.line).between(FIRST_LINE, LAST_LINE))
        .ext(distinct_on(task_id))
        .order_by(task_id, col(_staged.line).desc())
        .cte("incoming")
    )


def _incoming_labels(incoming: CTE) -> CTE:
    """Pair each incoming task with its labels, one row for each pair."""
    names = (
        func.unnest(incoming.c.labels)
        .table_valued(column("folded_name", Text))
        .render_derived(name="names")
    )
    labels = _resolved_labels()
    return (
        select(incoming.c.id.label("task_id"), labels.c.id.label("label_id"))
        .join_from(incoming, names, true())
        .join(labels, labels.c.folded_name == names.c.folded_name)
        .distinct()
        .cte("incoming_labels")
    )


def _label_ids_by_task(incoming_labels: CTE) -> CTE:
    """Aggregate the labels of each incoming task into one sorted array."""
    label_id = incoming_labels.c.label_id
    label_ids = func.array_agg(aggregate_order_by(label_id, label_id))
    return (
        select(incoming_labels.c.task_id, label_ids.label("label_ids"))
        .group_by(incoming_labels.c.task_id)
        .cte("label_ids_by_task")
    )


def _merged_values(incoming: CTE) -> dict[str, ColumnElement[Any]]:
    """Return the values that the stored task gets, by column.

    A record without planning fields leaves the planning of an existing task as it is. A subtask
    without a list gets that of its parent later, with the link.
    """
    exists_already = col(_current.id).is_not(None)
    keeps_planning = and_(~incoming.c.is_planned, exists_already)
    keeps_list = and_(or_(~incoming.c.is_planned, incoming.c.follows_parent), exists_already)
    values: dict[str, ColumnElement[Any]] = {}
    for name in BASIC_COLUMNS:
        values[name] = incoming.c[name]
    for name in PLANNING_COLUMNS:
        keeps = keeps_list if name == "list_id" else keeps_planning
        values[name] = case((keeps, getattr(_current, name)), else_=incoming.c[name])
    return values


def _labels_differ(incoming: CTE, label_ids_by_task: CTE) -> ColumnElement[bool]:
    """Return whether the record names other labels than the existing task has."""
    current_label_ids = (
        select(col(TaskLabel.label_id))
        .where(col(TaskLabel.user_id) == col(_current.user_id))
        .where(col(TaskLabel.task_id) == col(_current.id))
        .order_by(col(TaskLabel.label_id))
        .scalar_subquery()
    )
    no_labels = cast(literal("{}"), ARRAY(Uuid))
    incoming_label_ids = func.coalesce(label_ids_by_task.c.label_ids, no_labels)
    return and_(
        incoming.c.is_planned,
        incoming_label_ids.is_distinct_from(func.array(current_label_ids, type_=ARRAY(Uuid))),
    )


def _compared(incoming: CTE, label_ids_by_task: CTE) -> CTE:
    """Compare each incoming task with the existing one: `is_new` and `differs`."""
    values = _merged_values(incoming)
    columns: list[SQLColumnExpression[Any]] = []
    current_values: list[SQLColumnExpression[Any]] = []
    for name, value in values.items():
        columns.append(value.label(name))
        current_values.append(getattr(_current, name))
    values_differ = tuple_(*values.values()).is_distinct_from(tuple_(*current_values))
    differs = or_(values_differ, _labels_differ(incoming, label_ids_by_task))
    is_current = and_(col(_current.id) == incoming.c.id, is_owned(_current))
    return (
        select(
            incoming.c.id,
            incoming.c.line,
            incoming.c.is_renumbered,
            incoming.c.is_planned,
            col(_current.id).is_(None).label("is_new"),
            differs.label("differs"),
        )
        .add_columns(*columns)
        .select_from(incoming)
        .outerjoin(_current, is_current)
        .outerjoin(label_ids_by_task, label_ids_by_task.c.task_id == incoming.c.id)
        .cte("compared")
    )


def _versioned(compared: CTE) -> CTE:
    """Give each task that differs the next version of its owner, in the order of the lines."""
    line_number = func.row_number().over(order_by=compared.c.line)
    columns: list[SQLColumnExpression[Any]] = [
        compared.c.id,
        col(Owner.id).label("user_id"),
        (col(Owner.counter) + line_number).label("version"),
    ]
    columns += [compared.c[name] for name in _MERGED_COLUMNS]
    return (
        select(*columns)
        .select_from(compared)
        .join(Owner, col(Owner.id) == USER_ID)
        .where(compared.c.differs)
        .order_by(compared.c.line)
        .cte("versioned")
    )


def _upserted(versioned: CTE) -> CTE:
    """Insert or update these tasks; an id that another user has taken meanwhile yields no row."""
    statement = insert(Task).from_select(versioned.c.keys(), select(versioned))
    new_values: dict[str, ColumnElement[Any]] = {"version": statement.excluded.version}
    for name in MADE_COLUMNS:
        new_values[name] = null()
    for name in _MERGED_COLUMNS:
        new_values[name] = statement.excluded[name]
    return (
        statement.on_conflict_do_update(
            index_elements=[col(Task.id)],
            set_=new_values,
            where=col(Task.user_id) == statement.excluded.user_id,
        )
        .returning(col(Task.user_id), col(Task.id))
        .cte("upserted")
    )


def _added_labels(incoming_labels: CTE, upserted: CTE) -> CTE:
    """Attach the labels that the written tasks do not have yet."""
    pairs = select(USER_ID, incoming_labels.c.task_id, incoming_labels.c.label_id).join(
        upserted, upserted.c.id == incoming_labels.c.task_id
    )
    return (
        insert(TaskLabel)
        .from_select(["user_id", "task_id", "label_id"], pairs)
        .on_conflict_do_nothing()
        .cte("added_labels")
    )


def _removed_labels(compared: CTE, incoming_labels: CTE, upserted: CTE) -> CTE:
    """Detach the labels that the written tasks had and their records do not name."""
    written = (
        select(upserted.c.user_id, upserted.c.id)
        .join(compared, compared.c.id == upserted.c.id)
        .where(compared.c.is_planned)
    )
    is_incoming = and_(
        incoming_labels.c.task_id == col(TaskLabel.task_id),
        incoming_labels.c.label_id == col(TaskLabel.label_id),
    )
    return (
        delete(TaskLabel)
        # The owner is compared with a column, and not with the parameter: see `is_owned`.
        .where(tuple_(col(TaskLabel.user_id), col(TaskLabel.task_id)).in_(written))
        .where(~exists().where(is_incoming))
        .cte("removed_labels")
    )


def _counts(compared: CTE, upserted: CTE) -> CTE:
    """Count what became of the incoming tasks.

    `id_conflicts` are those whose id another user took between the snapshot and the insert.
    """
    differing = func.count().filter(compared.c.differs)
    created = func.count().filter(compared.c.is_new)
    renumbered = func.count().filter(compared.c.is_renumbered)
    written = select(func.count()).select_from(upserted).scalar_subquery()
    return select(
        USER_ID.label("user_id"),
        created.label("created"),
        (differing - created).label("updated"),
        (func.count() - differing).label("unchanged"),
        renumbered.label("renumbered"),
        (differing - written).label("id_conflicts"),
    ).cte("counts")


def _updated_owner(counts: CTE) -> CTE:
    """Advance the owner's counter past the versions that were used, and the number of tasks."""
    return (
        update(Owner)
        .where(col(Owner.id) == counts.c.user_id)
        .values(
            counter=col(Owner.counter) + counts.c.created + counts.c.updated,
            task_count=col(Owner.task_count) + counts.c.created,
        )
        .returning(col(Owner.task_count))
        .cte("updated_owner")
    )


def _merge_tasks() -> Query:
    incoming = _incoming()
    incoming_labels = _incoming_labels(incoming)
    compared = _compared(incoming, _label_ids_by_task(incoming_labels))
    upserted = _upserted(_versioned(compared))
    counts = _counts(compared, upserted)
    updated_owner = _updated_owner(counts)
    return (
        select(counts, updated_owner.c.task_count)
        .join(updated_owner, true())
        .add_cte(
            delete_tombstone("task", upserted),
            _added_labels(incoming_labels, upserted),
            _removed_labels(compared, incoming_labels, upserted),
        )
    )


MERGE_TASKS: Final = _merge_tasks()
"""Merge the staged tasks from `first_line` to `last_line`; return one row of counts.

The links between tasks stay as they are: see `links`.

Stages, each a common table expression of this name:

1. `incoming`: the staged tasks with the ids and lists that they get here.
2. `incoming_labels`, `label_ids_by_task`: their labels, as pairs and as one array for each task.
3. `compared`: which of them are new, which differ from the existing task.
4. `versioned`: those that differ, with the versions that they take.
5. `upserted`: writes them.
6. The tombstones of written tasks are deleted; `added_labels`, `removed_labels`: writes labels.
7. `counts`: created, updated, unchanged, renumbered, and `id_conflicts`, which must be 0.
8. `updated_owner`: the owner's counter and task count.

The owner must have been locked by an earlier statement of the same transaction (`LOCK_OWNER`), so
that this statement sees everything that was written before.
"""

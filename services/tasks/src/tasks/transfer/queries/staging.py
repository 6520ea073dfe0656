"""Statements that stage the tasks of an import until all of its lines have arrived.

Each statement is a transaction of its own, so that nothing is locked while the client sends.
Staged tasks are deleted with their import, and imports with their owner.
"""

from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    TableValuedAlias,
    Text,
    bindparam,
    cast,
    column,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import JSON, insert
from sqlalchemy.sql.dml import ReturningInsert
from sqlmodel import col

from tasks.core.projections import NOW, USER_ID, Query
from tasks.model_base import columns_of
from tasks.models import Import, Owner, StagedTask, Task
from tasks.task.columns import EDITABLE_COLUMNS

IMPORT_ID: Final = bindparam("current_import_id", type_=columns_of(StagedTask)["import_id"].type)
"""The import that a statement works on."""

CONTENT: Final = cast(bindparam("content", type_=Text), JSON)
"""An array of objects, one for each task."""


LINK_COLUMNS: Final = ("parent_id", "previous_id")
"""Columns of a task that name other tasks. They are written when all tasks of the import are."""


def _columns(*, is_planning: bool, read_only: list[str]) -> list[str]:
    """Return the editable columns of a group, and those read-only ones that an import restores."""
    editable = [column.name for column in EDITABLE_COLUMNS if column.is_planning == is_planning]
    return [name for name in editable if name not in LINK_COLUMNS] + read_only


BASIC_COLUMNS: Final = _columns(
    is_planning=False, read_only=["completed_at", "created_at", "updated_at"]
)
"""Columns of a task, besides its id, that every task record sets."""

PLANNING_COLUMNS: Final = _columns(is_planning=True, read_only=["position"])
"""Columns of the planning feature, besides the links.

A record without any of their fields leaves them, and the links, as they are.
"""


def _begin_import() -> ReturningInsert[UUID]:
    new_import = select(IMPORT_ID, col(Owner.id), NOW).where(col(Owner.id) == USER_ID)
    statement = insert(Import).from_select(["id", "user_id", "begun_at"], new_import)
    return statement.on_conflict_do_update(
        index_elements=[col(Import.id)], set_={"begun_at": statement.excluded.begun_at}
    ).returning(col(Import.id))


BEGIN_IMPORT: Final = _begin_import()
"""Insert the row of an import; no row is returned if the owner is unknown. Idempotent."""


def _is_inserted() -> ColumnElement[bool]:
    """Return whether an upserted row is new: PostgreSQL sets `xmax` in rows that were updated."""
    return cast(column("xmax"), Text) == literal("0")


def _sent_tasks() -> TableValuedAlias:
    """Read `content` as a table with the columns of `StagedTask`, without user and import."""
    columns = [
        column(staged_column.name, staged_column.type)
        for staged_column in columns_of(StagedTask)
        if staged_column.name not in {"user_id", "import_id"}
    ]
    return (
        func.json_to_recordset(CONTENT)
        .table_valued(*columns)
        .render_derived(name="sent", with_types=True)
    )


def _stage_tasks() -> Query:
    sent = _sent_tasks()
    rows = select(USER_ID, IMPORT_ID).add_columns(*sent.c)
    # In the order of the table, which begins with the user and the import.
    statement = insert(StagedTask).from_select(columns_of(StagedTask).keys(), rows)
    new_values: dict[str, ColumnElement[Any]] = {}
    for sent_column in sent.c:
        if sent_column.name != "old_id":
            new_values[sent_column.name] = statement.excluded[sent_column.name]
    upserted = (
        statement.on_conflict_do_update(
            index_elements=[
                col(StagedTask.user_id),
                col(StagedTask.import_id),
                col(StagedTask.old_id),
            ],
            set_=new_values,
        )
        .returning(_is_inserted().label("is_new"))
        .cte("upserted")
    )
    return select(func.count().filter(upserted.c.is_new).label("added"))


STAGE_TASKS: Final = _stage_tasks()
"""Stage an array of JSON objects (`content`), whose members are the columns of `StagedTask`.

Returns how many ids are new to the import, as `added`. A task that is staged already is replaced,
so the statement is idempotent. It violates a foreign key if the import has been deleted.
"""


def _lock_import() -> Query:
    has_links: list[ColumnElement[bool]] = []
    for name in LINK_COLUMNS:
        column = columns_of(Task)[name]
        has_links.append(exists().where(col(Task.user_id) == USER_ID, column.is_not(None)))
    return (
        select(col(Owner.counter), or_(*has_links).label("has_links"))
        .join(Import, col(Import.user_id) == col(Owner.id))
        .where(col(Import.user_id) == USER_ID, col(Import.id) == IMPORT_ID)
        .with_for_update(of=Import)
    )


LOCK_IMPORT: Final = _lock_import()
"""Lock the import until the end of the transaction; no row if it was deleted.

Returns the `counter` of its owner, who is locked already, and whether any task of the owner names
another task (`has_links`).
"""

END_IMPORT: Final = (
    delete(Import)
    .where(col(Import.user_id) == USER_ID, col(Import.id) == IMPORT_ID)
    .returning(col(Import.id))
)
"""Delete the import and its staged tasks."""

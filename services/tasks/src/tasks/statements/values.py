"""What the statements have in common: the values that they are run with, and how a task goes over the wire."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Boolean, ColumnElement, Text, Uuid, bindparam, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.base import ReadOnlyColumnCollection
from sqlalchemy.sql.elements import KeyedColumnElement

from tasks.models import INSTANT, METADATA

OWNERS: Final = METADATA.tables["owners"]
TASKS: Final = METADATA.tables["tasks"]
TOMBSTONES: Final = METADATA.tables["task_tombstones"]
KEYS: Final = METADATA.tables["idempotency_keys"]
"""The tables."""

# No value may have a column's name: SQLAlchemy would take it for one more column to set.
USER = bindparam("caller", type_=Uuid)
TASK = bindparam("wanted", type_=Uuid)
TITLE = bindparam("new_title", type_=Text)
DESCRIPTION = bindparam("new_description", type_=Text)
SETS_DESCRIPTION = bindparam("sets_description", type_=Boolean)
IS_COMPLETED = bindparam("new_is_completed", type_=Boolean)
EXPECTED = bindparam("expected", type_=ARRAY(Text))
SEEN = bindparam("seen", type_=ARRAY(Text))
NOW = func.clock_timestamp(type_=INSTANT)
"""Values that more than one statement is run with, and the moment at which a row is written."""


def _wire_time(time: ColumnElement[datetime]) -> ColumnElement[str]:
    """Write a time as it goes over the wire: RFC 3339, UTC, `Z`, microseconds."""
    return func.to_char(func.timezone("UTC", time), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"', type_=Text)


def on_the_wire(task: ReadOnlyColumnCollection[str, KeyedColumnElement[Any]]) -> list[ColumnElement[Any]]:
    """Choose what a client sees of a task, in the order in which it is shown."""
    plain = [task[name] for name in ("id", "user_id", "title", "description", "is_completed", "status")]
    times = [_wire_time(task[name]).label(name) for name in ("completed_at", "created_at", "updated_at")]
    return [*plain, *times, task["version"]]


TASK_COLUMNS: Final = on_the_wire(TASKS.c)
"""A task as it goes over the wire."""

"""Parameters and expressions that several statements share, and how rows are shown to clients."""

from datetime import datetime
from decimal import Decimal
from typing import Any, Final, TypeAlias

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Integer,
    Select,
    Text,
    Uuid,
    any_,
    bindparam,
    cast,
    func,
    literal_column,
    or_,
)
from sqlalchemy.dialects.postgresql import ARRAY

from tasks.model_base import TIMESTAMPTZ, Columns, columns_of, sort_position
from tasks.models import Label, TaskList

# No parameter has the name of a column: SQLAlchemy would add it to the columns that are set.
USER_ID = bindparam("current_user_id", type_=Uuid)
TARGET_ID = bindparam("target_id", type_=Uuid)
"""The task, list or label of the request."""

LIST_ID = bindparam("new_list_id", type_=Uuid)
SETS_LIST = bindparam("sets_list_id", type_=Boolean)
NAME = bindparam("new_name", type_=Text)
FOLDED_NAME = bindparam("new_folded_name", type_=Text)
QUOTA = bindparam("quota", type_=Integer)
IF_MATCH = bindparam("if_match", type_=ARRAY(Text))
"""Versions that may be written; null for any."""

IF_NONE_MATCH = bindparam("if_none_match", type_=ARRAY(Text))
"""Versions that the client has."""

NOW = func.clock_timestamp(type_=TIMESTAMPTZ)
"""The time at which a row is written, not the start of the statement."""

Query: TypeAlias = Select[*tuple[Any, ...]]
"""A SELECT of any columns."""

# Constants are part of the SQL text: each parameter costs something in every request.
_UTC = literal_column("'UTC'", Text)
_DATE_TIME_FORMAT = literal_column("""'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'""", Text)
_ZERO = literal_column("'0'", Text)
_DIGITS_BEFORE_POINT = literal_column("20", Integer)


def matches_if_match(row: Columns) -> ColumnElement[bool]:
    """Return whether a row has one of the versions in `IF_MATCH`, or that is null."""
    return or_(IF_MATCH.is_(None), cast(row["version"], Text) == any_(IF_MATCH))


def time_text(time: ColumnElement[datetime]) -> ColumnElement[str]:
    """Return a time as text: RFC 3339, UTC, `Z`, microseconds."""
    return func.to_char(func.timezone(_UTC, time), _DATE_TIME_FORMAT, type_=Text)


def position_text(row: Columns) -> ColumnElement[str]:
    """Return the sort position of a row as text whose bytes sort as the number does."""
    position: ColumnElement[Decimal] = func.trim_scale(sort_position(row))
    digits = func.length(cast(func.trunc(position), Text))
    padding = func.repeat(_ZERO, _DIGITS_BEFORE_POINT - digits, type_=Text)
    return padding.concat(cast(position, Text))


def microseconds(time: ColumnElement[datetime]) -> ColumnElement[int]:
    """Return the microseconds from 1970 to a time."""
    return cast(func.extract("epoch", time) * 1_000_000, BigInteger)


def list_fields(task_list: Columns) -> list[ColumnElement[Any]]:
    """Return what clients see of a list: the fields of `ListRead`, in its order."""
    return [
        task_list["id"],
        task_list["user_id"],
        task_list["name"],
        position_text(task_list).label("position"),
        task_list["version"],
        time_text(task_list["created_at"]).label("created_at"),
        time_text(task_list["updated_at"]).label("updated_at"),
    ]


def label_fields(label: Columns) -> list[ColumnElement[Any]]:
    """Return what clients see of a label: the fields of `LabelRead`, in its order."""
    return [
        label["id"],
        label["user_id"],
        label["name"],
        label["version"],
        time_text(label["created_at"]).label("created_at"),
        time_text(label["updated_at"]).label("updated_at"),
    ]


LIST_PROJECTION: Final = list_fields(columns_of(TaskList))
LABEL_PROJECTION: Final = label_fields(columns_of(Label))

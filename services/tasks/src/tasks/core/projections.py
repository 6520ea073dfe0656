"""What the statements have in common: the values that they are run with, and how things go over the wire."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

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

from tasks.models import METADATA, TIMESTAMPTZ, Columns, sort_position

OWNERS: Final = METADATA.tables["owners"]
TASKS: Final = METADATA.tables["tasks"]
LISTS: Final = METADATA.tables["task_lists"]
LABELS: Final = METADATA.tables["labels"]
TASK_LABELS: Final = METADATA.tables["task_labels"]
TOMBSTONES: Final = METADATA.tables["task_tombstones"]
KEYS: Final = METADATA.tables["idempotency_keys"]
IMPORTS: Final = METADATA.tables["imports"]
STAGED: Final = METADATA.tables["staged_tasks"]
"""The tables."""

# No value may have a column's name: SQLAlchemy would take it for one more column to set.
USER_ID = bindparam("current_user_id", type_=Uuid)
TARGET_ID = bindparam("target_id", type_=Uuid)
LIST_ID = bindparam("new_list_id", type_=Uuid)
SETS_LIST = bindparam("sets_list_id", type_=Boolean)
NAME = bindparam("new_name", type_=Text)
FOLDED_NAME = bindparam("new_folded_name", type_=Text)
QUOTA = bindparam("quota", type_=Integer)
IF_MATCH = bindparam("if_match", type_=ARRAY(Text))
IF_NONE_MATCH = bindparam("if_none_match", type_=ARRAY(Text))
NOW = func.clock_timestamp(type_=TIMESTAMPTZ)
"""Values that more than one statement is run with, and the moment at which a row is written."""

Query = Select[*tuple[Any, ...]]
"""What reads any columns."""

# Constants stand in the statement's text: each value that is sent beside it costs something in every request.
_UTC = literal_column("'UTC'", Text)
_TIME = literal_column("""'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'""", Text)
_ZERO = literal_column("'0'", Text)
_PLACES_BEFORE_POINT = literal_column("20", Integer)


def matches_if_match(row: Columns) -> ColumnElement[bool]:
    """Tell whether a row has one of the versions that are expected, if any are."""
    return or_(IF_MATCH.is_(None), cast(row["version"], Text) == any_(IF_MATCH))


def time_json(time: ColumnElement[datetime]) -> ColumnElement[str]:
    """Write a time as it goes over the wire: RFC 3339, UTC, `Z`, microseconds."""
    return func.to_char(func.timezone(_UTC, time), _TIME, type_=Text)


def position_json(row: Columns) -> ColumnElement[str]:
    """Write what a row is ordered by as a text that sorts by its bytes as the number does."""
    place: ColumnElement[Decimal] = func.trim_scale(sort_position(row))
    missing = _PLACES_BEFORE_POINT - func.length(cast(func.trunc(place), Text))
    return func.repeat(_ZERO, missing, type_=Text).concat(cast(place, Text))


def microseconds(time: ColumnElement[datetime]) -> ColumnElement[int]:
    """Count from 1970 to a moment."""
    return cast(func.extract("epoch", time) * 1_000_000, BigInteger)


def list_json(task_list: Columns) -> list[ColumnElement[Any]]:
    """Choose what a client sees of a list."""
    shown = [
        *_plain(task_list, "id", "user_id", "name"),
        position_json(task_list).label("position"),
    ]
    return [*shown, *_plain(task_list, "version"), *_times(task_list, "created_at", "updated_at")]


def label_json(label: Columns) -> list[ColumnElement[Any]]:
    """Choose what a client sees of a label."""
    return [
        *_plain(label, "id", "user_id", "name", "version"),
        *_times(label, "created_at", "updated_at"),
    ]


def _plain(row: Columns, *names: str) -> Iterable[ColumnElement[Any]]:
    return [row[name] for name in names]


def _times(row: Columns, *names: str) -> Iterable[ColumnElement[str]]:
    return [time_json(row[name]).label(name) for name in names]


LIST_PROJECTION: Final = list_json(LISTS.c)
LABEL_PROJECTION: Final = label_json(LABELS.c)
"""What is stored, as it goes over the wire."""

"""What is stored: owners with their counters, tasks, lists and labels, what is left of them, and answers to repeat."""

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ColumnElement,
    Computed,
    DateTime,
    ForeignKeyConstraint,
    Index,
    MetaData,
    Numeric,
    SmallInteger,
    Text,
    UniqueConstraint,
    extract,
    func,
    literal_column,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.base import ReadOnlyColumnCollection
from sqlalchemy.sql.elements import KeyedColumnElement
from sqlmodel import Field, SQLModel

METADATA: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""Every constraint has a name that a migration can use."""

TITLE_MAX_CHARACTERS: Final = 200
DESCRIPTION_MAX_CHARACTERS: Final = 10_000
LIST_NAME_MAX_CHARACTERS: Final = 120
LABEL_NAME_MAX_CHARACTERS: Final = 50
ZONE_MAX_CHARACTERS: Final = 64
"""Lengths in code points, checked by the service and once more by the database."""

PRIORITIES: Final = ("none", "low", "medium", "high")
"""What the numbers of priorities are called, from 0 on."""

Columns = ReadOnlyColumnCollection[str, KeyedColumnElement[Any]]
"""The columns of a table, or of what a statement has made of it, by their names."""

CASEFOLDED: Final = Text(collation="C")
"""A name without its case. It is compared and sorted by code points, the same on every server."""


TIMESTAMPTZ: Final = DateTime(timezone=True)
"""Times are `timestamptz`; the database's clock writes them."""


class Table(SQLModel):
    """What all tables of this service have in common."""

    metadata = METADATA


_STATUS = "CASE WHEN is_completed THEN 'completed' ELSE 'pending' END"
_DUE = "(due_at IS NULL) = (due_time_zone IS NULL) AND (due_at IS NULL OR due_date IS NOT NULL)"


def sort_position(row: Columns) -> ColumnElement[Decimal]:
    """Return what a row is ordered by: its position, or for one that was never moved the microseconds of its making.

    An index has the same expression, so its constants stand in the statement's text: a value that is sent beside it
    would hide the likeness from the planner.
    """
    made = extract("epoch", func.timezone(literal_column("'UTC'"), row["created_at"]))
    return func.coalesce(row["position"], made * literal_column("1000000"))


class Owner(Table, table=True):
    """A user as this service knows them.

    `counter` is raised by every write in the same statement, and stays locked until the commit, so the order of
    versions is the order of commits. It starts at the microseconds of its making, so no value is ever used twice.
    What happened up to `pruned_version` is no longer known in full.
    """

    __tablename__ = "owners"  # pyright: ignore[reportAssignmentType]

    id: UUID = Field(primary_key=True)
    counter: int = Field(sa_type=BigInteger)
    task_count: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    list_count: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    label_count: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    pruned_version: int = Field(
        default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"}
    )
    created_at: datetime = Field(sa_type=TIMESTAMPTZ)


class TaskList(Table, table=True):
    """A list that tasks can be in; the name is unique for its owner whatever its case."""

    __tablename__ = "task_lists"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        CheckConstraint(
            f"char_length(name) BETWEEN 1 AND {LIST_NAME_MAX_CHARACTERS}", "name_length"
        ),
        UniqueConstraint("user_id", "id"),
        UniqueConstraint("user_id", "folded_name"),
        UniqueConstraint("user_id", "version"),
    )

    id: UUID = Field(primary_key=True)
    user_id: UUID = Field(foreign_key="owners.id", ondelete="CASCADE")
    name: str = Field(sa_type=Text)
    folded_name: str = Field(sa_type=CASEFOLDED)
    position: Decimal | None = Field(default=None, sa_type=Numeric)
    created_at: datetime = Field(sa_type=TIMESTAMPTZ)
    updated_at: datetime = Field(sa_type=TIMESTAMPTZ)
    version: int = Field(sa_type=BigInteger)


class Label(Table, table=True):
    """A word that tasks can carry, as it was first spelled; unique for its owner whatever its case."""

    __tablename__ = "labels"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        CheckConstraint(
            f"char_length(name) BETWEEN 1 AND {LABEL_NAME_MAX_CHARACTERS}", "name_length"
        ),
        UniqueConstraint("user_id", "id"),
        UniqueConstraint("user_id", "folded_name"),
        UniqueConstraint("user_id", "version"),
    )

    id: UUID = Field(primary_key=True)
    user_id: UUID = Field(foreign_key="owners.id", ondelete="CASCADE")
    name: str = Field(sa_type=Text)
    folded_name: str = Field(sa_type=CASEFOLDED)
    created_at: datetime = Field(sa_type=TIMESTAMPTZ)
    updated_at: datetime = Field(sa_type=TIMESTAMPTZ)
    version: int = Field(sa_type=BigInteger)


class Task(Table, table=True):
    """A task; `version` is the value its last change took from the owner's counter.

    Without a list it is in the inbox. A due date is a calendar day and never shifts; with a time of day, `due_at` is
    the instant as it was reckoned when that was said. Without a `position` it has never been moved.
    """

    __tablename__ = "tasks"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        CheckConstraint(f"char_length(title) BETWEEN 1 AND {TITLE_MAX_CHARACTERS}", "title_length"),
        CheckConstraint(
            f"char_length(description) <= {DESCRIPTION_MAX_CHARACTERS}", "description_length"
        ),
        CheckConstraint("is_completed = (completed_at IS NOT NULL)", "completion"),
        CheckConstraint(_DUE, "due"),
        CheckConstraint(
            f"char_length(due_time_zone) <= {ZONE_MAX_CHARACTERS}", "due_time_zone_length"
        ),
        CheckConstraint(f"priority BETWEEN 0 AND {len(PRIORITIES) - 1}", "priority"),
        ForeignKeyConstraint(
            ["user_id", "list_id"],
            ["task_lists.user_id", "task_lists.id"],
            ondelete="SET NULL (list_id)",
        ),
        UniqueConstraint("user_id", "version"),
        Index(None, "user_id", "created_at", "id"),
        Index("uq_tasks_user_id_id", "user_id", "id", unique=True),
        Index(None, "user_id", "due_date", postgresql_where=literal_column("NOT is_completed")),
    )

    id: UUID = Field(primary_key=True)
    user_id: UUID = Field(foreign_key="owners.id", ondelete="CASCADE")
    title: str = Field(sa_type=Text)
    description: str | None = Field(default=None, sa_type=Text)
    is_completed: bool = False
    status: str = Field(sa_type=Text, sa_column_args=[Computed(_STATUS, persisted=True)])
    completed_at: datetime | None = Field(default=None, sa_type=TIMESTAMPTZ)
    created_at: datetime = Field(sa_type=TIMESTAMPTZ)
    updated_at: datetime = Field(sa_type=TIMESTAMPTZ)
    version: int = Field(sa_type=BigInteger)
    list_id: UUID | None = None
    due_date: date | None = None
    due_time: time | None = None
    due_at: datetime | None = Field(default=None, sa_type=TIMESTAMPTZ)
    due_time_zone: str | None = Field(default=None, sa_type=Text)
    priority: int = Field(default=0, sa_type=SmallInteger, sa_column_kwargs={"server_default": "0"})
    position: Decimal | None = Field(default=None, sa_type=Numeric)


_TASKS = METADATA.tables["tasks"]
Index(
    "ix_tasks_user_id_list_id_place",
    _TASKS.c.user_id,
    _TASKS.c.list_id,
    sort_position(_TASKS.c),
    _TASKS.c.id,
)


class TaskLabel(Table, table=True):
    """A label on a task of the same owner."""

    __tablename__ = "task_labels"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        ForeignKeyConstraint(
            ["user_id", "task_id"], ["tasks.user_id", "tasks.id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(
            ["user_id", "label_id"], ["labels.user_id", "labels.id"], ondelete="CASCADE"
        ),
        Index(None, "user_id", "label_id"),
    )

    user_id: UUID = Field(foreign_key="owners.id", ondelete="CASCADE")
    task_id: UUID = Field(primary_key=True)
    label_id: UUID = Field(primary_key=True)


class Import(Table, table=True):
    """An import that is being sent, or that broke off. It goes with all that is staged for it when it is merged.

    This table and the next are not logged: after a crash of the database both are empty, so that an import whose client
    still sends finds that it is gone, and none is merged in part.
    """

    __tablename__ = "imports"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (UniqueConstraint("user_id", "id"), {"prefixes": ["UNLOGGED"]})

    id: UUID = Field(primary_key=True)
    user_id: UUID = Field(foreign_key="owners.id", ondelete="CASCADE")
    begun_at: datetime = Field(sa_type=TIMESTAMPTZ, index=True)


class StagedTask(Table, table=True):
    """A task that came with an import, and is none yet. Of lines with one id the last is kept.

    `old_id` is the one that it had, `own_id` the one that it gets when that belongs to somebody else.
    """

    __tablename__ = "staged_tasks"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        ForeignKeyConstraint(
            ["user_id", "import_id"], ["imports.user_id", "imports.id"], ondelete="CASCADE"
        ),
        Index(None, "import_id", "line"),
        {"prefixes": ["UNLOGGED"]},
    )

    user_id: UUID = Field(primary_key=True, foreign_key="owners.id", ondelete="CASCADE")
    import_id: UUID = Field(primary_key=True)
    old_id: UUID = Field(primary_key=True)
    line: int
    own_id: UUID
    title: str = Field(sa_type=Text)
    description: str | None = Field(default=None, sa_type=Text)
    is_completed: bool
    completed_at: datetime | None = Field(default=None, sa_type=TIMESTAMPTZ)
    created_at: datetime = Field(sa_type=TIMESTAMPTZ)
    updated_at: datetime = Field(sa_type=TIMESTAMPTZ)
    is_planned: bool
    list_id: UUID | None = None
    due_date: date | None = None
    due_time: time | None = None
    due_at: datetime | None = Field(default=None, sa_type=TIMESTAMPTZ)
    due_time_zone: str | None = Field(default=None, sa_type=Text)
    priority: int = Field(sa_type=SmallInteger)
    position: Decimal | None = Field(default=None, sa_type=Numeric)
    labels: list[str] = Field(sa_type=ARRAY(Text))


class TaskTombstone(Table, table=True):
    """What is left of a deleted task, list or label: enough to tell its owner's other devices, and no content."""

    __tablename__ = "task_tombstones"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (UniqueConstraint("user_id", "version"),)

    user_id: UUID = Field(primary_key=True, foreign_key="owners.id", ondelete="CASCADE")
    id: UUID = Field(primary_key=True)
    kind: str = Field(sa_type=Text)
    version: int = Field(sa_type=BigInteger)
    deleted_at: datetime = Field(sa_type=TIMESTAMPTZ)


class IdempotencyKey(Table, table=True):
    """A key that a client gave to a request, what the request meant, and the answer that it got.

    `task_id` names what the answer shows, which can be a list as well.
    """

    __tablename__ = "idempotency_keys"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (Index(None, "user_id", "created_at"),)

    user_id: UUID = Field(primary_key=True, foreign_key="owners.id", ondelete="CASCADE")
    operation: str = Field(primary_key=True, sa_type=Text)
    key: str = Field(primary_key=True, sa_type=Text)
    digest: bytes
    task_id: UUID
    version: int = Field(sa_type=BigInteger)
    answer: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=TIMESTAMPTZ)


class ServedHistory(Table, table=True):
    """Which history of this database is served: one row, about which `common.database.history` knows more."""

    __tablename__ = "served_history"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (CheckConstraint("id = 1", "one_row"),)

    id: int = Field(
        primary_key=True, sa_type=SmallInteger, sa_column_kwargs={"autoincrement": False}
    )
    place: str = Field(sa_type=Text)
    written_by: str = Field(sa_type=Text)

"""Every table of the service."""

from datetime import date, datetime, time
from decimal import Decimal
from typing import Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    ForeignKeyConstraint,
    Index,
    Numeric,
    PrimaryKeyConstraint,
    SmallInteger,
    Text,
    UniqueConstraint,
    literal_column,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field

from tasks.limits import (
    DESCRIPTION_MAX_CHARACTERS,
    LABEL_NAME_MAX_CHARACTERS,
    LIST_NAME_MAX_CHARACTERS,
    PRIORITIES,
    RECURRENCE_RULE_MAX_CHARACTERS,
    RECURRENCE_STARTS,
    TITLE_MAX_CHARACTERS,
)
from tasks.model_base import CASEFOLDED, TIMESTAMPTZ, Table, columns_of, sort_position

METADATA: Final = Table.metadata
"""Every table of this module."""

REVISIONS: Final = (
    "f30362ae1a1a",
    "a41c09e7d352",
    "c7d20f5b1e94",
    "d3b51a7c60f8",
    "5b8f0c3e7a19",
    "e60b94d1c27f",
    "b7d3a9150e42",
)
"""All revisions in `migrations`, the oldest first. A test compares them.

They are repeated here because the image has no access to the migrations' history at run time.
"""

ZONE_MAX_CHARACTERS: Final = 64
"""Code points of the name of a time zone."""


_STATUS_SQL = "CASE WHEN is_completed THEN 'completed' ELSE 'pending' END"
_DUE_CHECK = (
    "(due_at IS NULL) = (due_time_zone IS NULL) AND (due_at IS NULL OR due_date IS NOT NULL)"
)
_RECURRENCE_CHECK = (
    "(recurrence_rule IS NULL) = (recurrence_from IS NULL) "
    f"AND recurrence_from IN {RECURRENCE_STARTS}"
)


class Owner(Table, table=True):
    """A user who has data in this service.

    Every write raises `counter` in the same statement and keeps the row locked until its commit, so
    that the order of versions is the order of commits. The counter starts at the creation time in
    microseconds, so that no value is used twice, even after the owner was erased.

    Tombstones with versions up to `pruned_version` may have been deleted.
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
    """A list of tasks. An owner's list names differ in more than case."""

    __tablename__ = "task_lists"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        CheckConstraint(
            f"char_length(name) BETWEEN 1 AND {LIST_NAME_MAX_CHARACTERS}", "name_length"
        ),
        PrimaryKeyConstraint("user_id", "id"),
        Index("uq_task_lists_id", "id", unique=True),
        UniqueConstraint("user_id", "folded_name"),
        UniqueConstraint("user_id", "version"),
    )

    id: UUID
    user_id: UUID = Field(foreign_key="owners.id", ondelete="CASCADE")
    name: str = Field(sa_type=Text)
    folded_name: str = Field(sa_type=CASEFOLDED)
    position: Decimal | None = Field(default=None, sa_type=Numeric)
    created_at: datetime = Field(sa_type=TIMESTAMPTZ)
    updated_at: datetime = Field(sa_type=TIMESTAMPTZ)
    version: int = Field(sa_type=BigInteger)


class Label(Table, table=True):
    """A label, as it was spelled first. An owner's label names differ in more than case."""

    __tablename__ = "labels"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        CheckConstraint(
            f"char_length(name) BETWEEN 1 AND {LABEL_NAME_MAX_CHARACTERS}", "name_length"
        ),
        PrimaryKeyConstraint("user_id", "id"),
        Index("uq_labels_id", "id", unique=True),
        UniqueConstraint("user_id", "folded_name"),
        UniqueConstraint("user_id", "version"),
    )

    id: UUID
    user_id: UUID = Field(foreign_key="owners.id", ondelete="CASCADE")
    name: str = Field(sa_type=Text)
    folded_name: str = Field(sa_type=CASEFOLDED)
    created_at: datetime = Field(sa_type=TIMESTAMPTZ)
    updated_at: datetime = Field(sa_type=TIMESTAMPTZ)
    version: int = Field(sa_type=BigInteger)


class Task(Table, table=True):
    """A task.

    Attributes:
        version: The value that the last change took from the owner's counter.
        list_id: Null is the inbox.
        due_date: A calendar day, which no time zone shifts.
        due_at: The instant of date, time and zone, as it was computed when they were set.
        position: Null until the task is moved.
        recurrence_rule: In the canonical form of `task.recurrence`.
        recurrence_from: What the next occurrence is computed from: `due` or `completion`.
        previous_id: The occurrence before this one; for a copied subtask what it is a copy of.
        parent_id: The task that this is a subtask of.
        made_version: The version with which the service made this task, as the next occurrence of
            another one or with it. While it is still the version, nobody has changed the task.
        made_subtask_count: How many subtasks were made with this occurrence. Null for all other
            tasks.
    """

    __tablename__ = "tasks"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        CheckConstraint(f"char_length(title) BETWEEN 1 AND {TITLE_MAX_CHARACTERS}", "title_length"),
        CheckConstraint(
            f"char_length(description) <= {DESCRIPTION_MAX_CHARACTERS}", "description_length"
        ),
        CheckConstraint("is_completed = (completed_at IS NOT NULL)", "completion"),
        CheckConstraint(_DUE_CHECK, "due"),
        CheckConstraint(
            f"char_length(due_time_zone) <= {ZONE_MAX_CHARACTERS}", "due_time_zone_length"
        ),
        CheckConstraint(f"priority BETWEEN 0 AND {len(PRIORITIES) - 1}", "priority"),
        ForeignKeyConstraint(
            ["user_id", "list_id"],
            ["task_lists.user_id", "task_lists.id"],
            ondelete="SET NULL (list_id)",
        ),
        CheckConstraint(_RECURRENCE_CHECK, "recurrence"),
        CheckConstraint(
            f"char_length(recurrence_rule) <= {RECURRENCE_RULE_MAX_CHARACTERS}",
            "recurrence_rule_length",
        ),
        CheckConstraint("parent_id <> id", "parent"),
        ForeignKeyConstraint(
            ["user_id", "parent_id"],
            ["tasks.user_id", "tasks.id"],
            "fk_tasks_parent_id_tasks",
            ondelete="SET NULL (parent_id)",
        ),
        ForeignKeyConstraint(
            ["user_id", "previous_id"],
            ["tasks.user_id", "tasks.id"],
            "fk_tasks_previous_id_tasks",
            ondelete="SET NULL (previous_id)",
        ),
        PrimaryKeyConstraint("user_id", "id"),
        Index("uq_tasks_id", "id", unique=True),
        UniqueConstraint("user_id", "version"),
        Index(None, "user_id", "created_at", "id"),
        Index(None, "user_id", "due_date", postgresql_where=literal_column("NOT is_completed")),
        Index(
            None,
            "user_id",
            "previous_id",
            postgresql_where=literal_column("previous_id IS NOT NULL"),
        ),
    )

    id: UUID
    user_id: UUID = Field(foreign_key="owners.id", ondelete="CASCADE")
    title: str = Field(sa_type=Text)
    description: str | None = Field(default=None, sa_type=Text)
    is_completed: bool = False
    status: str = Field(sa_type=Text, sa_column_args=[Computed(_STATUS_SQL, persisted=True)])
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
    recurrence_rule: str | None = Field(default=None, sa_type=Text)
    recurrence_from: str | None = Field(default=None, sa_type=Text)
    previous_id: UUID | None = None
    parent_id: UUID | None = None
    made_version: int | None = Field(default=None, sa_type=BigInteger)
    made_subtask_count: int | None = Field(default=None, sa_type=SmallInteger)


_task_columns = columns_of(Task)
Index(
    "ix_tasks_user_id_list_id_place",
    _task_columns["user_id"],
    _task_columns["list_id"],
    sort_position(_task_columns),
    _task_columns["id"],
)
Index(
    "ix_tasks_user_id_parent_id_place",
    _task_columns["user_id"],
    _task_columns["parent_id"],
    sort_position(_task_columns),
    _task_columns["id"],
    postgresql_where=literal_column("parent_id IS NOT NULL"),
)


class TaskLabel(Table, table=True):
    """Links a label to a task of the same owner."""

    __tablename__ = "task_labels"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        ForeignKeyConstraint(
            ["user_id", "task_id"], ["tasks.user_id", "tasks.id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(
            ["user_id", "label_id"], ["labels.user_id", "labels.id"], ondelete="CASCADE"
        ),
        Index(None, "user_id", "label_id"),
        # Releases before e60b94d1c27f find labels by the task alone. The revision after that one
        # can drop this index.
        Index(None, "task_id", "label_id"),
    )

    user_id: UUID = Field(primary_key=True, foreign_key="owners.id", ondelete="CASCADE")
    task_id: UUID = Field(primary_key=True)
    label_id: UUID = Field(primary_key=True)


class Import(Table, table=True):
    """An import that is running, or that was interrupted. It is deleted when it has been merged.

    This table and `staged_tasks` are UNLOGGED. A crash of the database empties both, so that an
    import that still receives records fails, and none is merged in part.
    """

    __tablename__ = "imports"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (UniqueConstraint("user_id", "id"), {"prefixes": ["UNLOGGED"]})

    id: UUID = Field(primary_key=True)
    user_id: UUID = Field(foreign_key="owners.id", ondelete="CASCADE")
    begun_at: datetime = Field(sa_type=TIMESTAMPTZ, index=True)


class StagedTask(Table, table=True):
    """A task of an import that is not merged yet. Of several records with one id the last is kept.

    Attributes:
        old_id: The id in the import.
        own_id: The id that the task gets if another user has `old_id`.
        line: The number of the line in the import.
        is_planned: Whether the record has planning fields. Otherwise those of the stored task stay.
        previous_id: As in the import.
        parent_id: As in the import.
        own_previous_id: The id that `previous_id` has here if it was replaced, as `own_id`.
        own_parent_id: Likewise for `parent_id`.
        has_list: Whether the record says in which list it is.
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
    recurrence_rule: str | None = Field(default=None, sa_type=Text)
    recurrence_from: str | None = Field(default=None, sa_type=Text)
    previous_id: UUID | None = None
    parent_id: UUID | None = None
    own_previous_id: UUID | None = None
    own_parent_id: UUID | None = None
    has_list: bool | None = None
    labels: list[str] = Field(sa_type=ARRAY(Text))


class TaskTombstone(Table, table=True):
    """A deleted task, list or label: what other devices need to delete theirs, and no content."""

    __tablename__ = "task_tombstones"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (UniqueConstraint("user_id", "version"),)

    user_id: UUID = Field(primary_key=True, foreign_key="owners.id", ondelete="CASCADE")
    id: UUID = Field(primary_key=True)
    kind: str = Field(sa_type=Text)
    version: int = Field(sa_type=BigInteger)
    deleted_at: datetime = Field(sa_type=TIMESTAMPTZ)


class IdempotencyKey(Table, table=True):
    """An `Idempotency-Key` and the response that is sent again to requests with the same key.

    Attributes:
        digest: The fingerprint of the request. Another request with the key is rejected.
        task_id: The task or list in the response.
        version: Its version.
        answer: The body of the response.
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
    """The history that is served from this database, in one row. See `common.database.history`."""

    __tablename__ = "served_history"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (CheckConstraint("id = 1", "one_row"),)

    id: int = Field(
        primary_key=True, sa_type=SmallInteger, sa_column_kwargs={"autoincrement": False}
    )
    place: str = Field(sa_type=Text)
    written_by: str = Field(sa_type=Text)

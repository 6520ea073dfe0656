"""What is stored: owners with their counters, tasks, what is left of deleted tasks, and answers to give once more."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Computed, DateTime, Index, MetaData, Text, UniqueConstraint
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
"""Lengths in code points, checked by the service and once more by the database."""


INSTANT: Final = DateTime(timezone=True)
"""Times are `timestamptz`; the database's clock writes them."""


class Table(SQLModel):
    """What all tables of this service have in common."""

    metadata = METADATA


_STATUS = "CASE WHEN is_completed THEN 'completed' ELSE 'pending' END"


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
    pruned_version: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    created_at: datetime = Field(sa_type=INSTANT)


class Task(Table, table=True):
    """A task; `version` is the value its last change took from the owner's counter."""

    __tablename__ = "tasks"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        CheckConstraint(f"char_length(title) BETWEEN 1 AND {TITLE_MAX_CHARACTERS}", "title_length"),
        CheckConstraint(f"char_length(description) <= {DESCRIPTION_MAX_CHARACTERS}", "description_length"),
        CheckConstraint("is_completed = (completed_at IS NOT NULL)", "completion"),
        UniqueConstraint("user_id", "version"),
        Index(None, "user_id", "created_at", "id"),
    )

    id: UUID = Field(primary_key=True)
    user_id: UUID = Field(foreign_key="owners.id", ondelete="CASCADE")
    title: str = Field(sa_type=Text)
    description: str | None = Field(default=None, sa_type=Text)
    is_completed: bool = False
    status: str = Field(sa_type=Text, sa_column_args=[Computed(_STATUS, persisted=True)])
    completed_at: datetime | None = Field(default=None, sa_type=INSTANT)
    created_at: datetime = Field(sa_type=INSTANT)
    updated_at: datetime = Field(sa_type=INSTANT)
    version: int = Field(sa_type=BigInteger)


class TaskTombstone(Table, table=True):
    """What is left of a deleted task: enough to tell its owner's other devices, and nothing of its content."""

    __tablename__ = "task_tombstones"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (UniqueConstraint("user_id", "version"),)

    user_id: UUID = Field(primary_key=True, foreign_key="owners.id", ondelete="CASCADE")
    id: UUID = Field(primary_key=True)
    kind: str = Field(sa_type=Text)
    version: int = Field(sa_type=BigInteger)
    deleted_at: datetime = Field(sa_type=INSTANT)


class IdempotencyKey(Table, table=True):
    """A key that a client gave to a request, what the request meant, and the answer that it got."""

    __tablename__ = "idempotency_keys"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (Index(None, "user_id", "created_at"),)

    user_id: UUID = Field(primary_key=True, foreign_key="owners.id", ondelete="CASCADE")
    operation: str = Field(primary_key=True, sa_type=Text)
    key: str = Field(primary_key=True, sa_type=Text)
    digest: bytes
    task_id: UUID
    version: int = Field(sa_type=BigInteger)
    answer: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=INSTANT)

"""What is stored: the profile of whoever was seen."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import DateTime, MetaData, Text
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

INSTANT: Final = DateTime(timezone=True)
"""Times are `timestamptz`; the database's clock writes them."""


class Table(SQLModel):
    """What all tables of this service have in common."""

    metadata = METADATA


class User(Table, table=True):
    """A profile: what the last token said of its owner, and what they chose themselves.

    `email` is lower-cased, and null where the token names none, no real one, or one that somebody else has.
    """

    __tablename__ = "users"  # pyright: ignore[reportAssignmentType]

    id: UUID = Field(primary_key=True)
    email: str | None = Field(default=None, sa_type=Text, unique=True)
    time_zone: str = Field(default="UTC", sa_type=Text, sa_column_kwargs={"server_default": "UTC"})
    auth_issuer: str = Field(sa_type=Text)
    auth_subject: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=INSTANT)
    updated_at: datetime = Field(sa_type=INSTANT)

"""The table of this service: profiles."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Text
from sqlmodel import Field, SQLModel

from common.database.schema import TIMESTAMPTZ, create_metadata

METADATA: Final = create_metadata()
"""The tables of this service; migrations are compared with it."""


class Table(SQLModel):
    """Base of all tables of this service."""

    metadata = METADATA


class User(Table, table=True):
    """A profile: the claims of the user's last token, and what the user has chosen.

    `email` is in lower case. It is null if the token has none, or none that is valid, or one that
    another user has.
    """

    __tablename__ = "users"  # pyright: ignore[reportAssignmentType]

    id: UUID = Field(primary_key=True)
    email: str | None = Field(default=None, sa_type=Text, unique=True)
    time_zone: str = Field(default="UTC", sa_type=Text, sa_column_kwargs={"server_default": "UTC"})
    auth_issuer: str = Field(sa_type=Text)
    auth_subject: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=TIMESTAMPTZ)
    updated_at: datetime = Field(sa_type=TIMESTAMPTZ)

"""What all models of the service have in common."""

from decimal import Decimal
from typing import Any, Final

from sqlalchemy import ColumnElement, DateTime, Text, extract, func, inspect, literal_column
from sqlalchemy.orm import Mapper
from sqlalchemy.sql.base import ReadOnlyColumnCollection
from sqlalchemy.sql.elements import KeyedColumnElement
from sqlmodel import SQLModel

from common.database.schema import create_metadata

Columns = ReadOnlyColumnCollection[str, KeyedColumnElement[Any]]
"""The columns of a table, or of a CTE that has the same columns, by name."""

CASEFOLDED: Final = Text(collation="C")
"""A case-folded name. It is compared and sorted by code points, the same on every server."""

TIMESTAMPTZ: Final = DateTime(timezone=True)
"""Points in time. The clock of the database writes them."""


class Table(SQLModel):
    """Base class of all tables of this service.

    Primary and foreign keys begin with the owner, so that the rows of different owners can be
    stored apart (docs/sharding.md). That the ids of clients are unique among all owners is an index
    beside the key, which a later revision can drop.
    """

    metadata = create_metadata()


def columns_of(table: type[Table]) -> Columns:
    """Return the columns of a table by name, for code that takes a table or a CTE."""
    mapper: Mapper[Table] = inspect(table)
    return mapper.local_table.columns


def sort_position(row: Columns) -> ColumnElement[Decimal]:
    """Return the number by which tasks and lists are ordered.

    It is the position, or for a row that was never moved its creation time in microseconds.

    An index has the same expression. Its constants are part of the SQL text: with parameters in
    their place, the planner would not recognise the expression.
    """
    epoch_seconds = extract("epoch", func.timezone(literal_column("'UTC'"), row["created_at"]))
    return func.coalesce(row["position"], epoch_seconds * literal_column("1000000"))

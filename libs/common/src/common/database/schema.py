"""What the tables of all services have in common."""

from datetime import datetime
from typing import Final

from sqlalchemy import (
    ColumnElement,
    DateTime,
    MetaData,
    SQLColumnExpression,
    Text,
    func,
    literal_column,
)

TIMESTAMPTZ: Final = DateTime(timezone=True)
"""Column type of every instant. The database's clock writes them."""

_UTC: Final = literal_column("'UTC'", Text)
_RFC_3339: Final = literal_column("""'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'""", Text)


def create_metadata() -> MetaData:
    """Create a service's collection of tables; every constraint gets a name for migrations."""
    return MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def timestamp_json(instant: SQLColumnExpression[datetime]) -> ColumnElement[str]:
    """Format an instant as JSON shows it: RFC 3339 in UTC with `Z` and six decimals."""
    return func.to_char(func.timezone(_UTC, instant), _RFC_3339, type_=Text)

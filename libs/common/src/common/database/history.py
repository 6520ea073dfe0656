"""Detect that a database was restored, copied or recovered: a new history begins.

In a new history no version may be used a second time. The table `served_history` has one row with
two values: the location of the database that was served last, and the transaction that wrote the
row. They differ

- in a copy, whose location is another one: another cluster (system identifier), another timeline of
  the write-ahead log (after point-in-time recovery or the promotion of a standby), another
  database, or another branch of Neon;
- in a restored dump, even in the same database, because another transaction wrote the row.
"""

from typing import Final, LiteralString

_LOCATION: Final[LiteralString] = """
concat_ws(
    '/',
    (SELECT system_identifier FROM pg_control_system()),
    left(pg_walfile_name(pg_current_wal_lsn()), 8),
    (SELECT oid FROM pg_database WHERE datname = current_database()),
    nullif(current_setting('neon.timeline_id', true), '')
)
"""
"""SQL expression for the location of a database; every role may evaluate it."""

IS_SAME_HISTORY: Final[LiteralString] = """
SELECT EXISTS (
    SELECT FROM served_history
    WHERE place = (LOCATION) AND written_by = served_history.xmin::text
)
""".replace("LOCATION", _LOCATION)
"""Whether the history is the one that was served last."""

CLAIM_HISTORY: Final[LiteralString] = """
INSERT INTO served_history (id, place, written_by)
VALUES (1, LOCATION, pg_current_xact_id()::xid::text)
ON CONFLICT (id) DO UPDATE SET place = excluded.place, written_by = excluded.written_by
WHERE served_history.place <> excluded.place
   OR served_history.written_by <> served_history.xmin::text
RETURNING id
""".replace("LOCATION", _LOCATION)
"""Record this history as the one that is served.

Returns a row if it is a new history; of several concurrent statements, one returns the row.
"""

FORGET_HISTORY: Final[LiteralString] = "DELETE FROM served_history"
"""Make the next `CLAIM_HISTORY` begin a new history."""

UNLIMITED: Final[LiteralString] = "SET LOCAL statement_timeout = 0"
"""Remove the statement timeout, because one statement changes all owners."""


def tell_new_history(owners: int) -> str:
    """Return a sentence for operators: the versions of so many owners were raised."""
    return (
        f"It was restored, copied or recovered. The versions of {owners} owners were raised: "
        "their devices read everything anew."
    )

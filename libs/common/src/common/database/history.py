"""Which history of a database is served: a restored backup begins another one, in which versions must not come twice.

The table `served_history` has one row: where it was last served, and which transaction wrote that. A copy is somewhere
else: another cluster (its system identifier), another line of its log (after a recovery to a point in time, or the
promotion of a standby), another database, another branch of Neon. In a dump that was restored, even into the same
database, the row was written by another transaction than it says.
"""

from typing import Final, LiteralString

_PLACE: Final[LiteralString] = """
concat_ws(
    '/',
    (SELECT system_identifier FROM pg_control_system()),
    left(pg_walfile_name(pg_current_wal_lsn()), 8),
    (SELECT oid FROM pg_database WHERE datname = current_database()),
    nullif(current_setting('neon.timeline_id', true), '')
)
"""
"""Where a database is; every role may ask."""

IS_SAME_HISTORY: Final[LiteralString] = """
SELECT EXISTS (SELECT FROM served_history WHERE place = (PLACE) AND written_by = served_history.xmin::text)
""".replace("PLACE", _PLACE)
"""Whether the history is the one that was served last."""

CLAIM_HISTORY: Final[LiteralString] = """
INSERT INTO served_history (id, place, written_by) VALUES (1, PLACE, pg_current_xact_id()::xid::text)
ON CONFLICT (id) DO UPDATE SET place = excluded.place, written_by = excluded.written_by
WHERE served_history.place <> excluded.place OR served_history.written_by <> served_history.xmin::text
RETURNING id
""".replace("PLACE", _PLACE)
"""Serve this history from now on; a row if it is another one than before. Of several who ask, one gets the row."""

FORGET_HISTORY: Final[LiteralString] = "DELETE FROM served_history"
"""Make any history another one."""

UNLIMITED: Final[LiteralString] = "SET LOCAL statement_timeout = 0"
"""All owners are changed in one statement."""


def tell_new_history(owners: int) -> str:
    """Say what was done to a database with so many owners."""
    return (
        f"It was restored, copied or recovered. The versions of {owners} owners were raised: "
        "their devices read everything anew."
    )

"""Writes that are decided by other rows than those that they lock: nobody else may have written meanwhile."""

from sqlalchemy import Executable

from common.database import Database, Row, fetch_one


async def retry_while_stale(
    session: Database, statement: Executable, **values: object
) -> Row | None:
    """Run a statement, and again for as long as it was outrun by another write of the same owner."""
    while True:
        found = await fetch_one(session, statement, **values)
        if found is None or found["conflict"] != "stale":
            return found

"""What surrounds the migrations of every service: who may run them, where, and what they leave behind.

A migration needs a session of its own: for its turn, for its limits, and for indexes that are built outside of any
transaction. What stops it is said in one sentence, before anything is changed.
"""

import os
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final, LiteralString, cast

import psycopg
from psycopg import RawCursor
from psycopg.rows import class_row
from sqlalchemy import Connection, NullPool, create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from common.database.checks import (
    COMPATIBLE_FROM,
    SERVER,
    STATEMENT_MAX_SECONDS,
    Facts,
    Release,
    find_incompatibility,
    find_server_fault,
    one_line,
)
from common.database.history import CLAIM_HISTORY, FORGET_HISTORY, tell_new_history
from common.database.url import check_url
from common.environment import forget_libpq_variables

SESSION: Final = (
    "SET statement_timeout = 0",  # the limit of the service's own statements is not ours
    "SET lock_timeout = '3s'",  # rather fail than make the service wait behind us
)
"""What holds for every migration, as long as its connection does: an index is built outside of any transaction."""

TURN_PAUSE_SECONDS: Final = 0.1
"""How long a second migration waits before it asks again whether the first one is done."""

POOLER_ROUNDS: Final = 3
"""How often a pooler is asked to show that it mixes sessions; others who use it may hide that once."""

_Session = psycopg.Connection[tuple[object, ...]]

_RIGHTS: Final[LiteralString] = """
SELECT coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS may_create,
       ARRAY(
           SELECT name FROM unnest($1::text[]) AS name JOIN pg_class ON pg_class.oid = to_regclass(name)
           WHERE NOT pg_has_role(relowner, 'USAGE')
       ) AS foreign_tables
"""
"""What the role of a migration may do: make tables, and change those that are there."""

_LIMIT: Final[LiteralString] = """
SELECT format('%I', datname), format('%I', session_user), pg_has_role(datdba, 'USAGE'), EXISTS (
    SELECT FROM pg_db_role_setting, unnest(setconfig) AS setting
    WHERE setdatabase = pg_database.oid AND setrole = 0 AND setting LIKE 'statement_timeout=%'
)
FROM pg_database WHERE datname = current_database()
"""
"""Whose limit it is: names as they stand in a statement, whether we own the database, and whether it has one."""


@contextmanager
def migration_connection(release: Release) -> Generator[Connection]:
    """Connect to the service's database, the way round the pooler if there is one, and wait for the turn.

    Raises:
        SystemExit: There is no such database, it does not answer, or no migration may be run there.
    """
    forget_libpq_variables()
    url = _find_url(release.service)
    options = {"prepare_threshold": None, "connect_timeout": 10, "client_encoding": "UTF8"}
    engine = create_engine(
        make_url(url).set(drivername="postgresql+psycopg"), poolclass=NullPool, connect_args=options
    )
    try:
        connection = engine.connect()
    except OperationalError as error:
        raise SystemExit(
            f"The database of {release.service} does not answer: {one_line(error.orig or error)}"
        ) from None
    with connection:
        session = cast("_Session", connection.connection.driver_connection)
        fault = _find_pooler(session, url, release) or _find_fault(session, release)
        if fault:
            raise SystemExit(f"The database of {release.service} is not migrated: {fault}")
        _wait_for_turn(connection, release.service)
        yield connection


def is_ahead(connection: Connection, release: Release) -> bool:
    """Tell whether a newer release has migrated the database, and say that it is left as it is.

    Raises:
        SystemExit: This release cannot work with what the newer one has made.
    """
    has_revisions = connection.scalar(text("SELECT to_regclass('alembic_version') IS NOT NULL"))
    revisions = set[str]()
    comment = None
    if has_revisions:
        revisions = set(connection.scalars(text("SELECT version_num FROM alembic_version")))
        comment = connection.scalar(
            text("SELECT obj_description('alembic_version'::regclass, 'pg_class')")
        )
    connection.rollback()
    if revisions <= set(release.revisions):
        return False
    fault = find_incompatibility(comment, release)
    if fault:
        raise SystemExit(f"The database of {release.service} is ahead. {fault}")
    sys.stdout.write(
        f"The database of {release.service} is ahead of this release, which works with it: nothing to migrate.\n"
    )
    return True


def finish_migration(connection: Connection, release: Release) -> None:
    """Leave behind what is no part of any table, and what a restored dump may lack; each time the same."""
    is_migrated = bool(connection.scalar(text("SELECT version_num FROM alembic_version LIMIT 1")))
    comment = COMPATIBLE_FROM.format(release.compatible_from)
    connection.execute(text(f"COMMENT ON TABLE alembic_version IS '{comment}'"))
    _limit_statements(connection, is_migrated=is_migrated)
    connection.commit()
    if _has_history(connection, release):
        owners = _raise_versions(connection, release)
        if owners is not None:
            sys.stdout.write(f"The database of {release.service}: {tell_new_history(owners)}\n")


def begin_new_history(connection: Connection, release: Release) -> str:
    """Raise all versions, whatever the database says of itself, and return what was done.

    Raises:
        SystemExit: The database is at a revision that does not know of this.
    """
    if not _has_history(connection, release):
        raise SystemExit(
            f"The database of {release.service} is too old for that: run make migrate first."
        )
    connection.exec_driver_sql(FORGET_HISTORY)
    return tell_new_history(_raise_versions(connection, release) or 0)


def _has_history(connection: Connection, release: Release) -> bool:
    has_table = connection.scalar(text("SELECT to_regclass('served_history') IS NOT NULL"))
    return bool(has_table) and release.raise_versions is not None


def _raise_versions(connection: Connection, release: Release) -> int | None:
    """Raise them if this is another history, and return of how many owners; None if it is the same."""
    owners = None
    if release.raise_versions is not None and connection.exec_driver_sql(CLAIM_HISTORY).first():
        owners = connection.execute(release.raise_versions).rowcount
    connection.commit()
    return owners


def _find_url(service: str) -> str:
    usual = f"{service.upper()}_DATABASE_URL"
    for name in (f"{usual}_UNPOOLED", usual):
        url = os.environ.get(name)
        if url:
            try:
                return check_url(url)
            except ValueError as error:
                raise SystemExit(f"{name}: {error}") from None
    raise SystemExit(f"{usual} is not set.")


def _find_fault(session: _Session, release: Release) -> str | None:
    """Say in one sentence why nothing may be migrated here."""
    [facts] = RawCursor(session, row_factory=class_row(Facts)).execute(SERVER).fetchall()
    [(may_create, foreign_tables)] = (
        RawCursor(session).execute(_RIGHTS, [list(release.tables)]).fetchall()
    )
    session.rollback()
    fault = find_server_fault(facts)
    if fault:
        return fault
    if not may_create:
        return f"The role {facts.role} may not make tables: GRANT CREATE ON SCHEMA public to it, or use the owner's role."
    if foreign_tables:
        names = ", ".join(cast("list[str]", foreign_tables))
        return f"The role {facts.role} does not own {names}: use the role that does, or make it a member of that one."
    return None


def _find_pooler(session: _Session, url: str, release: Release) -> str | None:
    """Say in one sentence that a pooler gives each transaction another session, if there is one that does.

    A server tells its process number twice: when a session begins, and to whoever asks. A pooler that is between makes
    up the first one. Whether it mixes sessions shows when two of its clients are served by the same process.
    """
    if session.info.backend_pid == _served_by(session):
        return None
    if not _shares_sessions(session, url):
        return None
    name = f"{release.service.upper()}_DATABASE_URL_UNPOOLED"
    return f"A pooler gives each transaction another session. Set {name} to the way round it."


def _shares_sessions(session: _Session, url: str) -> bool:
    """Tell whether a second client is served by the process that serves us while we are still there."""
    try:
        second = psycopg.connect(url, prepare_threshold=None, connect_timeout=3)
    except psycopg.OperationalError:  # all processes are taken, so ours is ours
        return False
    with second:
        for _ in range(POOLER_ROUNDS):
            ours = _served_by(session)
            theirs = second.execute(
                "SELECT pg_backend_pid()"
            ).fetchone()  # keeps its transaction, and so its process
            again = _served_by(session)
            second.rollback()
            if theirs == (ours,) or ours != again:
                return True
    return False


def _served_by(session: _Session) -> object:
    [pid] = session.execute("SELECT pg_backend_pid()").fetchone() or [None]
    session.rollback()
    return pid


def _wait_for_turn(connection: Connection, service: str) -> None:
    """Ask again and again: a statement that waited would be one that the building of an index waits for."""
    turn = text("SELECT pg_try_advisory_lock(hashtext(:name))")
    for statement in SESSION:
        connection.execute(text(statement))
    while not connection.scalar(turn, {"name": f"{service} migrations"}):
        connection.commit()
        time.sleep(TURN_PAUSE_SECONDS)
    connection.commit()


def _limit_statements(connection: Connection, *, is_migrated: bool) -> None:
    """Have PostgreSQL end what the service no longer waits for, whichever role it comes as, and whatever pooler.

    By the database where its owner migrates, so that a second role has the same limit, else by the role. Another limit
    of the database is somebody's own choice and stays.
    """
    database, role, is_owner, is_limited = connection.execute(text(_LIMIT)).one()
    whose = f"DATABASE {database}" if is_owner else f"ROLE {role} IN DATABASE {database}"
    if not is_owner:
        connection.execute(
            text("SET LOCAL ROLE NONE")
        )  # a role may set its own limit, and no other's
    if is_migrated and not is_limited:
        connection.exec_driver_sql(
            f"ALTER {whose} SET statement_timeout = '{STATEMENT_MAX_SECONDS}s'"
        )
    if not is_migrated:
        connection.exec_driver_sql(f"ALTER {whose} RESET statement_timeout")

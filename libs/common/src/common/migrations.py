"""The frame of every service's migrations: connection, checks, lock, and final settings.

A migration needs a session of its own: for its advisory lock, for its timeouts, and for indexes
that are built outside of any transaction. All checks precede the first change; a failure is
reported in one sentence.
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

from common.database.history import CLAIM_HISTORY, FORGET_HISTORY, tell_new_history
from common.database.release import (
    COMPATIBLE_FROM,
    SERVER,
    STATEMENT_MAX_SECONDS,
    Facts,
    Release,
    find_incompatibility,
    find_server_fault,
)
from common.database.unreachable import explain_failure
from common.database.url import check_url
from common.environment import forget_libpq_variables

LIMIT_LOCK_WAITS: Final = "SET lock_timeout = '3s'"
"""Rather fail than make the service wait for the migration."""

SESSION: Final = (
    "SET statement_timeout = 0",  # the service's own limit does not apply to migrations
    LIMIT_LOCK_WAITS,
)
"""Settings of the whole session, because indexes are built outside of any transaction."""

TURN_PAUSE_SECONDS: Final = 0.1
"""How long a second migration waits before it tries again to get the advisory lock."""

POOLER_ROUNDS: Final = 3
"""Attempts to detect that a pooler mixes sessions; its other clients may hide it once."""

_Session = psycopg.Connection[tuple[object, ...]]

_RIGHTS: Final[LiteralString] = """
SELECT coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS may_create,
       ARRAY(
           SELECT name FROM unnest($1::text[]) AS name
           JOIN pg_class ON pg_class.oid = to_regclass(name)
           WHERE NOT pg_has_role(relowner, 'USAGE')
       ) AS foreign_tables
"""
"""Whether the role may create tables, and which existing tables it may not alter."""

_LIMIT: Final[LiteralString] = """
SELECT format('%I', datname), format('%I', session_user), pg_has_role(datdba, 'USAGE'), EXISTS (
    SELECT FROM pg_db_role_setting, unnest(setconfig) AS setting
    WHERE setdatabase = pg_database.oid AND setrole = 0 AND setting LIKE 'statement_timeout=%'
)
FROM pg_database WHERE datname = current_database()
"""
"""Where to set the statement timeout.

Columns: quoted database, quoted role, whether the role owns the database, and whether the database
has a statement timeout.
"""


@contextmanager
def migration_connection(release: Release) -> Generator[Connection]:
    """Connect to the service's database, bypassing a pooler, and wait for the advisory lock.

    Raises:
        SystemExit: The database cannot be reached, or no migration may be run there.
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
            f"The database of {release.service}: {explain_failure(error.orig or error)}"
        ) from None
    with connection:
        session = cast("_Session", connection.connection.driver_connection)
        problem = _find_pooler(session, url, release) or _find_problem(session, release)
        if problem:
            raise SystemExit(f"The database of {release.service} is not migrated: {problem}")
        _wait_for_lock(connection, release.service)
        yield connection


def is_ahead(connection: Connection, release: Release) -> bool:
    """Tell whether a newer release has migrated the database, and print it.

    Raises:
        SystemExit: This release does not work with the newer schema.
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
    problem = find_incompatibility(comment, release)
    if problem:
        raise SystemExit(f"The database of {release.service} is ahead. {problem}")
    sys.stdout.write(
        f"The database of {release.service} is ahead of this release, which works with it: "
        "nothing to migrate.\n"
    )
    return True


def finish_migration(connection: Connection, release: Release) -> None:
    """Set what belongs to no table and may be missing from a restored dump. Idempotent.

    These are the comment on `alembic_version`, the statement timeout and the served history.
    """
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
    """Raise all versions even if no restore is detected; return a sentence for operators.

    Raises:
        SystemExit: The database has an older revision without histories.
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
    """Raise all versions if a new history begins.

    Returns:
        How many owners' versions were raised; None if the history is the same.
    """
    owner_count = None
    if release.raise_versions is not None and connection.exec_driver_sql(CLAIM_HISTORY).first():
        owner_count = connection.execute(release.raise_versions).rowcount
    connection.commit()
    return owner_count


def _find_url(service: str) -> str:
    setting = f"{service.upper()}_DATABASE_URL"
    for name in (f"{setting}_UNPOOLED", setting):
        url = os.environ.get(name)
        if url:
            try:
                return check_url(url)
            except ValueError as error:
                raise SystemExit(f"{name}: {error}") from None
    raise SystemExit(f"{setting} is not set.")


def _find_problem(session: _Session, release: Release) -> str | None:
    """Return, as one sentence, why the database cannot be migrated, or None."""
    facts_cursor = RawCursor(session, row_factory=class_row(Facts))
    [facts] = facts_cursor.execute(SERVER).fetchall()
    rights_cursor = RawCursor(session).execute(_RIGHTS, [list(release.tables)])
    [(may_create, foreign_tables)] = rights_cursor.fetchall()
    session.rollback()
    problem = find_server_fault(facts)
    if problem:
        return problem
    if not may_create:
        return (
            f"The role {facts.role} may not make tables: "
            "GRANT CREATE ON SCHEMA public to it, or use the owner's role."
        )
    if foreign_tables:
        names = ", ".join(cast("list[str]", foreign_tables))
        return (
            f"The role {facts.role} does not own {names}: "
            "use the role that does, or make it a member of that one."
        )
    return None


def _find_pooler(session: _Session, url: str, release: Release) -> str | None:
    """Return, as one sentence, that a pooler gives each transaction another session, or None.

    A server sends its process id when a session begins, and returns it from `pg_backend_pid()`. A
    pooler invents the first one. It mixes sessions if two clients are served by the same process.
    """
    if session.info.backend_pid == _backend_pid(session):
        return None
    if not _shares_sessions(session, url):
        return None
    name = f"{release.service.upper()}_DATABASE_URL_UNPOOLED"
    return f"A pooler gives each transaction another session. Set {name} to the way round it."


def _shares_sessions(session: _Session, url: str) -> bool:
    """Tell whether a second client gets the process that serves the open session."""
    try:
        second_session = psycopg.connect(url, prepare_threshold=None, connect_timeout=3)
    except psycopg.OperationalError:  # no process is free, so the session keeps its own
        return False
    with second_session:
        for _ in range(POOLER_ROUNDS):
            pid_before = _backend_pid(session)
            # The open transaction keeps the process that serves the second session.
            second_pid = second_session.execute("SELECT pg_backend_pid()").fetchone()
            pid_after = _backend_pid(session)
            second_session.rollback()
            if second_pid == (pid_before,) or pid_before != pid_after:
                return True
    return False


def _backend_pid(session: _Session) -> object:
    [pid] = session.execute("SELECT pg_backend_pid()").fetchone() or [None]
    session.rollback()
    return pid


def _wait_for_lock(connection: Connection, service: str) -> None:
    """Poll for the advisory lock: a concurrent index build would wait for a waiting statement."""
    try_lock = text("SELECT pg_try_advisory_lock(hashtext(:name))")
    for statement in SESSION:
        connection.execute(text(statement))
    while not connection.scalar(try_lock, {"name": f"{service} migrations"}):
        connection.commit()
        time.sleep(TURN_PAUSE_SECONDS)
    connection.commit()


def _limit_statements(connection: Connection, *, is_migrated: bool) -> None:
    """Set the statement timeout, for sessions through a pooler, too.

    The owner of the database sets it for the database, so that it holds for every role; another
    role sets it for itself. A timeout that the operator has set for the database stays. After a
    downgrade to no revision it is reset.
    """
    database, role, is_owner, is_limited = connection.execute(text(_LIMIT)).one()
    if is_owner:
        target = f"DATABASE {database}"
    else:
        target = f"ROLE {role} IN DATABASE {database}"
        # A role may change its own settings only.
        connection.execute(text("SET LOCAL ROLE NONE"))
    if is_migrated and not is_limited:
        connection.exec_driver_sql(
            f"ALTER {target} SET statement_timeout = '{STATEMENT_MAX_SECONDS}s'"
        )
    if not is_migrated:
        connection.exec_driver_sql(f"ALTER {target} RESET statement_timeout")

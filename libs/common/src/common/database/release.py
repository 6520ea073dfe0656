"""What a release requires of its database, and in one sentence each, what it lacks.

Nothing here connects to a database: services check each connection (`checks`), and migrations check
before the first change (`common.migrations`).
"""

import re
from dataclasses import dataclass
from typing import Final, LiteralString

from sqlalchemy import Update

from common.database.statements import DIALECT

POSTGRES_MIN: Final = 18
"""Oldest supported major version of PostgreSQL.

It is the first with full case folding (`casefold`, `pg_unicode_fast`).
"""

STATEMENT_MAX_SECONDS: Final = 5
"""Statement timeout of a service: as long as a request may take."""

COMPATIBLE_FROM: Final = "oldest revision whose release works with this schema: {}"
"""Format of the comment on the table `alembic_version`.

A release that is older than the schema reads there whether it works with it.
"""

_COMPATIBLE_FROM: Final = re.compile(re.escape(COMPATIBLE_FROM).replace(r"\{\}", r"(\w+)"))

SERVER: Final[LiteralString] = """
SELECT current_setting('server_version_num')::int / 10000 AS major_version,
       current_setting('server_encoding') AS encoding,
       current_setting('transaction_isolation') AS isolation,
       pg_is_in_recovery() AS is_standby,
       current_setting('transaction_read_only')::bool AS is_read_only,
       extract(epoch FROM current_setting('statement_timeout')::interval)::float8
           AS statement_seconds,
       session_user::text AS role,
       format(
           'ALTER ROLE %I IN DATABASE %I SET statement_timeout = ''5s''',
           session_user, current_database()
       ) AS remedy
"""
"""Read the properties of server and session in one round trip; every role may do so."""

SCHEMA: Final[LiteralString] = """,
       ARRAY(SELECT version_num::text FROM alembic_version) AS revisions,
       obj_description('alembic_version'::regclass, 'pg_class') AS comment,
       ARRAY(
           SELECT name FROM unnest($1::text[]) AS name
           CROSS JOIN unnest('{SELECT,INSERT,UPDATE,DELETE}'::text[]) AS privilege
           WHERE NOT coalesce(has_table_privilege(to_regclass(name), privilege), false)
           GROUP BY name
       ) AS forbidden_tables
"""
"""Further columns of `SERVER` about the schema.

PostgreSQL rejects them (`UndefinedTable`) in a database that was never migrated.
"""


@dataclass(frozen=True)
class Release:
    """What this release of a service requires of its database."""

    service: str
    """Name of the service and of its migrations."""

    revisions: tuple[str, ...]
    """All revisions that the release knows, oldest first. The last one is its own schema."""

    compatible_from: str
    """The oldest revision whose release works with the schema of the last revision."""

    tables: tuple[str, ...]
    """Names of the tables that the service reads and writes."""

    raise_versions: Update | None = None
    """Statement that begins a new history after a restore; None if rows have no versions."""

    @property
    def raise_versions_text(self) -> bytes:
        """SQL of `raise_versions`; empty if there is none."""
        if self.raise_versions is None:
            return b""
        compiled = self.raise_versions.compile(
            dialect=DIALECT, compile_kwargs={"literal_binds": True}
        )
        return compiled.string.encode()


@dataclass(frozen=True)
class Facts:
    """Properties of a database; `revisions` is empty if it was never migrated."""

    major_version: int
    encoding: str
    isolation: str
    is_standby: bool
    is_read_only: bool
    statement_seconds: float
    role: str
    remedy: str
    revisions: tuple[str, ...] | list[str] = ()
    comment: str | None = None
    forbidden_tables: tuple[str, ...] | list[str] = ()


def find_server_fault(facts: Facts) -> str | None:
    """Return, as one sentence, why no release works with the server or session, or None."""
    if facts.major_version < POSTGRES_MIN:
        return f"PostgreSQL {facts.major_version} is too old: {POSTGRES_MIN} or newer is needed."
    if facts.encoding != "UTF8":
        return (
            f"Its encoding is {facts.encoding}: make one with "
            "CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0."
        )
    if facts.is_standby:
        return "The server is a standby, which cannot be written to: name the primary in the URL."
    if facts.is_read_only:
        return (
            "It is read-only: ALTER DATABASE or ALTER ROLE … RESET default_transaction_read_only."
        )
    if facts.isolation != "read committed":
        return (
            f"Its transactions are {facts.isolation}: "
            "ALTER DATABASE … RESET default_transaction_isolation."
        )
    return None


def find_schema_fault(facts: Facts, release: Release) -> str | None:
    """Return, as one sentence, why this release does not work with the schema, or None.

    Revisions that the release does not know are newer ones. The release works with them unless the
    comment on `alembic_version` says otherwise.
    """
    newest_revision = release.revisions[-1]
    if not facts.revisions:
        return f"It was never migrated: {_how_to_migrate(release)}."
    unknown_revisions = set(facts.revisions) - set(release.revisions)
    if unknown_revisions:
        return find_incompatibility(facts.comment, release)
    if newest_revision not in facts.revisions:
        return (
            f"Its revision {facts.revisions[0]} is older than {newest_revision}: "
            f"{_how_to_migrate(release)}."
        )
    if facts.forbidden_tables:
        tables = ", ".join(facts.forbidden_tables)
        return f"The role {facts.role} may not read and write {tables}: GRANT it the rights."
    return None


def find_incompatibility(comment: str | None, release: Release) -> str | None:
    """Return, as one sentence, why the release is too old for a newer schema, or None.

    Args:
        comment: The comment on the table `alembic_version`.
        release: The release that is older than the schema.
    """
    match = _COMPATIBLE_FROM.fullmatch(comment or "")
    if not match or match[1] in release.revisions:
        return None
    return (
        f"Its schema is too new for this release, which ends at {release.revisions[-1]}: "
        "start a newer one."
    )


def find_missing_limit(facts: Facts) -> str | None:
    """Return, as one sentence, how to set a missing statement timeout, or None if it is set."""
    if 0 < facts.statement_seconds <= STATEMENT_MAX_SECONDS:
        return None
    return (
        f"Nothing ends statements of the role {facts.role} after {STATEMENT_MAX_SECONDS} seconds, "
        f"so abandoned ones go on: {facts.remedy}; and connect anew."
    )


def _how_to_migrate(release: Release) -> str:
    return (
        f"run make migrate, or in containers docker compose run --rm {release.service}-migrations"
    )

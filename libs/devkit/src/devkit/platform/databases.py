"""Each service's own database: where it is, and at which revision."""

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import Final

import psycopg
from alembic.script import ScriptDirectory

from devkit.platform.environment import minimal_environment
from devkit.platform.errors import CannotRunError
from devkit.platform.postgres import Postgres, start_postgres
from devkit.platform.processes import ProcessGroup
from devkit.platform.settings import CHECKOUT, RunSettings

SERVICES_WITH_DATABASE: Final = ("tasks", "users")
"""The services that have a database."""

CONNECT_SECONDS: Final = 15
"""How long a suspended database may take to wake up."""


async def ensure_databases(
    group: ProcessGroup, settings: RunSettings, folder: Path
) -> dict[str, str]:
    """Return the URL of each service's database; those that nobody named are kept in the folder."""
    named = settings.named_databases
    if len(named) == len(SERVICES_WITH_DATABASE):
        return named
    postgres = await start_postgres(group, folder / "postgres")
    return {
        owner: named.get(owner) or await postgres.create_database(owner)
        for owner in SERVICES_WITH_DATABASE
    }


def database_environment(urls: Mapping[str, str], inherited: Mapping[str, str]) -> dict[str, str]:
    """Say it as the services' settings do; a direct address is kept only where the usual one was named as well."""
    environment = dict(inherited)
    for owner, url in urls.items():
        usual, direct = f"{owner.upper()}_DATABASE_URL", f"{owner.upper()}_DATABASE_URL_UNPOOLED"
        environment[direct] = (inherited.get(usual) == url and inherited.get(direct)) or url
        environment[usual] = url
    return environment


async def migrate_databases(group: ProcessGroup, environment: Mapping[str, str]) -> None:
    """Bring both databases to the newest revision, at the same time."""
    await asyncio.gather(
        *(migrate_database(group, owner, environment) for owner in SERVICES_WITH_DATABASE)
    )


async def upgrade_databases(group: ProcessGroup, environment: Mapping[str, str]) -> str:
    """Bring both to the newest revision and mend what belongs to that, whatever they have; return what was said."""
    logs = await asyncio.gather(
        *(
            run_alembic(group, owner, environment, "upgrade", "head")
            for owner in SERVICES_WITH_DATABASE
        )
    )
    return "".join(log.read_text() for log in logs)


async def migrate_database(group: ProcessGroup, owner: str, environment: Mapping[str, str]) -> None:
    """Bring one database to the newest revision; that it is there already is found out without starting Alembic.

    Raises:
        CannotRunError: It does not answer, or a migration failed.
    """
    if await _revisions(
        owner, environment[f"{owner.upper()}_DATABASE_URL_UNPOOLED"]
    ) != _newest_revisions(owner):
        await run_alembic(group, owner, environment, "upgrade", "head")


async def run_alembic(
    group: ProcessGroup, owner: str, environment: Mapping[str, str], *arguments: str
) -> Path:
    """Run Alembic on one service's migrations, and return the file with what it said."""
    command = [
        sys.executable,
        "-m",
        "alembic",
        "-c",
        str(_folder(owner) / "pyproject.toml"),
        *arguments,
    ]
    await group.run(f"{owner}-migration", command, environment)
    return group.logs / f"{owner}-migration.log"


async def declare_restored(group: ProcessGroup, environment: Mapping[str, str]) -> str:
    """Begin another history in the database of tasks, and return what was done; that of users has no versions."""
    await group.run("tasks-restored", [sys.executable, "-m", "tasks.restored"], environment)
    return (group.logs / "tasks-restored.log").read_text()


@dataclass(frozen=True)
class MigratedDatabases:
    """Makes databases for tests by copying one that was migrated for all of them."""

    group: ProcessGroup
    postgres: Postgres
    _templates: dict[str, str] = field(default_factory=dict[str, str])

    async def create(self, owner: str) -> str:
        """Return the URL of a fresh, migrated database of this service."""
        if owner not in self._templates:
            self._templates[owner] = f"{owner}-template"
            url = await self.postgres.create_database(self._templates[owner])
            await migrate_database(
                self.group, owner, database_environment({owner: url}, minimal_environment())
            )
        return await self.postgres.create_database(
            f"{owner}-{token_hex(8)}", template=self._templates[owner]
        )


def _folder(owner: str) -> Path:
    return CHECKOUT / "services" / owner


def _newest_revisions(owner: str) -> set[str]:
    return set(ScriptDirectory(str(_folder(owner) / "migrations")).get_heads())


async def _revisions(owner: str, url: str) -> set[str]:
    try:
        async with await psycopg.AsyncConnection.connect(
            url, connect_timeout=CONNECT_SECONDS
        ) as connection:
            found = await connection.execute("SELECT version_num FROM alembic_version")
            return {str(revision) for (revision,) in await found.fetchall()}
    except psycopg.errors.UndefinedTable:
        return set()
    except psycopg.ProgrammingError:  # libpq quotes the URL, and so the password
        message = f"The URL of the database of {owner} cannot be read."
        raise CannotRunError(message) from None
    except psycopg.OperationalError as error:
        message = f"The database of {owner} does not answer: {error}"
        raise CannotRunError(message) from None

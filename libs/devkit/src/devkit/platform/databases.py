"""The database of each service: its URL, its revision, and fresh copies for tests."""

import asyncio
import sys
from collections.abc import Mapping, Sequence
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

CONNECT_SECONDS: Final = 15
"""How long a suspended database may take to wake up."""


async def ensure_databases(
    group: ProcessGroup, settings: RunSettings, folder: Path, further: Sequence[str] = ()
) -> dict[str, str]:
    """Return the database URL of each service, and of `further` databases.

    What has no configured URL gets a database of an embedded PostgreSQL, which is started in
    `group` and keeps its data in `folder`.
    """
    urls = dict(settings.configured_databases)
    names = [*SERVICES_WITH_DATABASE, *further]
    missing = [name for name in names if name not in urls]
    if missing:
        postgres = await start_postgres(group, folder / "postgres")
        for name in missing:
            urls[name] = await postgres.create_database(name)
    return urls


def database_environment(urls: Mapping[str, str], inherited: Mapping[str, str]) -> dict[str, str]:
    """Return `inherited` with the settings that name the databases.

    An inherited direct (unpooled) URL is kept only if the URL beside it is the one in `urls`.

    Args:
        urls: Database URL of each service.
        inherited: Environment to start from.
    """
    environment = dict(inherited)
    for service, url in urls.items():
        pooled_name = f"{service.upper()}_DATABASE_URL"
        direct_name = _direct_url_name(service)
        direct_url = inherited.get(direct_name)
        if not direct_url or inherited.get(pooled_name) != url:
            direct_url = url
        environment[pooled_name] = url
        environment[direct_name] = direct_url
    return environment


async def migrate_databases(group: ProcessGroup, environment: Mapping[str, str]) -> None:
    """Migrate both databases to the newest revision, at the same time."""
    migrations = [
        migrate_database(group, service, environment) for service in SERVICES_WITH_DATABASE
    ]
    await asyncio.gather(*migrations)


async def upgrade_databases(group: ProcessGroup, environment: Mapping[str, str]) -> str:
    """Run `alembic upgrade head` on both databases and return its output.

    Unlike `migrate_databases` this runs Alembic even at the newest revision: it then sets again
    what a dump does not contain, such as the statement timeout.
    """
    upgrades = [
        run_alembic(group, service, environment, "upgrade", "head")
        for service in SERVICES_WITH_DATABASE
    ]
    log_files = await asyncio.gather(*upgrades)
    return "".join(log_file.read_text() for log_file in log_files)


async def migrate_database(
    group: ProcessGroup, service: str, environment: Mapping[str, str]
) -> None:
    """Migrate one database, without starting Alembic if it is at the newest revision.

    Raises:
        CannotRunError: The database does not answer, or a migration failed.
    """
    current_revisions = await _read_revisions(service, environment[_direct_url_name(service)])
    if current_revisions != _newest_revisions(service):
        await run_alembic(group, service, environment, "upgrade", "head")


async def run_alembic(
    group: ProcessGroup, service: str, environment: Mapping[str, str], *arguments: str
) -> Path:
    """Run Alembic with the migrations of one service; return its log file."""
    configuration = str(_service_folder(service) / "pyproject.toml")
    command = [sys.executable, "-m", "alembic", "-c", configuration]
    command.extend(arguments)
    await group.run(f"{service}-migration", command, environment)
    return group.logs / f"{service}-migration.log"


async def declare_restored(group: ProcessGroup, environment: Mapping[str, str]) -> str:
    """Begin a new history in the tasks database and return the output.

    The users database has no versions, so nothing has to be done there.
    """
    await group.run("tasks-restored", [sys.executable, "-m", "tasks.restored"], environment)
    return (group.logs / "tasks-restored.log").read_text()


@dataclass(frozen=True)
class MigratedDatabases:
    """Creates databases for tests as copies of a migrated template."""

    group: ProcessGroup
    postgres: Postgres
    _templates: dict[str, str] = field(default_factory=dict[str, str])

    async def create(self, service: str) -> str:
        """Return the URL of a fresh, migrated database of this service."""
        template = self._templates.get(service)
        if template is None:
            template = f"{service}-template"
            self._templates[service] = template
            url = await self.postgres.create_database(template)
            environment = database_environment({service: url}, minimal_environment())
            await migrate_database(self.group, service, environment)
        name = f"{service}-{token_hex(8)}"
        return await self.postgres.create_database(name, template=template)


def _direct_url_name(service: str) -> str:
    return f"{service.upper()}_DATABASE_URL_UNPOOLED"


def _service_folder(service: str) -> Path:
    return CHECKOUT / "services" / service


def _newest_revisions(service: str) -> set[str]:
    migrations = ScriptDirectory(str(_service_folder(service) / "migrations"))
    return set(migrations.get_heads())


async def _read_revisions(service: str, url: str) -> set[str]:
    try:
        async with await psycopg.AsyncConnection.connect(
            url, connect_timeout=CONNECT_SECONDS
        ) as connection:
            cursor = await connection.execute("SELECT version_num FROM alembic_version")
            return {str(revision) for (revision,) in await cursor.fetchall()}
    except psycopg.errors.UndefinedTable:
        return set()
    except psycopg.ProgrammingError:  # libpq quotes the URL, and so the password
        message = f"The URL of the database of {service} cannot be read."
        raise CannotRunError(message) from None
    except psycopg.OperationalError as error:
        message = f"The database of {service} does not answer: {error}"
        raise CannotRunError(message) from None

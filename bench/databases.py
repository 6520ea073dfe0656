"""A temporary PostgreSQL with a migrated database for each service."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from devkit.platform.databases import SERVICES_WITH_DATABASE, MigratedDatabases
from devkit.platform.postgres import Postgres, throwaway_postgres
from devkit.platform.processes import ProcessGroup


@dataclass(frozen=True)
class Databases:
    """The databases of a measurement."""

    folder: Path
    """A temporary folder, for logs."""

    group: ProcessGroup
    postgres: Postgres
    urls: dict[str, str]
    """Database URL of each service."""


@asynccontextmanager
async def start_databases() -> AsyncGenerator[Databases]:
    """Start PostgreSQL, and delete its data afterwards."""
    with TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        async with ProcessGroup(folder / "log") as group, throwaway_postgres(group) as postgres:
            databases = MigratedDatabases(group, postgres)
            urls = {service: await databases.create(service) for service in SERVICES_WITH_DATABASE}
            yield Databases(folder, group, postgres, urls)

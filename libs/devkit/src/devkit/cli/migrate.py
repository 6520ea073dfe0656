"""`make migrate`: bring the databases of the services to the newest revision."""

import asyncio
import sys

from devkit.platform.databases import database_environment, ensure_databases, upgrade_databases
from devkit.platform.environment import service_environment
from devkit.platform.errors import CannotRunError
from devkit.platform.lockfile import exclusive_lock
from devkit.platform.processes import ProcessGroup
from devkit.platform.settings import VAR, RunSettings, load_settings


async def migrate(settings: RunSettings) -> str:
    """Migrate what is named, and what `make run` keeps for the rest; return what the migrations said.

    Raises:
        CannotRunError: `make run` uses its data now, a database does not answer, or a migration failed.
    """
    async with (
        exclusive_lock(VAR) as lock,
        ProcessGroup(VAR / "log", inherited_fds=[lock]) as group,
    ):
        urls = await ensure_databases(group, settings, VAR)
        return await upgrade_databases(group, database_environment(urls, service_environment()))


def main() -> None:
    """Migrate, and say when it is done."""
    try:
        said = asyncio.run(migrate(load_settings()))
    except CannotRunError as error:
        sys.exit(str(error))
    print(said or "Both databases are at the newest revision.\n", end="")


if __name__ == "__main__":
    main()

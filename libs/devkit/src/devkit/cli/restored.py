"""`make restored`: tell the tasks service that its database is a backup, where that cannot be seen."""

import asyncio
import sys

from devkit.platform.databases import database_environment, declare_restored, ensure_databases
from devkit.platform.environment import service_environment
from devkit.platform.errors import CannotRunError
from devkit.platform.lockfile import exclusive_lock
from devkit.platform.processes import ProcessGroup
from devkit.platform.settings import VAR, RunSettings, load_settings


async def restored(settings: RunSettings) -> str:
    """Tell it, and return what was done.

    Raises:
        CannotRunError: `make run` uses its data now, the database does not answer, or was never migrated.
    """
    async with (
        exclusive_lock(VAR) as lock,
        ProcessGroup(VAR / "log", inherited_fds=[lock]) as group,
    ):
        urls = await ensure_databases(group, settings, VAR)
        return await declare_restored(group, database_environment(urls, service_environment()))


def main() -> None:
    """Tell it, and say what was done."""
    try:
        print(asyncio.run(restored(load_settings())), end="")
    except CannotRunError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()

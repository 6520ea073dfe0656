"""`make migration`: write a migration that brings a service's tables to what its models say."""

import argparse
import asyncio
import sys

from devkit.platform.databases import SERVICES_WITH_DATABASE, database_environment, run_alembic
from devkit.platform.environment import minimal_environment
from devkit.platform.errors import CannotRunError
from devkit.platform.postgres import throwaway_postgres
from devkit.platform.processes import ProcessGroup
from devkit.platform.settings import CHECKOUT, VAR


async def write_migration(service: str, message: str) -> None:
    """Compare the models with an empty database after all existing migrations.

    Raises:
        CannotRunError: Alembic failed.
    """
    async with ProcessGroup(VAR / "log") as group, throwaway_postgres(group) as postgres:
        url = await postgres.create_database(service)
        environment = database_environment({service: url}, minimal_environment())
        await run_alembic(group, service, environment, "upgrade", "head")
        await run_alembic(group, service, environment, "revision", "--autogenerate", "-m", message)


def main() -> None:
    """Write the migration and print its path."""
    parser = argparse.ArgumentParser(
        prog='make migration s=tasks m="add a column"', description=__doc__
    )
    parser.add_argument("service", choices=SERVICES_WITH_DATABASE)
    parser.add_argument("message", help="what it does, in a few words")
    arguments = parser.parse_args()
    versions = CHECKOUT / "services" / arguments.service / "migrations" / "versions"
    existing_files = set(versions.glob("*.py"))
    try:
        asyncio.run(write_migration(arguments.service, arguments.message))
    except CannotRunError as error:
        sys.exit(str(error))
    for file in sorted(versions.glob("*.py")):
        if file not in existing_files:
            print(file)


if __name__ == "__main__":
    main()

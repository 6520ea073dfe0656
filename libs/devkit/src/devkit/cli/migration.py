"""`make migration`: write the migration that takes a service's tables to what its models say."""

import argparse
import asyncio
import sys

from devkit.platform.databases import SERVICES_WITH_DATABASE, database_environment, run_alembic
from devkit.platform.environment import minimal_environment
from devkit.platform.errors import CannotRunError
from devkit.platform.postgres import throwaway_postgres
from devkit.platform.processes import ProcessGroup
from devkit.platform.settings import CHECKOUT, VAR


async def write(owner: str, message: str) -> None:
    """Compare the models with a database that all migrations so far have made.

    Raises:
        CannotRunError: Alembic says why.
    """
    async with ProcessGroup(VAR / "log") as group, throwaway_postgres(group) as postgres:
        environment = database_environment(
            {owner: await postgres.create_database(owner)}, minimal_environment()
        )
        await run_alembic(group, owner, environment, "upgrade", "head")
        await run_alembic(group, owner, environment, "revision", "--autogenerate", "-m", message)


def main() -> None:
    """Write it, and say where."""
    parser = argparse.ArgumentParser(
        prog='make migration s=tasks m="add a column"', description=__doc__
    )
    parser.add_argument("service", choices=SERVICES_WITH_DATABASE)
    parser.add_argument("message", help="what it does, in a few words")
    chosen = parser.parse_args()
    versions = CHECKOUT / "services" / chosen.service / "migrations" / "versions"
    before = set(versions.glob("*.py"))
    try:
        asyncio.run(write(chosen.service, chosen.message))
    except CannotRunError as error:
        sys.exit(str(error))
    print(*sorted(set(versions.glob("*.py")) - before), sep="\n")


if __name__ == "__main__":
    main()

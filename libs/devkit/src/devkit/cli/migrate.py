"""`make migrate`: bring the databases of the services to the newest revision."""

from devkit.cli.database_command import run_database_command
from devkit.platform.databases import upgrade_databases


def main() -> None:
    """Migrate both databases and print what Alembic did."""
    output = run_database_command(upgrade_databases)
    print(output or "Both databases are at the newest revision.\n", end="")


if __name__ == "__main__":
    main()

"""deploy/postgres/roles.sql makes the roles and their databases, also on a managed server."""

from typing import Final

import psycopg
import pytest

from devkit.platform.postgres import PROGRAMS, Postgres, throwaway_postgres
from devkit.platform.processes import ProcessGroup
from tests.support.sources import ROOT

NAMES: Final = ("tasks", "users", "better_auth")


def url_as(server: Postgres, role: str, database: str) -> str:
    return f"{server.url(database)}&user={role}"


async def test_an_administrator_who_is_no_superuser_can_make_the_roles(
    processes: ProcessGroup,
) -> None:
    environment = {f"{name.upper()}_DATABASE_PASSWORD": "secret" for name in NAMES}
    script = ROOT / "deploy" / "postgres" / "roles.sql"

    async with throwaway_postgres(processes) as server:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute("CREATE ROLE administrator LOGIN CREATEDB CREATEROLE")
        as_administrator = url_as(server, "administrator", "postgres")
        command = [PROGRAMS / "psql", as_administrator, "-f", script]
        await processes.run("psql", command, environment)

        for name in NAMES:
            with psycopg.connect(url_as(server, name, name)) as connection:
                connection.execute("CREATE TABLE owned ()")
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(url_as(server, "users", "tasks"))

"""The second role of a password rotation works as the first one, with its settings."""

from secrets import token_hex

from psycopg import AsyncConnection, sql

from devkit.platform.postgres import Postgres
from devkit.testing.password_rotation import rotation_statements


async def test_the_second_role_acts_as_the_first_one_with_its_settings(postgres: Postgres) -> None:
    """The role does not own its database, so that migrations set the timeout for the role."""
    name = f"rotated_{token_hex(4)}"
    await postgres.create_database(name)
    set_up = [
        f"CREATE ROLE {name} LOGIN",
        f"ALTER ROLE {name} IN DATABASE {name} SET statement_timeout = '5s'",
    ]
    async with await AsyncConnection.connect(postgres.url(), autocommit=True) as admin:
        for statement in [*set_up, *rotation_statements(name, token_hex(8))]:
            await admin.execute(statement.encode())

    url = postgres.url(name).replace("//postgres@", f"//{name}_2@")
    async with await AsyncConnection.connect(url) as connection:
        show = sql.SQL("SELECT session_user, current_user, current_setting('statement_timeout')")
        cursor = await connection.execute(show)
        row = await cursor.fetchone()

    assert row == (f"{name}_2", name, "5s")

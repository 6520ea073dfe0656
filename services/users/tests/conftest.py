"""The users service in this process. For each test its database is empty, and stands behind a proxy."""

from collections.abc import AsyncGenerator

import psycopg
import pytest
from httpx import ASGITransport, AsyncClient
from pydantic import HttpUrl, Secret

from devkit.platform.databases import MigratedDatabases
from devkit.platform.keys import PassportKeys
from devkit.platform.tokens import mint_passport, user_id_of
from devkit.testing.auth_headers import ClientFactory
from devkit.testing.fault_proxy import FaultProxy, run_fault_proxy
from users.main import create_app
from users.settings import UsersSettings


@pytest.fixture(scope="module")
async def database(databases: MigratedDatabases) -> str:
    """Make a migrated database."""
    return await databases.create("users")


@pytest.fixture
async def proxy(database: str) -> AsyncGenerator[FaultProxy]:
    """Stand between the service and its database, in which nobody is known."""
    async with await psycopg.AsyncConnection.connect(database) as connection:
        await connection.execute("TRUNCATE users")
    async with run_fault_proxy(database) as between:
        yield between


@pytest.fixture
def tasks_url() -> str:
    """Have no tasks service; a module that needs one says where it is."""
    return "http://127.0.0.1:1"


@pytest.fixture
async def as_user(
    proxy: FaultProxy, keys: PassportKeys, tasks_url: str
) -> AsyncGenerator[ClientFactory]:
    """Speak to the service as the gateway would: `ann <me@example.com>` is ann, whose token claims that address."""
    settings = UsersSettings(
        users_database_url=Secret(proxy.url),
        passport_public_keys=(keys.public,),
        tasks_url=HttpUrl(tasks_url),
    )
    app = create_app(settings)

    def speak_as(name: str) -> AsyncClient:
        subject, _, claim = name.partition(" <")
        passport = mint_passport(keys.signing_key, subject, email=claim.removesuffix(">"))
        headers = {"Authorization": f"Bearer {passport}", "X-User-Id": str(user_id_of(subject))}
        return AsyncClient(transport=ASGITransport(app), base_url="http://users", headers=headers)

    async with app.router.lifespan_context(app):
        yield speak_as

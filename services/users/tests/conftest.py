"""Fixtures: the users service in this process, with an empty database behind a proxy."""

from collections.abc import AsyncGenerator, Callable

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
    """Create a migrated database."""
    return await databases.create("users")


@pytest.fixture
async def proxy(
    database: str, pooled_url: Callable[[str], str | None]
) -> AsyncGenerator[FaultProxy]:
    """Empty the database, and run a proxy between it and the service."""
    async with await psycopg.AsyncConnection.connect(database) as connection:
        await connection.execute("TRUNCATE users")
    async with run_fault_proxy(database, pooled_url(database)) as proxy:
        yield proxy


@pytest.fixture
def tasks_url() -> str:
    """Return a URL without a server; modules with a tasks service override it."""
    return "http://127.0.0.1:1"


@pytest.fixture
async def as_user(
    proxy: FaultProxy, keys: PassportKeys, tasks_url: str
) -> AsyncGenerator[ClientFactory]:
    """Create clients as the gateway would: `ann <me@example.com>` is ann with that e-mail claim."""
    settings = UsersSettings(
        users_database_url=Secret(proxy.url),
        passport_public_keys=(keys.public,),
        tasks_url=HttpUrl(tasks_url),
    )
    app = create_app(settings)

    def client_of(name: str) -> AsyncClient:
        subject, _, claim = name.partition(" <")
        passport = mint_passport(keys.signing_key, subject, email=claim.removesuffix(">"))
        headers = {"Authorization": f"Bearer {passport}", "X-User-Id": str(user_id_of(subject))}
        return AsyncClient(transport=ASGITransport(app), base_url="http://users", headers=headers)

    async with app.router.lifespan_context(app):
        yield client_of

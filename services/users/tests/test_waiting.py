"""What a statement returns after it waited for the lock of another transaction."""

import asyncio
from collections.abc import AsyncGenerator

import psycopg
import pytest

from devkit.platform.tokens import user_id_of
from devkit.testing.auth_headers import ClientFactory
from devkit.testing.fault_proxy import FaultProxy

WAITING = (
    "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


@pytest.fixture
async def other_connection(proxy: FaultProxy) -> AsyncGenerator[psycopg.AsyncConnection]:
    """Open a connection for a concurrent transaction."""
    async with await psycopg.AsyncConnection.connect(proxy.server_url) as connection:
        yield connection


async def _until_waiting(url: str) -> None:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        for _ in range(500):
            cursor = await connection.execute(WAITING)
            if await cursor.fetchone():
                return
            await asyncio.sleep(0.01)
    pytest.fail("no statement waits for a lock")


async def test_a_change_that_waited_returns_the_latest_profile(
    as_user: ClientFactory, proxy: FaultProxy, other_connection: psycopg.AsyncConnection
) -> None:
    ann = as_user("ann <ann@example.com>")
    before = (await ann.get("/users/me")).json()
    await other_connection.execute(
        "UPDATE users SET time_zone = 'Asia/Tokyo', updated_at = updated_at + interval '1 s'"
    )

    waiting = asyncio.create_task(ann.patch("/users/me", json={"time_zone": "Asia/Tokyo"}))
    await _until_waiting(proxy.server_url)
    await other_connection.commit()

    after = (await waiting).json()
    assert after["time_zone"] == "Asia/Tokyo"
    assert after == (await ann.get("/users/me")).json()
    assert after["updated_at"][:19] != before["updated_at"][:19]


@pytest.mark.parametrize(("is_committed", "email"), [(True, None), (False, "team@example.com")])
async def test_an_email_address_goes_to_the_user_who_stored_it_first(
    as_user: ClientFactory,
    proxy: FaultProxy,
    other_connection: psycopg.AsyncConnection,
    *,
    is_committed: bool,
    email: str | None,
) -> None:
    await as_user("ann <ann@example.com>").get("/users/me")
    await as_user("ben").get("/users/me")
    await other_connection.execute(
        "UPDATE users SET email = 'team@example.com' WHERE id = %s", [user_id_of("ben")]
    )

    waiting = asyncio.create_task(as_user("ann <team@example.com>").get("/users/me"))
    await _until_waiting(proxy.server_url)
    await (other_connection.commit() if is_committed else other_connection.rollback())

    response = await waiting
    assert (response.status_code, response.json()["email"]) == (200, email)

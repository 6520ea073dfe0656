"""What a statement does that had to wait for somebody else's lock."""

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
async def somebody(proxy: FaultProxy) -> AsyncGenerator[psycopg.AsyncConnection]:
    """Be somebody else who writes, in a transaction that stays open."""
    async with await psycopg.AsyncConnection.connect(proxy.server_url) as connection:
        yield connection


async def _until_waiting(url: str) -> None:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        for _ in range(500):
            found = await connection.execute(WAITING)
            if await found.fetchone():
                return
            await asyncio.sleep(0.01)
    pytest.fail("nobody waits")


async def test_a_change_that_waited_answers_with_what_it_found(
    as_user: ClientFactory, proxy: FaultProxy, somebody: psycopg.AsyncConnection
) -> None:
    ann = as_user("ann <ann@example.com>")
    before = (await ann.get("/users/me")).json()
    await somebody.execute(
        "UPDATE users SET time_zone = 'Asia/Tokyo', updated_at = updated_at + interval '1 s'"
    )

    waiting = asyncio.create_task(ann.patch("/users/me", json={"time_zone": "Asia/Tokyo"}))
    await _until_waiting(proxy.server_url)
    await somebody.commit()

    after = (await waiting).json()
    assert after["time_zone"] == "Asia/Tokyo"
    assert after == (await ann.get("/users/me")).json()
    assert after["updated_at"][:19] != before["updated_at"][:19]


@pytest.mark.parametrize(("stays", "email"), [(True, None), (False, "team@example.com")])
async def test_an_address_goes_to_whoever_claimed_it_first(
    as_user: ClientFactory,
    proxy: FaultProxy,
    somebody: psycopg.AsyncConnection,
    *,
    stays: bool,
    email: str | None,
) -> None:
    await as_user("ann <ann@example.com>").get("/users/me")
    await as_user("ben").get("/users/me")
    await somebody.execute(
        "UPDATE users SET email = 'team@example.com' WHERE id = %s", [user_id_of("ben")]
    )

    waiting = asyncio.create_task(as_user("ann <team@example.com>").get("/users/me"))
    await _until_waiting(proxy.server_url)
    await (somebody.commit() if stays else somebody.rollback())

    answer = await waiting
    assert (answer.status_code, answer.json()["email"]) == (200, email)

"""Database round trips of a request."""

from collections.abc import Awaitable, Callable

import pytest

from devkit.platform.tokens import user_id_of
from devkit.testing.auth_headers import ClientFactory
from devkit.testing.fault_proxy import FaultProxy

WARM_UP = 10
"""Requests until the connection is open and the driver has prepared the statement."""


ATTEMPTS = 3
"""On a busy machine a request may need another connection, and its start takes round trips."""


async def fewest_round_trips(proxy: FaultProxy, use: Callable[[], Awaitable[None]]) -> int:
    """Return the round trips of some requests, the fewest of a few attempts."""
    counts: list[int] = []
    for _ in range(ATTEMPTS):
        proxy.round_trips = 0
        await use()
        counts.append(proxy.round_trips)
    return min(counts)


with_each_claim = pytest.mark.parametrize(
    "name", ["ann <ann@example.com>", "ann", "ann <no address>", "ann <eve@example.com>"]
)


@with_each_claim
async def test_a_known_profile_is_one_round_trip(
    as_user: ClientFactory, proxy: FaultProxy, name: str
) -> None:
    await as_user("eve <eve@example.com>").get("/users/me")
    await as_user("ann <ann@example.com>").get("/users/me")
    ann = as_user(name)
    requests = [
        ("GET", "/users/me"),
        ("GET", f"/users/{user_id_of('ann')}"),
        ("PUT", "/internal/users/me"),
    ]
    for _ in range(WARM_UP):
        await ann.get("/users/me")

    async def read_profile() -> None:
        for method, path in requests * 3:
            assert (await ann.request(method, path)).is_success

    assert await fewest_round_trips(proxy, read_profile) == 9


@with_each_claim
async def test_a_change_is_one_round_trip(
    as_user: ClientFactory, proxy: FaultProxy, name: str
) -> None:
    await as_user("eve <eve@example.com>").get("/users/me")
    await as_user("ann <ann@example.com>").get("/users/me")
    ann = as_user(name)
    for _ in range(WARM_UP):
        await ann.patch("/users/me", json={})

    async def change_profile() -> None:
        for zone in ("Asia/Tokyo", "Asia/Tokyo", "UTC"):
            assert (await ann.patch("/users/me", json={"time_zone": zone})).is_success

    assert await fewest_round_trips(proxy, change_profile) == 3


async def test_a_rejected_request_does_not_reach_the_database(
    as_user: ClientFactory, proxy: FaultProxy
) -> None:
    ann = as_user("ann")

    assert (await ann.get(f"/users/{user_id_of('ben')}")).status_code == 403
    assert (await ann.patch("/users/me", json={"id": str(user_id_of("ben"))})).status_code == 422
    assert (await ann.patch("/users/me", json={"time_zone": None})).status_code == 400
    assert (
        await ann.get("/users/me", headers={"X-User-Id": str(user_id_of("ben"))})
    ).status_code == 401

    assert proxy.round_trips == 0

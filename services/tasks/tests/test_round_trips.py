"""What a request costs at the database, counted before it."""

from collections.abc import Awaitable, Callable

import pytest
from httpx import AsyncClient

from devkit.people import AsUser
from devkit.proxy import Proxy

Use = Callable[[AsyncClient], Awaitable[list[str]]]

WARM_UP = 8
"""Repetitions until the connection is open and the driver has prepared the statements."""


async def _use(owner: AsyncClient) -> list[str]:
    """Do everything once, and say what was done."""
    made = await owner.post("/tasks", json={"title": "Count"})
    address = made.headers["location"]
    answers = [
        made,
        await owner.get("/tasks"),
        await owner.get("/tasks?status=pending&q=count&limit=3"),
        await owner.get(address),
        await owner.patch(address, json={"is_completed": True}),
        await owner.patch(address, json={"is_completed": True}),
        await owner.put(address, json={"title": "Counted"}),
        await owner.get("/tasks/changes"),
        await owner.delete(address),
        await owner.delete(address),
    ]
    assert [answer.status_code for answer in answers] == [201, 200, 200, 200, 200, 200, 200, 200, 204, 404]
    return [answer.request.method for answer in answers]


async def _use_tags(owner: AsyncClient) -> list[str]:
    """Do everything that tags allow, and everything that they refuse."""
    made = await owner.post("/tasks", json={"title": "Count"})
    address, tag, other = made.headers["location"], made.headers["etag"], {"If-Match": '"1"'}
    answers = [
        made,
        await owner.get("/tasks", headers={"If-None-Match": tag}),
        await owner.get(address, headers={"If-None-Match": tag}),
        await owner.patch(address, json={"title": "Counted"}, headers=other),
        await owner.put(address, json={"title": "Counted"}, headers=other),
        await owner.delete(address, headers=other),
        await owner.delete(address, headers={"If-Match": tag}),
        await owner.put(address, json={"title": "Back"}, headers={"If-None-Match": "*"}),
        await owner.delete(address),
    ]
    assert [answer.status_code for answer in answers] == [201, 304, 304, 412, 412, 412, 204, 201, 204]
    return [answer.request.method for answer in answers]


@pytest.mark.scenario("S002-FR-011", "S002-SC-010")
@pytest.mark.parametrize("use", [_use, _use_tags])
async def test_each_request_of_a_known_owner_is_one_round_trip(alone_as: AsUser, proxy: Proxy, use: Use) -> None:
    owner = alone_as("owner")
    for _ in range(WARM_UP):
        await use(owner)
    proxy.round_trips = 0

    assert proxy.round_trips == 0
    assert len(await use(owner)) == proxy.round_trips


async def test_a_key_costs_nothing_and_its_replay_a_second_look(alone_as: AsUser, proxy: Proxy) -> None:
    owner, trips = alone_as("owner"), list[int]()
    for number in [*range(WARM_UP), *range(WARM_UP - 1, WARM_UP + 1)]:
        proxy.round_trips = 0
        made = await owner.post("/tasks", json={"title": "Once"}, headers={"Idempotency-Key": str(number)})
        assert made.status_code == 201
        trips.append(proxy.round_trips)
        await owner.delete(made.headers["location"])
        await owner.post("/tasks", json={"title": "Once"}, headers={"Idempotency-Key": "0"})

    assert trips[-2:] == [2, 1]


async def test_the_first_write_of_an_owner_is_at_most_four_round_trips(alone_as: AsUser, proxy: Proxy) -> None:
    for number in range(WARM_UP):
        await _use(alone_as(f"somebody {number}"))
    proxy.round_trips = 0

    assert (await alone_as("new").post("/tasks", json={"title": "First"})).status_code == 201
    assert proxy.round_trips <= 4


async def test_reading_makes_nobody_known(alone_as: AsUser, proxy: Proxy) -> None:
    for _ in range(WARM_UP):
        await alone_as("visitor").get("/tasks")
    proxy.round_trips = 0

    assert (await alone_as("visitor").get("/tasks")).json() == []
    assert proxy.round_trips == 1


async def test_what_is_refused_never_reaches_the_database(alone_as: AsUser, proxy: Proxy) -> None:
    owner = alone_as("owner")

    assert (await owner.post("/tasks", json={"title": ""})).status_code == 422
    assert (await owner.post("/tasks", json={"title": "x", "user_id": "other"})).status_code == 403
    assert (await owner.get("/tasks/5")).status_code == 400
    assert (await owner.get("/tasks", headers={"X-User-Id": "other"})).status_code == 401
    assert proxy.round_trips == 0

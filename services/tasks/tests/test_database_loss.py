"""What the service shows while its database is away, slow or silent, and afterwards."""

import asyncio

import pytest

from devkit.people import AsUser
from devkit.proxy import Proxy


@pytest.mark.scenario("S001-FR-009", "S002-SC-008")
async def test_a_lost_database_is_an_error_that_tells_nothing_and_passes(alone_as: AsUser, proxy: Proxy) -> None:
    owner = alone_as("owner")
    made = await owner.post("/tasks", json={"title": "Stays"})

    await proxy.refuse()
    answers = [await owner.get("/tasks"), await owner.post("/tasks", json={"title": "Lost"})]

    assert {(answer.status_code, answer.headers["retry-after"]) for answer in answers} == {(500, "1")}
    assert {answer.json()["code"] for answer in answers} == {"internal-server-error"}
    assert (await owner.get("/readyz")).status_code == 503
    assert (await owner.get("/healthz")).status_code == 200

    await proxy.accept()
    assert (await owner.get("/tasks")).json() == [made.json()]
    assert (await owner.get("/readyz")).status_code == 200


async def test_a_connection_that_was_ended_while_idle_is_not_seen_by_readers(alone_as: AsUser, proxy: Proxy) -> None:
    owner = alone_as("owner")
    before = (await owner.get("/tasks")).json()

    proxy.cut()

    assert (await owner.get("/tasks")).json() == before


async def test_a_silent_database_costs_a_request_its_deadline_and_the_pool_nothing(
    alone_as: AsUser, proxy: Proxy
) -> None:
    owner = alone_as("owner")
    await owner.post("/tasks", json={"title": "Stays"})

    proxy.pause()
    answers = await asyncio.gather(*(owner.get("/tasks") for _ in range(12)))

    late = [answer for answer in answers if answer.status_code == 503]
    assert {answer.json()["code"] for answer in late} == {"deadline-passed"}
    assert {answer.status_code for answer in answers} <= {500, 503}
    assert all("retry-after" in answer.headers for answer in answers)

    proxy.resume()
    again = await asyncio.gather(*(owner.get("/tasks") for _ in range(12)))
    assert {answer.status_code for answer in again} == {200}


async def test_a_slow_database_is_waited_for(alone_as: AsUser, proxy: Proxy) -> None:
    owner = alone_as("owner")
    await owner.get("/tasks")

    proxy.delay_seconds = 0.3

    assert (await owner.post("/tasks", json={"title": "Slow"})).status_code == 201

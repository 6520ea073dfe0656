"""What a service shows while its database is away, and afterwards."""

import pytest

from devkit.people import AsUser
from devkit.proxy import Proxy


@pytest.mark.scenario("S001-FR-009", "S002-SC-008")
async def test_a_lost_database_is_an_error_that_tells_nothing_and_passes(as_user: AsUser, proxy: Proxy) -> None:
    ann = as_user("ann")
    before = await ann.get("/users/me")

    await proxy.refuse()
    answers = [await ann.get("/users/me"), await ann.patch("/users/me", json={}), await ann.put("/internal/users/me")]

    assert {(answer.status_code, answer.headers["retry-after"]) for answer in answers} == {(500, "1")}
    assert len({(answer.json()["code"], answer.json()["detail"]) for answer in answers}) == 1
    assert not [word for word in ("psycopg", "sql", "connect", "127.0.0.1") if word in answers[0].text.lower()]
    assert (await ann.get("/readyz")).status_code == 503
    assert (await ann.get("/healthz")).status_code == 200

    await proxy.accept()
    assert (await ann.get("/users/me")).json() == before.json()
    assert (await ann.get("/readyz")).status_code == 200


async def test_a_connection_that_was_ended_while_idle_is_not_seen_by_readers(as_user: AsUser, proxy: Proxy) -> None:
    ann = as_user("ann")
    before = await ann.get("/users/me")

    proxy.cut()

    assert (await ann.get("/users/me")).json() == before.json()


async def test_a_change_whose_answer_may_be_lost_is_not_sent_twice(as_user: AsUser, proxy: Proxy) -> None:
    ann = as_user("ann")
    await ann.get("/users/me")

    proxy.cut()

    assert (await ann.patch("/users/me", json={"time_zone": "Asia/Tokyo"})).status_code == 500
    assert (await ann.patch("/users/me", json={"time_zone": "Asia/Tokyo"})).status_code == 200

"""What a service shows while its database is away, and afterwards."""

import pytest

from common.middleware import OUTCOME_UNKNOWN_DETAIL
from devkit.testing.auth_headers import ClientFactory
from devkit.testing.fault_proxy import FaultProxy


@pytest.mark.scenario("S001-FR-009", "S002-SC-008")
async def test_a_lost_database_is_an_error_that_tells_nothing_and_passes(
    as_user: ClientFactory, proxy: FaultProxy
) -> None:
    ann = as_user("ann")
    before = await ann.get("/users/me")

    await proxy.stop_listening()
    read = await ann.get("/users/me")
    changes = [await ann.patch("/users/me", json={}), await ann.put("/internal/users/me")]
    answers = [read, *changes]

    assert {(answer.status_code, answer.headers["retry-after"]) for answer in answers} == {
        (500, "1")
    }
    assert {answer.json()["code"] for answer in answers} == {"internal-server-error"}
    assert {answer.json()["detail"] for answer in changes} == {OUTCOME_UNKNOWN_DETAIL}
    words = ("psycopg", "sql", "connect", "127.0.0.1")
    assert not [word for word in words for answer in answers if word in answer.text.lower()]
    assert (await ann.get("/readyz")).status_code == 503
    assert (await ann.get("/healthz")).status_code == 200

    await proxy.start_listening()
    assert (await ann.get("/users/me")).json() == before.json()
    assert (await ann.get("/readyz")).status_code == 200


async def test_a_connection_that_was_ended_while_idle_is_not_seen_by_readers(
    as_user: ClientFactory, proxy: FaultProxy
) -> None:
    ann = as_user("ann")
    before = await ann.get("/users/me")

    proxy.close_connections()

    assert (await ann.get("/users/me")).json() == before.json()


async def test_a_change_whose_answer_may_be_lost_is_not_sent_twice(
    as_user: ClientFactory, proxy: FaultProxy
) -> None:
    ann = as_user("ann")
    await ann.get("/users/me")

    proxy.close_connections()

    assert (await ann.patch("/users/me", json={"time_zone": "Asia/Tokyo"})).status_code == 500
    assert (await ann.patch("/users/me", json={"time_zone": "Asia/Tokyo"})).status_code == 200

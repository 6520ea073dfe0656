"""Responses while the database is lost, and afterwards."""

import pytest

from common.middleware import OUTCOME_UNKNOWN_DETAIL
from devkit.testing.auth_headers import ClientFactory
from devkit.testing.fault_proxy import FaultProxy


@pytest.mark.scenario("S001-FR-009", "S002-SC-008")
async def test_a_lost_database_is_an_opaque_error_until_it_returns(
    as_user: ClientFactory, proxy: FaultProxy
) -> None:
    ann = as_user("ann")
    before = await ann.get("/users/me")

    await proxy.stop_listening()
    read = await ann.get("/users/me")
    patched = await ann.patch("/users/me", json={})
    created = await ann.put("/internal/users/me")

    for response in (read, patched, created):
        assert (response.status_code, response.headers["retry-after"]) == (500, "1")
        assert response.json()["code"] == "internal-server-error"
        for word in ("psycopg", "sql", "connect", "127.0.0.1"):
            assert word not in response.text.lower()
    assert patched.json()["detail"] == OUTCOME_UNKNOWN_DETAIL
    assert created.json()["detail"] == OUTCOME_UNKNOWN_DETAIL
    assert (await ann.get("/readyz")).status_code == 503
    assert (await ann.get("/healthz")).status_code == 200

    await proxy.start_listening()
    assert (await ann.get("/users/me")).json() == before.json()
    assert (await ann.get("/readyz")).status_code == 200


async def test_a_read_survives_a_connection_that_was_closed_while_idle(
    as_user: ClientFactory, proxy: FaultProxy
) -> None:
    ann = as_user("ann")
    before = await ann.get("/users/me")

    proxy.close_connections()

    assert (await ann.get("/users/me")).json() == before.json()


async def test_a_change_whose_response_may_be_lost_is_not_sent_twice(
    as_user: ClientFactory, proxy: FaultProxy
) -> None:
    ann = as_user("ann")
    await ann.get("/users/me")

    proxy.close_connections()

    assert (await ann.patch("/users/me", json={"time_zone": "Asia/Tokyo"})).status_code == 500
    assert (await ann.patch("/users/me", json={"time_zone": "Asia/Tokyo"})).status_code == 200

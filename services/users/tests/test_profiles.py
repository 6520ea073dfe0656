"""Profiles: creation, visibility, and updates from the token."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from devkit.platform.tokens import user_id_of
from devkit.testing.auth_headers import ClientFactory
from devkit.testing.fault_proxy import FaultProxy

MICROSECONDS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


@pytest.mark.scenario("S001-FR-008")
async def test_the_first_request_of_a_user_creates_the_profile(as_user: ClientFactory) -> None:
    response = await as_user("ann <ann@example.com>").get("/users/me")

    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    profile = response.json()
    created_at = profile.pop("created_at")
    assert profile == {
        "id": str(user_id_of("ann")),
        "email": "ann@example.com",
        "time_zone": "UTC",
        "auth_issuer": "better-auth",
        "auth_subject": "ann",
        "updated_at": created_at,
    }
    assert MICROSECONDS.fullmatch(created_at)
    assert abs(datetime.now(UTC) - datetime.fromisoformat(created_at)) < timedelta(minutes=1)


async def test_reading_a_profile_again_changes_nothing(as_user: ClientFactory) -> None:
    ann = as_user("ann <ann@example.com>")

    assert (await ann.get("/users/me")).content == (await ann.get("/users/me")).content


async def test_concurrent_first_requests_create_one_profile(
    as_user: ClientFactory,
) -> None:
    ann = as_user("ann <ann@example.com>")

    requests = [ann.get("/users/me") for _ in range(20)]
    responses = await asyncio.gather(*requests)

    for response in responses:
        assert response.status_code == 200
        assert response.content == responses[0].content


async def test_a_user_can_read_the_own_profile_by_id(as_user: ClientFactory) -> None:
    ann = as_user("ann")
    me = await ann.get("/users/me")

    assert (await ann.get(f"/users/{user_id_of('ann')}")).content == me.content
    assert (await ann.get(f"/users/{str(user_id_of('ann')).upper()}")).content == me.content


@pytest.mark.scenario("S002-US1.3")
async def test_another_users_profile_is_403_whether_or_not_it_exists(
    as_user: ClientFactory,
) -> None:
    ann = as_user("ann")
    await as_user("ben").get("/users/me")

    for other in (user_id_of("ben"), user_id_of("nobody"), uuid4()):
        response = await ann.get(f"/users/{other}")
        assert (response.status_code, response.json()["code"]) == (403, "other-user")


@pytest.mark.parametrize("text", ["ann", "1", "00000000000040008000000000000001", "{%7D", "%00"])
async def test_a_user_id_that_is_no_uuid_is_400(as_user: ClientFactory, text: str) -> None:
    response = await as_user("ann").get(f"/users/{text}")

    assert response.status_code == 400
    [error] = response.json()["errors"]
    assert error["location"] == ["path", "user_id"]
    assert "GET /users/me" in error["message"]


@pytest.mark.scenario("S002-FR-002")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/users/me"),
        ("PATCH", "/users/me"),
        ("GET", f"/users/{user_id_of('ann')}"),
        ("PUT", "/internal/users/me"),
    ],
)
async def test_a_request_without_a_passport_is_401(
    as_user: ClientFactory, method: str, path: str
) -> None:
    ann = as_user("ann")
    del ann.headers["Authorization"]

    response = await ann.request(method, path)

    assert (response.status_code, response.json()["code"]) == (401, "token-missing")


async def test_parameters_are_rejected(as_user: ClientFactory) -> None:
    ann = as_user("ann")

    for path in ("/users/me", f"/users/{user_id_of('ann')}"):
        assert (await ann.get(path, params={"user_id": str(user_id_of("ann"))})).status_code == 400
    assert (await ann.put("/internal/users/me?x")).status_code == 400
    assert (await ann.patch("/users/me?x", json={})).status_code == 400


@pytest.mark.parametrize("column", ["auth_issuer", "auth_subject"])
async def test_a_profile_is_updated_from_the_token(
    as_user: ClientFactory, proxy: FaultProxy, column: str
) -> None:
    ann = as_user("ann")
    before = (await ann.get("/users/me")).json()
    async with await psycopg.AsyncConnection.connect(proxy.server_url) as connection:
        await connection.execute(
            sql.SQL("UPDATE users SET {} = 'of old'").format(sql.Identifier(column))
        )

    after = (await ann.get("/users/me")).json()

    assert after == {**before, "updated_at": after["updated_at"]}
    assert after["updated_at"] > before["updated_at"]


@pytest.mark.scenario("S002-SC-006")
async def test_the_id_alone_identifies_the_user(as_user: ClientFactory, proxy: FaultProxy) -> None:
    await as_user("ben").get("/users/me")
    async with await psycopg.AsyncConnection.connect(proxy.server_url) as connection:
        await connection.execute("UPDATE users SET auth_subject = 'ann'")

    assert (await as_user("ann").get("/users/me")).json()["id"] == str(user_id_of("ann"))


async def test_another_service_can_create_a_profile(as_user: ClientFactory) -> None:
    ann = as_user("ann <ann@example.com>")

    first_response = await ann.put("/internal/users/me")
    profile = (await ann.get("/users/me")).json()
    second_response = await ann.put("/internal/users/me")

    for response in (first_response, second_response):
        assert (response.status_code, response.content) == (204, b"")
    assert profile["email"] == "ann@example.com"
    assert (await ann.get("/users/me")).json() == profile


async def test_an_internal_put_updates_the_profile(as_user: ClientFactory) -> None:
    await as_user("ann <old@example.com>").put("/internal/users/me")
    await as_user("ann <new@example.com>").put("/internal/users/me")

    assert (await as_user("ann").get("/users/me")).json()["email"] == "new@example.com"

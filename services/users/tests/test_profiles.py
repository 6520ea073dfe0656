"""A profile: how it appears, and who may see it."""

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
async def test_a_profile_appears_when_its_owner_is_first_seen(as_user: ClientFactory) -> None:
    answer = await as_user("ann <ann@example.com>").get("/users/me")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    profile = answer.json()
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


async def test_seeing_a_profile_again_changes_nothing(as_user: ClientFactory) -> None:
    ann = as_user("ann <ann@example.com>")

    assert (await ann.get("/users/me")).content == (await ann.get("/users/me")).content


async def test_one_owner_who_is_first_seen_many_times_at_once_gets_one_profile(
    as_user: ClientFactory,
) -> None:
    ann = as_user("ann <ann@example.com>")

    answers = await asyncio.gather(*(ann.get("/users/me") for _ in range(20)))

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1


async def test_owners_see_themselves_at_their_own_address(as_user: ClientFactory) -> None:
    ann = as_user("ann")
    me = await ann.get("/users/me")

    assert (await ann.get(f"/users/{user_id_of('ann')}")).content == me.content
    assert (await ann.get(f"/users/{str(user_id_of('ann')).upper()}")).content == me.content


@pytest.mark.scenario("S002-US1.3")
async def test_another_user_is_refused_whether_or_not_they_exist(as_user: ClientFactory) -> None:
    ann = as_user("ann")
    await as_user("ben").get("/users/me")

    for other in (user_id_of("ben"), user_id_of("nobody"), uuid4()):
        answer = await ann.get(f"/users/{other}")
        assert (answer.status_code, answer.json()["code"]) == (403, "other-user")


@pytest.mark.parametrize("text", ["ann", "1", "00000000000040008000000000000001", "{%7D", "%00"])
async def test_an_address_that_is_no_uuid_is_unreadable(as_user: ClientFactory, text: str) -> None:
    answer = await as_user("ann").get(f"/users/{text}")

    assert answer.status_code == 400
    assert [fault["location"] for fault in answer.json()["errors"]] == [["path", "user_id"]]


@pytest.mark.scenario("S002-FR-002")
@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("GET", "/users/me"),
        ("PATCH", "/users/me"),
        ("GET", f"/users/{user_id_of('ann')}"),
        ("PUT", "/internal/users/me"),
    ],
)
async def test_without_a_passport_nobody_is_anybody(
    as_user: ClientFactory, method: str, address: str
) -> None:
    ann = as_user("ann")
    del ann.headers["Authorization"]

    answer = await ann.request(method, address)

    assert (answer.status_code, answer.json()["code"]) == (401, "token-missing")


async def test_parameters_are_refused(as_user: ClientFactory) -> None:
    ann = as_user("ann")

    for address in ("/users/me", f"/users/{user_id_of('ann')}"):
        assert (
            await ann.get(address, params={"user_id": str(user_id_of("ann"))})
        ).status_code == 400
    assert (await ann.put("/internal/users/me?x")).status_code == 400
    assert (await ann.patch("/users/me?x", json={})).status_code == 400


@pytest.mark.parametrize("column", ["auth_issuer", "auth_subject"])
async def test_a_profile_follows_what_the_token_says(
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
async def test_the_id_alone_says_whose_profile_it_is(
    as_user: ClientFactory, proxy: FaultProxy
) -> None:
    await as_user("ben").get("/users/me")
    async with await psycopg.AsyncConnection.connect(proxy.server_url) as connection:
        await connection.execute("UPDATE users SET auth_subject = 'ann'")

    assert (await as_user("ann").get("/users/me")).json()["id"] == str(user_id_of("ann"))


async def test_a_service_makes_sure_that_a_profile_is_there(as_user: ClientFactory) -> None:
    ann = as_user("ann <ann@example.com>")

    first = await ann.put("/internal/users/me")
    met = (await ann.get("/users/me")).json()
    again = await ann.put("/internal/users/me")

    assert [(answer.status_code, answer.content) for answer in (first, again)] == [
        (204, b""),
        (204, b""),
    ]
    assert met["email"] == "ann@example.com"
    assert (await ann.get("/users/me")).json() == met


async def test_meeting_an_owner_again_refreshes_the_profile(as_user: ClientFactory) -> None:
    await as_user("ann <old@example.com>").put("/internal/users/me")
    await as_user("ann <new@example.com>").put("/internal/users/me")

    assert (await as_user("ann").get("/users/me")).json()["email"] == "new@example.com"

"""E-mail addresses come from the token; an invalid or taken one never fails a request."""

import asyncio
from collections.abc import AsyncGenerator

import psycopg
import pytest
from httpx import AsyncClient, Response
from psycopg import sql

from devkit.testing.auth_headers import ClientFactory
from devkit.testing.fault_proxy import FaultProxy

FASTER = """
CREATE SEQUENCE claims;
CREATE FUNCTION claim() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.email IS NOT NULL AND nextval('claims') <= {} THEN RAISE unique_violation; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER claim BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION claim()
"""
"""A trigger that stands for so many concurrent users with the same e-mail address."""


@pytest.fixture
async def others(proxy: FaultProxy) -> AsyncGenerator[psycopg.AsyncConnection]:
    """Open a connection that creates the trigger, and remove it after the test."""
    async with await psycopg.AsyncConnection.connect(
        proxy.server_url, autocommit=True
    ) as connection:
        yield connection
        await connection.execute("DROP FUNCTION claim CASCADE; DROP SEQUENCE claims")


async def send_all(
    clients: list[AsyncClient], method: str, path: str, json: object = None
) -> list[Response]:
    """Send the same request with all clients at once."""
    requests = [client.request(method, path, json=json) for client in clients]
    return await asyncio.gather(*requests)


def sorted_emails(responses: list[Response]) -> list[str]:
    return sorted(str(response.json()["email"]) for response in responses)


async def test_an_email_address_is_stored_in_lower_case(as_user: ClientFactory) -> None:
    assert (await as_user("ann <Ann.ÄB@Example.COM>").get("/users/me")).json()[
        "email"
    ] == "ann.äb@example.com"


async def test_a_later_token_with_another_email_address_updates_the_profile(
    as_user: ClientFactory,
) -> None:
    before = (await as_user("ann <old@example.com>").get("/users/me")).json()

    after = (await as_user("ann <new@example.com>").get("/users/me")).json()

    assert after == {**before, "email": "new@example.com", "updated_at": after["updated_at"]}
    assert after["updated_at"] > before["updated_at"]


async def test_a_change_of_the_profile_stores_the_new_email_address(as_user: ClientFactory) -> None:
    await as_user("ann <old@example.com>").get("/users/me")

    changed = await as_user("ann <new@example.com>").patch("/users/me", json={})

    assert changed.json()["email"] == "new@example.com"


async def test_a_token_without_an_email_address_keeps_the_stored_one(
    as_user: ClientFactory,
) -> None:
    before = (await as_user("ann <ann@example.com>").get("/users/me")).json()

    assert (await as_user("ann").get("/users/me")).json() == before
    assert (await as_user("ann").patch("/users/me", json={"time_zone": "UTC"})).json() == before


async def test_a_token_without_an_email_address_is_not_logged(
    as_user: ClientFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (await as_user("ann").get("/users/me")).json()["email"] is None
    assert "e-mail" not in capsys.readouterr().out


async def test_an_email_address_of_another_user_is_not_stored(
    as_user: ClientFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    await as_user("ann <ann@example.com>").get("/users/me")

    ben = as_user("ben <ANN@example.com>")
    first = await ben.get("/users/me")
    second = await ben.get("/users/me")

    assert (first.status_code, first.json()["email"]) == (200, None)
    assert second.json() == first.json()
    assert (await as_user("ann").get("/users/me")).json()["email"] == "ann@example.com"
    log = capsys.readouterr().out
    assert log.count('"reason": "taken"') == 1
    assert "ann@example.com" not in log.lower()


async def test_a_free_email_address_goes_to_the_next_user_with_it(
    as_user: ClientFactory,
) -> None:
    await as_user("ann <team@example.com>").get("/users/me")
    ben = as_user("ben <team@example.com>")
    await ben.get("/users/me")

    await as_user("ann <ann@example.com>").get("/users/me")

    assert (await ben.get("/users/me")).json()["email"] == "team@example.com"


async def test_a_user_who_changes_to_a_taken_email_address_has_none(as_user: ClientFactory) -> None:
    await as_user("ann <ann@example.com>").get("/users/me")
    await as_user("ben <ben@example.com>").get("/users/me")

    assert (await as_user("ben <ann@example.com>").get("/users/me")).json()["email"] is None
    assert (await as_user("eve <ben@example.com>").get("/users/me")).json()[
        "email"
    ] == "ben@example.com"


@pytest.mark.parametrize(("method", "path"), [("GET", "/users/me"), ("PUT", "/internal/users/me")])
async def test_users_with_the_same_email_address_all_get_a_profile(
    as_user: ClientFactory, method: str, path: str
) -> None:
    clients = [as_user(f"user{number} <team@example.com>") for number in range(20)]

    first_responses = await send_all(clients, method, path)
    profile_responses = await send_all(clients, "GET", "/users/me")

    for response in first_responses + profile_responses:
        assert response.is_success
    assert sorted_emails(profile_responses) == ["None"] * 19 + ["team@example.com"]


async def test_users_who_change_to_the_same_email_address_keep_their_profiles(
    as_user: ClientFactory,
) -> None:
    for number in range(10):
        await as_user(f"user{number} <user{number}@example.com>").get("/users/me")
    clients = [as_user(f"user{number} <team@example.com>") for number in range(10)]

    responses = await send_all(clients, "PATCH", "/users/me", json={"time_zone": "Asia/Tokyo"})

    for response in responses:
        assert (response.status_code, response.json()["time_zone"]) == (200, "Asia/Tokyo")
    assert sorted_emails(responses) == ["None"] * 9 + ["team@example.com"]


@pytest.mark.parametrize(("times", "email"), [(1, "team@example.com"), (2, None)])
async def test_an_email_address_that_is_taken_twice_meanwhile_is_not_stored(
    as_user: ClientFactory, others: psycopg.AsyncConnection, times: int, email: str | None
) -> None:
    await others.execute(sql.SQL(FASTER).format(times))

    response = await as_user("ann <team@example.com>").patch(
        "/users/me", json={"time_zone": "Asia/Tokyo"}
    )

    assert response.status_code == 200
    assert (response.json()["email"], response.json()["time_zone"]) == (email, "Asia/Tokyo")


@pytest.mark.parametrize(
    "claim",
    [
        "ann",
        "@example.com",
        "ann@",
        "ann@@example.com",
        "ann@example..com",
        "ann @example.com",
        "ann@example.com\n",
        "ann\0@example.com",
        "ann\ud800@example.com",
        "ann\u202e@example.com",
        "a" * 65 + "@example.com",
        "ann@" + "e" * 251,
        "x" * 6_000,
        "<ann@example.com>",
    ],
)
async def test_an_invalid_email_address_is_not_stored(
    as_user: ClientFactory, capsys: pytest.CaptureFixture[str], claim: str
) -> None:
    response = await as_user(f"ann <{claim}>").get("/users/me")

    assert (response.status_code, response.json()["email"]) == (200, None)
    log = capsys.readouterr().out
    assert log.count('"reason": "no-address"') == 1
    assert "example" not in log


async def test_the_longest_email_address_is_stored(as_user: ClientFactory) -> None:
    longest = "a" * 64 + "@" + ".".join(["e" * 47] * 3 + ["f" * 45])

    assert len(longest) == 254
    assert (await as_user(f"ann <{longest}>").get("/users/me")).json()["email"] == longest

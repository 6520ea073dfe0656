"""E-mail addresses follow the token, and no token ever fails for one."""

import asyncio
from collections.abc import AsyncGenerator

import psycopg
import pytest
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
"""Stands for others who claim each address a moment earlier, so many times."""


@pytest.fixture
async def others(proxy: FaultProxy) -> AsyncGenerator[psycopg.AsyncConnection]:
    """Be the others, and leave no trace."""
    async with await psycopg.AsyncConnection.connect(
        proxy.server_url, autocommit=True
    ) as connection:
        yield connection
        await connection.execute("DROP FUNCTION claim CASCADE; DROP SEQUENCE claims")


async def test_an_address_is_kept_in_lower_case(as_user: ClientFactory) -> None:
    assert (await as_user("ann <Ann.ÄB@Example.COM>").get("/users/me")).json()[
        "email"
    ] == "ann.äb@example.com"


async def test_a_later_token_with_another_address_updates_it(as_user: ClientFactory) -> None:
    before = (await as_user("ann <old@example.com>").get("/users/me")).json()

    after = (await as_user("ann <new@example.com>").get("/users/me")).json()

    assert after == {**before, "email": "new@example.com", "updated_at": after["updated_at"]}
    assert after["updated_at"] > before["updated_at"]


async def test_a_change_of_the_profile_takes_the_new_address_along(as_user: ClientFactory) -> None:
    await as_user("ann <old@example.com>").get("/users/me")

    changed = await as_user("ann <new@example.com>").patch("/users/me", json={})

    assert changed.json()["email"] == "new@example.com"


async def test_a_token_that_names_no_address_leaves_it_as_it_is(as_user: ClientFactory) -> None:
    before = (await as_user("ann <ann@example.com>").get("/users/me")).json()

    assert (await as_user("ann").get("/users/me")).json() == before
    assert (await as_user("ann").patch("/users/me", json={"time_zone": "UTC"})).json() == before


async def test_a_token_that_never_named_an_address_is_nothing_to_write_down(
    as_user: ClientFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (await as_user("ann").get("/users/me")).json()["email"] is None
    assert "e-mail" not in capsys.readouterr().out


async def test_an_address_that_somebody_else_has_is_not_kept(
    as_user: ClientFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    await as_user("ann <ann@example.com>").get("/users/me")

    ben = as_user("ben <ANN@example.com>")
    first, second = await ben.get("/users/me"), await ben.get("/users/me")

    assert (first.status_code, first.json()["email"]) == (200, None)
    assert second.json() == first.json()
    assert (await as_user("ann").get("/users/me")).json()["email"] == "ann@example.com"
    log = capsys.readouterr().out
    assert log.count('"reason": "taken"') == 1
    assert "ann@example.com" not in log.lower()


async def test_an_address_that_becomes_free_is_kept_by_the_next_who_claims_it(
    as_user: ClientFactory,
) -> None:
    await as_user("ann <team@example.com>").get("/users/me")
    ben = as_user("ben <team@example.com>")
    await ben.get("/users/me")

    await as_user("ann <ann@example.com>").get("/users/me")

    assert (await ben.get("/users/me")).json()["email"] == "team@example.com"


async def test_whoever_moves_to_a_taken_address_gives_up_their_own(as_user: ClientFactory) -> None:
    await as_user("ann <ann@example.com>").get("/users/me")
    await as_user("ben <ben@example.com>").get("/users/me")

    assert (await as_user("ben <ann@example.com>").get("/users/me")).json()["email"] is None
    assert (await as_user("eve <ben@example.com>").get("/users/me")).json()[
        "email"
    ] == "ben@example.com"


@pytest.mark.parametrize("address", ["/users/me", "/internal/users/me"])
async def test_many_who_claim_one_address_at_once_all_get_a_profile(
    as_user: ClientFactory, address: str
) -> None:
    crowd = [as_user(f"user{n} <team@example.com>") for n in range(20)]
    method = "PUT" if "internal" in address else "GET"

    met = await asyncio.gather(*(person.request(method, address) for person in crowd))
    seen = await asyncio.gather(*(person.get("/users/me") for person in crowd))

    assert all(answer.is_success for answer in (*met, *seen))
    assert sorted(str(answer.json()["email"]) for answer in seen) == ["None"] * 19 + [
        "team@example.com"
    ]


async def test_many_who_move_to_one_address_at_once_all_keep_their_profile(
    as_user: ClientFactory,
) -> None:
    for n in range(10):
        await as_user(f"user{n} <user{n}@example.com>").get("/users/me")
    crowd = [as_user(f"user{n} <team@example.com>") for n in range(10)]

    answers = await asyncio.gather(
        *(person.patch("/users/me", json={"time_zone": "Asia/Tokyo"}) for person in crowd)
    )

    assert {(answer.status_code, answer.json()["time_zone"]) for answer in answers} == {
        (200, "Asia/Tokyo")
    }
    assert sorted(str(answer.json()["email"]) for answer in answers) == ["None"] * 9 + [
        "team@example.com"
    ]


@pytest.mark.parametrize(("times", "email"), [(1, "team@example.com"), (2, None)])
async def test_an_address_is_given_up_when_others_are_faster_again_and_again(
    as_user: ClientFactory, others: psycopg.AsyncConnection, times: int, email: str | None
) -> None:
    await others.execute(sql.SQL(FASTER).format(times))

    answer = await as_user("ann <team@example.com>").patch(
        "/users/me", json={"time_zone": "Asia/Tokyo"}
    )

    assert answer.status_code == 200
    assert (answer.json()["email"], answer.json()["time_zone"]) == (email, "Asia/Tokyo")


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
async def test_what_is_no_address_is_not_kept(
    as_user: ClientFactory, capsys: pytest.CaptureFixture[str], claim: str
) -> None:
    answer = await as_user(f"ann <{claim}>").get("/users/me")

    assert (answer.status_code, answer.json()["email"]) == (200, None)
    log = capsys.readouterr().out
    assert log.count('"reason": "no-address"') == 1
    assert "example" not in log


async def test_the_longest_address_is_kept(as_user: ClientFactory) -> None:
    longest = "a" * 64 + "@" + ".".join(["e" * 47] * 3 + ["f" * 45])

    assert len(longest) == 254
    assert (await as_user(f"ann <{longest}>").get("/users/me")).json()["email"] == longest

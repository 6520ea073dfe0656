"""The profile: it appears by itself, follows the token, and only its time zone can be chosen."""

import time
from secrets import token_hex
from typing import cast

import jwt
import pytest
from httpx import AsyncClient, Response

from e2e.support.contract import TIMESTAMP, UNKNOWN_ID, Profile, assert_problem, error_locations
from e2e.support.user_client import UserClient, UserClientFactory


async def profile_of(user: UserClient) -> Profile:
    response = await user.get("/users/me")
    assert response.status_code == 200, response.text
    return cast("Profile", response.json())


async def choose(user: UserClient, body: object) -> Response:
    return await user.patch("/users/me", json=body)


@pytest.fixture
def claim(as_user: UserClientFactory, better_auth_secret: str) -> UserClientFactory:
    """Speak for `name <address>`, whose token claims that address."""

    def speak(name: str) -> UserClient:
        name, _, address = name.partition(" <")
        user, now = as_user(name), int(time.time())
        claims: dict[str, object] = {
            "sub": user.subject,
            "exp": now + 3600,
            "email": address.removesuffix(">"),
        }
        user.headers["Authorization"] = f"Bearer {jwt.encode(claims, better_auth_secret, 'HS256')}"
        return user

    return speak


async def test_a_profile_appears_when_its_user_is_first_seen(as_user: UserClientFactory) -> None:
    ann = as_user("ann")

    profile = await profile_of(ann)

    assert (profile["id"], profile["auth_subject"], profile["time_zone"]) == (
        ann.id,
        ann.subject,
        "UTC",
    )
    assert profile["auth_issuer"]
    assert TIMESTAMP.fullmatch(profile["created_at"])
    assert profile["updated_at"] == profile["created_at"]
    assert await profile_of(ann) == profile


@pytest.mark.scenario("S001-FR-004")
async def test_whoever_has_a_task_has_a_profile_of_the_same_id(as_user: UserClientFactory) -> None:
    ann = as_user("ann")

    assert (await ann.create_task())["user_id"] == (await profile_of(ann))["id"]


async def test_users_find_themselves_at_their_own_address(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    profile = await profile_of(ann)

    for address in (f"/users/{ann.id}", f"/users/{ann.id.upper()}"):
        assert (await ann.get(address)).json() == profile
    assert (await ann.head(f"/users/{ann.id}")).status_code == 200


@pytest.mark.scenario("S002-US1.3")
async def test_another_user_is_forbidden_whether_or_not_there_is_one(
    as_user: UserClientFactory,
) -> None:
    ann, ben = as_user("ann"), as_user("ben")
    ann.headers["X-Request-ID"] = "the-same-for-all"
    await profile_of(ben)

    responses = [await ann.get(f"/users/{other}") for other in (ben.id, ben.id.upper(), UNKNOWN_ID)]

    for response in responses:
        assert_problem(response, 403, "other-user")
    assert len({response.content for response in responses}) == 1


@pytest.mark.parametrize(
    "text", ["x", "ME", "0", UNKNOWN_ID[:-1], UNKNOWN_ID.replace("-", ""), f"{{{UNKNOWN_ID}}}"]
)
async def test_an_address_that_is_no_uuid_cannot_be_read(
    as_user: UserClientFactory, text: str
) -> None:
    assert_problem(await as_user("ann").get(f"/users/{text}"), 400, "bad-request")


async def test_nobody_has_a_profile_without_a_token(anonymous: AsyncClient) -> None:
    for response in (await anonymous.get("/users/me"), await anonymous.get(f"/users/{UNKNOWN_ID}")):
        assert_problem(response, 401, "token-missing")


@pytest.mark.parametrize(
    "zone", ["Europe/Berlin", "America/Argentina/Buenos_Aires", "Asia/Kolkata", "UTC", "US/Pacific"]
)
async def test_users_choose_their_time_zone(as_user: UserClientFactory, zone: str) -> None:
    ann = as_user("ann")
    before = await profile_of(ann)

    response = await choose(ann, {"time_zone": zone})

    assert response.status_code == 200
    after = await profile_of(ann)
    assert (
        after == response.json() == {**before, "time_zone": zone, "updated_at": after["updated_at"]}
    )
    assert (after["updated_at"] == before["updated_at"]) is (zone == before["time_zone"])


async def test_a_time_zone_can_be_chosen_before_anything_else(as_user: UserClientFactory) -> None:
    ann = as_user("ann")

    assert (await choose(ann, {"time_zone": "Europe/Berlin"})).json()[
        "time_zone"
    ] == "Europe/Berlin"
    assert (await profile_of(ann))["time_zone"] == "Europe/Berlin"


@pytest.mark.parametrize(
    "zone",
    [
        "",
        " ",
        "Mars/Olympus",
        "europe/berlin",
        "Europe/Berlin ",
        "+02:00",
        "../UTC",
        "/etc/passwd",
        "Factory",
        "\0",
    ],
)
async def test_a_time_zone_has_a_name_that_is_known(as_user: UserClientFactory, zone: str) -> None:
    ann = as_user("ann")
    before = await profile_of(ann)

    problem = assert_problem(await choose(ann, {"time_zone": zone}), 422, "invalid-body")

    assert error_locations(problem) == [["body", "time_zone"]]
    assert await profile_of(ann) == before


@pytest.mark.parametrize("zone", [None, 1, True, [], {}])
async def test_a_time_zone_is_text(as_user: UserClientFactory, zone: object) -> None:
    ann = as_user("ann")
    before = await profile_of(ann)

    assert_problem(await choose(ann, {"time_zone": zone}), 400, "bad-request")
    assert await profile_of(ann) == before


@pytest.mark.parametrize("field", ["name", "user_id", "Time_zone", "is_admin"])
async def test_a_field_that_a_profile_does_not_have_is_named(
    as_user: UserClientFactory, field: str
) -> None:
    ann = as_user("ann")

    problem = assert_problem(
        await choose(ann, {"time_zone": "Europe/Berlin", field: "x"}), 422, "invalid-body"
    )

    assert error_locations(problem) == [["body", field]]
    assert (await profile_of(ann))["time_zone"] == "UTC"


async def test_a_profile_that_is_sent_back_changes_only_its_time_zone(
    as_user: UserClientFactory,
) -> None:
    ann = as_user("ann")
    before = await profile_of(ann)
    other = {
        **before,
        "email": "eve@example.com",
        "auth_subject": "eve",
        "auth_issuer": "evil",
        "created_at": "x",
    }

    assert (await choose(ann, before)).json() == before
    assert (await choose(ann, other)).json() == before
    after = (await choose(ann, {**other, "time_zone": "Europe/Berlin"})).json()
    assert after == {**before, "time_zone": "Europe/Berlin", "updated_at": after["updated_at"]}


async def test_a_change_that_changes_nothing_leaves_no_trace(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    before = await profile_of(ann)

    for body in ({}, {"time_zone": "UTC"}, {"id": ann.id}, {"id": ann.id.upper()}):
        assert (await choose(ann, body)).json() == before


async def test_nobody_changes_another_users_profile(as_user: UserClientFactory) -> None:
    ann, ben = as_user("ann"), as_user("ben")
    before = await profile_of(ben)

    assert_problem(
        await choose(ann, {"id": ben.id, "time_zone": "Europe/Berlin"}), 422, "id-mismatch"
    )
    assert_problem(await ann.patch(f"/users/{ben.id}", json={"time_zone": "Europe/Berlin"}), 405)
    assert await profile_of(ben) == before


async def test_the_address_follows_the_token_in_lower_case(claim: UserClientFactory) -> None:
    one, two = f"{token_hex(8)}@example.com", f"{token_hex(8)}@example.com"

    assert (await profile_of(claim(f"ann <{one.upper()}>")))["email"] == one
    assert (await profile_of(claim(f"ann <{two}>")))["email"] == two


async def test_an_address_that_somebody_has_is_not_given_twice(claim: UserClientFactory) -> None:
    address = f"{token_hex(8)}@example.com"
    ann, ben = claim(f"ann <{address}>"), claim(f"ben <{address.upper()}>")

    assert (await profile_of(ann))["email"] == address
    assert (await profile_of(ben))["email"] is None
    assert (await profile_of(ann))["id"] != (await profile_of(ben))["id"]
    assert await ben.create_task()


@pytest.mark.parametrize(
    "address", ["", "ann", "@", "ann@", "ann smith@example.com", "x" * 300 + "@example.com"]
)
async def test_a_token_never_fails_for_an_address_that_is_none(
    claim: UserClientFactory, address: str
) -> None:
    assert (await profile_of(claim(f"ann <{address}>")))["email"] is None

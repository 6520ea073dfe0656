"""The profile: the first request creates it, and only its time zone can be changed."""

import time
from collections.abc import Callable
from secrets import token_hex
from typing import cast

import jwt
import pytest
from httpx import AsyncClient, Response

from e2e.support.contract import TIMESTAMP, UNKNOWN_ID, Profile, assert_problem, error_locations
from e2e.support.user_client import UserClient, UserClientFactory

UserWithEmailFactory = Callable[[str, str], UserClient]
"""Returns the client of a user, given a name and the e-mail address in the token."""


async def get_profile(user: UserClient) -> Profile:
    response = await user.get("/users/me")
    assert response.status_code == 200, response.text
    return cast("Profile", response.json())


async def change_profile(user: UserClient, body: object) -> Response:
    return await user.patch("/users/me", json=body)


@pytest.fixture
def as_user_with_email(as_user: UserClientFactory, better_auth_secret: str) -> UserWithEmailFactory:
    """Return the client of a user whose token contains an e-mail address."""

    def create_client(name: str, email: str) -> UserClient:
        user = as_user(name)
        claims: dict[str, object] = {
            "sub": user.subject,
            "exp": int(time.time()) + 3600,
            "email": email,
        }
        token = jwt.encode(claims, better_auth_secret, "HS256")
        user.headers["Authorization"] = f"Bearer {token}"
        return user

    return create_client


async def test_the_first_request_of_a_user_creates_a_profile(as_user: UserClientFactory) -> None:
    ann = as_user("ann")

    profile = await get_profile(ann)

    assert profile["id"] == ann.id
    assert profile["auth_subject"] == ann.subject
    assert profile["time_zone"] == "UTC"
    assert profile["auth_issuer"]
    assert TIMESTAMP.fullmatch(profile["created_at"])
    assert profile["updated_at"] == profile["created_at"]
    assert await get_profile(ann) == profile


@pytest.mark.scenario("S001-FR-004")
async def test_the_owner_of_a_task_has_a_profile_with_the_same_id(
    as_user: UserClientFactory,
) -> None:
    ann = as_user("ann")

    task = await ann.create_task()
    profile = await get_profile(ann)

    assert task["user_id"] == profile["id"]


async def test_users_can_read_their_profile_by_their_id(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    profile = await get_profile(ann)

    for path in (f"/users/{ann.id}", f"/users/{ann.id.upper()}"):
        response = await ann.get(path)
        assert response.json() == profile
    head = await ann.head(f"/users/{ann.id}")
    assert head.status_code == 200


@pytest.mark.scenario("S002-US1.3")
async def test_the_response_does_not_tell_whether_another_user_exists(
    as_user: UserClientFactory,
) -> None:
    ann = as_user("ann")
    ben = as_user("ben")
    ann.headers["X-Request-ID"] = "the-same-for-all"
    await get_profile(ben)

    contents: set[bytes] = set()
    for user_id in (ben.id, ben.id.upper(), UNKNOWN_ID):
        response = await ann.get(f"/users/{user_id}")
        assert_problem(response, 403, "other-user")
        contents.add(response.content)
    assert len(contents) == 1


@pytest.mark.parametrize(
    "text", ["x", "ME", "0", UNKNOWN_ID[:-1], UNKNOWN_ID.replace("-", ""), f"{{{UNKNOWN_ID}}}"]
)
async def test_an_id_that_is_no_uuid_is_a_bad_request(
    as_user: UserClientFactory, text: str
) -> None:
    response = await as_user("ann").get(f"/users/{text}")

    assert_problem(response, 400, "bad-request")


async def test_a_profile_needs_a_token(anonymous: AsyncClient) -> None:
    for path in ("/users/me", f"/users/{UNKNOWN_ID}"):
        response = await anonymous.get(path)
        assert_problem(response, 401, "token-missing")


@pytest.mark.parametrize(
    "zone", ["Europe/Berlin", "America/Argentina/Buenos_Aires", "Asia/Kolkata", "UTC", "US/Pacific"]
)
async def test_users_can_change_their_time_zone(as_user: UserClientFactory, zone: str) -> None:
    ann = as_user("ann")
    before = await get_profile(ann)

    response = await change_profile(ann, {"time_zone": zone})

    assert response.status_code == 200
    after = await get_profile(ann)
    assert response.json() == after
    is_unchanged = zone == before["time_zone"]
    assert (after["updated_at"] == before["updated_at"]) is is_unchanged
    before["time_zone"] = zone
    before["updated_at"] = after["updated_at"]
    assert after == before


async def test_the_first_request_of_a_user_can_change_the_time_zone(
    as_user: UserClientFactory,
) -> None:
    ann = as_user("ann")

    response = await change_profile(ann, {"time_zone": "Europe/Berlin"})

    assert response.json()["time_zone"] == "Europe/Berlin"
    profile = await get_profile(ann)
    assert profile["time_zone"] == "Europe/Berlin"


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
async def test_an_unknown_time_zone_is_rejected(as_user: UserClientFactory, zone: str) -> None:
    ann = as_user("ann")
    before = await get_profile(ann)

    response = await change_profile(ann, {"time_zone": zone})

    problem = assert_problem(response, 422, "invalid-body")
    assert error_locations(problem) == [["body", "time_zone"]]
    assert await get_profile(ann) == before


@pytest.mark.parametrize("zone", [None, 1, True, [], {}])
async def test_a_time_zone_that_is_no_text_is_a_bad_request(
    as_user: UserClientFactory, zone: object
) -> None:
    ann = as_user("ann")
    before = await get_profile(ann)

    response = await change_profile(ann, {"time_zone": zone})

    assert_problem(response, 400, "bad-request")
    assert await get_profile(ann) == before


@pytest.mark.parametrize("field", ["name", "user_id", "Time_zone", "is_admin"])
async def test_an_unknown_field_is_named(as_user: UserClientFactory, field: str) -> None:
    ann = as_user("ann")

    response = await change_profile(ann, {"time_zone": "Europe/Berlin", field: "x"})

    problem = assert_problem(response, 422, "invalid-body")
    assert error_locations(problem) == [["body", field]]
    profile = await get_profile(ann)
    assert profile["time_zone"] == "UTC"


async def test_read_only_fields_of_a_profile_are_ignored(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    before = await get_profile(ann)
    body: dict[str, object] = dict(before)
    body["email"] = "eve@example.com"
    body["auth_subject"] = "eve"
    body["auth_issuer"] = "evil"
    body["created_at"] = "x"

    unchanged = await change_profile(ann, before)
    only_read_only_fields = await change_profile(ann, body)
    with_time_zone = await change_profile(ann, body | {"time_zone": "Europe/Berlin"})

    assert unchanged.json() == before
    assert only_read_only_fields.json() == before
    after = with_time_zone.json()
    before["time_zone"] = "Europe/Berlin"
    before["updated_at"] = after["updated_at"]
    assert after == before


async def test_a_change_without_effect_leaves_the_profile_as_it_is(
    as_user: UserClientFactory,
) -> None:
    ann = as_user("ann")
    before = await get_profile(ann)

    for body in ({}, {"time_zone": "UTC"}, {"id": ann.id}, {"id": ann.id.upper()}):
        response = await change_profile(ann, body)
        assert response.json() == before


async def test_another_users_profile_cannot_be_changed(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    ben = as_user("ben")
    before = await get_profile(ben)

    by_id_in_body = await change_profile(ann, {"id": ben.id, "time_zone": "Europe/Berlin"})
    by_path = await ann.patch(f"/users/{ben.id}", json={"time_zone": "Europe/Berlin"})

    assert_problem(by_id_in_body, 422, "id-mismatch")
    assert_problem(by_path, 405)
    assert await get_profile(ben) == before


async def test_the_email_address_follows_the_token_in_lower_case(
    as_user_with_email: UserWithEmailFactory,
) -> None:
    first_email = f"{token_hex(8)}@example.com"
    second_email = f"{token_hex(8)}@example.com"

    profile = await get_profile(as_user_with_email("ann", first_email.upper()))
    assert profile["email"] == first_email
    profile = await get_profile(as_user_with_email("ann", second_email))
    assert profile["email"] == second_email


async def test_an_email_address_belongs_to_one_user(
    as_user_with_email: UserWithEmailFactory,
) -> None:
    email = f"{token_hex(8)}@example.com"
    ann = as_user_with_email("ann", email)
    ben = as_user_with_email("ben", email.upper())

    profile_of_ann = await get_profile(ann)
    profile_of_ben = await get_profile(ben)

    assert profile_of_ann["email"] == email
    assert profile_of_ben["email"] is None
    assert profile_of_ann["id"] != profile_of_ben["id"]
    assert await ben.create_task()


@pytest.mark.parametrize(
    "email", ["", "ann", "@", "ann@", "ann smith@example.com", "x" * 300 + "@example.com"]
)
async def test_a_token_with_an_invalid_email_address_is_valid(
    as_user_with_email: UserWithEmailFactory, email: str
) -> None:
    profile = await get_profile(as_user_with_email("ann", email))

    assert profile["email"] is None

"""What owners can change about their profile."""

import asyncio

import pytest

from devkit.platform.tokens import user_id_of
from devkit.testing.auth_headers import ClientFactory


async def test_the_time_zone_can_be_changed(as_user: ClientFactory) -> None:
    ann = as_user("ann <ann@example.com>")
    before = (await ann.get("/users/me")).json()

    answer = await ann.patch("/users/me", json={"time_zone": "Europe/Berlin"})

    after = answer.json()
    assert answer.status_code == 200
    assert after == {**before, "time_zone": "Europe/Berlin", "updated_at": after["updated_at"]}
    assert after["updated_at"] > before["updated_at"]
    assert (await ann.get("/users/me")).json() == after


async def test_an_owner_who_was_never_seen_can_begin_with_a_change(as_user: ClientFactory) -> None:
    ann = as_user("ann <ann@example.com>")

    made = (await ann.patch("/users/me", json={"time_zone": "Asia/Tokyo"})).json()

    assert (made["time_zone"], made["email"]) == ("Asia/Tokyo", "ann@example.com")
    assert made["created_at"] == made["updated_at"]


@pytest.mark.parametrize(
    "body", [{}, {"time_zone": "Europe/Berlin"}, {"email": "other@example.com", "updated_at": 7}]
)
async def test_a_change_that_changes_nothing_does_not_move_its_time(
    as_user: ClientFactory, body: object
) -> None:
    ann = as_user("ann <ann@example.com>")
    before = await ann.patch("/users/me", json={"time_zone": "Europe/Berlin"})

    after = await ann.patch("/users/me", json=body)

    assert (after.status_code, after.json()) == (200, before.json())


async def test_a_whole_profile_can_be_sent_back_with_one_field_changed(
    as_user: ClientFactory,
) -> None:
    ann = as_user("ann <ann@example.com>")
    before = (await ann.get("/users/me")).json()
    spread = {
        **before,
        "time_zone": "America/Lima",
        "email": "x",
        "auth_subject": "ben",
        "created_at": None,
    }

    after = (await ann.patch("/users/me", json={**spread, "id": before["id"].upper()})).json()

    assert after == {**before, "time_zone": "America/Lima", "updated_at": after["updated_at"]}


async def test_somebody_elses_id_in_the_body_is_refused(as_user: ClientFactory) -> None:
    ann = as_user("ann")

    answer = await ann.patch(
        "/users/me", json={"id": str(user_id_of("ben")), "time_zone": "Asia/Tokyo"}
    )

    assert (answer.status_code, answer.json()["code"]) == (422, "id-mismatch")
    assert (await ann.get("/users/me")).json()["time_zone"] == "UTC"


async def test_changes_of_one_profile_at_once_each_answer_with_their_own(
    as_user: ClientFactory,
) -> None:
    ann = as_user("ann")
    zones = ["Asia/Tokyo", "Europe/Berlin", "America/Lima", "UTC"] * 5

    answers = await asyncio.gather(
        *(ann.patch("/users/me", json={"time_zone": zone}) for zone in zones)
    )

    assert [answer.json()["time_zone"] for answer in answers] == zones
    last = max(answers, key=lambda answer: answer.json()["updated_at"])
    assert (await ann.get("/users/me")).json() == last.json()


@pytest.mark.parametrize(
    "zone",
    [
        "UTC",
        "Etc/GMT+12",
        "US/Pacific",
        "Asia/Calcutta",
        "America/Argentina/ComodRivadavia",
        "GB-Eire",
        "EST5EDT",
    ],
)
async def test_names_of_the_iana_database_count(as_user: ClientFactory, zone: str) -> None:
    assert (await as_user("ann").patch("/users/me", json={"time_zone": zone})).json()[
        "time_zone"
    ] == zone


@pytest.mark.parametrize(
    "text",
    [
        "",
        "localtime",
        "posixrules",
        "Factory",
        "Etc/Unknown",
        "Europe",
        "europe/berlin",
        " UTC",
        "UTC\n",
        "UTC\0",
        "+01:00",
        "posix/UTC",
        "right/UTC",
        "../UTC",
        "/etc/localtime",
        "Europe/../UTC",
        "zone.tab",
        "x" * 10_000,
    ],
)
async def test_other_names_break_a_rule(as_user: ClientFactory, text: str) -> None:
    ann = as_user("ann")

    answer = await ann.patch("/users/me", json={"time_zone": text})

    assert answer.status_code == 422
    faults = [(fault["location"], fault["code"]) for fault in answer.json()["errors"]]
    assert faults == [(["body", "time_zone"], "unknown-time-zone")]
    assert (await ann.get("/users/me")).json()["time_zone"] == "UTC"


@pytest.mark.scenario("S002-US4.1")
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"UTC"',
        b"{",
        b'{"time_zone": null}',
        b'{"time_zone": 1}',
        b'{"time_zone": ["UTC"]}',
        b'{"time_zone": "\\ud800"}',
        b'{"time_zone": "UTC", "time_zone": "UTC"}',
        b'{"time_zone": "\xff"}',
        b'{"id": "ann"}',
        b'{"id": 1}',
        b'{"updated_at": NaN}',
        b'{"name": "Ann", "time_zone": null}',
    ],
)
async def test_bodies_that_cannot_be_read_are_refused(as_user: ClientFactory, body: bytes) -> None:
    answer = await as_user("ann").patch("/users/me", content=body)

    assert answer.status_code == 400
    assert {fault["location"][0] for fault in answer.json()["errors"]} == {"body"}


@pytest.mark.parametrize(
    "body", [{"name": "Ann"}, {"user_id": None}, {"__proto__": {}}, {"time_zone": "UTC", "x": 1}]
)
async def test_unknown_fields_break_a_rule(as_user: ClientFactory, body: dict[str, object]) -> None:
    answer = await as_user("ann").patch("/users/me", json=body)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-body")
    assert [fault["location"] for fault in answer.json()["errors"]] == [["body", list(body)[-1]]]


async def test_a_merge_patch_is_a_change_and_a_form_is_not(as_user: ClientFactory) -> None:
    ann, body = as_user("ann"), b'{"time_zone": "Asia/Tokyo"}'

    merged = await ann.patch(
        "/users/me", content=body, headers={"Content-Type": "application/merge-patch+json"}
    )
    posted = await ann.patch("/users/me", data={"time_zone": "UTC"})

    assert merged.json()["time_zone"] == "Asia/Tokyo"
    assert posted.status_code == 415
    assert (await ann.patch("/users/me", content=b" " * 65_537)).status_code == 413

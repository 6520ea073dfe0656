"""What users take with them, bring, and have forgotten, at the one URL."""

from collections.abc import AsyncIterator
from typing import Final
from uuid import UUID, uuid4, uuid5

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from e2e.support.contract import assert_problem, error_locations
from e2e.support.import_export import (
    EXPORT_HEADER,
    erase_user,
    export_records,
    import_stream,
    task_record,
    to_ndjson,
    without_volatile_fields,
)
from e2e.support.user_client import UserClientFactory

TEXTS: Final = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=200
)

ZONES: Final = st.sampled_from(["UTC", "Europe/Berlin", "America/Argentina/ComodRivadavia"])


@settings(max_examples=15)
@given(tasks=st.lists(st.tuples(TEXTS, st.none() | TEXTS, st.booleans()), max_size=4), zone=ZONES)
async def test_an_export_that_is_imported_after_an_erasure_is_the_same(
    as_subject: UserClientFactory, tasks: list[tuple[str, str | None, bool]], zone: str
) -> None:
    ann = as_subject(str(uuid4()))
    await ann.patch("/users/me", json={"time_zone": zone})
    for title, description, is_completed in tasks:
        await ann.create_task(title, description=description, is_completed=is_completed)
    before = await export_records(ann)
    since = (await ann.get("/tasks/changes")).json()["next"]
    await erase_user(ann)
    assert [line["kind"] for line in await export_records(ann)] == ["export"]

    report = await import_stream(ann, to_ndjson(before))

    assert report.json() == {"created": len(tasks), "updated": 0, "unchanged": 0, "renumbered": 0}
    after = await export_records(ann)
    assert without_volatile_fields(after) == without_volatile_fields(before)
    if tasks:
        assert_problem(await ann.get(f"/tasks/changes?since={since}"), 410, "resync-required")
    again = await import_stream(ann, to_ndjson(after))
    assert again.json() == {"created": 0, "updated": 0, "unchanged": len(tasks), "renumbered": 0}
    assert (await export_records(ann))[1:] == after[1:]


async def test_an_export_is_the_profile_and_the_list(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    made = [await ann.create_task(str(number)) for number in range(3)]

    start, *tasks = await export_records(ann)

    assert start == {
        "kind": "export",
        "format": 1,
        "exported_at": start["exported_at"],
        "user": (await ann.get("/users/me")).json(),
    }
    assert tasks == [{"kind": "task", **task} for task in made]


async def test_an_erased_user_is_a_new_one_with_the_same_token(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    await ann.create_task()
    await ann.patch("/users/me", json={"time_zone": "Europe/Berlin"})
    old = (await ann.get("/users/me")).json()

    await erase_user(ann)
    await erase_user(ann)

    new = (await ann.get("/users/me")).json()
    assert (new["id"], new["time_zone"]) == (old["id"], "UTC")
    assert new["created_at"] > old["created_at"]
    assert await ann.list_tasks() == []
    assert len([await ann.create_task()]) == len(await ann.list_tasks())


async def test_what_somebody_else_exported_comes_in_under_other_ids_and_stays_theirs(
    as_user: UserClientFactory,
) -> None:
    ann, bob = as_user("ann"), as_user("bob")
    task = await ann.create_task()
    lines = to_ndjson(await export_records(ann))

    for created in (1, 0):
        report = (await import_stream(bob, lines)).json()
        assert report == {
            "created": created,
            "updated": 0,
            "unchanged": 1 - created,
            "renumbered": 1,
        }

    [copy] = await bob.list_tasks()
    assert (copy["id"], copy["user_id"]) == (str(uuid5(UUID(bob.id), task["id"])), bob.id)
    assert {**copy, **{name: task[name] for name in ("id", "user_id", "version")}} == task
    assert await ann.get_task(task) == task
    assert (await bob.get("/users/me")).json()["email"] != (await ann.get("/users/me")).json()[
        "email"
    ]


async def test_a_bad_line_is_named_and_nothing_is_taken_in(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    start = EXPORT_HEADER.replace("{}", '{"time_zone": "Europe/Berlin"}')

    unreadable = assert_problem(
        await import_stream(ann, start + to_ndjson([task_record()]) + "{"), 400, "bad-request"
    )
    wrong = assert_problem(
        await import_stream(ann, start + to_ndjson([task_record(), task_record(" ")])),
        422,
        "invalid-body",
    )
    first = assert_problem(
        await import_stream(ann, start.replace("Berlin", "Nowhere")), 422, "invalid-body"
    )

    assert (unreadable["detail"], error_locations(unreadable)) == (
        "Line 3 cannot be read.",
        [["body", 3]],
    )
    assert (wrong["detail"], error_locations(wrong)) == (
        "Line 3 breaks a rule.",
        [["body", 3, "title"]],
    )
    assert (first["detail"], error_locations(first)) == (
        "Line 1 breaks a rule.",
        [["body", 1, "user", "time_zone"]],
    )
    assert await ann.list_tasks() == []
    assert (await ann.get("/users/me")).json()["time_zone"] == "UTC"


@pytest.mark.parametrize("path", ["/users/me/import", "/users/me/import/"])
@pytest.mark.parametrize("announced", [True, False])
async def test_an_import_may_be_far_longer_than_a_body(
    as_user: UserClientFactory, path: str, *, announced: bool
) -> None:
    ann = as_user("ann")
    stream = (
        EXPORT_HEADER + to_ndjson([task_record(description="ä" * 9_000) for _ in range(150)])
    ).encode()
    assert len(stream) > 2_500_000

    async def pieces() -> AsyncIterator[bytes]:
        for place in range(0, len(stream), 50_000):
            yield stream[place : place + 50_000]

    report = await import_stream(ann, stream if announced else pieces(), path)

    assert report.json() == {"created": 150, "updated": 0, "unchanged": 0, "renumbered": 0}
    assert len(await export_records(ann)) == 151


@pytest.mark.parametrize("media_type", ["application/json", "text/plain"])
async def test_an_import_of_another_type_is_refused(
    as_user: UserClientFactory, media_type: str
) -> None:
    headers = {"Content-Type": media_type}

    assert_problem(
        await as_user("ann").post("/users/me/import", content=EXPORT_HEADER, headers=headers),
        415,
        "unsupported-media-type",
    )

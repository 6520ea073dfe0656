"""Export, import and deletion of a user's data."""

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

CHUNK_BYTES: Final = 50_000


def import_report(*, created: int = 0, unchanged: int = 0, renumbered: int = 0) -> dict[str, int]:
    """Return the report of an import without updates."""
    return {
        "created": created,
        "updated": 0,
        "unchanged": unchanged,
        "renumbered": renumbered,
    }


@settings(max_examples=15)
@given(tasks=st.lists(st.tuples(TEXTS, st.none() | TEXTS, st.booleans()), max_size=4), zone=ZONES)
async def test_importing_an_export_after_a_deletion_restores_everything(
    as_subject: UserClientFactory, tasks: list[tuple[str, str | None, bool]], zone: str
) -> None:
    ann = as_subject(str(uuid4()))
    await ann.patch("/users/me", json={"time_zone": zone})
    for title, description, is_completed in tasks:
        await ann.create_task(title, description=description, is_completed=is_completed)
    before = await export_records(ann)
    sync_token = (await ann.get("/tasks/changes")).json()["next"]
    await erase_user(ann)
    remaining = await export_records(ann)
    assert [record["kind"] for record in remaining] == ["export"]

    first_import = await import_stream(ann, to_ndjson(before))

    assert first_import.json() == import_report(created=len(tasks))
    after = await export_records(ann)
    assert without_volatile_fields(after) == without_volatile_fields(before)
    if tasks:
        changes = await ann.get(f"/tasks/changes?since={sync_token}")
        assert_problem(changes, 410, "resync-required")
    second_import = await import_stream(ann, to_ndjson(after))
    assert second_import.json() == import_report(unchanged=len(tasks))
    assert (await export_records(ann))[1:] == after[1:]


async def test_an_export_contains_the_profile_and_the_tasks(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    tasks = [await ann.create_task(str(number)) for number in range(3)]
    profile = await ann.get("/users/me")

    records = await export_records(ann)

    assert records[0] == {
        "kind": "export",
        "format": 1,
        "exported_at": records[0]["exported_at"],
        "user": profile.json(),
    }
    assert records[1:] == [{"kind": "task", **task} for task in tasks]


async def test_a_deleted_user_is_a_new_user_with_the_same_token(as_user: UserClientFactory) -> None:
    ann = as_user("ann")
    await ann.create_task()
    await ann.patch("/users/me", json={"time_zone": "Europe/Berlin"})
    old_profile = (await ann.get("/users/me")).json()

    await erase_user(ann)
    await erase_user(ann)

    new_profile = (await ann.get("/users/me")).json()
    assert new_profile["id"] == old_profile["id"]
    assert new_profile["time_zone"] == "UTC"
    assert new_profile["created_at"] > old_profile["created_at"]
    assert await ann.list_tasks() == []
    task = await ann.create_task()
    assert await ann.list_tasks() == [task]


async def test_an_export_of_another_user_is_imported_with_new_ids(
    as_user: UserClientFactory,
) -> None:
    ann = as_user("ann")
    bob = as_user("bob")
    task = await ann.create_task()
    content = to_ndjson(await export_records(ann))

    first_import = await import_stream(bob, content)
    second_import = await import_stream(bob, content)

    assert first_import.json() == import_report(created=1, renumbered=1)
    assert second_import.json() == import_report(unchanged=1, renumbered=1)
    [copy] = await bob.list_tasks()
    assert copy["id"] == str(uuid5(UUID(bob.id), task["id"]))
    assert copy["user_id"] == bob.id
    copy["id"] = task["id"]
    copy["user_id"] = task["user_id"]
    copy["version"] = task["version"]
    assert copy == task
    assert await ann.get_task(task) == task
    profiles = [(await user.get("/users/me")).json() for user in (ann, bob)]
    assert profiles[0]["email"] != profiles[1]["email"]


async def test_an_invalid_line_is_named_and_nothing_is_imported(
    as_user: UserClientFactory,
) -> None:
    ann = as_user("ann")
    header = EXPORT_HEADER.replace("{}", '{"time_zone": "Europe/Berlin"}')
    malformed_line = header + to_ndjson([task_record()]) + "{"
    invalid_title = header + to_ndjson([task_record(), task_record(" ")])
    invalid_header = header.replace("Berlin", "Nowhere")

    problem = assert_problem(await import_stream(ann, malformed_line), 400, "bad-request")
    assert problem["detail"] == "Line 3 cannot be read."
    assert error_locations(problem) == [["body", 3]]

    problem = assert_problem(await import_stream(ann, invalid_title), 422, "invalid-body")
    assert problem["detail"] == "Line 3 breaks a rule."
    assert error_locations(problem) == [["body", 3, "title"]]

    problem = assert_problem(await import_stream(ann, invalid_header), 422, "invalid-body")
    assert problem["detail"] == "Line 1 breaks a rule."
    assert error_locations(problem) == [["body", 1, "user", "time_zone"]]

    assert await ann.list_tasks() == []
    profile = await ann.get("/users/me")
    assert profile.json()["time_zone"] == "UTC"


@pytest.mark.parametrize("path", ["/users/me/import", "/users/me/import/"])
@pytest.mark.parametrize("has_length", [True, False])
async def test_an_import_may_be_far_larger_than_a_body(
    as_user: UserClientFactory, path: str, *, has_length: bool
) -> None:
    ann = as_user("ann")
    records = [task_record(description="ä" * 9_000) for _ in range(150)]
    content = (EXPORT_HEADER + to_ndjson(records)).encode()
    assert len(content) > 2_500_000

    async def stream_chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(content), CHUNK_BYTES):
            yield content[start : start + CHUNK_BYTES]

    if has_length:
        response = await import_stream(ann, content, path)
    else:
        response = await import_stream(ann, stream_chunks(), path)

    assert response.json() == import_report(created=150)
    assert len(await export_records(ann)) == 151


@pytest.mark.parametrize("media_type", ["application/json", "text/plain"])
async def test_an_import_of_another_media_type_is_rejected(
    as_user: UserClientFactory, media_type: str
) -> None:
    headers = {"Content-Type": media_type}

    response = await as_user("ann").post("/users/me/import", content=EXPORT_HEADER, headers=headers)

    assert_problem(response, 415, "unsupported-media-type")

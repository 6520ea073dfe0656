"""All that an owner has goes out, comes in, and is forgotten."""

from uuid import uuid4

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devkit.testing.auth_headers import ClientFactory
from devkit.testing.fault_proxy import FaultProxy
from tasks.transfer import batching, service

from ..support.import_export import (
    OLD_TIMESTAMP,
    OWNER_PATH,
    erase_owner,
    export,
    import_records,
    post_import,
    replacement_id,
    task_record,
    to_ndjson,
    without_versions,
)
from ..support.owner_lock import create_task_url
from ..support.service import TASKS_MAX, Service

TEXTS = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=150
)


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a handful of tasks take as many steps as a hundred thousand do."""
    monkeypatch.setattr(service, "EXPORT_PAGE_ROWS", 2)
    for name in ("BATCH_LINES_MAX", "RANGE_LINES_MAX"):
        monkeypatch.setattr(batching, name, 2)


async def test_an_export_is_the_list_with_a_kind_before_each_task(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    for number in range(TASKS_MAX):
        await create_task_url(owner, str(number))

    lines = await export(owner)

    assert lines == [{"kind": "task", **task} for task in (await owner.get("/tasks")).json()]
    assert list(lines[0])[:2] == ["kind", "id"]
    assert await export(as_user("nobody")) == []


@settings(max_examples=30)
@given(
    tasks=st.lists(
        st.tuples(
            TEXTS, st.none() | TEXTS, st.booleans(), st.sampled_from(["kept", "changed", "deleted"])
        ),
        max_size=TASKS_MAX,
    )
)
async def test_what_was_exported_and_erased_comes_back_as_it_was(
    shared_service: Service, tasks: list[tuple[str, str | None, bool, str]]
) -> None:
    owner = shared_service.client_for(str(uuid4()))
    for title, description, is_completed, fate in tasks:
        body = {"title": title, "description": description, "is_completed": is_completed}
        made = await owner.post("/tasks", json=body)
        address = made.headers["location"]
        if fate != "kept":
            await (
                owner.delete(address)
                if fate == "deleted"
                else owner.patch(address, json={"is_completed": True})
            )
    before = await export(owner)
    await erase_owner(owner)
    assert await export(owner) == []

    assert await import_records(owner, *before) == (len(before), 0, 0, 0)

    after = await export(owner)
    assert without_versions(after) == without_versions(before)
    assert len({line["version"] for line in after}) == len(after)
    assert await import_records(owner, *before) == (0, 0, len(before), 0)
    assert await export(owner) == after


async def test_a_task_that_is_there_becomes_what_the_import_says(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    await create_task_url(owner, "1")
    await create_task_url(owner, "2")
    first, second = await export(owner)
    tag = (await owner.get("/tasks")).headers["etag"]

    assert await import_records(
        owner, first | {"title": "Old", "updated_at": OLD_TIMESTAMP}, second
    ) == (0, 1, 1, 0)

    changed, kept = await export(owner)
    assert changed == first | {
        "title": "Old",
        "updated_at": OLD_TIMESTAMP,
        "version": int(tag.strip('"')) + 1,
    }
    assert kept == second
    assert (await owner.get("/tasks")).headers["etag"] == f'"{changed["version"]}"'


async def test_every_task_takes_a_version_that_another_device_learns_of(
    as_user: ClientFactory,
) -> None:
    owner = as_user("owner")
    await create_task_url(owner)
    before = (await owner.get("/tasks/changes")).json()["next"]

    assert await import_records(
        owner, *(task_record(uuid4(), str(number)) for number in range(4))
    ) == (
        4,
        0,
        0,
        0,
    )

    learned = (await owner.get(f"/tasks/changes?since={before}")).json()
    assert [task["title"] for task in learned["tasks"]] == ["0", "1", "2", "3"]
    assert [task["version"] for task in learned["tasks"]] == list(
        range(int(before) + 1, int(before) + 5)
    )
    assert learned["next"] == str(int(before) + 4)


async def test_a_task_that_was_deleted_comes_back_and_leaves_no_tombstone(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    address = await create_task_url(owner)
    [line] = await export(owner)
    await owner.delete(address)

    assert await import_records(owner, line) == (1, 0, 0, 0)

    async with await psycopg.AsyncConnection.connect(proxy.server_url) as connection:
        assert await (await connection.execute("SELECT id FROM task_tombstones")).fetchall() == []
    changes = (await owner.get("/tasks/changes")).json()
    assert ([task["id"] for task in changes["tasks"]], changes["deleted"]) == ([line["id"]], [])
    assert (await owner.delete(address)).status_code == 204


async def test_of_lines_with_one_id_the_last_counts(as_user: ClientFactory) -> None:
    owner, wanted = as_user("owner"), uuid4()

    await import_records(owner, *(task_record(wanted, title) for title in ("1", "2", "3", "4")))

    assert [line["title"] for line in await export(owner)] == ["4"]


async def test_somebody_elses_ids_become_the_same_other_ones_each_time(
    as_user: ClientFactory,
) -> None:
    owner, stranger = as_user("owner"), as_user("stranger")
    for number in range(3):
        await create_task_url(owner, str(number))
    lines = await export(owner)

    assert await import_records(stranger, *lines) == (3, 0, 0, 3)
    assert await import_records(stranger, *lines) == (0, 0, 3, 3)

    theirs = await export(stranger)
    assert [line["id"] for line in theirs] == [
        replacement_id(stranger, line["id"]) for line in lines
    ]
    assert [line["title"] for line in theirs] == ["0", "1", "2"]
    assert await export(owner) == lines


async def test_a_task_that_has_another_id_is_found_again_when_its_own_is_free(
    as_user: ClientFactory,
) -> None:
    owner, stranger = as_user("owner"), as_user("stranger")
    await create_task_url(owner)
    lines = await export(owner)
    await import_records(stranger, *lines)
    await erase_owner(owner)

    assert await import_records(stranger, *lines) == (0, 0, 1, 1)
    assert await import_records(owner, *lines) == (1, 0, 0, 0)


async def test_an_id_that_cannot_be_had_in_any_way_is_a_conflict_and_nothing_is_written(
    as_user: ClientFactory,
) -> None:
    owner, stranger, wanted = as_user("owner"), as_user("stranger"), uuid4()
    await import_records(stranger, task_record(wanted), task_record(replacement_id(owner, wanted)))

    refused = await post_import(owner, to_ndjson(task_record(uuid4()), task_record(wanted)))

    assert (refused.status_code, refused.json()["code"]) == (409, "id-taken")
    assert await export(owner) == []


async def test_the_quota_holds_and_nothing_beyond_it_is_written(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    await create_task_url(owner)
    kept = await export(owner)

    refused = await post_import(owner, to_ndjson(*(task_record(uuid4()) for _ in range(TASKS_MAX))))

    assert (refused.status_code, refused.json()["code"]) == (422, "quota-exceeded")
    assert await export(owner) == kept
    assert await import_records(
        owner, *kept, *(task_record(uuid4()) for _ in range(TASKS_MAX - 1))
    ) == (
        TASKS_MAX - 1,
        0,
        1,
        0,
    )
    assert (await owner.post("/tasks", json={"title": "One more"})).json()[
        "code"
    ] == "quota-exceeded"
    assert await import_records(owner, *(await export(owner))) == (0, 0, TASKS_MAX, 0)


async def test_an_erased_owner_begins_anew_and_their_devices_too(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    made = await owner.post("/tasks", json={"title": "Old"}, headers={"Idempotency-Key": "one"})
    since = (await owner.get("/tasks/changes")).json()["next"]

    await erase_owner(owner)
    await erase_owner(owner)

    assert (await owner.get("/tasks")).json() == []
    assert (await owner.get(f"/tasks/changes?since={since}")).status_code == 410
    again = await owner.post("/tasks", json={"title": "New"}, headers={"Idempotency-Key": "one"})
    assert (again.status_code, again.json()["title"]) == (201, "New")
    assert again.json()["version"] > made.json()["version"]
    assert (await owner.get(f"/tasks/changes?since={since}")).json()["code"] == "resync-required"


async def test_nothing_of_an_erased_owner_is_left_and_all_of_the_others(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner, neighbour = as_isolated_user("owner"), as_isolated_user("neighbour")
    for someone in (owner, neighbour):
        await someone.delete(await create_task_url(someone))
        await someone.post("/tasks", json={"title": "x"}, headers={"Idempotency-Key": "one"})

    before = proxy.round_trips
    await erase_owner(owner)

    assert proxy.round_trips - before == 1
    assert (await owner.get(f"{OWNER_PATH}/export")).content == b""
    assert len(await export(neighbour)) == 1
    assert len((await neighbour.get("/tasks/changes")).json()["deleted"]) == 1

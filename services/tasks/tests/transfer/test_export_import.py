"""Everything that an owner has is exported, imported and erased."""

from dataclasses import dataclass
from uuid import uuid4

import pytest
from httpx import AsyncClient
from hypothesis import given, settings
from hypothesis import strategies as st

from devkit.testing.auth_headers import ClientFactory
from devkit.testing.fault_proxy import FaultProxy

from ..support.import_export import (
    OLD_TIMESTAMP,
    OWNER_PATH,
    Record,
    Report,
    erase_owner,
    export,
    field_values,
    import_records,
    new_tasks,
    post_import,
    replacement_id,
    run_sql,
    task_record,
    to_ndjson,
    without_versions,
)
from ..support.owner_lock import create_task_url
from ..support.service import TASKS_MAX, Service

pytestmark = pytest.mark.usefixtures("small_batches")

TEXTS = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=150
)


@dataclass(frozen=True)
class TaskHistory:
    """A task to create, and what is done with it afterwards."""

    title: str
    description: str | None
    is_completed: bool
    next_step: str


TASK_HISTORIES = st.builds(
    TaskHistory,
    title=TEXTS,
    description=st.none() | TEXTS,
    is_completed=st.booleans(),
    next_step=st.sampled_from(["keep", "complete", "delete"]),
)


async def create_tasks(owner: AsyncClient, count: int) -> None:
    for number in range(count):
        await create_task_url(owner, str(number))


async def get_tasks(owner: AsyncClient) -> list[Record]:
    return (await owner.get("/tasks")).json()


async def replay(owner: AsyncClient, history: TaskHistory) -> None:
    """Create a task, and complete or delete it afterwards."""
    body = {
        "title": history.title,
        "description": history.description,
        "is_completed": history.is_completed,
    }
    response = await owner.post("/tasks", json=body)
    url = response.headers["location"]
    if history.next_step == "delete":
        await owner.delete(url)
    elif history.next_step == "complete":
        await owner.patch(url, json={"is_completed": True})


async def test_an_export_is_the_task_list_with_a_kind_before_each_task(
    as_user: ClientFactory,
) -> None:
    owner = as_user("owner")
    await create_tasks(owner, TASKS_MAX)

    records = await export(owner)

    assert records == [{"kind": "task", **task} for task in await get_tasks(owner)]
    assert list(records[0])[:2] == ["kind", "id"]
    assert await export(as_user("nobody")) == []


@settings(max_examples=30)
@given(histories=st.lists(TASK_HISTORIES, max_size=TASKS_MAX))
async def test_an_import_after_an_erasure_restores_what_was_exported(
    shared_service: Service, histories: list[TaskHistory]
) -> None:
    owner = shared_service.client_for(str(uuid4()))
    for history in histories:
        await replay(owner, history)
    before = await export(owner)
    await erase_owner(owner)
    assert await export(owner) == []

    assert await import_records(owner, before) == Report(created=len(before))

    after = await export(owner)
    assert without_versions(after) == without_versions(before)
    assert len(set(field_values(after, "version"))) == len(after)
    assert await import_records(owner, before) == Report(unchanged=len(before))
    assert await export(owner) == after


async def test_an_existing_task_becomes_what_its_record_says(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    await create_tasks(owner, 2)
    first, second = await export(owner)
    etag_before = (await owner.get("/tasks")).headers["etag"]
    changed_record = first | {"title": "Old", "updated_at": OLD_TIMESTAMP}

    report = await import_records(owner, [changed_record, second])

    assert report == Report(updated=1, unchanged=1)
    next_version = int(etag_before.strip('"')) + 1
    assert await export(owner) == [changed_record | {"version": next_version}, second]
    assert (await owner.get("/tasks")).headers["etag"] == f'"{next_version}"'


async def test_every_imported_task_appears_in_the_changes_feed(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    await create_task_url(owner)
    token = (await owner.get("/tasks/changes")).json()["next"]

    assert await import_records(owner, new_tasks(4)) == Report(created=4)

    changes = (await owner.get(f"/tasks/changes?since={token}")).json()
    version = int(token)
    assert field_values(changes["tasks"], "title") == ["0", "1", "2", "3"]
    assert field_values(changes["tasks"], "version") == list(range(version + 1, version + 5))
    assert changes["next"] == str(version + 4)


async def test_importing_a_deleted_task_removes_its_tombstone(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    url = await create_task_url(owner)
    [record] = await export(owner)
    await owner.delete(url)

    assert await import_records(owner, [record]) == Report(created=1)

    assert await run_sql(proxy, "SELECT id FROM task_tombstones") == []
    changes = (await owner.get("/tasks/changes")).json()
    assert field_values(changes["tasks"], "id") == [record["id"]]
    assert changes["deleted"] == []
    assert (await owner.delete(url)).status_code == 204


async def test_of_several_records_with_one_id_the_last_one_wins(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    task_id = uuid4()

    await import_records(owner, [task_record(task_id, title) for title in ("1", "2", "3", "4")])

    assert field_values(await export(owner), "title") == ["4"]


async def test_another_users_task_is_imported_under_the_same_new_id_each_time(
    as_user: ClientFactory,
) -> None:
    owner = as_user("owner")
    stranger = as_user("stranger")
    await create_tasks(owner, 3)
    records = await export(owner)

    assert await import_records(stranger, records) == Report(created=3, renumbered=3)
    assert await import_records(stranger, records) == Report(unchanged=3, renumbered=3)

    copies = await export(stranger)
    new_ids = [replacement_id(stranger, record["id"]) for record in records]
    assert field_values(copies, "id") == new_ids
    assert field_values(copies, "title") == ["0", "1", "2"]
    assert await export(owner) == records


async def test_a_renumbered_task_is_found_again_when_its_own_id_is_free(
    as_user: ClientFactory,
) -> None:
    owner = as_user("owner")
    stranger = as_user("stranger")
    await create_task_url(owner)
    records = await export(owner)
    await import_records(stranger, records)
    await erase_owner(owner)

    assert await import_records(stranger, records) == Report(unchanged=1, renumbered=1)
    assert await import_records(owner, records) == Report(created=1)


async def test_a_task_whose_both_ids_are_taken_is_a_conflict_and_nothing_is_written(
    as_user: ClientFactory,
) -> None:
    owner = as_user("owner")
    stranger = as_user("stranger")
    task_id = uuid4()
    taken = [task_record(task_id), task_record(replacement_id(owner, task_id))]
    await import_records(stranger, taken)

    response = await post_import(owner, to_ndjson([task_record(uuid4()), task_record(task_id)]))

    assert response.status_code == 409
    assert response.json()["code"] == "id-taken"
    assert await export(owner) == []


async def test_an_import_beyond_the_quota_writes_nothing(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    await create_task_url(owner)
    existing = await export(owner)

    response = await post_import(owner, to_ndjson(new_tasks(TASKS_MAX)))

    assert response.status_code == 422
    assert response.json()["code"] == "quota-exceeded"
    assert await export(owner) == existing
    new_count = TASKS_MAX - 1
    report = await import_records(owner, existing + new_tasks(new_count))
    assert report == Report(created=new_count, unchanged=1)
    one_more = await owner.post("/tasks", json={"title": "One more"})
    assert one_more.json()["code"] == "quota-exceeded"
    assert await import_records(owner, await export(owner)) == Report(unchanged=TASKS_MAX)


async def test_an_erased_owner_and_their_devices_start_anew(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    key = {"Idempotency-Key": "one"}
    before = await owner.post("/tasks", json={"title": "Old"}, headers=key)
    token = (await owner.get("/tasks/changes")).json()["next"]

    await erase_owner(owner)
    await erase_owner(owner)

    assert await get_tasks(owner) == []
    assert (await owner.get(f"/tasks/changes?since={token}")).status_code == 410
    after = await owner.post("/tasks", json={"title": "New"}, headers=key)
    assert after.status_code == 201
    assert after.json()["title"] == "New"
    assert after.json()["version"] > before.json()["version"]
    problem = (await owner.get(f"/tasks/changes?since={token}")).json()
    assert problem["code"] == "resync-required"


async def test_an_erasure_deletes_everything_of_the_owner_and_nothing_of_others(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    neighbour = as_isolated_user("neighbour")
    for client in (owner, neighbour):
        await client.delete(await create_task_url(client))
        await client.post("/tasks", json={"title": "x"}, headers={"Idempotency-Key": "one"})

    round_trips_before = proxy.round_trips
    await erase_owner(owner)

    assert proxy.round_trips - round_trips_before == 1
    assert (await owner.get(f"{OWNER_PATH}/export")).content == b""
    assert len(await export(neighbour)) == 1
    assert len((await neighbour.get("/tasks/changes")).json()["deleted"]) == 1

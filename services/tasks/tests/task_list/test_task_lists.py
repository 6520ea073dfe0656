"""Lists: creating, renaming and deleting them, and the tasks in them."""

import asyncio
from uuid import uuid4

import psycopg
import pytest
from httpx import AsyncClient

from devkit.testing.auth_headers import ClientFactory
from devkit.testing.fault_proxy import FaultProxy

from ..support.helpers import (
    IF_ABSENT,
    create_list,
    create_task,
    field_values,
    json_object,
    list_titles,
    problem_code,
    status_codes,
)
from ..support.owner_lock import commit_after_requests_wait, lock_owners

FIELDS = ["id", "user_id", "name", "position", "version", "created_at", "updated_at"]


async def _list_names(owner: AsyncClient) -> list[str]:
    return field_values((await owner.get("/lists")).json(), "name")


async def test_a_list_is_created_renamed_and_deleted(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    created = await owner.post("/lists", json={"name": "  Gar\u0064en\n"})
    path = created.headers["location"]
    task_list = created.json()

    assert created.status_code == 201
    assert path == f"/lists/{task_list['id']}"
    assert list(task_list) == FIELDS
    assert created.headers["etag"] == f'"{task_list["version"]}"'
    assert (await owner.get(path)).json() == task_list
    assert (await owner.get("/lists")).json() == [task_list]
    renamed = await owner.patch(
        path, json={"name": "Yard"}, headers={"If-Match": created.headers["etag"]}
    )
    changes = {
        "name": "Yard",
        "version": task_list["version"] + 1,
        "updated_at": renamed.json()["updated_at"],
    }
    assert renamed.json() == task_list | changes
    assert (await owner.put(path, json=renamed.json())).json() == renamed.json()
    assert (await owner.patch(path, json={})).json() == renamed.json()
    rejected = await owner.delete(path, headers={"If-Match": '"1"'})
    assert problem_code(rejected) == (412, "version-mismatch")
    assert (await owner.delete(path)).status_code == 204
    assert problem_code(await owner.get(path)) == (404, "list-not-found")


@pytest.mark.scenario("S006-FR-003", "S006-SC-004")
@pytest.mark.parametrize("name", ["", " ", "a\nb", "\u0000", "x" * 121, "a\u2028b"])
async def test_a_name_is_one_short_line(as_user: ClientFactory, name: str) -> None:
    assert (await as_user("owner").post("/lists", json={"name": name})).status_code == 422


async def test_list_names_are_unique_regardless_of_case(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    first = await create_list(owner, "Straße")
    second = await create_list(owner, "Other")

    assert problem_code(await owner.post("/lists", json={"name": "STRASSE"})) == (409, "name-taken")
    renamed = await owner.patch(f"/lists/{second['id']}", json={"name": "strasse"})
    assert problem_code(renamed) == (409, "name-taken")
    put = await owner.put(f"/lists/{uuid4()}", json={"name": "straSSe"}, headers=IF_ABSENT)
    assert problem_code(put) == (409, "name-taken")
    respelled = await owner.patch(f"/lists/{first['id']}", json={"name": "STRASSE"})
    assert respelled.json()["name"] == "STRASSE"
    assert (await as_user("neighbour").post("/lists", json={"name": "Straße"})).status_code == 201


async def test_a_list_is_created_with_a_client_id_and_restored(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    path = f"/lists/{uuid4()}"
    created = await json_object(
        await owner.put(path, json={"name": "Offline"}, headers=IF_ABSENT), 201
    )

    rejected = await owner.put(path, json={"name": "Again"}, headers=IF_ABSENT)
    assert problem_code(rejected) == (412, "list-exists")
    rejected = await as_user("other").put(path, json={"name": "x"}, headers=IF_ABSENT)
    assert problem_code(rejected) == (409, "id-taken")
    rejected = await owner.put(path, json={"name": "x", "id": str(uuid4())})
    assert problem_code(rejected) == (422, "id-mismatch")
    await owner.delete(path)
    restored = await json_object(await owner.put(path, json=created, headers=IF_ABSENT), 201)
    assert restored["version"] == int(str(created["version"])) + 2
    assert (await owner.get("/tasks/changes")).json()["deleted"] == []


async def test_a_creation_with_an_idempotency_key_runs_once(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    headers = {"Idempotency-Key": "key"}
    first = await owner.post("/lists", json={"name": "Once"}, headers=headers)

    again = await owner.post("/lists", json={"name": "Once"}, headers=headers)

    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    rejected = await owner.post("/lists", json={"name": "Other"}, headers=headers)
    assert problem_code(rejected) == (422, "key-reused")
    assert (await owner.post("/tasks", json={"title": "Once"}, headers=headers)).status_code == 201


async def test_an_owner_has_at_most_200_lists(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    await create_list(owner)
    with psycopg.connect(proxy.server_url) as connection:
        connection.execute("UPDATE owners SET list_count = 199")

    await create_list(owner, "Last")
    rejected = await owner.post("/lists", json={"name": "One more"})
    assert problem_code(rejected) == (422, "quota-exceeded")
    rejected = await owner.put(f"/lists/{uuid4()}", json={"name": "x"}, headers=IF_ABSENT)
    assert problem_code(rejected) == (422, "quota-exceeded")


async def test_a_task_is_in_a_list_or_in_the_inbox(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    garden = await create_list(owner)
    task = await create_task(owner, "Dig", list_id=garden["id"])

    assert task["list_id"] == garden["id"]
    assert await list_titles(owner, list_id=garden["id"]) == ["Dig"]
    changed = await json_object(await owner.patch(f"/tasks/{task['id']}", json={"list_id": None}))
    assert (changed["list_id"], await list_titles(owner, list_id="none")) == (None, ["Dig"])


@pytest.mark.scenario("S006-AC-5")
async def test_deleting_a_list_moves_its_tasks_to_the_inbox(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    garden = await create_list(owner)
    first = await create_task(owner, "1", list_id=garden["id"])
    second = await create_task(owner, "2", list_id=garden["id"])
    await create_task(owner, "3")
    since = (await owner.get("/tasks/changes")).json()["next"]

    assert (await owner.delete(f"/lists/{garden['id']}")).status_code == 204

    tasks = (await owner.get("/tasks")).json()
    assert field_values(tasks, "title") == ["1", "2", "3"]
    assert field_values(tasks, "list_id") == [None, None, None]
    changes = (await owner.get(f"/tasks/changes?since={since}")).json()
    assert field_values(changes["tasks"], "id") == [first["id"], second["id"]]
    last = changes["tasks"][-1]["version"]
    assert changes["deleted"] == [{"kind": "list", "id": garden["id"], "version": last + 1}]
    assert last == changes["tasks"][0]["version"] + 1


async def test_a_list_is_deleted_with_its_tasks_on_request(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    garden = await create_list(owner)
    for title in ("1", "2"):
        await create_task(owner, title, list_id=garden["id"])
    await create_task(owner, "3")

    assert (await owner.delete(f"/lists/{garden['id']}?tasks=all")).status_code == 400
    assert (await owner.delete(f"/lists/{garden['id']}?tasks=delete")).status_code == 204

    assert await list_titles(owner) == ["3"]
    deleted = (await owner.get("/tasks/changes?since=1")).status_code
    assert deleted == 410
    for number in range(4):
        await create_task(owner, f"Room {number}")


@pytest.mark.scenario("S006-AC-7")
async def test_another_users_list_looks_missing(as_user: ClientFactory) -> None:
    theirs = await create_list(as_user("owner"))
    await create_task(as_user("owner"), list_id=theirs["id"])
    stranger = as_user("stranger")
    own = await create_task(stranger)

    for list_id in (theirs["id"], str(uuid4())):
        for method in ("GET", "PATCH", "PUT", "DELETE"):
            body = None if method in ("GET", "DELETE") else {"name": "Mine"}
            response = await stranger.request(method, f"/lists/{list_id}", json=body)
            assert problem_code(response) == (404, "list-not-found")
        assert (await stranger.get(f"/tasks?list_id={list_id}")).json() == []
        for response in (
            await stranger.post("/tasks", json={"title": "x", "list_id": list_id}),
            await stranger.put(
                f"/tasks/{uuid4()}", json={"title": "x", "list_id": list_id}, headers=IF_ABSENT
            ),
            await stranger.patch(f"/tasks/{own['id']}", json={"list_id": list_id}),
            await stranger.post(f"/tasks/{own['id']}/move", json={"list_id": list_id}),
        ):
            assert problem_code(response) == (422, "list-not-found")
    assert (await stranger.get("/tasks")).json() == [own]
    assert (await stranger.get("/lists")).json() == []


async def test_lists_and_labels_have_the_owners_etag(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    assert (await owner.get("/lists")).headers["etag"] == '"0"'
    await create_list(owner)

    tag = (await owner.get("/lists")).headers["etag"]

    assert (await owner.get("/tasks")).headers["etag"] == tag
    assert (await owner.get("/labels")).headers["etag"] == tag
    assert (await owner.get("/lists", headers={"If-None-Match": tag})).status_code == 304
    assert (await owner.get("/labels", headers={"If-None-Match": tag})).status_code == 304


async def test_a_list_deleted_while_a_request_waits_receives_no_task(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    garden = await create_list(owner)
    task = await create_task(owner)

    async with lock_owners(proxy) as other:
        await other.execute("DELETE FROM task_lists")
        await other.execute("UPDATE owners SET counter = counter + 1, list_count = 0")
        creation = owner.post("/tasks", json={"title": "x", "list_id": garden["id"]})
        change = owner.patch(f"/tasks/{task['id']}", json={"list_id": garden["id"]})
        responses = await commit_after_requests_wait(proxy, other, creation, change)

    for response in responses:
        assert problem_code(response) == (422, "list-not-found")


async def test_a_task_moved_while_its_list_is_deleted_is_kept(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    garden = await create_list(owner)
    task = await create_task(owner)

    async with lock_owners(proxy) as other:
        await other.execute("UPDATE owners SET counter = counter + 1")
        await other.execute(
            "UPDATE tasks SET list_id = %s, version = (SELECT counter FROM owners)", [garden["id"]]
        )
        deletion = owner.delete(f"/lists/{garden['id']}")
        [response] = await commit_after_requests_wait(proxy, other, deletion)

    assert response.status_code == 204
    moved = (await owner.get(f"/tasks/{task['id']}")).json()
    assert moved["list_id"] is None
    assert moved["version"] == int(str(task["version"])) + 2


async def test_concurrent_creations_with_one_name_create_one_list(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    await create_task(owner)

    requests = [owner.post("/lists", json={"name": "Same"}) for _ in range(10)]
    responses = await asyncio.gather(*requests)

    assert sorted(status_codes(responses)) == [201] + [409] * 9
    assert await _list_names(owner) == ["Same"]


async def test_an_id_is_never_reused_for_another_kind(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    task = await create_task(owner)
    garden = await create_list(owner)
    shed = await create_list(owner, "Shed")
    for path in (f"/tasks/{task['id']}", f"/lists/{garden['id']}"):
        assert (await owner.delete(path)).status_code == 204
    before = (await owner.get("/tasks/changes")).json()

    for task_id in (garden["id"], shed["id"]):
        taken = await owner.put(f"/tasks/{task_id}", json={"title": "Task"}, headers=IF_ABSENT)
        assert problem_code(taken) == (409, "id-taken")
    taken = await owner.put(f"/lists/{task['id']}", json={"name": "List"}, headers=IF_ABSENT)
    assert problem_code(taken) == (409, "id-taken")
    assert (await owner.get("/tasks/changes")).json() == before
    list_body = {"name": "Restored"}
    restored_list = await owner.put(f"/lists/{garden['id']}", json=list_body, headers=IF_ABSENT)
    assert restored_list.status_code == 201
    task_body = {"title": "Restored"}
    restored_task = await owner.put(f"/tasks/{task['id']}", json=task_body, headers=IF_ABSENT)
    assert restored_task.status_code == 201
    assert (await owner.get("/tasks/changes")).json()["deleted"] == []

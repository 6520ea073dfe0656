"""A PUT with `If-None-Match: *`: making a task under an id of the client's own, and undoing its deletion."""

import asyncio
from uuid import uuid4

import psycopg
import pytest
from httpx import AsyncClient, Response

from devkit.testing.auth_headers import ClientFactory
from devkit.testing.fault_proxy import FaultProxy

from ..support.service import TASKS_MAX

ABSENT = {"If-None-Match": "*"}


def _code(answer: Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def _put(owner: AsyncClient, address: str, **fields: object) -> Response:
    return await owner.put(address, json={"title": "Offline", **fields}, headers=ABSENT)


async def _fill(owner: AsyncClient, count: int = TASKS_MAX) -> None:
    for number in range(count):
        assert (await owner.post("/tasks", json={"title": str(number)})).status_code == 201


async def test_a_task_is_made_under_the_id_that_the_client_chose(as_user: ClientFactory) -> None:
    owner, task_id = as_user("owner"), str(uuid4())
    address = f"/tasks/{task_id}"

    made = await _put(owner, f"/tasks/{task_id.upper()}", is_completed=True, id=task_id)

    task = made.json()
    assert (made.status_code, made.headers["location"]) == (201, address)
    assert made.headers["etag"] == f'"{task["version"]}"'
    assert (task["id"], task["title"], task["is_completed"]) == (task_id, "Offline", True)
    assert task["created_at"] == task["updated_at"] == task["completed_at"]
    listed = await owner.get("/tasks")
    assert (listed.json(), listed.headers["etag"]) == ([task], made.headers["etag"])


async def test_a_task_that_the_caller_has_is_never_replaced(as_user: ClientFactory) -> None:
    owner, address = as_user("owner"), f"/tasks/{uuid4()}"
    made = await _put(owner, address)

    assert _code(await _put(owner, address, title="Again")) == (412, "task-exists")
    assert (await owner.get("/tasks")).json() == [made.json()]


async def test_a_retry_learns_that_the_task_was_made_although_its_list_is_gone(
    as_user: ClientFactory,
) -> None:
    owner, address = as_user("owner"), f"/tasks/{uuid4()}"
    list_id = (await owner.post("/lists", json={"name": "Garden"})).json()["id"]
    assert (await _put(owner, address, list_id=list_id)).status_code == 201
    await owner.delete(f"/lists/{list_id}")

    assert _code(await _put(owner, address, list_id=list_id)) == (412, "task-exists")
    assert _code(await _put(owner, f"/tasks/{uuid4()}", list_id=list_id)) == (422, "list-not-found")


async def test_an_id_that_somebody_else_has_cannot_be_had(as_user: ClientFactory) -> None:
    theirs = await as_user("neighbour").post("/tasks", json={"title": "Theirs"})
    address = theirs.headers["location"]

    owner = as_user("known")
    await _fill(owner, 1)
    before = (await owner.get("/tasks")).headers["etag"]
    assert _code(await _put(owner, address)) == (409, "id-taken")
    assert (await owner.get("/tasks")).headers["etag"] == before

    assert _code(await _put(as_user("new"), address)) == (409, "id-taken")
    assert (await as_user("new").get("/tasks")).json() == []
    assert (await as_user("neighbour").get("/tasks")).json() == [theirs.json()]


async def test_the_quota_counts_tasks_that_the_client_named(as_user: ClientFactory) -> None:
    owner, address = as_user("owner"), f"/tasks/{uuid4()}"
    assert (await _put(owner, address)).status_code == 201
    await _fill(owner, TASKS_MAX - 1)

    assert _code(await _put(owner, f"/tasks/{uuid4()}")) == (422, "quota-exceeded")
    assert _code(await _put(owner, address)) == (412, "task-exists")
    await owner.delete(address)
    assert (await _put(owner, f"/tasks/{uuid4()}")).status_code == 201


@pytest.mark.parametrize("tags", ['"1"', 'W/"1"', '*, "1"', "*,*", "", "x"])
async def test_a_put_can_only_ask_for_nothing_at_all(as_user: ClientFactory, tags: str) -> None:
    owner, address = as_user("owner"), f"/tasks/{uuid4()}"

    for headers in ({"If-None-Match": tags}, {"If-None-Match": "*", "If-Match": tags or "*"}):
        answer = await owner.put(address, json={"title": "New"}, headers=headers)
        assert _code(answer) == (400, "bad-request")
    assert (await owner.get("/tasks")).json() == []


async def test_the_body_of_a_new_task_may_not_hold_another_one(as_user: ClientFactory) -> None:
    owner = as_user("owner")

    assert _code(await _put(owner, f"/tasks/{uuid4()}", id=str(uuid4()))) == (422, "id-mismatch")
    assert (await owner.get("/tasks")).json() == []


async def test_a_deletion_is_undone_and_leaves_no_trace(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    before = (
        await owner.post("/tasks", json={"title": "Back again", "description": "All of it"})
    ).json()
    address = f"/tasks/{before['id']}"
    await owner.delete(address)

    undone = await owner.put(address, json=before, headers=ABSENT)

    moved = ("created_at", "updated_at", "version", "position")
    assert undone.status_code == 201
    assert undone.json() == before | {name: undone.json()[name] for name in moved}
    assert undone.json()["version"] == before["version"] + 2
    with psycopg.connect(proxy.server_url) as connection:
        assert connection.execute("SELECT count(*) FROM task_tombstones").fetchall() == [(0,)]
    assert (await owner.delete(address)).status_code == 204
    assert (await owner.get("/tasks")).json() == []


async def test_of_many_who_make_one_task_at_once_exactly_one_does(as_user: ClientFactory) -> None:
    owner, address = as_user("owner"), f"/tasks/{uuid4()}"

    answers = await asyncio.gather(
        *(_put(owner, address, title=str(number)) for number in range(40))
    )

    assert sorted(answer.status_code for answer in answers) == [201] + [412] * 39
    (done,) = [answer for answer in answers if answer.is_success]
    assert (await owner.get("/tasks")).json() == [done.json()]

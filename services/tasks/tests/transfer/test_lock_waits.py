"""What an import and an erasure do that had to wait for others, and what waited for them."""

import asyncio
from uuid import uuid4

import pytest

from devkit.testing.auth_headers import ClientFactory
from devkit.testing.fault_proxy import FaultProxy
from devkit.testing.lock_waits import wait_for_blocked_statements

from ..support.import_export import (
    OWNER_PATH,
    count_staged,
    export,
    import_records,
    post_import,
    task_record,
    to_ndjson,
)
from ..support.owner_lock import commit_after_requests_wait, create_task_url, lock_owners
from ..support.service import TASKS_MAX

ERASE = "DELETE FROM owners"


async def test_an_import_that_waited_builds_on_what_was_written_meanwhile(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    await create_task_url(owner)
    [line] = await export(owner)

    async with lock_owners(proxy) as other:
        await other.execute("UPDATE owners SET counter = counter + 1")
        await other.execute(
            "UPDATE tasks SET title = 'Theirs', version = (SELECT counter FROM owners)"
        )
        [answer] = await commit_after_requests_wait(
            proxy, other, post_import(owner, to_ndjson(line))
        )

    assert answer.json() == {"created": 0, "updated": 1, "unchanged": 0, "renumbered": 0}
    assert (await export(owner))[0]["title"] == "Old"


async def test_the_quota_holds_for_an_import_that_waited(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    await create_task_url(owner)

    async with lock_owners(proxy) as other:
        await other.execute("UPDATE owners SET task_count = %s", (TASKS_MAX,))
        [answer] = await commit_after_requests_wait(
            proxy, other, post_import(owner, to_ndjson(task_record(uuid4())))
        )

    assert (answer.status_code, answer.json()["code"]) == (422, "quota-exceeded")


async def test_an_import_behind_an_erasure_begins_anew(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    await create_task_url(owner)
    line = task_record(uuid4(), "New")

    async with lock_owners(proxy) as other:
        await other.execute(ERASE)
        [answer] = await commit_after_requests_wait(
            proxy, other, post_import(owner, to_ndjson(line))
        )

    assert answer.json()["created"] == 1
    assert [found["title"] for found in await export(owner)] == ["New"]


async def test_an_id_that_somebody_takes_at_this_moment_is_a_conflict_and_another_one_later(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner, neighbour, wanted = as_isolated_user("owner"), as_isolated_user("neighbour"), uuid4()
    for someone in (owner, neighbour):
        await create_task_url(someone)

    async with lock_owners(proxy) as other:
        await other.rollback()
        await other.execute(
            "INSERT INTO tasks (id, user_id, title, is_completed, created_at, updated_at, version)"
            " SELECT %s, id, 'Theirs', false, now(), now(), counter + 1 FROM owners WHERE id = %s",
            (wanted, neighbour.headers["x-user-id"]),
        )
        [answer] = await commit_after_requests_wait(
            proxy, other, post_import(owner, to_ndjson(task_record(uuid4()), task_record(wanted)))
        )

    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (
        409,
        "id-taken",
        "1",
    )
    assert len(await export(owner)) == 1
    assert await import_records(owner, task_record(wanted)) == (1, 0, 0, 1)


async def test_a_list_whose_id_somebody_takes_at_this_moment_is_a_conflict(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner, neighbour = as_isolated_user("owner"), as_isolated_user("neighbour")
    for someone in (owner, neighbour):
        await create_task_url(someone)
    line = task_record(uuid4(), kind="list", name="Garden")
    del line["title"]

    async with lock_owners(proxy) as other:
        await other.rollback()
        await other.execute(
            "INSERT INTO task_lists (id, user_id, name, folded_name, created_at, updated_at, version)"
            " SELECT %s, id, 'Theirs', 'theirs', now(), now(), counter + 1 FROM owners WHERE id = %s",
            (line["id"], neighbour.headers["x-user-id"]),
        )
        [answer] = await commit_after_requests_wait(
            proxy, other, post_import(owner, to_ndjson(line, task_record(uuid4())))
        )

    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (
        409,
        "id-taken",
        "1",
    )
    assert len(await export(owner)) == 1
    assert await import_records(owner, line) == (1, 0, 0, 1)


@pytest.mark.parametrize("verb", ["PATCH", "PUT", "DELETE"])
async def test_a_change_behind_an_erasure_finds_nothing(
    as_isolated_user: ClientFactory, proxy: FaultProxy, verb: str
) -> None:
    owner = as_isolated_user("owner")
    address = await create_task_url(owner)

    async with lock_owners(proxy) as other:
        await other.execute(ERASE)
        body = None if verb == "DELETE" else {"title": "New"}
        [answer] = await commit_after_requests_wait(
            proxy, other, owner.request(verb, address, json=body)
        )

    assert (answer.status_code, answer.json()["code"]) == (404, "task-not-found")


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "one"}])
async def test_a_task_behind_an_erasure_is_the_first_of_a_new_owner(
    as_isolated_user: ClientFactory, proxy: FaultProxy, headers: dict[str, str]
) -> None:
    owner = as_isolated_user("owner")
    await create_task_url(owner)

    async with lock_owners(proxy) as other:
        await other.execute(ERASE)
        post = owner.post("/tasks", json={"title": "New"}, headers=headers)
        put = owner.put(
            f"/tasks/{uuid4()}", json={"title": "Named"}, headers={"If-None-Match": "*"}
        )
        answers = await commit_after_requests_wait(proxy, other, post, put)

    assert [answer.status_code for answer in answers] == [201, 201]
    assert {line["title"] for line in await export(owner)} == {"New", "Named"}


async def test_an_erasure_behind_a_write_takes_that_with_it(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    await create_task_url(owner)

    async with lock_owners(proxy) as other:
        await other.execute("UPDATE owners SET counter = counter + 1")
        await other.execute(
            "INSERT INTO tasks (id, user_id, title, is_completed, created_at, updated_at, version)"
            " SELECT gen_random_uuid(), id, 'Theirs', false, now(), now(), counter FROM owners"
        )
        [answer] = await commit_after_requests_wait(proxy, other, owner.delete(OWNER_PATH))

    assert answer.status_code == 204
    assert await export(owner) == []


async def test_a_database_that_is_cut_off_takes_nothing_in(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    await create_task_url(owner)

    async with lock_owners(proxy) as other:
        sending = asyncio.ensure_future(post_import(owner, to_ndjson(task_record(uuid4()))))
        await wait_for_blocked_statements(proxy.server_url, 1)
        proxy.close_connections()
        refused = await sending
        await other.rollback()

    assert (refused.status_code, refused.headers["retry-after"]) == (500, "1")
    assert len(await export(owner)) == 1
    assert await count_staged(proxy) == (0, 0)

"""GET /tasks/changes: a client that polls misses nothing, and sees no deleted task again."""

from typing import TypedDict
from uuid import uuid4

import psycopg
import pytest
from httpx import AsyncClient, Response

from devkit.testing.auth_headers import ClientFactory
from devkit.testing.fault_proxy import FaultProxy

from ..support.helpers import field_values, status_codes
from ..support.owner_lock import create_task_url

EXPIRE_TOMBSTONES = "UPDATE task_tombstones SET deleted_at = deleted_at - interval '90 days'"
COUNT_TOMBSTONES = "SELECT count(*) FROM task_tombstones"

INVALID_TOKENS = [
    "",
    "x",
    "-1",
    "1-",
    "5-5",
    "6-5",
    "0-",
    "01",
    "1.5",
    "٣",
    "9" * 19,
    "9" * 40,
    "1-" + "9" * 19,
    "1-2-3",
    "%00",
]


class Deletion(TypedDict):
    """A deletion in the feed."""

    kind: str
    id: str
    version: int


class Changes(TypedDict):
    """One page of the feed."""

    tasks: list[dict[str, object]]
    lists: list[dict[str, object]]
    labels: list[dict[str, object]]
    deleted: list[Deletion]
    next: str
    has_more: bool


NO_CHANGES: dict[str, object] = {
    "tasks": [],
    "lists": [],
    "labels": [],
    "deleted": [],
    "has_more": False,
}


async def _changes(
    owner: AsyncClient, since: str | None = None, limit: int | None = None
) -> Changes:
    query_params: dict[str, str | int] = {}
    if since is not None:
        query_params["since"] = since
    if limit is not None:
        query_params["limit"] = limit
    response = await owner.get("/tasks/changes", params=query_params)
    assert response.status_code == 200, response.text
    return response.json()


async def _code(owner: AsyncClient, since: str) -> tuple[int, str]:
    response = await owner.get(f"/tasks/changes?since={since}")
    return response.status_code, response.json()["code"]


def _titles(changes: Changes) -> list[object]:
    return field_values(changes["tasks"], "title")


async def _create_again(owner: AsyncClient, path: str) -> Response:
    return await owner.put(path, json={"title": "Restored"}, headers={"If-None-Match": "*"})


async def test_the_feed_of_an_unknown_user_is_empty(as_user: ClientFactory) -> None:
    owner = as_user("unknown")

    assert await _changes(owner) == NO_CHANGES | {"next": "0"}
    assert await _changes(owner, "0") == await _changes(owner)
    await create_task_url(owner)
    assert _titles(await _changes(owner, "0")) == ["Old"]


async def test_each_page_continues_where_the_previous_one_ended(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    first = await create_task_url(owner, "1")
    second = await create_task_url(owner, "2")
    start = await _changes(owner)
    assert _titles(start) == ["1", "2"]
    assert start["deleted"] == []
    assert start["has_more"] is False
    assert start["tasks"] == (await owner.get("/tasks")).json()

    await owner.patch(first, json={"title": "1 again"})
    await owner.delete(second)
    await create_task_url(owner, "3")
    later = await _changes(owner, start["next"])

    version = start["tasks"][-1]["version"]
    assert isinstance(version, int)
    assert _titles(later) == ["1 again", "3"]
    assert later["deleted"] == [
        {"kind": "task", "id": second.rpartition("/")[2], "version": version + 2}
    ]
    assert await _changes(owner, later["next"]) == NO_CHANGES | {"next": later["next"]}


async def test_pages_mix_tasks_and_deletions_in_the_order_of_versions(
    as_user: ClientFactory,
) -> None:
    owner = as_user("owner")
    start = (await _changes(owner))["next"]
    paths = [await create_task_url(owner, str(number)) for number in range(4)]
    for path in paths[:2]:
        await owner.delete(path)

    pages = [await _changes(owner, start, 1)]
    while pages[-1]["has_more"]:
        pages.append(await _changes(owner, pages[-1]["next"], 1))

    versions: list[object] = []
    deleted_paths: list[str] = []
    for page in pages:
        assert len(page["tasks"]) + len(page["deleted"]) == 1
        versions += field_values(page["tasks"], "version")
        for deletion in page["deleted"]:
            versions.append(deletion["version"])
            deleted_paths.append(f"/tasks/{deletion['id']}")
    assert len(pages) == 4
    assert versions == sorted(versions, key=str)
    assert deleted_paths == paths[:2]
    assert pages[-1]["next"] == (await _changes(owner))["next"]


async def test_a_task_that_was_created_again_is_not_listed_as_deleted(
    as_user: ClientFactory,
) -> None:
    owner = as_user("owner")
    path = await create_task_url(owner)
    start = (await _changes(owner))["next"]

    await owner.delete(path)
    assert (await _create_again(owner, path)).status_code == 201

    changes = await _changes(owner, start)
    assert _titles(changes) == ["Restored"]
    assert changes["deleted"] == []


async def test_the_tombstone_of_an_existing_task_is_not_listed(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    path = await create_task_url(owner)
    with psycopg.connect(proxy.server_url) as connection:
        connection.execute(
            "INSERT INTO task_tombstones SELECT user_id, id, 'task', version - 1, now() FROM tasks"
        )

    changes = await _changes(owner)
    assert changes["deleted"] == []
    assert _titles(changes) == ["Old"]
    await owner.delete(path)
    assert len((await _changes(owner))["deleted"]) == 1


async def test_deleting_a_task_again_renews_its_expired_tombstone(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    path = await create_task_url(owner)
    with psycopg.connect(proxy.server_url) as connection:
        connection.execute(
            "INSERT INTO task_tombstones SELECT user_id, id, 'task', version - 1, now() FROM tasks"
        )
        connection.execute(EXPIRE_TOMBSTONES)

    assert (await owner.delete(path)).status_code == 204
    assert field_values((await _changes(owner))["deleted"], "id") == [path.rpartition("/")[2]]


@pytest.mark.parametrize("since", INVALID_TOKENS)
async def test_an_invalid_sync_token_is_rejected(as_user: ClientFactory, since: str) -> None:
    assert await _code(as_user("owner"), since) == (400, "bad-request")


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=501", "since=0&since=0", "colour=red", "cursor=x"]
)
async def test_an_invalid_query_string_is_rejected(as_user: ClientFactory, query: str) -> None:
    assert (await as_user("owner").get(f"/tasks/changes?{query}")).status_code == 400


async def test_a_future_or_foreign_sync_token_requires_a_resync(
    as_user: ClientFactory,
) -> None:
    owner = as_user("owner")
    assert await _code(owner, "1") == (410, "resync-required")
    await create_task_url(owner)
    now = int((await _changes(owner))["next"])

    for since in (f"{now + 1}", f"{now}-{now + 1}", "1", f"{2**63 - 2}"):
        assert await _code(owner, since) == (410, "resync-required")
    await create_task_url(as_user("other"))
    assert await _code(as_user("other"), f"{now}") == (410, "resync-required")


async def test_a_sync_token_from_before_an_erasure_requires_a_resync(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    await create_task_url(owner)
    before = (await _changes(owner))["next"]
    with psycopg.connect(proxy.server_url) as connection:
        connection.execute("DELETE FROM owners")
    assert await _code(owner, before) == (410, "resync-required")

    await create_task_url(owner, "New")

    assert await _code(owner, before) == (410, "resync-required")
    assert await _code(owner, f"1-{before}") == (410, "resync-required")
    assert _titles(await _changes(owner)) == ["New"]


async def test_expired_tombstones_are_pruned_in_small_steps_and_older_tokens_require_a_resync(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    paths = [await create_task_url(owner, str(number)) for number in range(5)]
    tokens: list[str] = []
    with psycopg.connect(proxy.server_url, autocommit=True) as connection:
        for path in paths[:3]:
            tokens.append((await _changes(owner))["next"])
            await owner.delete(path)
        tokens.append((await _changes(owner))["next"])
        connection.execute(EXPIRE_TOMBSTONES)

        await owner.delete(paths[3])
        assert connection.execute(COUNT_TOMBSTONES).fetchone() == (2,)
        responses = [await owner.get(f"/tasks/changes?since={since}") for since in tokens]
        assert status_codes(responses) == [410, 410, 200, 200]

        await owner.delete(paths[4])
        assert connection.execute(COUNT_TOMBSTONES).fetchone() == (2,)
    assert len((await _changes(owner, tokens[3]))["deleted"]) == 2
    assert await _changes(owner) == await _changes(owner, "0")


async def test_a_first_synchronization_survives_pruning(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    first_path = await create_task_url(owner, "First")
    deleted_path = await create_task_url(owner, "Deleted")
    last_path = await create_task_url(owner, "Last")
    await owner.delete(deleted_path)
    first_page = await _changes(owner, limit=1)
    with psycopg.connect(proxy.server_url, autocommit=True) as connection:
        connection.execute(EXPIRE_TOMBSTONES)
        await owner.delete(first_path)
        assert connection.execute(COUNT_TOMBSTONES).fetchone() == (1,)

    second_page = await _changes(owner, first_page["next"])

    assert _titles(first_page) == ["First"]
    assert _titles(second_page) == ["Last"]
    assert field_values(second_page["deleted"], "id") == [first_path.rpartition("/")[2]]
    assert second_page["next"].isdigit()
    assert (await owner.get(last_path)).status_code == 200


async def test_other_methods_do_not_take_the_feed_for_a_task(as_user: ClientFactory) -> None:
    owner = as_user("owner")

    for method in ("POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"):
        response = await owner.request(method, "/tasks/changes", json={"title": "x"})
        assert response.status_code == 405
        assert response.headers["allow"] == "GET, HEAD, OPTIONS"
    options = await owner.options("/tasks/changes")
    assert options.status_code == 204
    assert options.headers["allow"] == "GET, HEAD, OPTIONS"
    assert (await owner.head("/tasks/changes")).status_code == 200
    assert (await owner.get(f"/tasks/{uuid4()}")).status_code == 404

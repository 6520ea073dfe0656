"""What GET /tasks/changes promises: who asks again and again misses nothing, and nothing comes back from the dead."""

from typing import TypedDict
from uuid import uuid4

import psycopg
import pytest
from httpx import AsyncClient, Response

from devkit.testing.auth_headers import ClientFactory
from devkit.testing.fault_proxy import FaultProxy

from .support.owner_lock import create_task_url

LONG_AGO = "UPDATE task_tombstones SET deleted_at = deleted_at - interval '90 days'"
LEFT = "SELECT count(*) FROM task_tombstones"

BAD = [
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
    """A task that is gone."""

    kind: str
    id: str
    version: int


class Changes(TypedDict):
    """One answer of the feed."""

    tasks: list[dict[str, object]]
    lists: list[dict[str, object]]
    labels: list[dict[str, object]]
    deleted: list[Deletion]
    next: str
    has_more: bool


NOTHING: dict[str, object] = {
    "tasks": [],
    "lists": [],
    "labels": [],
    "deleted": [],
    "has_more": False,
}


async def _changes(
    owner: AsyncClient, since: str | None = None, limit: int | None = None
) -> Changes:
    query = {
        name: value for name, value in {"since": since, "limit": limit}.items() if value is not None
    }
    answer = await owner.get("/tasks/changes", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def _code(owner: AsyncClient, since: str) -> tuple[int, str]:
    answer = await owner.get(f"/tasks/changes?since={since}")
    return answer.status_code, answer.json()["code"]


def _titles(changes: Changes) -> list[object]:
    return [task["title"] for task in changes["tasks"]]


async def _undo(owner: AsyncClient, address: str) -> Response:
    return await owner.put(address, json={"title": "Back"}, headers={"If-None-Match": "*"})


async def test_whoever_never_wrote_is_at_the_beginning(as_user: ClientFactory) -> None:
    owner = as_user("nobody")

    assert await _changes(owner) == {**NOTHING, "next": "0"}
    assert await _changes(owner, "0") == await _changes(owner)
    await create_task_url(owner)
    assert _titles(await _changes(owner, "0")) == ["Old"]


async def test_each_answer_goes_on_where_the_last_one_ended(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    first, second = await create_task_url(owner, "1"), await create_task_url(owner, "2")
    begun = await _changes(owner)
    assert (_titles(begun), begun["deleted"], begun["has_more"]) == (["1", "2"], [], False)
    assert begun["tasks"] == (await owner.get("/tasks")).json()

    await owner.patch(first, json={"title": "1 again"})
    await owner.delete(second)
    await create_task_url(owner, "3")
    later = await _changes(owner, begun["next"])

    version = begun["tasks"][-1]["version"]
    assert isinstance(version, int)
    assert _titles(later) == ["1 again", "3"]
    assert later["deleted"] == [
        {"kind": "task", "id": second.rpartition("/")[2], "version": version + 2}
    ]
    assert await _changes(owner, later["next"]) == {**NOTHING, "next": later["next"]}


async def test_pages_hold_tasks_and_deletions_together_in_the_order_of_versions(
    as_user: ClientFactory,
) -> None:
    owner = as_user("owner")
    begun = (await _changes(owner))["next"]
    addresses = [await create_task_url(owner, str(number)) for number in range(4)]
    for address in addresses[:2]:
        await owner.delete(address)

    pages = [await _changes(owner, begun, 1)]
    while pages[-1]["has_more"]:
        pages.append(await _changes(owner, pages[-1]["next"], 1))

    versions = [each["version"] for page in pages for each in [*page["tasks"], *page["deleted"]]]
    assert [len(page["tasks"]) + len(page["deleted"]) for page in pages] == [1] * 4
    assert versions == sorted(versions, key=str)
    assert [each["id"] for page in pages for each in page["deleted"]] == [
        address.rpartition("/")[2] for address in addresses[:2]
    ]
    assert pages[-1]["next"] == (await _changes(owner))["next"]


async def test_a_task_that_came_back_is_not_deleted(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    address = await create_task_url(owner)
    begun = (await _changes(owner))["next"]

    await owner.delete(address)
    assert (await _undo(owner, address)).status_code == 201

    changes = await _changes(owner, begun)
    assert (_titles(changes), changes["deleted"]) == (["Back"], [])


async def test_a_tombstone_that_an_undo_could_not_see_is_not_shown(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    address = await create_task_url(owner)
    with psycopg.connect(proxy.server_url) as connection:
        connection.execute(
            "INSERT INTO task_tombstones SELECT user_id, id, 'task', version - 1, now() FROM tasks"
        )

    assert ((await _changes(owner))["deleted"], _titles(await _changes(owner))) == ([], ["Old"])
    await owner.delete(address)
    assert len((await _changes(owner))["deleted"]) == 1


async def test_such_a_tombstone_is_renewed_even_beyond_its_time(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    address = await create_task_url(owner)
    with psycopg.connect(proxy.server_url) as connection:
        connection.execute(
            "INSERT INTO task_tombstones SELECT user_id, id, 'task', version - 1, now() FROM tasks"
        )
        connection.execute(LONG_AGO)

    assert (await owner.delete(address)).status_code == 204
    assert [each["id"] for each in (await _changes(owner))["deleted"]] == [
        address.rpartition("/")[2]
    ]


@pytest.mark.parametrize("since", BAD)
async def test_a_place_that_is_none_is_refused(as_user: ClientFactory, since: str) -> None:
    assert await _code(as_user("owner"), since) == (400, "bad-request")


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=501", "since=0&since=0", "colour=red", "cursor=x"]
)
async def test_a_query_that_is_not_understood_is_refused(
    as_user: ClientFactory, query: str
) -> None:
    assert (await as_user("owner").get(f"/tasks/changes?{query}")).status_code == 400


async def test_a_place_of_the_future_or_of_somebody_else_needs_a_new_beginning(
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


async def test_a_place_from_before_an_erase_needs_a_new_beginning(
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


async def test_old_tombstones_go_a_few_at_a_time_and_who_missed_them_is_told(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    addresses, places = (
        [await create_task_url(owner, str(number)) for number in range(5)],
        list[str](),
    )
    with psycopg.connect(proxy.server_url, autocommit=True) as connection:
        for address in addresses[:3]:
            places.append((await _changes(owner))["next"])
            await owner.delete(address)
        places.append((await _changes(owner))["next"])
        connection.execute(LONG_AGO)

        await owner.delete(addresses[3])
        assert connection.execute(LEFT).fetchone() == (2,)
        codes = [(await owner.get(f"/tasks/changes?since={since}")).status_code for since in places]
        assert codes == [410, 410, 200, 200]

        await owner.delete(addresses[4])
        assert connection.execute(LEFT).fetchone() == (2,)
    assert len((await _changes(owner, places[3]))["deleted"]) == 2
    assert await _changes(owner) == await _changes(owner, "0")


async def test_whoever_reads_from_the_beginning_is_not_sent_back_there(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    kept, gone, last = [await create_task_url(owner, title) for title in ("Kept", "Gone", "Last")]
    await owner.delete(gone)
    first = await _changes(owner, limit=1)
    with psycopg.connect(proxy.server_url, autocommit=True) as connection:
        connection.execute(LONG_AGO)
        await owner.delete(kept)
        assert connection.execute(LEFT).fetchone() == (1,)

    second = await _changes(owner, first["next"])

    assert (_titles(first), _titles(second)) == (["Kept"], ["Last"])
    assert [each["id"] for each in second["deleted"]] == [kept.rpartition("/")[2]]
    assert second["next"].isdigit()
    assert (await owner.get(last)).status_code == 200


async def test_no_other_verb_takes_the_feed_for_a_task(as_user: ClientFactory) -> None:
    owner = as_user("owner")

    for verb in ("POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"):
        answer = await owner.request(verb, "/tasks/changes", json={"title": "x"})
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    options = await owner.options("/tasks/changes")
    assert (options.status_code, options.headers["allow"]) == (204, "GET, HEAD, OPTIONS")
    assert (await owner.head("/tasks/changes")).status_code == 200
    assert (await owner.get(f"/tasks/{uuid4()}")).status_code == 404

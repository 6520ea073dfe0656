"""Creations with an Idempotency-Key: done once, and every retry gets the same response."""

import asyncio
from uuid import uuid4

import psycopg
import pytest
from httpx import AsyncClient, Response

from devkit.testing.auth_headers import ClientFactory
from devkit.testing.fault_proxy import FaultProxy
from devkit.testing.lock_waits import wait_for_blocked_statements

from ..support.helpers import problem_code, status_codes
from ..support.owner_lock import create_task_url, lock_owners
from ..support.service import TASKS_MAX

SPECIAL_CHARACTERS = 'Quote " \\ slash / tab \t line \n \r 🌵 \u2028 é \xa0 </script>'

EXPIRE_KEYS = "UPDATE idempotency_keys SET created_at = created_at - interval '24 hours'"

STORED_HEADERS = ("location", "etag", "content-type", "cache-control", "vary")


async def _post(owner: AsyncClient, key: str, **fields: object) -> Response:
    body = {"title": "Once"} | fields
    return await owner.post("/tasks", json=body, headers={"Idempotency-Key": key})


def _assert_same_response(retried: Response, original: Response) -> None:
    assert retried.status_code == original.status_code
    assert retried.content == original.content
    for name in STORED_HEADERS:
        assert retried.headers[name] == original.headers[name]


async def test_a_retry_gets_the_same_response_byte_for_byte(as_user: ClientFactory) -> None:
    owner = as_user("owner")

    first = await _post(owner, "key", description=SPECIAL_CHARACTERS)
    retried = await _post(
        owner,
        "key",
        description=SPECIAL_CHARACTERS,
        is_completed=False,
        user_id=owner.headers["x-user-id"],
    )

    _assert_same_response(retried, first)
    assert first.status_code == 201
    assert first.json()["description"] == SPECIAL_CHARACTERS
    assert "idempotency-replayed" not in first.headers
    assert retried.headers["idempotency-replayed"] == "true"
    listed = await owner.get("/tasks")
    assert listed.json() == [first.json()]
    assert listed.headers["etag"] == first.headers["etag"]
    assert (await owner.get(first.headers["location"])).content == first.content


async def test_the_stored_response_outlives_changes_of_the_task(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    first = await _post(owner, "key")
    url = first.headers["location"]

    await owner.patch(url, json={"title": "Changed"})
    _assert_same_response(await _post(owner, "key"), first)
    await owner.delete(url)
    _assert_same_response(await _post(owner, "key"), first)
    assert (await owner.get("/tasks")).json() == []


async def test_a_retry_succeeds_although_the_quota_is_reached(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    created = [await _post(owner, str(number)) for number in range(TASKS_MAX)]

    assert problem_code(await _post(owner, "one-more")) == (422, "quota-exceeded")
    _assert_same_response(await _post(owner, "0"), created[0])
    await owner.delete(created[0].headers["location"])
    assert (await _post(owner, "one-more")).status_code == 201


async def test_a_key_belongs_to_one_user(as_user: ClientFactory) -> None:
    first = await _post(as_user("one"), "key")
    second = await _post(as_user("two"), "key")

    assert "idempotency-replayed" not in second.headers
    assert first.json()["id"] != second.json()["id"]


@pytest.mark.parametrize(
    "fields", [{"title": "Other"}, {"description": ""}, {"is_completed": True}]
)
async def test_a_key_is_for_one_request(as_user: ClientFactory, fields: dict[str, object]) -> None:
    owner = as_user("owner")
    first = await _post(owner, "key")

    rejected = await _post(owner, "key", **fields)

    assert problem_code(rejected) == (422, "key-reused")
    assert (await owner.get("/tasks")).json() == [first.json()]


async def test_a_rejected_request_does_not_use_its_key(as_user: ClientFactory) -> None:
    owner = as_user("owner")

    assert (await _post(owner, "key", title="")).status_code == 422
    assert (await _post(owner, "key")).status_code == 201


@pytest.mark.parametrize("key", ["", "a b", "é", "x" * 256, "\x7f"])
async def test_a_malformed_key_is_rejected(as_user: ClientFactory, key: str) -> None:
    owner = as_user("owner")
    headers = {b"Idempotency-Key": key.encode("latin-1")}

    rejected = await owner.post("/tasks", json={"title": "Once"}, headers=headers)

    assert problem_code(rejected) == (400, "bad-request")
    assert (await owner.get("/tasks")).json() == []


async def test_two_keys_are_rejected(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    headers = [("Idempotency-Key", "a"), ("Idempotency-Key", "a")]

    rejected = await owner.post("/tasks", json={"title": "Once"}, headers=headers)

    assert problem_code(rejected) == (400, "bad-request")
    assert (await owner.get("/tasks")).json() == []


async def test_a_key_expires_after_a_day(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    first = await _post(owner, "key")
    with psycopg.connect(proxy.server_url) as connection:
        connection.execute(
            "UPDATE idempotency_keys SET created_at = created_at - interval '23 hours 59 minutes'"
        )
    _assert_same_response(await _post(owner, "key"), first)
    with psycopg.connect(proxy.server_url) as connection:
        connection.execute(EXPIRE_KEYS)

    second = await _post(owner, "key", title="Something else")

    assert second.status_code == 201
    assert "idempotency-replayed" not in second.headers
    _assert_same_response(await _post(owner, "key", title="Something else"), second)


async def test_expired_keys_are_deleted_a_few_at_a_time(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    for number in range(TASKS_MAX - 2):
        await _post(owner, f"old-{number}")
    await _post(as_isolated_user("neighbour"), "another")

    with psycopg.connect(proxy.server_url, autocommit=True) as connection:
        connection.execute(EXPIRE_KEYS)
        remaining_keys = [await _keys(connection, owner)]
        for number in range(2):
            assert (await _post(owner, f"new-{number}")).status_code == 201
            remaining_keys.append(await _keys(connection, owner))

    assert remaining_keys == [["old-0", "old-1", "old-2"], ["new-0", "old-2"], ["new-0", "new-1"]]


async def _keys(connection: psycopg.Connection, owner: AsyncClient) -> list[str]:
    rows = connection.execute(
        "SELECT key FROM idempotency_keys WHERE user_id = %s ORDER BY key",
        (owner.headers["x-user-id"],),
    )
    return [key for (key,) in rows]


async def test_concurrent_requests_with_one_key_create_once(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    connection_limit = asyncio.Semaphore(64)

    async def post() -> Response:
        async with connection_limit:
            return await _post(owner, "key")

    requests = [post() for _ in range(500)]
    responses = await asyncio.gather(*requests)

    assert status_codes(responses) == [201] * 500
    originals: list[Response] = []
    for response in responses:
        assert response.content == responses[0].content
        if "idempotency-replayed" not in response.headers:
            originals.append(response)
    assert len(originals) == 1
    assert len((await owner.get("/tasks")).json()) == 1


async def test_a_long_wait_for_a_key_is_409_with_retry_after(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    await create_task_url(owner)

    async with lock_owners(proxy):
        response = await _post(owner, "key")
        assert problem_code(response) == (409, "key-in-use")
        assert 1.9 < response.elapsed.total_seconds() < 3
        assert response.headers["retry-after"] == "1"
    assert "idempotency-replayed" not in (await _post(owner, "key")).headers


@pytest.mark.parametrize(("title", "status"), [("Once", 201), ("Other", 422)])
async def test_a_waiting_request_gets_the_response_of_the_first(
    as_isolated_user: ClientFactory, proxy: FaultProxy, title: str, status: int
) -> None:
    owner = as_isolated_user("owner")
    await create_task_url(owner)

    async with lock_owners(proxy) as lock_holder:
        first = asyncio.ensure_future(_post(owner, "key"))
        await wait_for_blocked_statements(proxy.server_url)
        second = asyncio.ensure_future(_post(owner, "key", title=title))
        await wait_for_blocked_statements(proxy.server_url, 2)
        await lock_holder.commit()

    first_response = await first
    second_response = await second
    assert first_response.status_code == 201
    assert second_response.status_code == status
    is_replayed = second_response.content == first_response.content
    assert is_replayed == (status == 201)
    assert len((await owner.get("/tasks")).json()) == 2


async def test_a_lost_response_is_replayed(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    await create_task_url(owner)

    for _ in range(3):
        key = str(uuid4())
        async with lock_owners(proxy) as lock_holder:
            request = asyncio.create_task(_post(owner, key, title=key))
            await wait_for_blocked_statements(proxy.server_url)
            proxy.close_connections()
            await wait_for_blocked_statements(proxy.server_url, 2)
            await lock_holder.commit()
        response = await request
        assert response.status_code == 201
        _assert_same_response(await _post(owner, key, title=key), response)
    assert len((await owner.get("/tasks")).json()) == 4

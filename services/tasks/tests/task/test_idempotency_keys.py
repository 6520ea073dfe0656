"""What an Idempotency-Key promises: however often a creation is sent, it is done once and answered alike."""

import asyncio
from uuid import uuid4

import psycopg
import pytest
from httpx import AsyncClient, Response

from devkit.testing.auth_headers import ClientFactory
from devkit.testing.fault_proxy import FaultProxy
from devkit.testing.lock_waits import wait_for_blocked_statements

from ..support.owner_lock import create_task_url, lock_owners
from ..support.service import TASKS_MAX

NASTY = 'Quote " \\ slash / tab \t line \n \r 🌵 \u2028 é \xa0 </script>'

LATER = "UPDATE idempotency_keys SET created_at = created_at - interval '24 hours'"


def _code(answer: Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def _post(owner: AsyncClient, key: str, **fields: object) -> Response:
    return await owner.post(
        "/tasks", json={"title": "Once", **fields}, headers={"Idempotency-Key": key}
    )


def _said(answer: Response) -> tuple[int, bytes, dict[str, str]]:
    headers = {
        name: answer.headers[name]
        for name in ("location", "etag", "content-type", "cache-control", "vary")
    }
    return answer.status_code, answer.content, headers


async def test_the_same_request_gets_the_same_answer_byte_for_byte(as_user: ClientFactory) -> None:
    owner = as_user("owner")

    first = await _post(owner, "key", description=NASTY)
    again = await _post(
        owner, "key", description=NASTY, is_completed=False, user_id=owner.headers["x-user-id"]
    )

    assert _said(again) == _said(first)
    assert (first.status_code, first.json()["description"]) == (201, NASTY)
    assert ("idempotency-replayed" in first.headers, again.headers["idempotency-replayed"]) == (
        False,
        "true",
    )
    listed = await owner.get("/tasks")
    assert (listed.json(), listed.headers["etag"]) == ([first.json()], first.headers["etag"])
    assert (await owner.get(first.headers["location"])).content == first.content


async def test_whatever_became_of_the_task_the_first_answer_stays(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    first = await _post(owner, "key")
    address = first.headers["location"]

    await owner.patch(address, json={"title": "Changed"})
    assert _said(await _post(owner, "key")) == _said(first)
    await owner.delete(address)
    assert _said(await _post(owner, "key")) == _said(first)
    assert (await owner.get("/tasks")).json() == []


async def test_a_full_owner_gets_the_first_answer_too(as_user: ClientFactory) -> None:
    owner = as_user("owner")
    made = [await _post(owner, str(number)) for number in range(TASKS_MAX)]

    assert _code(await _post(owner, "one-more")) == (422, "quota-exceeded")
    assert _said(await _post(owner, "0")) == _said(made[0])
    await owner.delete(made[0].headers["location"])
    assert (await _post(owner, "one-more")).status_code == 201


async def test_a_key_belongs_to_one_user(as_user: ClientFactory) -> None:
    first, second = await _post(as_user("one"), "key"), await _post(as_user("two"), "key")

    assert "idempotency-replayed" not in second.headers
    assert first.json()["id"] != second.json()["id"]


@pytest.mark.parametrize(
    "fields", [{"title": "Other"}, {"description": ""}, {"is_completed": True}]
)
async def test_a_key_is_for_one_meaning(as_user: ClientFactory, fields: dict[str, object]) -> None:
    owner = as_user("owner")
    first = await _post(owner, "key")

    assert _code(await _post(owner, "key", **fields)) == (422, "key-reused")
    assert (await owner.get("/tasks")).json() == [first.json()]


async def test_what_was_refused_leaves_its_key_free(as_user: ClientFactory) -> None:
    owner = as_user("owner")

    assert (await _post(owner, "key", title="")).status_code == 422
    assert (await _post(owner, "key")).status_code == 201


@pytest.mark.parametrize("key", ["", "a b", "é", "x" * 256, "\x7f"])
async def test_a_key_that_is_none_is_refused(as_user: ClientFactory, key: str) -> None:
    owner, body = as_user("owner"), {"title": "Once"}

    sent = {b"Idempotency-Key": key.encode("latin-1")}
    assert _code(await owner.post("/tasks", json=body, headers=sent)) == (400, "bad-request")
    twice = [("Idempotency-Key", "a"), ("Idempotency-Key", "a")]
    assert _code(await owner.post("/tasks", json=body, headers=twice)) == (400, "bad-request")
    assert (await owner.get("/tasks")).json() == []


async def test_a_key_is_forgotten_after_a_day(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    first = await _post(owner, "key")
    with psycopg.connect(proxy.server_url) as connection:
        connection.execute(
            "UPDATE idempotency_keys SET created_at = created_at - interval '23 hours 59 minutes'"
        )
    assert _said(await _post(owner, "key")) == _said(first)
    with psycopg.connect(proxy.server_url) as connection:
        connection.execute(LATER)

    second = await _post(owner, "key", title="Something else")

    assert (second.status_code, "idempotency-replayed" in second.headers) == (201, False)
    assert _said(await _post(owner, "key", title="Something else")) == _said(second)


async def test_old_keys_go_a_few_at_a_time(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    for number in range(TASKS_MAX - 2):
        await _post(owner, f"old-{number}")
    await _post(as_isolated_user("neighbour"), "theirs")

    with psycopg.connect(proxy.server_url, autocommit=True) as connection:
        connection.execute(LATER)
        left = [await _keys(connection, owner)]
        for number in range(2):
            assert (await _post(owner, f"new-{number}")).status_code == 201
            left.append(await _keys(connection, owner))

    assert left == [["old-0", "old-1", "old-2"], ["new-0", "old-2"], ["new-0", "new-1"]]


async def _keys(connection: psycopg.Connection, owner: AsyncClient) -> list[str]:
    found = connection.execute(
        "SELECT key FROM idempotency_keys WHERE user_id = %s ORDER BY key",
        (owner.headers["x-user-id"],),
    )
    return [key for (key,) in found]


async def test_many_at_once_are_one_and_are_answered_alike(as_user: ClientFactory) -> None:
    owner, gate, answers = as_user("owner"), asyncio.Semaphore(64), list[Response]()

    async def post() -> None:
        async with gate:
            answers.append(await _post(owner, "key"))

    await asyncio.gather(*(post() for _ in range(500)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1
    assert len((await owner.get("/tasks")).json()) == 1


async def test_who_waits_too_long_for_the_first_one_is_told_to_come_back(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    await create_task_url(owner)

    async with lock_owners(proxy):
        answer = await _post(owner, "key")
        assert _code(answer) == (409, "key-in-use")
        assert 1.9 < answer.elapsed.total_seconds() < 3
        assert answer.headers["retry-after"] == "1"
    assert "idempotency-replayed" not in (await _post(owner, "key")).headers


@pytest.mark.parametrize(("title", "told"), [("Once", 201), ("Other", 422)])
async def test_who_waits_for_the_first_one_gets_its_answer(
    as_isolated_user: ClientFactory, proxy: FaultProxy, title: str, told: int
) -> None:
    owner = as_isolated_user("owner")
    await create_task_url(owner)

    async with lock_owners(proxy) as other:
        first = asyncio.ensure_future(_post(owner, "key"))
        await wait_for_blocked_statements(proxy.server_url)
        second = asyncio.ensure_future(_post(owner, "key", title=title))
        await wait_for_blocked_statements(proxy.server_url, 2)
        await other.commit()

    assert ((await first).status_code, (await second).status_code) == (201, told)
    assert ((await first).content == (await second).content) == (told == 201)
    assert len((await owner.get("/tasks")).json()) == 2


async def test_a_lost_answer_is_found_again_and_nothing_is_done_twice(
    as_isolated_user: ClientFactory, proxy: FaultProxy
) -> None:
    owner = as_isolated_user("owner")
    await create_task_url(owner)

    for key in (str(uuid4()) for _ in range(3)):
        async with lock_owners(proxy) as other:
            request = asyncio.create_task(_post(owner, key, title=key))
            await wait_for_blocked_statements(proxy.server_url)
            proxy.close_connections()
            await wait_for_blocked_statements(proxy.server_url, 2)
            await other.commit()
        answer = await request
        assert answer.status_code == 201
        assert _said(await _post(owner, key, title=key)) == _said(answer)
    assert len((await owner.get("/tasks")).json()) == 4

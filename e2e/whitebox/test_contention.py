"""Many requests for the same thing at once: one is done, all are answered, and nobody else has to wait for them."""

import asyncio
from collections import Counter

import psycopg
import pytest
from httpx import Response

from devkit.testing.lock_waits import wait_for_blocked_statements
from e2e.support.contract import problem_of
from e2e.support.isolated_platform import OwnPlatform
from e2e.support.user_client import Person

AT_ONCE = 64
"""Requests that are under way at the same time."""

WRITES_AT_ONCE = 2
"""Writes of one user that one process sends to the database."""

WAITING = """
SELECT count(*) AS waiting FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


async def test_of_200_changes_with_one_tag_exactly_one_is_made(own: OwnPlatform) -> None:
    ann = own.speak_as("ann-200")
    task = await ann.add()
    tag = {"If-Match": f'"{task["version"]}"'}

    answers = await asyncio.gather(
        *(
            ann.patch(f"/tasks/{task['id']}", json={"title": f"{number}"}, headers=tag)
            for number in range(200)
        )
    )

    assert Counter(answer.status_code for answer in answers) == {200: 1, 412: 199}
    [done] = [answer.json() for answer in answers if answer.is_success]
    assert await ann.tasks() == [done]
    assert done["version"] == task["version"] + 1


async def test_2000_creations_with_one_key_are_one(own: OwnPlatform) -> None:
    ben, gate = own.speak_as("ben-2000"), asyncio.Semaphore(AT_ONCE)

    async def create() -> Response:
        async with gate:
            return await ben.post(
                "/tasks", json={"title": "Once"}, headers={"Idempotency-Key": "the-same"}
            )

    answers = await asyncio.gather(*(create() for _ in range(2000)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1
    assert [task["id"] for task in await ben.tasks()] == [answers[0].json()["id"]]
    rows = "SELECT (SELECT count(*) FROM tasks WHERE user_id = %s) AS tasks, counter FROM owners WHERE id = %s"
    assert await own.stored("tasks", rows, ben.id, ben.id) == [
        {"tasks": 1, "counter": answers[0].json()["version"]}
    ]


@pytest.mark.parametrize("verb", ["PATCH", "POST"])
async def test_one_users_queue_leaves_the_connections_to_others(
    own: OwnPlatform, verb: str
) -> None:
    cleo, others = (
        own.speak_as(f"cleo-{verb}"),
        [own.speak_as(f"other-{verb}-{number}") for number in range(10)],
    )
    task = await cleo.add()
    for other in others:
        await other.add()
    address = f"/tasks/{task['id']}" if verb == "PATCH" else "/tasks"

    async with await psycopg.AsyncConnection.connect(own.urls["tasks"]) as holder:
        await holder.execute("SELECT id FROM owners WHERE id = %s FOR UPDATE", (cleo.id,))
        queue = [
            asyncio.create_task(cleo.request(verb, address, json={"title": f"{number}"}))
            for number in range(AT_ONCE)
        ]
        await wait_for_blocked_statements(own.urls["tasks"], WRITES_AT_ONCE)
        served = await asyncio.gather(*(use(other) for other in others))
        assert await own.stored("tasks", WAITING) == [{"waiting": WRITES_AT_ONCE}]
        assert not any(request.done() for request in queue)
        await holder.commit()

    assert served == [[200, 201, 200, 204]] * len(others)
    assert {answer.status_code for answer in await asyncio.gather(*queue)} <= {200, 201}


async def test_a_key_that_stays_in_use_is_asked_for_again_later(own: OwnPlatform) -> None:
    dan, key = own.speak_as("dan-in-use"), {"Idempotency-Key": "in-use"}
    task = await dan.add()

    async with await psycopg.AsyncConnection.connect(own.urls["tasks"]) as holder:
        await holder.execute("SELECT id FROM owners WHERE id = %s FOR UPDATE", (dan.id,))
        answers = await asyncio.gather(
            *(dan.post("/tasks", json={"title": "Once"}, headers=key) for _ in range(2))
        )
        for answer in answers:
            problem_of(answer, 409, "key-in-use")
        assert await dan.tasks() == [task]

    made = await dan.post("/tasks", json={"title": "Once"}, headers=key)
    assert (made.status_code, "idempotency-replayed" in made.headers) == (201, False)


async def use(person: Person) -> list[int]:
    """Read, create, change and delete something."""
    listed, made = await person.get("/tasks"), await person.post("/tasks", json={"title": "New"})
    address = made.headers["location"]
    answers = [
        listed,
        made,
        await person.patch(address, json={"title": "Newer"}),
        await person.delete(address),
    ]
    return [answer.status_code for answer in answers]

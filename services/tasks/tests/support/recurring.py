"""Tasks that repeat: create them, complete them, and find their successors."""

import re
from collections.abc import Mapping
from typing import cast
from uuid import UUID, uuid5

from httpx import AsyncClient, Response

from .helpers import JsonObject, create_task, json_object

LINK = re.compile(r'<(/tasks/([0-9a-f-]{36}))>; rel="next"')


async def create_recurring(
    client: AsyncClient,
    rule: str = "FREQ=DAILY",
    start: str = "due",
    due: object = None,
    title: str = "Task",
    **fields: object,
) -> JsonObject:
    """Create a task that repeats; without `due` it is due on a day in the far future."""
    recurrence = {"rule": rule, "from": start}
    due = due or {"date": "2126-11-30"}
    return await create_task(client, title, due=due, recurrence=recurrence, **fields)


async def change(client: AsyncClient, task: Mapping[str, object], **fields: object) -> Response:
    """Send a PATCH and check that it succeeds."""
    response = await client.patch(f"/tasks/{task['id']}", json=fields)
    assert response.status_code == 200, response.text
    return response


async def complete(
    client: AsyncClient, task: Mapping[str, object], **fields: object
) -> JsonObject | None:
    """Complete a task, and return its successor if there is one."""
    return await successor_of(client, await change(client, task, is_completed=True, **fields))


async def successor_of(client: AsyncClient, response: Response) -> JsonObject | None:
    """Return the task that the `Link` header of a response leads to, if it has one."""
    link = response.headers.get("link")
    if link is None:
        return None
    match = LINK.fullmatch(link)
    assert match, link
    return await json_object(await client.get(match[1]))


def successor_id(task: Mapping[str, object]) -> str:
    """Return the id that the successor of a task has."""
    return str(uuid5(UUID(str(task["id"])), "successor"))


def due_date(task: Mapping[str, object] | None) -> str | None:
    """Return the day on which a task is due; None if there is no task."""
    if task is None:
        return None
    return cast("dict[str, str]", task["due"])["date"]

"""Requests that many tests send to create and to read tasks and lists."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from httpx import AsyncClient, Response

JsonObject = dict[str, object]
"""The JSON of a task, a list or a label in a response."""

IF_ABSENT = {"If-None-Match": "*"}
"""The condition with which a PUT creates."""


async def json_object(response: Response, status: int = 200) -> JsonObject:
    """Check the status of a response and return its JSON object."""
    assert response.status_code == status, response.text
    return cast("JsonObject", response.json())


async def create_task(client: AsyncClient, title: str = "Task", **fields: object) -> JsonObject:
    """Create a task and return it."""
    body = {"title": title, **fields}
    return await json_object(await client.post("/tasks", json=body), 201)


async def create_list(client: AsyncClient, name: str = "Garden") -> JsonObject:
    """Create a list and return it."""
    return await json_object(await client.post("/lists", json={"name": name}), 201)


async def move_task(
    client: AsyncClient, task: Mapping[str, object], **target: object
) -> JsonObject:
    """Move a task and return it."""
    return await json_object(await client.post(f"/tasks/{task['id']}/move", json=target))


async def list_titles(client: AsyncClient, **query_params: object) -> list[str]:
    """Return the titles of the tasks that match, in their order."""
    response = await client.get("/tasks", params=cast("dict[str, str]", query_params))
    assert response.status_code == 200, response.text
    return [task["title"] for task in response.json()]


def problem_code(response: Response) -> tuple[int, str]:
    """Return the status, and the code of the first field error or else of the problem."""
    problem = response.json()
    errors = problem.get("errors", [problem])
    return response.status_code, errors[0]["code"]


def status_codes(responses: Iterable[Response]) -> list[int]:
    """Return the status of each response."""
    return [response.status_code for response in responses]


def field_values(items: Iterable[Mapping[str, Any]], name: str) -> list[Any]:
    """Return one field of each item."""
    return [item[name] for item in items]

"""What planned tasks are made with and looked at by."""

from collections.abc import Mapping
from typing import cast

from httpx import AsyncClient, Response

Shown = dict[str, object]
"""A task, a list or a label as it is answered."""

ABSENT = {"If-None-Match": "*"}


async def done(answer: Response, status: int = 200) -> Shown:
    """Return what an answer shows."""
    assert answer.status_code == status, answer.text
    return cast("Shown", answer.json())


async def add_task(owner: AsyncClient, title: str = "Task", **fields: object) -> Shown:
    """Make a task."""
    return await done(await owner.post("/tasks", json={"title": title, **fields}), 201)


async def add_list(owner: AsyncClient, name: str = "Garden") -> Shown:
    """Make a list."""
    return await done(await owner.post("/lists", json={"name": name}), 201)


async def move(owner: AsyncClient, task: Mapping[str, object], **to: object) -> Shown:
    """Move a task."""
    return await done(await owner.post(f"/tasks/{task['id']}/move", json=to))


async def titles(owner: AsyncClient, **query: object) -> list[str]:
    """List the titles of tasks."""
    answer = await owner.get("/tasks", params=cast("dict[str, str]", query))
    assert answer.status_code == 200, answer.text
    return [task["title"] for task in answer.json()]


def code_of(answer: Response) -> tuple[int, str]:
    """Return a refusal's status, and the code of its first fault or else its own."""
    problem = answer.json()
    return answer.status_code, problem.get("errors", [problem])[0]["code"]

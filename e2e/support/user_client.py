"""Those who use the platform: clients that speak for one user each."""

from collections.abc import Callable
from typing import TypeAlias, cast

from httpx import AsyncBaseTransport, AsyncClient

from devkit.platform.tokens import user_id_of
from devkit.testing.auth_headers import token_headers
from e2e.support.contract import Task

AsUser: TypeAlias = Callable[[str], "Person"]
"""Gives a client for a name, or for a token's subject."""


class Person(AsyncClient):
    """A client with the token of one user; the transport belongs to whoever made it."""

    def __init__(self, url: str, transport: AsyncBaseTransport, secret: str, subject: str) -> None:
        super().__init__(base_url=url, transport=transport, headers=token_headers(secret, subject))
        self.subject = subject

    @property
    def id(self) -> str:
        """The user's id."""
        return str(user_id_of(self.subject))

    async def add(self, title: str = "Water the plants", **fields: object) -> Task:
        """Create a task."""
        answer = await self.post("/tasks", json={"title": title, **fields})
        assert answer.status_code == 201, answer.text
        return cast("Task", answer.json())

    async def read(self, task: Task) -> Task:
        """Read a task again."""
        answer = await self.get(f"/tasks/{task['id']}")
        assert answer.status_code == 200, answer.text
        return cast("Task", answer.json())

    async def tasks(self, **query: str) -> list[Task]:
        """List the tasks."""
        answer = await self.get("/tasks", params=query)
        assert answer.status_code == 200, answer.text
        return cast("list[Task]", answer.json())

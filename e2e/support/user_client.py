"""HTTP clients that are authenticated as one user each."""

from collections.abc import Callable
from typing import Final, TypeAlias, cast

from httpx import AsyncBaseTransport, AsyncClient

from devkit.platform.tokens import user_id_of
from devkit.testing.auth_headers import token_headers
from e2e.support.contract import Task

TIMEOUT_SECONDS: Final = 20
"""Longer than any deadline of the platform, so that a slow answer is an answer."""

UserClientFactory: TypeAlias = Callable[[str], "UserClient"]
"""Returns the client of a user, given a name or a token subject."""


class UserClient(AsyncClient):
    """Send requests with the token of one user.

    Args:
        url: The public URL of the platform.
        transport: Shared by several clients, and closed by its owner.
        secret: Better Auth's secret, which signs the token.
        subject: The claim `sub` of the token.
    """

    def __init__(self, url: str, transport: AsyncBaseTransport, secret: str, subject: str) -> None:
        headers = token_headers(secret, subject)
        super().__init__(
            base_url=url, transport=transport, headers=headers, timeout=TIMEOUT_SECONDS
        )
        self.subject = subject

    @property
    def id(self) -> str:
        """The user id that the platform derives from the subject."""
        return str(user_id_of(self.subject))

    async def create_task(self, title: str = "Water the plants", **fields: object) -> Task:
        """Create a task and return it."""
        response = await self.post("/tasks", json={"title": title, **fields})
        assert response.status_code == 201, response.text
        return cast("Task", response.json())

    async def get_task(self, task: Task) -> Task:
        """Return the current state of a task."""
        response = await self.get(f"/tasks/{task['id']}")
        assert response.status_code == 200, response.text
        return cast("Task", response.json())

    async def list_tasks(self, **query: str) -> list[Task]:
        """Return the tasks of one page."""
        response = await self.get("/tasks", params=query)
        assert response.status_code == 200, response.text
        return cast("list[Task]", response.json())

"""The service on a database that may not fit it, and what it then responds."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import LiteralString

import psycopg
from httpx import AsyncClient, Response
from psycopg import sql

from devkit.testing.auth_headers import ClientFactory

Run = Callable[[str], AbstractAsyncContextManager[ClientFactory]]
"""Runs the service on a database."""

Migrate = Callable[..., Awaitable[None]]
"""Runs an Alembic command on a database, by default `upgrade head`."""

Logged = Callable[[], list[str]]
"""Returns the log lines about the database since the last call."""


async def execute(url: str, *statements: LiteralString | sql.Composed) -> None:
    """Run statements, each in a transaction of its own."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        for statement in statements:
            await connection.execute(statement)


async def assert_rejected(user: AsyncClient, word: str) -> None:
    """Check that readiness says why nothing works, in a sentence with `word`, and requests not."""
    readiness = await user.get("/readyz")
    assert code_of(readiness) == (503, "not-ready")
    assert readiness.json()["detail"].startswith("Not ready: database. ")
    assert word in readiness.json()["detail"]
    responses = [await user.get("/tasks"), await user.post("/tasks", json={"title": "No"})]
    for response in responses:
        assert code_of(response) == (503, "database-not-ready")
        assert response.headers["retry-after"] == "1"
        assert word not in response.text
    assert (await user.get("/healthz")).status_code == 200


def code_of(response: Response) -> tuple[int, str]:
    """Return status and problem code."""
    return response.status_code, response.json()["code"]

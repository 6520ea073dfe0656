"""A creation succeeds and its response gets lost: a retry with the same key returns the task."""

from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass
from uuid import uuid4

import pytest
from httpx import AsyncClient, Response, TransportError

from devkit.platform.databases import MigratedDatabases
from devkit.platform.tokens import user_id_of
from devkit.testing.auth_headers import token_headers
from e2e.support.cluster import TIMEOUT_SECONDS, Instance, MessageLosses, run_instance

ROUNDS = 25
ATTEMPTS = 5

TASKS_OF_USER = "SELECT id::text, title FROM tasks WHERE user_id = %s ORDER BY version"


@dataclass
class Loss:
    """Which of the next responses get lost, and what the client sees."""

    failures: list[int | None]
    """The outcomes before a success: statuses, and None for a closed connection."""

    of_gateway: tuple[bool, ...] = ()
    of_database: tuple[bool, ...] = ()


LOSSES = {
    "of the database": Loss([], of_database=(True,)),
    "of the database, and of the next two connections": Loss([500], of_database=(True, True, True)),
    "of the gateway": Loss([None], of_gateway=(True,)),
    "of both": Loss([None], of_gateway=(True,), of_database=(True,)),
    "of both, again and again": Loss(
        [None, None], of_gateway=(True, True), of_database=(True, True, True)
    ),
}


@pytest.fixture(scope="module")
async def instance(databases: MigratedDatabases) -> AsyncGenerator[Instance]:
    urls = {service: await databases.create(service) for service in ("tasks", "users")}
    async with run_instance(urls) as instance:
        yield instance


async def create_with_retries(client: AsyncClient, title: str) -> tuple[list[int | None], Response]:
    """Send a creation until it succeeds; return the outcomes before, and the last response."""
    failures: list[int | None] = []
    for _ in range(ATTEMPTS):
        response = None
        with suppress(TransportError):
            response = await client.post(
                "/tasks", json={"title": title}, headers={"Idempotency-Key": title}
            )
        if response is None:
            failures.append(None)
        elif response.is_success:
            return failures, response
        else:
            failures.append(response.status_code)
    raise TimeoutError


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
async def test_a_retry_returns_the_task_whose_response_was_lost(
    instance: Instance, loss: Loss
) -> None:
    subject = str(uuid4())
    url = f"http://127.0.0.1:{instance.client_network.port}"
    headers = token_headers(instance.platform.secret, subject)
    created: list[tuple[str, str]] = []
    async with AsyncClient(base_url=url, headers=headers, timeout=TIMEOUT_SECONDS) as client:
        await client.post("/tasks", json={"title": "first"})
        for number in range(ROUNDS):
            instance.lose_messages(
                client_losses=MessageLosses(responses=loss.of_gateway),
                database_losses=MessageLosses(responses=loss.of_database),
            )
            failures, response = await create_with_retries(client, f"title-{number}")
            assert failures == loss.failures
            assert response.headers["idempotency-replayed"] == "true"
            task = response.json()
            created.append((task["id"], task["title"]))

    rows = await instance.platform.fetch_rows("tasks", TASKS_OF_USER, user_id_of(subject))
    assert [(row["id"], row["title"]) for row in rows[1:]] == created

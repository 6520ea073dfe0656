"""A creation that was carried out and whose answer got lost: the same request with the same key finds it."""

from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass
from uuid import uuid4

import pytest
from httpx import AsyncClient, Response, TransportError

from devkit.platform.databases import MigratedDatabases
from devkit.platform.tokens import user_id_of
from devkit.testing.auth_headers import token_headers
from e2e.support.cluster import PATIENCE_SECONDS, Way, a_way

ROUNDS = 25
ATTEMPTS = 5

STORED = "SELECT id::text, title FROM tasks WHERE user_id = %s ORDER BY version"


@dataclass
class Loss:
    """Which of the next answers get lost, before the gateway and before the database."""

    outside: list[bool]
    inside: list[bool]
    seen: list[int | None]
    """What comes back before a success: statuses, and None for a connection that ends."""


LOSSES = {
    "of the database": Loss([], [True], []),
    "of the database, and of the next two connections": Loss([], [True, True, True], [500]),
    "of the gateway": Loss([True], [], [None]),
    "of both": Loss([True], [True], [None]),
    "of both, again and again": Loss([True] * 2, [True] * 3, [None] * 2),
}


@pytest.fixture(scope="module")
async def way(databases: MigratedDatabases) -> AsyncGenerator[Way]:
    async with a_way({owner: await databases.create(owner) for owner in ("tasks", "users")}) as way:
        yield way


async def insist(client: AsyncClient, title: str) -> tuple[list[int | None], Response]:
    """Send the same creation until it succeeds; return what came back before, and what came in the end."""
    seen: list[int | None] = []
    for _ in range(ATTEMPTS):
        answer = None
        with suppress(TransportError):
            answer = await client.post(
                "/tasks", json={"title": title}, headers={"Idempotency-Key": title}
            )
            if answer.is_success:
                return seen, answer
        seen.append(answer.status_code if answer else None)
    raise TimeoutError


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
async def test_the_retry_finds_what_was_made_every_time(way: Way, loss: Loss) -> None:
    subject = str(uuid4())
    headers, url = (
        token_headers(way.platform.secret, subject),
        f"http://127.0.0.1:{way.outside.port}",
    )
    expected: list[tuple[str, str]] = []
    async with AsyncClient(base_url=url, headers=headers, timeout=PATIENCE_SECONDS) as client:
        await client.post("/tasks", json={"title": "first"})
        for number in range(ROUNDS):
            way.fail([[], list(loss.outside), [], list(loss.inside)])
            seen, made = await insist(client, f"title-{number}")
            assert (seen, made.headers["idempotency-replayed"]) == (loss.seen, "true")
            expected.append((made.json()["id"], made.json()["title"]))

    rows = await way.platform.stored("tasks", STORED, user_id_of(subject))
    assert [(row["id"], row["title"]) for row in rows[1:]] == expected

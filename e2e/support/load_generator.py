"""Clients that go on asking, whatever happens, and remember what they were told."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Final

import httpx

from e2e.support.user_client import AsUser, Person

CLIENTS: Final = 8
"""How many ask at once, each on a connection that is kept."""

PATIENCE_SECONDS: Final = 20
"""How long a client waits for an answer: longer than any deadline of the platform."""

PAUSE_SECONDS: Final = 0.02
"""How long a client thinks."""


@dataclass
class Load:
    """What the clients were told."""

    answers: Counter[str] = field(default_factory=Counter[str])
    created: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Ids of the tasks that were acknowledged, by subject."""

    people: list[Person] = field(default_factory=list[Person])

    @property
    def refused(self) -> dict[str, int]:
        """What was no success, and how often."""
        return {
            answer: times for answer, times in self.answers.items() if not answer.startswith("2")
        }

    async def require_kept(self) -> None:
        """Make sure that everybody has what was acknowledged."""
        for person in self.people:
            kept = {task["id"] for task in await person.tasks()}
            assert set(self.created[person.subject]) <= kept


@asynccontextmanager
async def load(as_user: AsUser) -> AsyncGenerator[Load]:
    """Ask, until the block ends; half of the requests write."""
    seen, enough = Load(), asyncio.Event()
    seen.people.extend(as_user(f"client-{number}") for number in range(CLIENTS))
    async with asyncio.TaskGroup() as clients:
        for person in seen.people:
            person.timeout = PATIENCE_SECONDS
            seen.created[person.subject] = []
            clients.create_task(_go_on(person, seen, enough))
        try:
            yield seen
        finally:
            enough.set()


async def _go_on(person: Person, seen: Load, enough: asyncio.Event) -> None:
    for number in count(1):
        if enough.is_set():
            return
        try:
            answer = await (
                person.get("/tasks", params={"limit": "1"}) if number % 2 else _create(person)
            )
        except httpx.TransportError as error:
            seen.answers[type(error).__name__] += 1
            continue
        seen.answers[str(answer.status_code)] += 1
        if answer.status_code == 201:
            seen.created[person.subject].append(answer.json()["id"])
        await asyncio.sleep(PAUSE_SECONDS)


async def _create(person: Person) -> httpx.Response:
    return await person.post("/tasks", json={"title": "Once"})

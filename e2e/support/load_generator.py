"""Clients that send requests in the background, and record every outcome."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Final

import httpx

from e2e.support.user_client import UserClient, UserClientFactory

CLIENTS: Final = 8
"""Number of concurrent clients, each on its own keep-alive connection."""

TIMEOUT_SECONDS: Final = 20
"""Client timeout: longer than any deadline of the platform."""

PAUSE_SECONDS: Final = 0.02
"""Pause of a client between two requests."""


@dataclass
class LoadReport:
    """The outcomes of all requests."""

    outcomes: Counter[str] = field(default_factory=Counter[str])
    """Counts responses by status, and failed connections by the name of the exception."""

    created_ids: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Ids of the tasks whose creation was acknowledged, by the user's subject."""

    users: list[UserClient] = field(default_factory=list[UserClient])

    @property
    def failures(self) -> dict[str, int]:
        """Outcomes other than success, with their counts."""
        return {
            outcome: times
            for outcome, times in self.outcomes.items()
            if not outcome.startswith("2")
        }

    async def assert_created_tasks_exist(self) -> None:
        """Check that no acknowledged task is lost."""
        for user in self.users:
            stored_ids = {task["id"] for task in await user.list_tasks()}
            assert set(self.created_ids[user.subject]) <= stored_ids


@asynccontextmanager
async def run_load(as_user: UserClientFactory) -> AsyncGenerator[LoadReport]:
    """Send requests until the block ends; every second one creates a task."""
    report = LoadReport()
    stop = asyncio.Event()
    for number in range(CLIENTS):
        user = as_user(f"client-{number}")
        user.timeout = TIMEOUT_SECONDS
        report.users.append(user)
        report.created_ids[user.subject] = []
    async with asyncio.TaskGroup() as clients:
        for user in report.users:
            clients.create_task(_send_requests(user, report, stop))
        try:
            yield report
        finally:
            stop.set()


async def _send_requests(user: UserClient, report: LoadReport, stop: asyncio.Event) -> None:
    for number in count(1):
        if stop.is_set():
            return
        is_write = number % 2 == 0
        try:
            if is_write:
                response = await user.post("/tasks", json={"title": "Once"})
            else:
                response = await user.get("/tasks", params={"limit": "1"})
        except httpx.TransportError as error:
            report.outcomes[type(error).__name__] += 1
            continue
        report.outcomes[str(response.status_code)] += 1
        if response.status_code == 201:
            report.created_ids[user.subject].append(response.json()["id"])
        await asyncio.sleep(PAUSE_SECONDS)

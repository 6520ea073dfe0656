"""Clients that send requests in the background, and record every outcome."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Final

import httpx

from e2e.support.user_client import UserClient, UserClientFactory

_log: Final = logging.getLogger(__name__)

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

    failed_at: list[datetime] = field(default_factory=list[datetime])
    """When each failure was."""

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

    def record_failure(self, outcome: str, body: str = "") -> None:
        """Count a request that failed, and log the reason."""
        self.outcomes[outcome] += 1
        self.failed_at.append(datetime.now(UTC))
        _log.info("Failed: %s %s", outcome, body)

    async def assert_created_tasks_exist(self) -> None:
        """Check that no acknowledged task is lost."""
        for user in self.users:
            stored_ids = {task["id"] for task in await user.list_tasks()}
            assert set(self.created_ids[user.subject]) <= stored_ids


@asynccontextmanager
async def run_load(
    as_user: UserClientFactory,
    *,
    clients: int = CLIENTS,
    pause_seconds: float = PAUSE_SECONDS,
    with_profiles: bool = False,
) -> AsyncGenerator[LoadReport]:
    """Send requests until the block ends; every second one creates a task.

    Args:
        as_user: Returns a client for each user.
        clients: How many clients send requests at the same time.
        pause_seconds: How long a client pauses between two requests.
        with_profiles: Whether every fourth request reads the profile, hence needs users.
    """
    report = LoadReport()
    stop = asyncio.Event()
    for number in range(clients):
        user = as_user(f"client-{number}")
        user.timeout = TIMEOUT_SECONDS
        report.users.append(user)
        report.created_ids[user.subject] = []
    async with asyncio.TaskGroup() as group:
        for user in report.users:
            group.create_task(
                _send_requests(user, report, stop, pause_seconds, with_profiles=with_profiles)
            )
        try:
            yield report
        finally:
            stop.set()
    _log.info("Outcomes of the load: %s", dict(report.outcomes))


async def _send_requests(
    user: UserClient,
    report: LoadReport,
    stop: asyncio.Event,
    pause_seconds: float,
    *,
    with_profiles: bool,
) -> None:
    for number in count(1):
        if stop.is_set():
            return
        is_write = number % 2 == 0
        try:
            if is_write:
                response = await user.post("/tasks", json={"title": "Once"})
            elif with_profiles and number % 4 == 1:
                response = await user.get("/users/me")
            else:
                response = await user.get("/tasks", params={"limit": "1"})
        except httpx.TransportError as error:
            report.record_failure(type(error).__name__)
            continue
        if not response.is_success:
            report.record_failure(str(response.status_code), response.text)
            continue
        report.outcomes[str(response.status_code)] += 1
        if response.status_code == 201:
            report.created_ids[user.subject].append(response.json()["id"])
        await asyncio.sleep(pause_seconds)

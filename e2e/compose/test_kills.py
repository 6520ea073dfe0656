"""Each container is killed while requests run, and Docker restarts it."""

import asyncio
from typing import Final

import pytest

from e2e.support.compose_project import POLL_SECONDS, RECOVERY_SECONDS, ComposeProject
from e2e.support.load_generator import run_load
from e2e.support.user_client import UserClientFactory

FAILURES: Final = {
    "auth-gateway": {"502", "503"},
    "better-auth": set[str](),
    "postgres": {"500", "503"},
    "tasks": {"502", "504"},
    "traefik": {"404", "ConnectError", "ReadError", "RemoteProtocolError", "WriteError"},
    "users": set[str](),
}
"""The outcomes of requests that may fail while a container is away.

Requests for tasks do not need the users service: tasks knows every user after the first request.
Traefik listens a moment before it has read its routes: hence 404.
"""

BEFORE_SECONDS: Final = 1.5
AFTER_SECONDS: Final = 1.5

DEADLINE_SECONDS: Final = 6
"""How long a request may wait for a killed container: its network ends without notice."""


@pytest.mark.parametrize("service", FAILURES)
async def test_a_killed_container_comes_back_and_nothing_is_lost(
    compose_project: ComposeProject, as_user: UserClientFactory, service: str
) -> None:
    async with run_load(as_user) as report:
        await asyncio.sleep(BEFORE_SECONDS)
        assert report.failures == {}
        await kill_container(compose_project, service)
        await compose_project.wait_until_ready()
        await asyncio.sleep(DEADLINE_SECONDS)
        failures_after_recovery = report.failures
        await asyncio.sleep(AFTER_SECONDS)

    assert report.failures == failures_after_recovery
    assert set(report.failures) <= FAILURES[service]
    await report.assert_created_tasks_exist()


async def kill_container(compose_project: ComposeProject, service: str) -> None:
    """Kill a container's first process from outside, as the OOM killer does.

    Docker does not restart what `docker kill` ends, because it takes that for an operator's wish.
    """
    process_id = await compose_project.inspect(service, "{{.State.Pid}}")
    account_id = await compose_project.compose("exec", "-T", service, "id", "-u")
    await compose_project.run(
        "docker",
        "run",
        "--rm",
        "--pid=host",
        "--network=none",
        f"--user={account_id.strip()}",
        "task-platform/tasks",
        "python",
        "-c",
        f"import os; os.kill({process_id}, 9)",
    )
    async with asyncio.timeout(RECOVERY_SECONDS):
        while True:
            new_process_id = await compose_project.inspect(service, "{{.State.Pid}}")
            if new_process_id not in {process_id, "0"}:
                return
            await asyncio.sleep(POLL_SECONDS)

"""Two replicas of a service, of which one stops while requests run."""

import asyncio
from typing import Final

import pytest

from e2e.support.compose_project import ComposeProject
from e2e.support.load_generator import run_load
from e2e.support.user_client import UserClientFactory

BEFORE_SECONDS: Final = 1.5
AFTER_SECONDS: Final = 3.0


@pytest.mark.parametrize("service", ["auth-gateway", "tasks", "users"])
async def test_stopping_one_of_two_replicas_fails_no_request(
    compose_project: ComposeProject, as_user: UserClientFactory, service: str
) -> None:
    await scale(compose_project, service, 2)
    container_ids = (await compose_project.compose("ps", "--quiet", service)).split()
    stopped_id = container_ids[0]

    async with run_load(as_user) as report:
        await asyncio.sleep(BEFORE_SECONDS)
        await compose_project.run("docker", "stop", "--time", "20", stopped_id)
        await asyncio.sleep(AFTER_SECONDS)
    exit_status = await compose_project.run(
        "docker", "inspect", "--format", "{{.State.ExitCode}}", stopped_id
    )
    await compose_project.run("docker", "rm", stopped_id)

    assert exit_status.strip() == "0"
    assert report.failures == {}
    assert report.outcomes.total() > len(report.users)


async def scale(compose_project: ComposeProject, service: str, replicas: int) -> None:
    await compose_project.compose(
        "up",
        "--detach",
        "--no-deps",
        "--no-recreate",
        "--wait",
        "--scale",
        f"{service}={replicas}",
        service,
    )

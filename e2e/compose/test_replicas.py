"""Two replicas behind one name, of which one is told to stop while requests run."""

import asyncio

import pytest

from e2e.support.compose_project import Composition
from e2e.support.load_generator import load
from e2e.support.user_client import AsUser

BEFORE_SECONDS, AFTER_SECONDS = 1.5, 3.0


@pytest.mark.parametrize("service", ["auth-gateway", "tasks", "users"])
async def test_stopping_one_of_two_replicas_costs_no_request(
    composed_platform: Composition, as_user: AsUser, service: str
) -> None:
    await scale(composed_platform, service, 2)
    first, *_ = (await composed_platform.compose("ps", "--quiet", service)).split()

    async with load(as_user) as seen:
        await asyncio.sleep(BEFORE_SECONDS)
        await composed_platform.run("docker", "stop", "--time", "20", first)
        await asyncio.sleep(AFTER_SECONDS)
    code = await composed_platform.run(
        "docker", "inspect", "--format", "{{.State.ExitCode}}", first
    )
    await composed_platform.run("docker", "rm", first)

    assert code.strip() == "0"
    assert seen.refused == {}
    assert seen.answers.total() > len(seen.people)


async def scale(composed_platform: Composition, service: str, count: int) -> None:
    options = ("--detach", "--no-deps", "--no-recreate", "--wait", "--scale", f"{service}={count}")
    await composed_platform.compose("up", *options, service)
